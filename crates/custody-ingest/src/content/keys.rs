//! The keys that opened texts need: that of their unit, and where their redaction asks for pseudonyms, that of their tenant's. A text
//! that can't get one waits; it is never masked instead, as nobody could tell later that a value was meant to be told apart.

use std::{collections::BTreeMap, sync::Arc};

use custody_seal::{
    PseudonymKey,
    rest::{ShredUnit, UnitKey},
};
use custody_types::TenantId;
use custody_vault::VaultError;

use super::{
    outcome::{Settled, Trouble},
    sealing::{NotOpened, Opened, ToSeal},
    step::{Round, VaultStep},
    texts::SealedText,
};

/// Calls in a row that a key service may leave unanswered before the other texts of a round wait. Each may take as long as its time
/// limit allows, and a round has as many calls as it has persons.
const MOST_UNANSWERED: u32 = 3;

const AWAY: Trouble = Trouble { code: "key_service_unavailable", is_passing: true };

/// What one round knows of keys.
#[derive(Default)]
pub(super) struct RoundKeys {
    /// Calls for keys in a row that were not answered.
    unanswered: u32,
    /// Each tenant is asked for once a round: a key that is destroyed is used until the round ends, and no longer.
    pseudonyms: BTreeMap<TenantId, Result<Arc<PseudonymKey>, Trouble>>,
}

impl RoundKeys {
    const fn is_given_up(&self) -> bool {
        self.unanswered >= MOST_UNANSWERED
    }

    fn heard<K>(&mut self, asked: Result<K, VaultError>) -> Result<K, Trouble> {
        match &asked {
            Ok(_) => self.unanswered = 0,
            Err(error) if error.is_passing() => self.unanswered = self.unanswered.saturating_add(1),
            Err(_) => {}
        }
        asked.map_err(Trouble::from)
    }
}

impl VaultStep {
    /// Several at once, where the key service answers.
    pub(super) async fn bring_keys_to_hand(&self, opened: &[Opened], round: &mut RoundKeys) {
        if round.is_given_up() {
            return;
        }
        let to_seal = opened.iter().filter(|opened| opened.opened.is_ok());
        let units = to_seal.map(|opened| ShredUnit::of(&opened.text.context, opened.text.record.time)).collect();
        if self.parts.units.bring_to_hand(units).await.is_err() {
            round.unanswered = round.unanswered.saturating_add(1);
        }
    }

    pub(super) async fn find_keys(&self, opened: Vec<Opened>, round: &mut Round, settled: &mut Settled) -> Vec<ToSeal> {
        let mut units: BTreeMap<ShredUnit, Result<Arc<UnitKey>, Trouble>> = BTreeMap::new();
        let mut to_seal = Vec::with_capacity(opened.len());
        for Opened { text, bytes, opened } in opened {
            let opened = match (opened, round.closed) {
                (Ok(opened), _) => opened,
                (Err(NotOpened::UnknownKey), Some(trouble)) => {
                    settled.wait(text, trouble);
                    continue;
                }
                (Err(NotOpened::UnknownKey), None) => {
                    self.keep_unopened(text, bytes, "sealed_key_unknown", settled).await;
                    continue;
                }
                (Err(NotOpened::Never(code)), _) => {
                    self.keep_unopened(text, bytes, code, settled).await;
                    continue;
                }
            };
            let unit = ShredUnit::of(&text.context, text.record.time);
            let known = match units.get(&unit) {
                Some(known) => known.clone(),
                None => {
                    let asked = self.unit_key(&unit, &mut round.keys).await;
                    units.insert(unit, asked.clone());
                    asked
                }
            };
            let found = match known {
                Ok(key) => self.pseudonyms_for(&text, &mut round.keys).await.map(|pseudonyms| (key, pseudonyms)),
                Err(trouble) => Err(trouble),
            };
            match found {
                Ok((key, pseudonyms)) => to_seal.push(ToSeal { text, opened, key, pseudonyms }),
                Err(trouble) => settled.wait(text, trouble),
            }
        }
        to_seal
    }

    /// What is at hand says nothing about the key service; where that left too many calls unanswered, nothing else is used.
    async fn unit_key(&self, unit: &ShredUnit, round: &mut RoundKeys) -> Result<Arc<UnitKey>, Trouble> {
        match self.parts.units.at_hand(unit) {
            Some(key) => Ok(key),
            None if round.is_given_up() => Err(AWAY),
            None => round.heard(self.parts.units.for_sealing(unit).await),
        }
    }

    /// Nothing where the text's rules ask for no pseudonyms: most deployments never have such a key.
    async fn pseudonyms_for(&self, text: &SealedText, round: &mut RoundKeys) -> Result<Option<Arc<PseudonymKey>>, Trouble> {
        if !self.parts.redaction.ask_for_pseudonyms(&text.record.redaction) {
            return Ok(None);
        }
        let tenant = &text.context.tenant;
        if let Some(known) = round.pseudonyms.get(tenant) {
            return known.clone().map(Some);
        }
        let asked = self.pseudonym_key(tenant, round).await;
        round.pseudonyms.insert(tenant.clone(), asked.clone());
        asked.map(Some)
    }

    async fn pseudonym_key(&self, tenant: &TenantId, round: &mut RoundKeys) -> Result<Arc<PseudonymKey>, Trouble> {
        match self.parts.pseudonyms.at_hand(tenant).await {
            Ok(Some(key)) => Ok(key),
            Ok(None) if round.is_given_up() => Err(AWAY),
            Ok(None) => round.heard(self.parts.pseudonyms.for_tenant(tenant).await),
            Err(error) => round.heard(Err(error)),
        }
    }
}
