//! The vault step for some texts, once: each becomes a row or waits. Nothing here decides how long to wait.
//!
//! ```text
//! tombstones, holds ─▶ few megabytes at a time: fetch ─▶ edge keys ─▶ open ─▶ unit keys, pseudonyms' ─▶ redact, seal ─▶ claims
//!     │ the store is away                       │ store away     │ key service away  │                             │ store away
//!     ▼                                         ▼                ▼                   ▼                             ▼
//!   all fails: the log waits                                the text waits
//! ```
//! A text that is forgotten or whose time is over is dropped, unless it is on hold: then it goes on as any other. Tombstones are read
//! before holds, so that whoever placed the hold first finds his text.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use custody_seal::{TextContext, edge::edge_key_of};
use custody_types::{Clock, fault_point};
use custody_vault::{
    Claims, EdgeKeys, Forgotten, Holds, OnHold, OsEntropy, ParkedPlace, ParkedRecords, PseudonymKeys, Tombstones, UnitKeys, VaultError,
};
use tokio::sync::Mutex;

use super::{
    keys::RoundKeys,
    metrics::ContentMetrics,
    opener::SharedOpener,
    outcome::{Settled, SettledText, Trouble},
    redaction::RedactionRules,
    sealing::{Fetched, Sealed, seal},
    texts::SealedText,
};

/// Sealed bytes whose texts are open at the same time.
const OPEN_AT_ONCE: usize = 8 << 20;

/// What the step stands on.
pub struct VaultParts {
    /// Keys of the days.
    pub edge: EdgeKeys,
    /// Keys of the units of forgetting.
    pub units: Arc<UnitKeys>,
    /// Keys of the tenants' pseudonyms.
    pub pseudonyms: Arc<PseudonymKeys>,
    /// Texts too large for stream or table.
    pub claims: Claims,
    /// Records that wait.
    pub parked: ParkedRecords,
    /// What was forgotten.
    pub tombstones: Tombstones,
    /// What must not be forgotten.
    pub holds: Holds,
    /// What is taken out of the text that analysts see.
    pub redaction: RedactionRules,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Takes counts.
    pub metrics: Arc<ContentMetrics>,
}

/// How long the step waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultStepConfig {
    /// How long texts hold up those behind them while the vault is away, before they are parked. The default is a minute: longer than
    /// a restart or a burst of throttling takes, short beside the stream's retention.
    pub patience: Duration,
    /// Pause between two tries. The default is a second.
    pub pause: Duration,
}

/// Opens, redacts and seals. Shared by the loop and by what unparks.
pub struct VaultStep {
    pub(super) parts: VaultParts,
    pub(super) config: VaultStepConfig,
    pub(super) opener: SharedOpener,
    /// Since when the vault is away, where it is.
    pub(super) away: Mutex<Option<Absence>>,
    /// Where the last pass over what is parked was ended by the vault's absence.
    pub(super) gave_up_at: std::sync::Mutex<Option<ParkedPlace>>,
}

/// One absence of the vault, by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absence {
    pub(super) since: u64,
    /// When it was met last. Long after that nothing is known, and the next trouble is another absence.
    pub(super) met: u64,
}

/// What is the same for all texts of one call.
pub(super) struct Round {
    forgotten: Forgotten,
    on_hold: OnHold,
    today: i64,
    /// Whether the vault was asked for keys.
    asked: bool,
    /// Whether a key of the vault does not open at the moment; a text whose key is not held may be that key's.
    pub(super) closed: Option<Trouble>,
    pub(super) keys: RoundKeys,
}

impl Default for VaultStepConfig {
    fn default() -> Self {
        Self { patience: Duration::from_secs(60), pause: Duration::from_secs(1) }
    }
}

impl VaultStep {
    /// A step that holds no key yet.
    #[must_use]
    pub fn new(parts: VaultParts, config: VaultStepConfig) -> Self {
        Self { parts, config, opener: SharedOpener::default(), away: Mutex::new(None), gave_up_at: std::sync::Mutex::default() }
    }

    /// What it counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<ContentMetrics> {
        &self.parts.metrics
    }

    /// One try for each text.
    pub(super) async fn settle(&self, texts: Vec<SealedText>) -> Result<Settled, VaultError> {
        let since = self.parts.clock.monotonic_micros();
        let owners: Vec<_> = texts.iter().map(|text| (&text.context.tenant, text.context.person.as_ref())).collect();
        let (forgotten, on_hold) = (self.parts.tombstones.of(owners).await?, OnHold::default());
        let today = self.parts.clock.now().utc_day();
        let mut round = Round { forgotten, on_hold, today, asked: false, closed: None, keys: RoundKeys::default() };
        // Most batches have no text that is over, and need no hold to keep it.
        if texts.iter().any(|text| round.is_over(text).is_some()) {
            round.on_hold = self.parts.holds.in_force().await?;
        }
        let mut settled = Settled::default();
        for few in in_few_megabytes(texts) {
            settled.add(self.settle_few(few, &mut round).await?);
        }
        self.parts.metrics.spent(self.parts.clock.monotonic_micros().saturating_sub(since));
        Ok(settled)
    }

    async fn settle_few(&self, texts: Vec<SealedText>, round: &mut Round) -> Result<Settled, VaultError> {
        let mut settled = Settled::default();
        let fetched = self.fetch(texts, round, &mut settled).await;
        self.take_up_keys(&fetched, round).await?;
        let opened = self.opener.open(fetched).await?;
        self.bring_keys_to_hand(&opened, &mut round.keys).await;
        let to_seal = self.find_keys(opened, round, &mut settled).await;
        let rules = self.parts.redaction.clone();
        let work = move || to_seal.into_iter().map(|work| seal(work, &rules, &mut OsEntropy)).collect::<Vec<_>>();
        for sealed in off_the_async_threads(work).await? {
            self.place(sealed, &mut settled).await;
        }
        Ok(settled)
    }

    /// What is forgotten is not even fetched.
    async fn fetch(&self, texts: Vec<SealedText>, round: &Round, settled: &mut Settled) -> Vec<Fetched> {
        let mut fetched = Vec::with_capacity(texts.len());
        for text in texts {
            let record = Arc::clone(&text.record);
            if let Some(reason) = round.is_over(&text) {
                settled.settle(SettledText::forgotten(&text, reason));
            } else if let Some(sealed) = &record.sealed {
                fetched.push(Fetched { bytes: Bytes::from(sealed.0.clone()), text });
            } else {
                match self.parts.claims.get(record.claim.as_deref().unwrap_or_default()).await {
                    Ok(Some(bytes)) => fetched.push(Fetched { text, bytes }),
                    Ok(None) => settled.settle(SettledText::unopened(&text, "claim_missing")),
                    Err(VaultError::Name(_)) => settled.settle(SettledText::unopened(&text, "claim_misnamed")),
                    Err(error) => settled.wait(text, error),
                }
            }
        }
        fetched
    }

    /// Asks the vault once a round, and only where a text names a key that is not held.
    async fn take_up_keys(&self, fetched: &[Fetched], round: &mut Round) -> Result<(), VaultError> {
        if round.asked {
            return Ok(());
        }
        let held = self.opener.held().await;
        let is_held = |bytes: &Bytes| edge_key_of(bytes).map_or(true, |id| held.contains_key(&id));
        if fetched.iter().all(|fetched| is_held(&fetched.bytes)) {
            return Ok(());
        }
        round.asked = true;
        let refreshed = self.refresh_opener().await?;
        round.closed = refreshed.closed.into_iter().next().map(|(_, error)| Trouble::from(error));
        Ok(())
    }

    /// A claim of the edge goes with its day, so that what never opened is kept with the row instead.
    pub(super) async fn keep_unopened(&self, text: SealedText, bytes: Bytes, code: &'static str, settled: &mut Settled) {
        let mut unopened = SettledText::unopened(&text, code);
        if let Some(edge_claim) = &text.record.claim {
            match self.parts.claims.put_rest_unopened(text.record.expires_on, &text.record.content_id, bytes).await {
                Ok(claim) => unopened.row.claim = Some(claim.to_string()),
                Err(error) => return settled.wait(text, error),
            }
            unopened.edge_claim = Some(edge_claim.to_string());
        }
        settled.settle(unopened);
    }

    /// In the row, or beside it as it was beside the record.
    async fn place(&self, sealed: Sealed, settled: &mut Settled) {
        let Sealed { text, key, redactions, bytes } = sealed;
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return settled.wait(text, Trouble::of(&error)),
        };
        let mut kept = SettledText::kept(&text, (key.unit().clone(), key.id()), redactions);
        if text.record.claim.is_none() {
            (kept.row.sealed, kept.row.redacted_sealed) = (Some(bytes.full), Some(bytes.redacted));
            return settled.settle(kept);
        }
        let (claims, id, expires_on) = (&self.parts.claims, &*text.record.content_id, text.record.expires_on);
        let put = async {
            claims.put_rest_redacted(expires_on, id, key.id(), bytes.redacted.into()).await?;
            claims.put_rest(expires_on, id, key.id(), bytes.full.into()).await
        };
        match put.await {
            Ok(claim) => {
                fault_point("content.claims_put");
                kept.row.claim = Some(claim.to_string());
                settled.settle(kept);
            }
            Err(error) => settled.wait(text, error),
        }
    }
}

impl Round {
    /// Why no byte of a text may be written, where that is so.
    fn is_over(&self, text: &SealedText) -> Option<&'static str> {
        let TextContext { tenant, person, request, .. } = &text.context;
        if self.on_hold.covers(tenant, person.as_ref(), *request) {
            None
        } else if self.forgotten.covers(tenant, person.as_ref(), text.record.time) {
            Some("forgotten")
        } else {
            (i64::from(text.record.expires_on) <= self.today).then_some("expired")
        }
    }
}

/// A panic in there would be a defect: nothing of the call is stored, and the loop reads the records again.
pub(super) async fn off_the_async_threads<T: Send + 'static>(work: impl FnOnce() -> Vec<T> + Send + 'static) -> Result<Vec<T>, VaultError> {
    let ended = |error: tokio::task::JoinError| VaultError::Storage { doing: "opening and sealing texts", source: error.into() };
    tokio::task::spawn_blocking(work).await.map_err(ended)
}

/// A text takes what its record says, and what there is of it at least: a claim is fetched later.
pub(super) fn in_few_megabytes(texts: Vec<SealedText>) -> Vec<Vec<SealedText>> {
    let mut groups: Vec<Vec<SealedText>> = Vec::new();
    let mut bytes = OPEN_AT_ONCE;
    for text in texts {
        let stated = usize::try_from(text.record.bytes).unwrap_or(0);
        let of_text = stated.max(text.record.sealed.as_ref().map_or(0, |sealed| sealed.0.len()));
        bytes = bytes.saturating_add(of_text);
        match groups.last_mut() {
            Some(group) if bytes <= OPEN_AT_ONCE => group.push(text),
            _ => {
                groups.push(vec![text]);
                bytes = of_text;
            }
        }
    }
    groups
}

impl fmt::Debug for VaultStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultStep").field("config", &self.config).finish_non_exhaustive()
    }
}
