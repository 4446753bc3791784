//! From a folder to a checked workspace: read everything, then report everything.

use std::{collections::BTreeMap, fmt, io, path::Path, sync::Arc};

use custody_config::{Mistake, Mistakes, Reader};
use custody_policy::{PolicySet, SourceFile, TenantScope};
use custody_price::PriceBook;
use custody_types::{CapabilityName, Fault, FaultOwner, Retry, RouteName, TenantId, Text};
use toml::Table;

use super::{
    Capability, RouteConfig, Settings, Tenant, Workspace, WorkspaceFiles, capability, handling, keys, prompt, routes, settings, tenants,
};

const MAIN_FILE: &str = "custody.toml";
const SCHEMA_FILE: &str = "policies/schema.cedarschema";

/// The workspace cannot be used.
#[derive(Debug)]
pub enum WorkspaceError {
    /// The folder cannot be read.
    Folder(io::Error),
    /// What it says cannot be meant; all mistakes of one run.
    Mistakes(Vec<Mistake>),
}

impl fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(error) => write!(f, "the workspace folder cannot be read: {error}"),
            Self::Mistakes(mistakes) => {
                let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                write!(f, "the workspace has {} mistakes: {}", mistakes.len(), all.join(" | "))
            }
        }
    }
}

impl std::error::Error for WorkspaceError {}

impl WorkspaceError {
    /// Every mistake; empty where the folder itself could not be read.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::Folder(_) => &[],
            Self::Mistakes(mistakes) => mistakes,
        }
    }
}

impl Fault for WorkspaceError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Folder(_) => "workspace_unreadable",
            Self::Mistakes(_) => "workspace_invalid",
        }
    }
}

impl Workspace {
    /// Reads and checks a folder.
    ///
    /// # Errors
    /// Every mistake of every file at once.
    pub fn load(folder: &Path) -> Result<Self, WorkspaceError> {
        let mistakes = Mistakes::default();
        let files = WorkspaceFiles::read(folder, &mistakes).map_err(WorkspaceError::Folder)?;
        let keys_file = folder.join(keys::FILE);
        if files.get(keys::FILE).is_some() && crate::private_file::is_exposed(&keys_file).unwrap_or(true) {
            mistakes.add(keys::FILE, "", "is readable by other users of this machine", "run chmod 600 on it");
        }
        checked(&files, mistakes)
    }

    /// Checks files that are already in memory.
    ///
    /// # Errors
    /// Every mistake of every file at once.
    pub fn from_files(files: &WorkspaceFiles) -> Result<Self, WorkspaceError> {
        checked(files, Mistakes::default())
    }
}

fn checked(files: &WorkspaceFiles, mistakes: Mistakes) -> Result<Workspace, WorkspaceError> {
    let tables = parse_all(files, &mistakes);
    let (settings, routes) = read_main(&tables, &mistakes);
    let tenants = required(&tables, tenants::FILE, &mistakes).map(|table| tenants::read(table, &mistakes)).unwrap_or_default();
    let keys = tables.get(keys::FILE).map(|table| keys::read(table, &tenants, &mistakes)).unwrap_or_default();
    let capabilities = read_capabilities(&tables, &routes, &tenants, &mistakes);
    let known = handling::Known { tenants: &tenants, capabilities: &capabilities };
    let handling = handling::read(tables.get(handling::FILE), &known, &mistakes);
    let policies = read_policies(files, &mistakes);
    let prices = read_prices(files, &mistakes);
    let found = mistakes.into_vec();
    match (settings, policies, prices) {
        (Some(settings), Some(policies), Some(prices)) if found.is_empty() => {
            Ok(Workspace { hash: Text::from(files.hash()), settings, tenants, capabilities, routes, keys, policies, prices, handling })
        }
        _ => Err(WorkspaceError::Mistakes(found)),
    }
}

fn parse_all<'f>(files: &'f WorkspaceFiles, mistakes: &Mistakes) -> BTreeMap<&'f str, Table> {
    let toml = files.0.iter().filter(|(path, _)| path.ends_with(".toml") && !path.starts_with("prices/"));
    let parsed = toml.filter_map(|(path, text)| match text.parse::<Table>() {
        Ok(table) => Some((path.as_str(), table)),
        Err(error) => {
            let line = error.span().map_or(0, |span| text.get(..span.start).unwrap_or_default().lines().count());
            mistakes.add(path, "", format!("is not TOML near line {line}: {}", error.message()), "correct the line");
            None
        }
    });
    parsed.collect()
}

fn required<'t>(tables: &'t BTreeMap<&str, Table>, file: &str, mistakes: &Mistakes) -> Option<&'t Table> {
    let table = tables.get(file);
    if table.is_none() {
        mistakes.add(
            file,
            "",
            "is missing or unreadable",
            "add the file; `custody up` writes an example into a folder that does not exist yet",
        );
    }
    table
}

fn read_main(tables: &BTreeMap<&str, Table>, mistakes: &Mistakes) -> (Option<Settings>, BTreeMap<RouteName, Arc<RouteConfig>>) {
    let Some(table) = required(tables, MAIN_FILE, mistakes) else { return (None, BTreeMap::new()) };
    let root = Reader::new(MAIN_FILE, table, mistakes);
    let settings = settings::read(&root);
    let routes = routes::read(&root);
    root.finish();
    (settings, routes)
}

fn read_capabilities(
    tables: &BTreeMap<&str, Table>,
    routes: &BTreeMap<RouteName, Arc<RouteConfig>>,
    tenants: &BTreeMap<TenantId, Tenant>,
    mistakes: &Mistakes,
) -> BTreeMap<CapabilityName, Arc<Capability>> {
    let inside = |folder: &'static str| tables.iter().filter(move |(path, _)| path.starts_with(folder));
    let mut prompts = prompt::Prompts::new();
    inside("prompts/").for_each(|(path, table)| prompt::read(path, table, mistakes, &mut prompts));
    let mut capabilities = BTreeMap::new();
    for (path, table) in inside("capabilities/") {
        let Some(found) = capability::read(path, table, mistakes, &prompts) else { continue };
        capability::check_routes(path, &found, |route| routes.contains_key(route), mistakes);
        capability::check_guardrails(path, &found, routes, mistakes);
        if let TenantScope::Only(scope) = &found.policy.facts().tenants {
            for tenant in scope.iter().filter(|tenant| !tenants.contains_key(*tenant)) {
                mistakes.add(path, "scope", format!("names `{tenant}`, which tenants.toml does not list"), "use listed tenants");
            }
        }
        if let Some(twin) = capabilities.insert(found.name.clone(), Arc::new(found)) {
            let twin: Arc<Capability> = twin;
            mistakes.add(path, "name", format!("is `{}` a second time", twin.name), "use every name once");
        }
    }
    capabilities
}

/// A folder without policies is valid and allows nothing (PRN-02); one without a schema is not.
fn read_policies(files: &WorkspaceFiles, mistakes: &Mistakes) -> Option<PolicySet> {
    let Some(schema) = files.get(SCHEMA_FILE) else {
        mistakes.add(SCHEMA_FILE, "", "is missing", "copy it from the example workspace");
        return None;
    };
    let sources: Vec<SourceFile<'_>> = files.in_folder("policies", ".cedar").map(|(name, text)| SourceFile { name, text }).collect();
    match PolicySet::load(SourceFile { name: SCHEMA_FILE, text: schema }, &sources) {
        Ok(set) => Some(set),
        Err(errors) => {
            for mistake in errors.mistakes() {
                let place = mistake.line.map_or_else(String::new, |line| format!("line {line}: "));
                mistakes.add(&mistake.file, "", format!("{place}{}", mistake.message), "correct the policy");
            }
            None
        }
    }
}

/// One book prices everything, so that two can't contradict each other; its entries carry the dates.
fn read_prices(files: &WorkspaceFiles, mistakes: &Mistakes) -> Option<PriceBook> {
    let mut books = files.in_folder("prices", ".toml");
    let Some((name, text)) = books.next() else {
        mistakes.add("prices/", "", "holds no price book", "add one, such as the example workspace's");
        return None;
    };
    for (other, _) in books {
        mistakes.add(other, "", format!("is a second price book beside {name}"), "keep one book; its entries have dates");
    }
    match PriceBook::parse(name, text) {
        Ok(book) => Some(book),
        Err(errors) => {
            for mistake in errors.mistakes() {
                mistakes.add(&mistake.file, &mistake.key, format!("is {}", mistake.found), format!("use {}", mistake.accepted));
            }
            None
        }
    }
}
