//! Destroying planned keys, with a look at the holds until the last moment.

use std::collections::BTreeSet;

use custody_seal::rest::UnitKeyId;
use custody_types::{TenantId, fault_point};

use super::{
    error::ForgetError,
    held::{Held, HeldBy},
    key::{KeptKey, PlannedKey},
    ports::{ContentTable, VaultStore},
};

/// Keys destroyed between two looks at the holds.
const AT_ONCE: usize = 64;

/// Destroys what no hold keeps now and nothing needs. Afterwards `keys` are those that are gone, and held ones stand in `held_back`.
pub(crate) async fn destroy_keys(
    (vault, table): (&dyn VaultStore, &dyn ContentTable),
    tenant: Option<&TenantId>,
    keys: &mut Vec<PlannedKey>,
    held_back: &mut Vec<HeldBy>,
    is_needed: impl Fn(&KeptKey) -> bool + Send + Sync,
    point: &'static str,
) -> Result<(), ForgetError> {
    let kept = vault.unit_keys(tenant).await.map_err(ForgetError::at("listing the keys"))?;
    let there: BTreeSet<UnitKeyId> = kept.into_iter().map(|key| key.id).collect();
    let mut gone = Vec::with_capacity(keys.len());
    let mut held = Held::default();
    for some in keys.chunks(AT_ONCE) {
        held = held.read_again(vault, table).await?;
        for planned in some {
            let unreadable = || ForgetError::Document { name: planned.key.clone(), why: "it names no key".to_owned() };
            let key = planned.kept().ok_or_else(unreadable)?;
            if there.contains(&key.id) {
                if is_needed(&key) {
                    continue;
                }
                let holds = held.by(&key);
                if !holds.is_empty() {
                    held_back.push(HeldBy { key: planned.key.clone(), holds });
                    continue;
                }
                vault.destroy_unit_key(&key).await.map_err(ForgetError::at("destroying a key"))?;
                fault_point(point);
            }
            gone.push(planned.clone());
        }
    }
    *keys = gone;
    Ok(())
}
