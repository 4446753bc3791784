//! Asks about profiles again while the gateway runs, and takes routes out of use that a new answer breaks.

use std::{sync::Arc, time::Duration};

use custody_event::Control;
use custody_model::bedrock::{LookUpError, ProfileFacts};
use custody_types::Text;
use tokio::{sync::watch::Receiver, task::JoinSet};

use super::{Known, Profiles, Watched, ask_all, asked, look_up};
use crate::{
    Gateway,
    keyed::random,
    workspace::{RouteConfig, Whereabouts, shown},
};

/// A route whose profile is no longer what it was.
pub(super) struct Change {
    route: Arc<RouteConfig>,
    before: ProfileFacts,
    now: ProfileFacts,
    usable: bool,
}

impl Profiles {
    /// Asks again until `stopped` says so; each provider at its own pace.
    pub async fn watch(self, gateway: Gateway, stopped: Receiver<bool>) {
        let mut watching = JoinSet::new();
        for watched in self.0 {
            watching.spawn(watch_one(watched, gateway.clone(), stopped.clone()));
        }
        let _ = watching.join_all().await;
    }
}

async fn watch_one(mut watched: Watched, gateway: Gateway, mut stopped: Receiver<bool>) {
    loop {
        let again = async {
            tokio::time::sleep(spread(watched.every)).await;
            let names = watched.profiles.iter().map(|known| known.name.clone());
            ask_all(names, |name| look_up(watched.client.clone(), name)).await
        };
        let told = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            told = again => told,
        };
        for known in &mut watched.profiles {
            let Some(answer) = told.get(&known.name) else { continue };
            for change in known.hear(answer) {
                change.tell(&gateway).await;
            }
        }
    }
}

/// Nine tenths or up to all of it: providers and gateways that started together do not ask together for ever.
pub(super) fn spread(every: Duration) -> Duration {
    let share = random::<4>().map_or(u32::MAX, u32::from_le_bytes);
    (every / 10).mul_f64(f64::from(share) / f64::from(u32::MAX)) + every / 10 * 9
}

impl Known {
    /// Takes an answer in. Where there is none, the last one holds.
    pub(super) fn hear(&mut self, answer: &Result<ProfileFacts, LookUpError>) -> Vec<Change> {
        let now = match answer {
            Ok(now) if *now == self.facts => return Vec::new(),
            Ok(now) => now.clone(),
            Err(error) => {
                let profile = self.name.as_str();
                tracing::warn!(profile, %error, "an inference profile could not be asked about again; the last answer holds");
                return Vec::new();
            }
        };
        let before = std::mem::replace(&mut self.facts, now.clone());
        let change = |route: &Arc<RouteConfig>| {
            let usable = still_fits(route, &now);
            if let Some(asked) = asked(route) {
                asked.set_usable(usable);
            }
            Change { route: Arc::clone(route), before: before.clone(), now: now.clone(), usable }
        };
        self.routes.iter().map(change).collect()
    }
}

/// Whether the route may be used as it was settled at the start: what policies and prices were told of it must still hold.
fn still_fits(route: &RouteConfig, now: &ProfileFacts) -> bool {
    let Some((call, asked)) = route.bedrock.as_ref().and_then(|call| Some((call, call.asked.as_ref()?))) else { return true };
    let Ok(Whereabouts { runs_in, priced_as, geography, .. }) = asked.stated.settle(Some(now)) else { return false };
    let stays = route.region.as_ref().is_none_or(|region| runs_in.iter().eq([region]));
    stays && (&priced_as, &geography) == (&call.whereabouts.priced_as, &call.whereabouts.geography)
}

impl Change {
    async fn tell(&self, gateway: &Gateway) {
        let (route, profile, usable) = (self.route.name.as_str(), self.route.model.as_str(), self.usable);
        tracing::error!(
            route,
            profile,
            usable,
            model = self.now.model.as_str(),
            regions = shown(&self.now),
            "an inference profile changed; a route that no longer fits is not used: change the route, or start again"
        );
        if let Err(error) = gateway.record_control(self.control()).await {
            tracing::error!(%error, route, "the change of an inference profile could not be recorded");
        }
    }

    fn control(&self) -> Control {
        let parameters = [
            ("profile", self.route.model.to_string()),
            ("model_before", self.before.model.to_string()),
            ("model_now", self.now.model.to_string()),
            ("regions_before", shown(&self.before)),
            ("regions_now", shown(&self.now)),
            ("route_usable", self.usable.to_string()),
        ];
        Control {
            action: Text::from("profile_changed"),
            subject: self.route.name.text(),
            actor: Text::from("platform"),
            parameters: parameters.into_iter().map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
            ..Control::default()
        }
    }
}
