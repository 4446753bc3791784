//! Compares what was promised with what is stored. Each check has a name, which a failing run prints.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use custody_ingest::{Alarm, KeyedRows};
use custody_types::Source;

use crate::{
    facts::{Role, id_of_letter, id_of_row},
    plant::Plant,
};

/// One stored record, a row or a dead letter.
struct Stored {
    id: u64,
    source: Source,
    seq: u64,
}

/// All checks.
pub fn check<R: KeyedRows + Clone>(plant: &Plant<R>) -> Result<(), String> {
    let stored = stored(plant)?;
    no_violation(plant)?;
    once(&stored)?;
    every_acknowledged_record(plant, &stored)?;
    nothing_invented(plant, &stored)?;
    no_hole(&stored)?;
    every_intent_has_one_outcome(plant, &stored)?;
    no_false_alarm(plant)
}

fn stored<R: KeyedRows + Clone>(plant: &Plant<R>) -> Result<Vec<Stored>, String> {
    let mut stored = Vec::new();
    for key in plant.events.rows().iter().flat_map(KeyedRows::keys) {
        let id = id_of_row(&key.event_id).ok_or_else(|| format!("[nothing invented] a row with event id `{}`", key.event_id))?;
        stored.push(Stored { id, source: key.source, seq: key.seq.get() });
    }
    // A letter is a place in the log, so a record that was shipped twice has two.
    let mut places = BTreeSet::new();
    for (partition, letter) in plant.letters.rows().into_iter().flat_map(|letters| letters.0) {
        let id = id_of_letter(&letter.payload).ok_or_else(|| format!("[nothing invented] a dead letter at {}", letter.position))?;
        if !places.insert((partition.clone(), letter.position)) {
            return Err(format!("[once] the dead letter at position {} of {partition} is stored twice", letter.position));
        }
        let twice = stored.iter().any(|other| other.id == id && (other.source, other.seq) == (letter.source, letter.seq.get()));
        if !(twice && plant.broker.is_some()) {
            stored.push(Stored { id, source: letter.source, seq: letter.seq.get() });
        }
    }
    Ok(stored)
}

fn no_violation<R>(plant: &Plant<R>) -> Result<(), String> {
    plant.book.violations.first().map_or(Ok(()), |violation| Err(format!("[room] {violation}")))
}

fn once(stored: &[Stored]) -> Result<(), String> {
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for record in stored {
        if !ids.insert(record.id) {
            return Err(format!("[once] event {} is stored twice", record.id));
        }
        if !places.insert((record.source, record.seq)) {
            return Err(format!("[once] two events at epoch {} seq {}", record.source.epoch, record.seq));
        }
    }
    Ok(())
}

fn every_acknowledged_record<R>(plant: &Plant<R>, stored: &[Stored]) -> Result<(), String> {
    let ids: BTreeSet<u64> = stored.iter().map(|record| record.id).collect();
    let missing: Vec<_> = plant.book.acknowledged.difference(&ids).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let fact = plant.book.written.get(first);
    Err(format!("[nothing lost] {} acknowledged events are not in the lake, the first is {fact:?}", missing.len()))
}

fn nothing_invented<R>(plant: &Plant<R>, stored: &[Stored]) -> Result<(), String> {
    let refused = stored.iter().find(|record| plant.book.refused.contains(&record.id));
    let unknown = stored.iter().find(|record| !plant.book.written.contains_key(&record.id));
    match (refused, unknown) {
        (Some(record), _) => Err(format!("[nothing invented] event {} was refused and is stored", record.id)),
        (None, Some(record)) => Err(format!("[nothing invented] event {} was never written", record.id)),
        (None, None) => Ok(()),
    }
}

fn no_hole(stored: &[Stored]) -> Result<(), String> {
    let mut sources: BTreeMap<Source, BTreeSet<u64>> = BTreeMap::new();
    for record in stored {
        sources.entry(record.source).or_default().insert(record.seq);
    }
    for (source, seqs) in sources {
        if let Some((expected, found)) = (1..).zip(&seqs).find(|(expected, found)| expected != *found) {
            return Err(format!("[no hole] epoch {} goes from seq {} to {found}", source.epoch, expected - 1));
        }
    }
    Ok(())
}

fn every_intent_has_one_outcome<R>(plant: &Plant<R>, stored: &[Stored]) -> Result<(), String> {
    let mut requests: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for fact in stored.iter().filter_map(|record| plant.book.written.get(&record.id)).filter(|fact| fact.request > 0) {
        let (intents, outcomes) = requests.entry(fact.request).or_default();
        *intents += u64::from(fact.role == Role::Request);
        *outcomes += u64::from(fact.role == Role::Outcome);
    }
    let broken = requests.iter().find(|(_, counts)| **counts != (1, 1));
    broken.map_or(Ok(()), |(request, (intents, outcomes))| {
        Err(format!("[one outcome] request {request} has {intents} intents and {outcomes} outcomes"))
    })
}

/// Nothing is lost or cloned in these worlds, so an alarm that says so is itself a fault; as is being overtaken by nobody.
fn no_false_alarm<R>(plant: &Plant<R>) -> Result<(), String> {
    let alarms = plant.observer.alarms.lock().expect("not poisoned");
    let overlap = plant.weather.overlap.load(Ordering::Relaxed);
    let wrong = alarms.iter().find(|alarm| !(overlap && matches!(alarm, Alarm::Overtaken { .. })));
    wrong.map_or(Ok(()), |alarm| Err(format!("[no false alarm] {alarm:?}")))
}
