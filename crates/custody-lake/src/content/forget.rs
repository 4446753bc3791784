//! Deletes rows of texts: one version that removes the files that hold them and adds files without them, or none.
//!
//! ```text
//! newest snapshot ─▶ our commit is in it ───────────────────────────────────────▶ done
//!        ▲         └▶ each live file: not meant ─▶ left; all rows meant ─▶ removed; some ─▶ rewritten without them
//!        │              a file is looked at once, whatever versions come in between
//!        │         └▶ commit on exactly this snapshot ─▶ landed ─────────────────▶ done
//!        └─────────────── conflict, or no answer ◀────┘
//! ```
//! What ingest appends meanwhile is looked at in the next round, so that no text of the scope that a version before ours has is left.
//! Files of an expired partition are removed unread where nothing is held. Transactions are not touched. The table's log names neither
//! scope nor person.
//!
//! An erasure lands a version even where no row is meant ([`erase_texts`]). Whoever staged rows looks at tombstones and keys after its
//! snapshot and commits on exactly that: rows of a look from before the erasure are in the lake before this version, where the erasure
//! finds them, or meet it as a conflict and are looked at again.

mod sift;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arrow::datatypes::Date32Type;
use custody_types::{Clock, Fault, FaultOwner, IdSource, Retry};
use deltalake::{
    Path,
    kernel::Action,
    logstore::{LogStoreRef, object_store::ObjectStoreExt},
    protocol::DeltaOperation,
};
use uuid::Uuid;

use self::sift::sift;
use super::scope::ContentScope;
use crate::{
    error::{CommitError, StoreError},
    location::LakeRoot,
    reader::{has_table, open_table},
    store::{
        StagedFile,
        commit::{NewVersion, add, find},
        handle::TableHandle,
        live_file::{LiveFile, live_files},
        storage::Access,
        upload::Uploader,
    },
    table::LakeTable,
};

/// An append comes between a snapshot and a commit on it once in many times.
const TRIES: u32 = 30;

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForgottenTexts {
    /// Rows that are gone.
    pub rows: u64,
    /// Rows of the scope that a hold keeps.
    pub held: u64,
    /// Files that were dropped whole.
    pub files_dropped: u64,
    /// Files that were written again without the rows.
    pub files_rewritten: u64,
    /// Where texts lay that were too large for their rows. Those of files that were dropped unread lie under the expired dates.
    pub claims: BTreeSet<String>,
    /// The version without them; nothing where there was nothing to forget and no version was asked for.
    pub version: Option<u64>,
}

/// Texts were not forgotten. Nothing is half done: the same call may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others came first each time.
    #[error("texts could not be deleted: appends came first {tries} times")]
    Contended {
        /// How often it was tried.
        tries: u32,
    },
}

/// Deletes the rows of a scope but for those that `except` covers. A lake that keeps no text has nothing to forget. Files stay until
/// the table is vacuumed with [`crate::Retention::of_forgotten`].
///
/// # Errors
/// When the store fails, or appends came first each time.
pub async fn forget_texts(
    lake: impl Into<LakeRoot>,
    scope: &ContentScope,
    except: &[ContentScope],
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<ForgottenTexts, ForgetError> {
    forget(lake.into(), Order { scope, except, is_fence: false }, clock, ids).await
}

/// The same, and a version in any case: no commit on a snapshot from before it lands behind it.
///
/// # Errors
/// When the store fails, or appends came first each time.
pub async fn erase_texts(
    lake: impl Into<LakeRoot>,
    scope: &ContentScope,
    except: &[ContentScope],
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<ForgottenTexts, ForgetError> {
    forget(lake.into(), Order { scope, except, is_fence: true }, clock, ids).await
}

async fn forget(lake: LakeRoot, order: Order<'_>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<ForgottenTexts, ForgetError> {
    if !has_table(&lake, LakeTable::Content).await? {
        return Ok(ForgottenTexts::default());
    }
    let handle = open_table(&lake, LakeTable::Content, Access::Rewrite).await?;
    let log_store = Arc::clone(handle.log_store());
    let uploader = Uploader::new(Arc::clone(&log_store), clock, ids);
    let commit_id = uploader.commit_id();
    Forgetting { order, log_store, uploader, commit_id, seen: BTreeMap::new() }.run(handle).await
}

/// What is to be forgotten.
struct Order<'a> {
    scope: &'a ContentScope,
    except: &'a [ContentScope],
    /// Whether a version is made also where there is nothing.
    is_fence: bool,
}

struct Forgetting<'a> {
    order: Order<'a>,
    log_store: LogStoreRef,
    uploader: Uploader,
    commit_id: Uuid,
    seen: BTreeMap<Path, Verdict>,
}

/// What is to become of one file.
#[derive(Default)]
pub(super) struct Verdict {
    rows: u64,
    held: u64,
    claims: BTreeSet<String>,
    /// What stays of it, where not all goes.
    rest: Option<StagedFile>,
}

impl Forgetting<'_> {
    async fn run(mut self, mut newest: TableHandle) -> Result<ForgottenTexts, ForgetError> {
        let mut first_tried_on = None;
        for _ in 0..TRIES {
            let live = live_files(&newest)?;
            if let Some(since) = first_tried_on
                && let Some(version) = find(&self.log_store, self.commit_id, since).await?
            {
                // The files that were there then are gone now; nothing else takes files out of this table that we looked at.
                return Ok(self.report(Some(version)));
            }
            self.look_at(&live).await?;
            self.seen.retain(|path, _| live.iter().any(|file| file.path == *path));
            if !self.order.is_fence && self.seen.values().all(|verdict| verdict.rows == 0) {
                return Ok(self.report(None));
            }
            first_tried_on.get_or_insert(newest.version());
            match self.new_version(&live).land(&newest).await {
                Ok(landed) => {
                    let version = landed.version;
                    if let Err(error) = landed.await {
                        tracing::warn!(%error, version, "a deletion's version was not followed up; its checkpoint may be missing");
                    }
                    return Ok(self.report(Some(version)));
                }
                Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => {}
                Err(CommitError::Failed(error)) => return Err(error.into()),
            }
            newest = TableHandle::open(Arc::clone(&self.log_store)).await?;
        }
        Err(ForgetError::Contended { tries: TRIES })
    }

    async fn look_at(&mut self, live: &[LiveFile]) -> Result<(), StoreError> {
        for file in live {
            if !self.seen.contains_key(&file.path) {
                let verdict = self.judge(file).await?;
                self.seen.insert(file.path.clone(), verdict);
            }
        }
        Ok(())
    }

    async fn judge(&self, file: &LiveFile) -> Result<Verdict, StoreError> {
        let expires_on = day_of(&file.event_date)?;
        if !self.order.scope.reaches(expires_on) || !self.may_hold_tenant(file) {
            return Ok(Verdict::default());
        }
        if self.order.scope.is_only_expiry() && self.order.except.is_empty() {
            return Ok(Verdict { rows: file.rows.unwrap_or(1).max(1), ..Verdict::default() });
        }
        let store = self.log_store.object_store(None);
        let read = async { store.get(&file.path).await?.bytes().await };
        let bytes = read.await.map_err(StoreError::storage("reading a file of texts"))?;
        let (scope, except, date) = (self.order.scope.clone(), self.order.except.to_vec(), file.event_date.clone());
        let sifting = tokio::task::spawn_blocking(move || sift(bytes, &scope, &except, date, expires_on));
        let (mut verdict, rest) = sifting.await.map_err(StoreError::encoding)??;
        if let Some(rest) = rest {
            verdict.rest = Some(self.uploader.upload(rest).await?);
        }
        Ok(verdict)
    }

    fn may_hold_tenant(&self, file: &LiveFile) -> bool {
        match (self.order.scope.tenant(), file.text_bounds("tenant")) {
            (Some(tenant), Some((least, greatest))) => (least.as_str()..=greatest.as_str()).contains(&tenant),
            _ => true,
        }
    }

    fn new_version(&self, live: &[LiveFile]) -> NewVersion {
        let at_millis = self.uploader.now_millis();
        let mut actions = Vec::new();
        for file in live {
            let Some(verdict) = self.seen.get(&file.path).filter(|verdict| verdict.rows > 0) else { continue };
            actions.push(Action::Remove(file.removed(at_millis)));
            actions.extend(verdict.rest.clone().map(|rest| Action::Add(add(rest))));
        }
        let operation = DeltaOperation::Delete { predicate: None };
        NewVersion { actions, transactions: Vec::new(), operation, commit_id: self.commit_id }
    }

    fn report(&self, version: Option<u64>) -> ForgottenTexts {
        let mut report = ForgottenTexts { version, ..ForgottenTexts::default() };
        for verdict in self.seen.values() {
            report.held = report.held.saturating_add(verdict.held);
            report.rows = report.rows.saturating_add(verdict.rows);
            report.claims.extend(verdict.claims.iter().cloned());
            match (&verdict.rest, verdict.rows) {
                (_, 0) => {}
                (None, _) => report.files_dropped = report.files_dropped.saturating_add(1),
                (Some(_), _) => report.files_rewritten = report.files_rewritten.saturating_add(1),
            }
        }
        report
    }
}

fn day_of(date: &str) -> Result<i32, StoreError> {
    let unusable = || StoreError::UnusableTable { table: LakeTable::Content.name(), found: format!("partition `{date}` is no date") };
    let date = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| unusable())?;
    Ok(Date32Type::from_naive_date(date))
}

impl Fault for ForgetError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Store(error) => error.owner(),
            Self::Contended { .. } => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Store(error) => error.retry(),
            Self::Contended { .. } => Retry::After(Duration::from_secs(1)),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Contended { .. } => "lake_forget_contended",
        }
    }
}
