//! The certificate: what was destroyed, what was not and why, and from when each kind of old copy is unreadable.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use custody_seal::edge::EdgeDay;
use custody_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::plan::ErasurePlan;
use crate::{
    forgetting::{HeldBy, RowCount, Scope, keys_hash, shown_day, shown_time},
    retention::StreamRetention,
};

const FORMAT: &str = "custody-certificate-of-erasure/1";

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The format of this document.
    pub format: String,
    /// The erasure.
    pub erasure: String,
    /// Whose texts.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// Texts made up to this time are covered.
    pub made_up_to: Timestamp,
    /// When it was done.
    pub ended_at: Timestamp,
    /// What is gone.
    pub destroyed: Destroyed,
    /// What a legal hold keeps.
    pub held_back: HeldBack,
    /// From when each kind of old copy is unreadable.
    pub copies: Vec<Copy>,
    /// Days of the content stream that hold texts, with the date of their key's end.
    pub stream_days: Vec<EdgeCopy>,
    /// What an erasure does not reach.
    pub not_covered: Vec<String>,
}

/// What is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// Names of the unit keys.
    pub unit_keys: Vec<String>,
    /// SHA-256 of the sorted names, each followed by a line feed.
    pub unit_keys_hash: String,
    /// The key of the tenant's pseudonyms. Left out where there was none, as in certificates of before there were any: what is hashed in
    /// an event must be printed as it was.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pseudonym_key: bool,
    /// Rows of the table.
    pub rows: RowCount,
    /// Claim checks.
    pub claim_checks: u64,
    /// Texts that waited for their key service.
    pub parked: u64,
    /// What became of the tenant's wrapping keys.
    pub wrapping_keys: Vec<String>,
}

/// What a legal hold keeps; `custody erase` again, once the hold is released, erases it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// Unit keys with their holds.
    pub unit_keys: Vec<HeldBy>,
    /// Holds that keep the key of the tenant's pseudonyms; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pseudonym_key: Vec<String>,
    /// Rows.
    pub rows: RowCount,
    /// Parked texts.
    pub parked: u64,
}

/// A kind of old copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Of what.
    pub copy_of: String,
    /// From when it can't be opened.
    pub unreadable_from: String,
}

/// A day of the content stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeCopy {
    /// The day.
    pub day: String,
    /// When its key is destroyed at the earliest: once the stream is read beyond the day and nothing parked needs the key. Copies of this
    /// day's topic segments, journals, claim checks of the edge and dead letters are unreadable from then.
    pub unreadable_from: Timestamp,
    /// Objects with parked texts of others, which keep the key until they are opened.
    pub parked: u64,
}

/// What a certificate needs to know beyond its plan.
pub(super) struct CertificateFacts {
    pub(super) ended_at: Timestamp,
    pub(super) edge_days: BTreeSet<EdgeDay>,
    pub(super) parked_days: BTreeMap<EdgeDay, u64>,
    pub(super) stream: StreamRetention,
    pub(super) key_store_window: String,
    pub(super) key_cache_seconds: u64,
    pub(super) pseudonym_key_stays: bool,
}

impl Certificate {
    pub(super) fn of(plan: &ErasurePlan, facts: CertificateFacts) -> Self {
        let mut unit_keys: Vec<String> = plan.all_keys().map(|key| key.key.clone()).collect();
        unit_keys.sort();
        let destroyed = Destroyed {
            unit_keys,
            unit_keys_hash: keys_hash(plan.all_keys()),
            pseudonym_key: plan.pseudonym_key,
            rows: plan.found.rows,
            claim_checks: plan.found.claims,
            parked: plan.found.parked,
            wrapping_keys: plan.wrapping_keys.clone(),
        };
        let held_back = HeldBack {
            unit_keys: plan.held.clone(),
            pseudonym_key: plan.pseudonym_key_held_by.clone(),
            rows: plan.found.held_rows,
            parked: plan.found.held_parked,
        };
        Self {
            format: FORMAT.to_owned(),
            erasure: plan.id.clone(),
            scope: plan.scope.clone(),
            reason: plan.reason.clone(),
            made_up_to: plan.made_at,
            ended_at: facts.ended_at,
            destroyed,
            held_back,
            copies: copies(&facts),
            stream_days: stream_days(plan.made_at, &facts),
            not_covered: not_covered(&plan.scope, &facts),
        }
    }

    /// As it is stored and hashed.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { erasure, scope, reason, destroyed, held_back, copies, stream_days, not_covered, .. } = self;
        let whose = scope.person.as_ref().map_or_else(|| format!("tenant {}", scope.tenant), |who| format!("{who} of {}", scope.tenant));
        let mut text = format!("Certificate of erasure {erasure}\n\nWhose texts   {whose}\nReason        {reason}\n");
        let _ = writeln!(text, "Made up to    {}\nDone          {}\n\nDestroyed", shown_time(self.made_up_to), shown_time(self.ended_at));
        let _ = writeln!(text, "  {} texts, {} bytes, deleted from the lake", destroyed.rows.rows, destroyed.rows.bytes);
        let _ = writeln!(text, "  {} claim checks, {} parked texts", destroyed.claim_checks, destroyed.parked);
        let _ = writeln!(text, "  {} unit keys, SHA-256 of their names {}", destroyed.unit_keys.len(), destroyed.unit_keys_hash);
        for line in
            destroyed.unit_keys.iter().map(|key| format!("    {key}")).chain(destroyed.wrapping_keys.iter().map(|did| format!("  {did}")))
        {
            let _ = writeln!(text, "{line}");
        }
        if destroyed.pseudonym_key {
            let _ = writeln!(text, "  the key of the tenant's pseudonyms");
        }
        let _ = writeln!(text, "\nHeld back\n  {} texts, {} parked texts", held_back.rows.rows, held_back.parked);
        for key in &held_back.unit_keys {
            let _ = writeln!(text, "  key {}, by hold {}", key.key, key.holds.join(", "));
        }
        if !held_back.pseudonym_key.is_empty() {
            let _ = writeln!(text, "  the key of the tenant's pseudonyms, by hold {}", held_back.pseudonym_key.join(", "));
        }
        let _ = writeln!(text, "\nOld copies");
        for copy in copies {
            let _ = writeln!(text, "  {}: {}", copy.copy_of, copy.unreadable_from);
        }
        for day in stream_days {
            let parked = if day.parked == 0 { String::new() } else { format!(", once {} parked objects are opened", day.parked) };
            let _ = writeln!(text, "    {}: at the earliest {}{parked}", day.day, shown_time(day.unreadable_from));
        }
        let _ = writeln!(text, "\nNot covered");
        for line in not_covered {
            let _ = writeln!(text, "  {line}");
        }
        text
    }
}

fn copies(facts: &CertificateFacts) -> Vec<Copy> {
    let copy = |copy_of: &str, unreadable_from: String| Copy { copy_of: copy_of.to_owned(), unreadable_from };
    vec![
        copy("the table of texts, of any version, and its files", "now, save what is held back".to_owned()),
        copy("claim checks at rest", "now, save what is held back".to_owned()),
        copy("memory of a running process", format!("at the latest {} seconds after the end of the erasure", facts.key_cache_seconds)),
        copy("the key store", facts.key_store_window.clone()),
        copy(
            "the content stream (topic segments, gateways' journals, claim checks of the edge, parked records, dead letters)",
            "each day once its edge key is destroyed, which waits until the stream is read beyond the day and nothing parked needs the key; \
             days that are not listed already are. With a copy of the key store, only once what wraps edge keys is gone too: with a key \
             file after `custody vault rotate --product` and, an hour later, `custody vault rewrap`; with KMS after the default key's deletion"
                .to_owned(),
        ),
    ]
}

fn stream_days(made_up_to: Timestamp, facts: &CertificateFacts) -> Vec<EdgeCopy> {
    // A key seals for half a day before its day.
    let last = EdgeDay::of(made_up_to).number().saturating_add(1);
    let days = facts.edge_days.iter().filter(|day| day.number() <= last);
    let line = |day: &EdgeDay| EdgeCopy {
        day: shown_day(day.number()),
        unreadable_from: facts.stream.edge_key_goes_at(*day),
        parked: parked_under(&facts.parked_days, *day),
    };
    days.map(line).collect()
}

/// Objects that may need the key of a day: those of the day, and of the next one, where a text is parked whose key was not known.
fn parked_under(parked: &BTreeMap<EdgeDay, u64>, day: EdgeDay) -> u64 {
    let next = EdgeDay::from_number(day.number().saturating_add(1));
    [day, next].iter().filter_map(|day| parked.get(day)).fold(0, |sum, objects| sum.saturating_add(*objects))
}

fn not_covered(scope: &Scope, facts: &CertificateFacts) -> Vec<String> {
    let mut lines = vec![
        "Events stay: times, counts, costs, pseudonyms and salted hashes; the salts of the texts are gone with their keys.".to_owned(),
        "Events also hold keyed hashes of each whole request and answer (input_hash, output_hash). Their key, the gateways' hash.key, is \
         not destroyed: who has it can tell whether a text that he guesses in full was the one."
            .to_owned(),
        "Whoever got a text while it was kept, through the model's answer or a reveal, has it.".to_owned(),
    ];
    if scope.person.is_some() {
        lines.push("Texts whose request named no person stand under a key of the tenant and are not found by a person's name.".to_owned());
    }
    if facts.pseudonym_key_stays {
        let line = "The key of the tenant's pseudonyms stays: in redacted texts of others, a value of this person has the letters it had.";
        lines.push(line.to_owned());
    }
    lines
}

/// In the form that serde asks with.
const fn is_false(flag: &bool) -> bool {
    !*flag
}
