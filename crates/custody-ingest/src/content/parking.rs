//! Waiting for the vault, and parking what waited long enough: the log goes on, and the text is not lost.
//!
//! The patience counts from when the vault went away, not from each batch, so that a long outage holds the log up once. Where nothing came
//! for as long as the patience, an outage of before says nothing any more. A place in the
//! vault is named by day, partition, first position and a digest of the records: parked again after a crash, records overwrite themselves,
//! and two readers of one partition overwrite nothing of each other. Until the positions of the log are committed beyond them, nobody
//! unparks them; which of them are rows by then is looked up, so that records that are parked twice are harmless.

use std::collections::BTreeMap;

use custody_seal::edge::{EdgeDay, EdgeKeyId, edge_key_of};
use custody_types::{LogRecord, fault_point};
use custody_vault::{ParkedPlace, VaultError};

use super::{
    outcome::{Settled, Waiting},
    parked_batch::ParkedBatch,
    step::{Absence, VaultStep},
    texts::SealedText,
};

impl VaultStep {
    /// Settles texts; those whose patience is over are still waiting in the answer.
    pub(super) async fn settle_patiently(&self, texts: Vec<SealedText>) -> Result<Settled, VaultError> {
        self.begin_anew_after_quiet().await;
        let mut all = Settled::default();
        let mut left = texts;
        loop {
            let Settled { texts, waiting } = self.settle(left).await?;
            all.texts.extend(texts);
            if waiting.is_empty() {
                *self.away.lock().await = None;
                return Ok(all);
            }
            let may_pass = waiting.iter().any(|waiting| waiting.trouble.is_passing);
            if !may_pass || self.is_out_of_patience().await {
                all.waiting = waiting;
                return Ok(all);
            }
            left = waiting.into_iter().map(|waiting| waiting.text).collect();
            tokio::time::sleep(self.config.pause).await;
        }
    }

    /// Where nothing came for as long as the patience, what was met before is another absence.
    async fn begin_anew_after_quiet(&self) {
        let mut away = self.away.lock().await;
        if away.is_some_and(|absence| self.is_patience_over(absence.met)) {
            *away = None;
        }
    }

    async fn is_out_of_patience(&self) -> bool {
        let now = self.parts.clock.monotonic_micros();
        let mut away = self.away.lock().await;
        let absence = away.get_or_insert(Absence { since: now, met: now });
        absence.met = now;
        self.is_patience_over(absence.since)
    }

    fn is_patience_over(&self, since: u64) -> bool {
        u128::from(self.parts.clock.monotonic_micros().saturating_sub(since)) >= self.config.patience.as_micros()
    }

    /// Parks texts as they came, each partition's of one day together.
    pub(super) async fn park(&self, waiting: Vec<Waiting>) -> Result<(), VaultError> {
        let Some(first) = waiting.first() else { return Ok(()) };
        let (count, code) = (waiting.len(), first.trouble.code);
        let days = self.days_of_held_keys().await;
        let mut groups: BTreeMap<(EdgeDay, String), Vec<SealedText>> = BTreeMap::new();
        for Waiting { text, .. } in waiting {
            groups.entry((day_of(&text, &days), text.partition.to_string())).or_default().push(text);
        }
        for ((day, partition), mut texts) in groups {
            texts.sort_by_key(|text| text.position);
            let Some(first) = texts.first().map(|text| text.position) else { continue };
            let records: Option<Vec<LogRecord>> = texts.iter().map(as_it_came).collect();
            let records =
                records.ok_or_else(|| VaultError::Storage { doing: "parking records", source: "a record can't be written".into() })?;
            let records = ParkedBatch(records).encode();
            let place = ParkedPlace::of(day, partition, first, &records);
            self.parts.parked.put(&place, records.into()).await?;
            fault_point("content.parked");
        }
        tracing::warn!(texts = count, code, "texts are parked until the vault can keep them");
        Ok(())
    }

    async fn days_of_held_keys(&self) -> BTreeMap<EdgeKeyId, EdgeDay> {
        self.opener.held().await
    }
}

/// The day of the key where it is known; else the day on which the text was sealed, which the key's is next to at most.
fn day_of(text: &SealedText, days: &BTreeMap<EdgeKeyId, EdgeDay>) -> EdgeDay {
    let key = text.record.sealed.as_ref().and_then(|sealed| edge_key_of(&sealed.0).ok());
    let held = key.and_then(|key| days.get(&key).copied());
    let of_claim = || text.record.claim.as_ref()?.split('/').nth(2)?.parse().ok().map(EdgeDay::from_number);
    held.or_else(of_claim).unwrap_or_else(|| EdgeDay::of(text.record.time))
}

fn as_it_came(text: &SealedText) -> Option<LogRecord> {
    let payload = text.record.encode().ok()?.into();
    Some(LogRecord { position: text.position, source: text.source, seq: text.seq, payload, damaged: false })
}
