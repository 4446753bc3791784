//! Inference profiles that AWS is asked about: once before the gateway starts, and again every hour while it runs.
//!
//! ```text
//! start    workspace ─▶ a question for each profile, four at a time ─▶ routes settled │ mistakes: the gateway does not start
//! running  asked again ─▶ the same: nothing │ no answer: the last one holds, WARN
//!                      └▶ another: ERROR and a control event; a route that it breaks is not used until an answer agrees with it
//! ```
//! Only providers with `lookup_profiles = true` are asked, and only about routes that leave their model or their Regions open.

mod watch;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use custody_config::Mistakes;
use custody_model::bedrock::{LookUpError, ProfileClient, ProfileFacts};
use custody_types::{ModelName, RouteName, Text};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    models,
    workspace::{AskedProfile, Lookup, ProviderKind, RouteConfig, Workspace, WorkspaceError, shown},
};

const MAIN_FILE: &str = "custody.toml";
/// Questions under way at once, for each provider. AWS allows few a second, and a workspace may name a profile for each tenant.
const AT_ONCE: usize = 4;
const STATE_IT: &str = "correct it, or state inference_profile.model and inference_profile.regions";

/// The profiles that AWS told about, to be asked about again.
#[derive(Debug, Default)]
pub struct Profiles(Vec<Watched>);

/// The profiles of one provider.
#[derive(Debug)]
struct Watched {
    client: ProfileClient,
    every: Duration,
    profiles: Vec<Known>,
}

/// A profile, what AWS told last, and the routes that lead to it.
#[derive(Debug)]
struct Known {
    name: ModelName,
    facts: ProfileFacts,
    routes: Vec<Arc<RouteConfig>>,
}

/// An answer, or why there is none.
type Told = Result<ProfileFacts, LookUpError>;

/// Profiles by the provider that knows them, and the routes that lead to each.
type Questions = BTreeMap<Text, BTreeMap<ModelName, Vec<RouteName>>>;

/// Asks AWS about every profile that the workspace leaves open, and settles the routes by what it tells.
///
/// # Errors
/// Everything that AWS does not tell, and everything that a route says and AWS does not.
pub async fn look_up_profiles(mut workspace: Workspace) -> Result<(Workspace, Profiles), WorkspaceError> {
    let (mut watched, mut found) = (Vec::new(), Vec::new());
    for (provider, profiles) in questions(&workspace) {
        let Some((client, every)) = client(&workspace, &provider, &profiles, &mut found).await else { continue };
        let told = ask_all(profiles.keys().cloned(), |name| look_up(client.clone(), name)).await;
        let mistakes = Mistakes::default();
        let known = profiles.into_iter().filter_map(|(name, routes)| {
            let answer = told.get(&name)?;
            settle_all(&mut workspace, &name, answer, routes, &mistakes)
        });
        watched.push(Watched { client, every, profiles: known.collect() });
        found.extend(mistakes.into_vec());
    }
    if found.is_empty() { Ok((workspace, Profiles(watched))) } else { Err(WorkspaceError::Mistakes(found)) }
}

fn questions(workspace: &Workspace) -> Questions {
    let mut questions = Questions::new();
    for route in workspace.routes.values().filter(|route| asked(route).is_some()) {
        let profiles = questions.entry(route.provider_name.clone()).or_default();
        profiles.entry(route.model.clone()).or_default().push(route.name.clone());
    }
    questions
}

fn asked(route: &RouteConfig) -> Option<&AskedProfile> {
    route.bedrock.as_ref()?.asked.as_ref()
}

async fn client(
    workspace: &Workspace,
    provider: &Text,
    profiles: &BTreeMap<ModelName, Vec<RouteName>>,
    found: &mut Vec<custody_config::Mistake>,
) -> Option<(ProfileClient, Duration)> {
    let mut routes = profiles.values().flatten().filter_map(|name| workspace.routes.get(name));
    let ProviderKind::Bedrock(bedrock) = &routes.next()?.provider else { return None };
    let Lookup { control_endpoint_url, every } = bedrock.lookup.clone()?;
    let mut config = models::bedrock_config(workspace, bedrock);
    config.control_endpoint_url = control_endpoint_url;
    match config.build_profiles().await {
        Ok(client) => Some((client, every)),
        Err(error) => {
            let key = format!("providers.{provider}.lookup_profiles");
            let mistakes = Mistakes::default();
            mistakes.add(MAIN_FILE, &key, format!("can't be used: {error}"), STATE_IT);
            found.extend(mistakes.into_vec());
            None
        }
    }
}

/// Each question is bounded in time from when its turn comes, and so are all of them.
async fn ask_all<Answer>(names: impl Iterator<Item = ModelName>, ask: impl Fn(ModelName) -> Answer) -> BTreeMap<ModelName, Told>
where
    Answer: Future<Output = Told> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    for name in names {
        let (places, answer) = (Arc::clone(&places), ask(name.clone()));
        asking.spawn(async move {
            // Never closed.
            let _place = places.acquire().await;
            (name, answer.await)
        });
    }
    asking.join_all().await.into_iter().collect()
}

async fn look_up(client: ProfileClient, name: ModelName) -> Told {
    client.look_up(name.as_str()).await
}

fn settle_all(
    workspace: &mut Workspace,
    name: &ModelName,
    answer: &Result<ProfileFacts, LookUpError>,
    routes: Vec<RouteName>,
    mistakes: &Mistakes,
) -> Option<Known> {
    if let Ok(facts) = answer {
        let (profile, model, regions) = (name.as_str(), facts.model.as_str(), shown(facts));
        tracing::info!(profile, model, regions, "AWS told what is behind an inference profile");
    }
    let mut settled = Vec::new();
    for route in &routes {
        let shared = workspace.routes.get_mut(route)?;
        // Nobody else holds a route before the gateway is built; one that were held would stay unusable.
        let Some(config) = Arc::get_mut(shared) else { continue };
        settle(config, answer, mistakes);
        settled.push(Arc::clone(shared));
    }
    answer.as_ref().ok().map(|facts| Known { name: name.clone(), facts: facts.clone(), routes: settled })
}

fn settle(route: &mut RouteConfig, answer: &Result<ProfileFacts, LookUpError>, mistakes: &Mistakes) {
    let place = format!("routes.{}", route.name);
    let facts = match answer {
        Ok(facts) => facts,
        Err(error) => {
            let problem = format!("is `{}`, which lookup_profiles can't settle: {error}", route.model);
            return mistakes.add(MAIN_FILE, &format!("{place}.model"), problem, STATE_IT);
        }
    };
    let Some(settled) = asked(route).map(|asked| asked.stated.settle(Some(facts))) else { return };
    match settled {
        Ok(whereabouts) => {
            if let Err(error) = route.settle(whereabouts) {
                mistakes.add(MAIN_FILE, &place, error.to_string(), "use plain labels");
            }
        }
        Err(problems) => problems.into_iter().for_each(|found| {
            mistakes.add(MAIN_FILE, &format!("{place}.{}", found.key), found.problem, found.accepted);
        }),
    }
}

impl Profiles {
    /// Whether there is nothing to ask again.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
