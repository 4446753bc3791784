//! Legal hold: what must not be forgotten, whoever asks and whatever is due.

use std::{collections::BTreeSet, sync::Arc};

use custody_types::{PersonPseudonym, RequestId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    documents::{Document, Documents},
    error::VaultError,
    objects::Objects,
};

/// The version of the document.
const VERSION: u32 = 1;

/// One hold. It ends by being released, and stays on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    version: u32,
    /// UUID version 7.
    pub id: String,
    /// What it holds.
    pub scope: HoldScope,
    /// Why, redacted.
    pub reason: String,
    /// Since when.
    pub placed_at: Timestamp,
    /// Since when no more, and why.
    pub released: Option<Release>,
}

/// Reads holds for whoever has to obey them.
#[derive(Debug, Clone)]
pub struct Holds {
    documents: Documents<Hold>,
}

/// What is on hold at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OnHold {
    tenants: BTreeSet<TenantId>,
    persons: BTreeSet<(TenantId, PersonPseudonym)>,
    requests: BTreeSet<RequestId>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// When.
    pub at: Timestamp,
    /// Why, redacted.
    pub reason: String,
}

/// What a hold holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum HoldScope {
    /// Everything of a tenant.
    Tenant {
        /// The tenant.
        tenant: TenantId,
    },
    /// Everything of a person within a tenant.
    Person {
        /// The tenant.
        tenant: TenantId,
        /// The person.
        person: PersonPseudonym,
    },
    /// Everything of these requests. What a query found is kept as the list that it found: what a case needs does not change with what
    /// is stored later.
    Requests {
        /// The requests.
        #[serde(with = "request_list")]
        requests: Vec<RequestId>,
    },
}

mod request_list {
    use custody_types::RequestId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(requests: &[RequestId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(requests.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RequestId>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
    }
}

impl Hold {
    /// A hold from now on.
    #[must_use]
    pub const fn new(id: String, scope: HoldScope, reason: String, now: Timestamp) -> Self {
        Self { version: VERSION, id, scope, reason, placed_at: now, released: None }
    }

    /// The same, released.
    #[must_use]
    pub fn released(&self, reason: String, now: Timestamp) -> Self {
        Self { released: Some(Release { at: now, reason }), ..self.clone() }
    }

    /// Whether it holds.
    #[must_use]
    pub const fn is_in_force(&self) -> bool {
        self.released.is_none()
    }
}

impl Document for Hold {
    const FOLDER: &'static str = "holds";
    const VERSION: u32 = VERSION;

    fn version(&self) -> u32 {
        self.version
    }
}

impl HoldScope {
    /// What is held, for a person who reads a list.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Tenant { tenant } => format!("tenant {tenant}"),
            Self::Person { tenant, person } => format!("person {person} of {tenant}"),
            Self::Requests { requests } => match requests.as_slice() {
                [one] => format!("request {one}"),
                many => format!("{} requests", many.len()),
            },
        }
    }
}

impl Holds {
    /// Over a store.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { documents: Documents::new(objects) }
    }

    /// What is on hold now.
    ///
    /// # Errors
    /// When the store fails or a hold can't be read: nothing may then be dropped.
    pub async fn in_force(&self) -> Result<OnHold, VaultError> {
        let mut on_hold = OnHold::default();
        for (_, hold) in self.documents.list().await? {
            if hold.is_in_force() {
                on_hold.add(hold.scope);
            }
        }
        Ok(on_hold)
    }
}

impl OnHold {
    fn add(&mut self, scope: HoldScope) {
        match scope {
            HoldScope::Tenant { tenant } => drop(self.tenants.insert(tenant)),
            HoldScope::Person { tenant, person } => drop(self.persons.insert((tenant, person))),
            HoldScope::Requests { requests } => self.requests.extend(requests),
        }
    }

    /// Whether a text of this tenant, person and request is held.
    #[must_use]
    pub fn covers(&self, tenant: &TenantId, person: Option<&PersonPseudonym>, request: RequestId) -> bool {
        let of_person = || person.is_some_and(|person| self.persons.contains(&(tenant.clone(), person.clone())));
        self.tenants.contains(tenant) || self.requests.contains(&request) || of_person()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestFolder;

    fn hold(id: &str, scope: HoldScope) -> Hold {
        Hold::new(id.into(), scope, "case 7".into(), Timestamp::from_micros(5))
    }

    #[tokio::test]
    async fn what_is_held_is_what_the_holds_in_force_say_together() {
        let folder = TestFolder::new().await;
        let documents = Documents::<Hold>::new(folder.shared());
        let request: RequestId = "019a0000-0000-7000-8000-000000000002".parse().unwrap();
        let tenant = |name: &str| name.parse::<TenantId>().unwrap();
        let anna: PersonPseudonym = "p_anna".parse().unwrap();
        let scopes = [
            HoldScope::Tenant { tenant: tenant("all") },
            HoldScope::Person { tenant: tenant("acme"), person: anna.clone() },
            HoldScope::Requests { requests: vec![request] },
        ];
        for (number, scope) in scopes.into_iter().enumerate() {
            documents.put(&number.to_string(), &hold(&number.to_string(), scope)).await.unwrap();
        }
        let over = hold("over", HoldScope::Tenant { tenant: tenant("free") }).released("closed".into(), Timestamp::from_micros(6));
        documents.put("over", &over).await.unwrap();
        let on_hold = Holds::new(folder.shared()).in_force().await.unwrap();
        let other = RequestId::from_uuid(uuid::Uuid::from_u128(9));
        let bob: PersonPseudonym = "p_bob".parse().unwrap();
        assert!(on_hold.covers(&tenant("all"), None, other) && on_hold.covers(&tenant("all"), Some(&bob), other));
        assert!(on_hold.covers(&tenant("acme"), Some(&anna), other));
        assert!(on_hold.covers(&tenant("other"), None, request), "a request is of one tenant");
        assert!(!on_hold.covers(&tenant("acme"), Some(&bob), other) && !on_hold.covers(&tenant("acme"), None, other));
        assert!(!on_hold.covers(&tenant("other"), Some(&anna), other) && !on_hold.covers(&tenant("free"), None, other));
        folder.objects.put(&"holds/x.json".parse().unwrap(), bytes::Bytes::from_static(b"{}")).await.unwrap();
        assert!(Holds::new(folder.shared()).in_force().await.is_err(), "no word of a decision is passed over");
    }

    #[test]
    fn a_hold_is_read_as_it_was_written() {
        let request: RequestId = "019a0000-0000-7000-8000-000000000002".parse().unwrap();
        let scope = HoldScope::Requests { requests: vec![request] };
        let hold = Hold::new("h".into(), scope, "case 7".into(), Timestamp::from_micros(5));
        let written = serde_json::to_string(&hold).unwrap();
        assert!(written.contains(r#"{"of":"requests","requests":["019a0000-0000-7000-8000-000000000002"]}"#), "{written}");
        assert_eq!(serde_json::from_str::<Hold>(&written).unwrap(), hold);
        assert!(
            serde_json::from_str::<Hold>(&written.replace("\"reason\"", "\"why\"")).is_err(),
            "a word of a decision is not passed over"
        );
        assert_eq!(hold.scope.shown(), format!("request {request}"));
        assert!(hold.is_in_force() && !hold.released("closed".into(), Timestamp::from_micros(6)).is_in_force());
    }
}
