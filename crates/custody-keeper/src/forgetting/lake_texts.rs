//! The lake's `content` table as expiry and erasure see it.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use custody_lake::{ContentScope, LakeReader, LakeRoot, LakeTable, Retention, StoreError, TextCounts, Vacuum, forget_texts, has_table};
use custody_seal::rest::UnitKeyId;
use custody_types::{Clock, IdSource, RequestId};
use tokio::sync::watch;

use super::{
    error::PortError,
    key::key_id,
    ports::ContentTable,
    rows::{HeldRows, RowCount, RowSelection, TextGroup, Which},
};

/// A lake's table of texts.
pub struct LakeTexts {
    lake: LakeRoot,
    reader: LakeReader,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl LakeTexts {
    /// Of a lake.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn open(lake: LakeRoot, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self, StoreError> {
        let reader = LakeReader::open(&lake).await?;
        Ok(Self { lake, reader, clock, ids })
    }

    /// The counts of each of a selection's scopes; no row is in two of them.
    async fn counts(&self, rows: &RowSelection) -> Result<Vec<TextCounts>, PortError> {
        let (mut counts, mut except) = (Vec::new(), held(&rows.except));
        for scope in scopes(&rows.which) {
            counts.push(self.reader.count_texts(&scope, &except).await.map_err(|error| PortError::of(&error))?);
            except.push(scope);
        }
        Ok(counts)
    }
}

/// Rows for which one of the scopes holds.
fn scopes(which: &Which) -> Vec<ContentScope> {
    match which {
        Which::Due { today } => vec![ContentScope::expired_on(*today)],
        Which::Erased { scope, made_up_to, keys } => {
            let tenant = scope.tenant.as_str();
            let whole = || match &scope.person {
                Some(person) => ContentScope::of_person(tenant, person.as_str()),
                None => ContentScope::of_tenant(tenant),
            };
            let under_keys = ContentScope::of_unit_keys(keys.iter().map(ToString::to_string)).and_tenant(tenant);
            if keys.is_empty() { vec![whole().and_until(*made_up_to)] } else { vec![whole().and_until(*made_up_to), under_keys] }
        }
    }
}

fn held(rows: &HeldRows) -> Vec<ContentScope> {
    let tenants = rows.tenants.iter().map(|tenant| ContentScope::of_tenant(tenant.as_str()));
    let persons = rows.persons.iter().map(|(tenant, person)| ContentScope::of_person(tenant.as_str(), person.as_str()));
    let requests = (!rows.requests.is_empty()).then(|| ContentScope::of_requests(rows.requests.iter().map(ToString::to_string)));
    tenants.chain(persons).chain(requests).collect()
}

fn unusable(what: &str) -> PortError {
    PortError::of(&StoreError::UnusableTable { table: LakeTable::Content.name(), found: what.to_owned() })
}

fn keys_in(counts: &TextCounts) -> Result<BTreeSet<UnitKeyId>, PortError> {
    counts.units.iter().map(|unit| key_id(&unit.key).ok_or_else(|| unusable("a unit key is none"))).collect()
}

#[async_trait]
impl ContentTable for LakeTexts {
    async fn inventory(&self) -> Result<Vec<TextGroup>, PortError> {
        let groups = self.reader.text_groups().await.map_err(|error| PortError::of(&error))?;
        let group = |(group, (rows, bytes)): (custody_lake::TextGroup, (u64, u64))| {
            let person = group.person.map(|person| person.parse()).transpose().ok()?;
            Some(TextGroup {
                tenant: group.tenant.parse().ok()?,
                person,
                purpose: group.purpose.parse().ok()?,
                retention_class: group.retention_class.parse().ok()?,
                expires_on: group.expires_on,
                key: match group.unit_key {
                    Some(key) => Some(key_id(&key)?),
                    None => None,
                },
                count: RowCount { rows, bytes },
            })
        };
        groups.into_iter().map(|found| group(found).ok_or_else(|| unusable("a label is none"))).collect()
    }

    async fn keys_of(&self, requests: &[RequestId]) -> Result<BTreeSet<UnitKeyId>, PortError> {
        let scope = ContentScope::of_requests(requests.iter().map(ToString::to_string));
        keys_in(&self.reader.count_texts(&scope, &[]).await.map_err(|error| PortError::of(&error))?)
    }

    async fn keys(&self, rows: &RowSelection) -> Result<BTreeSet<UnitKeyId>, PortError> {
        let mut keys = BTreeSet::new();
        for counts in self.counts(rows).await? {
            keys.extend(keys_in(&counts)?);
        }
        Ok(keys)
    }

    async fn count(&self, rows: &RowSelection) -> Result<RowCount, PortError> {
        let counts = self.counts(rows).await?;
        let of_one = |counts: &TextCounts| RowCount { rows: counts.texts, bytes: counts.bytes };
        Ok(counts.iter().fold(RowCount::default(), |sum, counts| sum.plus(of_one(counts))))
    }

    async fn claims(&self, rows: &RowSelection) -> Result<BTreeSet<String>, PortError> {
        Ok(self.counts(rows).await?.into_iter().flat_map(|counts| counts.claims).collect())
    }

    async fn delete(&self, rows: &RowSelection) -> Result<(), PortError> {
        let except = held(&rows.except);
        for scope in scopes(&rows.which) {
            let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
            forget_texts(&self.lake, &scope, &except, clock, ids).await.map_err(|error| PortError::of(&error))?;
        }
        Ok(())
    }

    async fn vacuum(&self) -> Result<(), PortError> {
        let failed = |error: StoreError| PortError::of(&error);
        if !has_table(&self.lake, LakeTable::Content).await.map_err(failed)? {
            return Ok(());
        }
        let clock = Arc::clone(&self.clock);
        let vacuum = Vacuum::open(&self.lake, LakeTable::Content, Retention::of_forgotten(), clock).await.map_err(failed)?;
        // Nobody asks it to stop: what is forgotten is not left half deleted.
        let (_going_on, stop) = watch::channel(false);
        vacuum.run(|_| {}, &stop).await.map(|_| ()).map_err(failed)
    }
}
