//! Bounds, reserves and truncation.

use custody_log::{AppendError, FullCause, JournalConfig, UnitKind};
use custody_testkit::disk::SimDisk;
use custody_types::LogPosition;

use crate::world::*;

#[test]
fn the_journal_grows_to_its_bound_then_refuses_then_goes_on_after_truncation() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    let refusal = loop {
        if let Err(error) = put(&mut core, big(UnitKind::Plain, 3000)) {
            break error;
        }
    };
    assert!(matches!(refusal, AppendError::Full { cause: FullCause::Bound, .. }), "{refusal:?}");
    assert!(core.stats().total_bytes <= config().max_total_bytes);
    core.set_floor("lake", core.durable());
    core.prepare_spare().unwrap();
    put(&mut core, big(UnitKind::Plain, 3000)).unwrap();
    assert!(core.stats().segments <= 2);
}

#[test]
fn truncation_never_passes_an_open_request_nor_the_slowest_consumer() {
    let disk = SimDisk::new();
    let settings = JournalConfig { consumers: vec!["lake".into(), "tail".into()], ..config() };
    let (mut core, _) = open_with(&disk, settings);
    let fill = |core: &mut _| {
        for _ in 0..4 {
            put(core, big(UnitKind::Plain, 3000)).unwrap();
        }
    };
    fill(&mut core);
    fill(&mut core);
    core.set_floor("lake", core.durable());
    assert_eq!(core.stats().first, LogPosition::START, "the tail has not reported yet");
    let opened = put(&mut core, unit(UnitKind::Open(key(1)), &["intent"])).unwrap().appended.end.get() - 1;
    fill(&mut core);
    fill(&mut core);
    core.set_floor("lake", core.durable());
    core.set_floor("tail", core.durable());
    assert!(core.stats().first <= LogPosition::new(opened) && core.stats().first > LogPosition::START);
    assert_eq!(core.truncation_floor(), LogPosition::new(opened));
    core.enqueue(unit(UnitKind::Close(key(1)), &["outcome"])).unwrap();
    assert_eq!(core.truncation_floor(), LogPosition::new(opened), "an outcome counts once it is durable");
    core.commit().unwrap();
    core.set_floor("lake", core.durable());
    assert!(core.stats().first > LogPosition::new(opened));
}

#[test]
fn what_is_too_large_or_out_of_turn_is_refused_without_a_trace() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    let refused = [
        (big(UnitKind::Plain, 5000), "journal_record_too_large"),
        (plain(&[]), "journal_empty_append"),
        (unit(UnitKind::Close(key(1)), &["o"]), "journal_obligation"),
        (unit(UnitKind::Within(key(1)), &["o"]), "journal_obligation"),
    ];
    for (unit, code) in refused {
        let error = core.enqueue(unit).unwrap_err();
        assert_eq!(custody_types::Fault::code(&error), code);
    }
    put(&mut core, unit(UnitKind::Open(key(1)), &["i"])).unwrap();
    assert_eq!(core.enqueue(unit(UnitKind::Open(key(1)), &["i"])).unwrap_err(), AppendError::Obligation);
    assert_eq!(texts(&core), ["i"]);
}

#[test]
fn an_outcome_larger_than_its_reserve_competes_for_free_room() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, unit(UnitKind::Open(key(1)), &["i"])).unwrap();
    put(&mut core, big(UnitKind::Close(key(1)), 3000)).unwrap();
    assert_eq!(core.stats().reserved_bytes, 0);
}

#[test]
fn a_reader_goes_anywhere_and_meets_the_same_records() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    for index in 0..100 {
        put(&mut core, plain(&[&format!("{index:0>500}")])).unwrap();
    }
    let all = frames(&core);
    assert_eq!(all.len(), 100);
    let mut reader = core.reader(LogPosition::START);
    for at in [50, 3, 99, 0, 51, 52, 98, 7] {
        reader.seek(LogPosition::new(at));
        assert_eq!(reader.read(1).unwrap()[0], all[at as usize]);
        assert_eq!(reader.position().get(), at + 1);
    }
}
