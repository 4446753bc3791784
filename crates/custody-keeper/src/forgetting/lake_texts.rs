//! The lake's `content` table as expiry and erasure see it.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use custody_lake::{
    ContentScope, LakeReader, LakeRoot, LakeTable, Retention, StoreError, TextCounts, Vacuum, erase_texts, forget_texts, has_table,
};
use custody_seal::rest::UnitKeyId;
use custody_types::{Clock, IdSource, RequestId};
use tokio::sync::watch;

use super::{
    error::PortError,
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

/// Rows for which one of the scopes holds. An erasure leaves rows that hold no text: those that its tombstone made of texts on their way
/// are such, and it would find them again and again.
fn scopes(which: &Which) -> Vec<ContentScope> {
    match which {
        Which::Due { today } => vec![ContentScope::expired_on(*today)],
        Which::Erased { scope, made_up_to, keys } => {
            let tenant = scope.tenant.as_str();
            let whole = || match &scope.person {
                Some(person) => ContentScope::of_person(tenant, person.as_str()),
                None => ContentScope::of_tenant(tenant),
            };
            let made_before = whole().and_until(*made_up_to).and_only_texts();
            let under_keys = ContentScope::of_unit_keys(keys.iter().map(ToString::to_string)).and_tenant(tenant);
            if keys.is_empty() { vec![made_before] } else { vec![made_before, under_keys] }
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
    counts.units.iter().map(|unit| unit.key.parse().map_err(|_| unusable("a unit key is none"))).collect()
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
                    Some(key) => Some(key.parse().ok()?),
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
            let forgotten = match &rows.which {
                Which::Due { .. } => forget_texts(&self.lake, &scope, &except, clock, ids).await,
                Which::Erased { .. } => erase_texts(&self.lake, &scope, &except, clock, ids).await,
            };
            forgotten.map_err(|error| PortError::of(&error))?;
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

#[cfg(test)]
mod tests {
    use custody_lake::{ContentStore, DeadLetterStore, EventStore, TableStore};
    use tempfile::TempDir;

    use super::*;
    use crate::forgetting::{
        Scope,
        testing::{At, Counting, on},
    };

    /// A delete of an erasure that finds nothing still lands a version; one of expiry, which comes every hour, does not.
    #[tokio::test]
    async fn an_erasure_that_finds_no_row_lands_a_version_and_expiry_does_not() {
        let folder = TempDir::new().unwrap();
        let root = LakeRoot::folder(folder.path());
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (Arc::new(At(on(20_800))), Arc::new(Counting::default()));
        DeadLetterStore::open(&root, Arc::clone(&clock), Arc::clone(&ids)).await.unwrap();
        EventStore::open(&root, Arc::clone(&clock), Arc::clone(&ids)).await.unwrap();
        let table = ContentStore::open(&root, Arc::clone(&clock), Arc::clone(&ids)).await.unwrap();
        let texts = LakeTexts::open(root, clock, ids).await.unwrap();
        let scope = Scope { tenant: "acme".parse().unwrap(), person: None };
        let erased = Which::Erased { scope, made_up_to: on(20_800), keys: Vec::new() };
        for (which, versions) in [(erased, 1), (Which::Due { today: 20_800 }, 0)] {
            let before = table.snapshot().await.unwrap().version;
            texts.delete(&RowSelection { which, except: HeldRows::default() }).await.unwrap();
            assert_eq!(table.snapshot().await.unwrap().version, before + versions);
        }
    }
}
