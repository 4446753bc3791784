//! From text to a validated set: read everything, then report everything.

mod probe;

use std::{
    collections::{HashMap, hash_map::Entry},
    str::FromStr,
    sync::Arc,
};

use cedar_policy::{Authorizer, Policy, PolicyId, Schema, ValidationMode, Validator};
use custody_types::Text;
use miette::Diagnostic;

use crate::{
    builtin, hash, locate,
    mistake::{PolicyMistake, PolicyMistakes},
    question::Actions,
    set::{PolicySet, SourceFile},
};

pub(crate) fn load(schema_file: SourceFile<'_>, files: &[SourceFile<'_>]) -> Result<PolicySet, PolicyMistakes> {
    let built_in = SourceFile { name: builtin::FILE, text: builtin::RULES };
    let mut reading = Reading::default();
    reading.read_file(built_in);
    for file in files {
        reading.read_file(*file);
    }
    let actions = Actions::new().map_err(|error| PolicyMistakes::one(builtin::FILE, error.to_string()))?;
    let mut reveals_known = false;
    if let Some(schema) = reading.read_schema(schema_file) {
        reveals_known = actions.are_reveals_known(&schema);
        reading.mistakes.extend(probe::refusals(&actions, &schema, schema_file.name));
        reading.validate(schema);
    }
    PolicyMistakes::found(std::mem::take(&mut reading.mistakes))?;
    Ok(PolicySet {
        authorizer: Authorizer::new(),
        ids: reading.origins.iter().map(|(id, origin)| (id.clone(), Arc::clone(&origin.id))).collect(),
        policies: reading.policies,
        actions,
        reveals_known,
        hash: hash::of(schema_file, files),
        nothing: Arc::new([]),
    })
}

/// Where a policy came from.
struct Origin<'a> {
    id: Text,
    file: SourceFile<'a>,
    line: Option<usize>,
}

/// What was read so far.
#[derive(Default)]
struct Reading<'a> {
    policies: cedar_policy::PolicySet,
    origins: HashMap<PolicyId, Origin<'a>>,
    mistakes: Vec<PolicyMistake>,
}

impl<'a> Reading<'a> {
    fn read_schema(&mut self, file: SourceFile<'_>) -> Option<Schema> {
        match Schema::from_cedarschema_str(file.text) {
            Ok((schema, warnings)) => {
                self.mistakes.extend(warnings.map(|warning| described(file, &warning)));
                Some(schema)
            }
            Err(error) => {
                self.mistakes.push(described(file, &error));
                None
            }
        }
    }

    fn read_file(&mut self, file: SourceFile<'a>) {
        match cedar_policy::PolicySet::from_str(file.text) {
            Ok(set) => self.take(file, &set),
            Err(errors) => self.mistakes.extend(errors.iter().map(|error| described(file, error))),
        }
    }

    /// The engine numbers the policies of one text `policy0`, `policy1` and so on, templates included.
    fn take(&mut self, file: SourceFile<'a>, set: &cedar_policy::PolicySet) {
        let lines = locate::policy_lines(file.text);
        let line_of = |id: &PolicyId| {
            let place: Option<usize> = AsRef::<str>::as_ref(id).strip_prefix("policy").and_then(|place| place.parse().ok());
            place.and_then(|place| lines.get(place).copied())
        };
        for template in set.templates() {
            self.blame(file, line_of(template.id()), "a template with slots decides nothing here; write the policy out");
        }
        for policy in set.policies() {
            self.take_policy(file, line_of(policy.id()), policy);
        }
    }

    fn take_policy(&mut self, file: SourceFile<'a>, line: Option<usize>, policy: &Policy) {
        let id = policy.annotation("id").unwrap_or_default();
        if id.is_empty() {
            return self.blame(file, line, "the policy has no name; write @id(\"…\") above it");
        }
        if id.starts_with(builtin::RESERVED_PREFIX) && file.name != builtin::FILE {
            return self.blame(file, line, &format!("`{id}` begins with `{}`, which is kept for built-in rules", builtin::RESERVED_PREFIX));
        }
        let message = match self.origins.entry(PolicyId::new(id)) {
            Entry::Occupied(first) => {
                let place = first.get().line.map_or_else(String::new, |line| format!(":{line}"));
                format!("`{id}` is already the name of the policy at {}{place}", first.get().file.name)
            }
            Entry::Vacant(free) => {
                free.insert(Origin { id: Text::from(id), file, line });
                match self.policies.add(policy.new_id(PolicyId::new(id))) {
                    Ok(()) => return,
                    Err(error) => error.to_string(),
                }
            }
        };
        self.blame(file, line, &message);
    }

    fn validate(&mut self, schema: Schema) {
        let result = Validator::new(schema).validate(&self.policies, ValidationMode::Strict);
        let errors = result.validation_errors().map(|error| self.placed(error.policy_id(), error));
        let warnings = result.validation_warnings().map(|warning| self.placed(warning.policy_id(), warning));
        let found: Vec<PolicyMistake> = errors.chain(warnings).collect();
        self.mistakes.extend(found);
    }

    fn placed(&self, id: &PolicyId, finding: &dyn Diagnostic) -> PolicyMistake {
        let Some(origin) = self.origins.get(id) else {
            return PolicyMistake { file: builtin::FILE.to_owned(), line: None, message: sentence(finding) };
        };
        let mistake = described(origin.file, finding);
        PolicyMistake { line: mistake.line.or(origin.line), ..mistake }
    }

    fn blame(&mut self, file: SourceFile<'_>, line: Option<usize>, message: &str) {
        self.mistakes.push(PolicyMistake { file: file.name.to_owned(), line, message: message.to_owned() });
    }
}

fn described(file: SourceFile<'_>, finding: &dyn Diagnostic) -> PolicyMistake {
    let offset = finding.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let line = offset.map(|offset| locate::line_of(file.text, offset));
    PolicyMistake { file: file.name.to_owned(), line, message: sentence(finding) }
}

/// The finding, its detail and the engine's advice, in one line.
fn sentence(finding: &dyn Diagnostic) -> String {
    let mut message = finding.to_string();
    if let Some(detail) = finding.labels().and_then(|mut labels| labels.find_map(|label| label.label().map(str::to_owned))) {
        message = format!("{message}: {detail}");
    }
    if let Some(help) = finding.help() {
        message = format!("{message} ({help})");
    }
    message.replace('\n', " ")
}
