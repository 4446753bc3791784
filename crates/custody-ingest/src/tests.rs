//! The loop over fakes: one behaviour a test. Random faults in random order are the simulation's (`tests/sim`).

pub(crate) mod fixture;
pub(crate) mod list_log;

use custody_log::LogReader;
use custody_testkit::store::CommitFault;
use custody_types::LogPosition;

use crate::{IngestConfig, IngestObserver, Turn, ledger};
use fixture::{Scene, of_journal, poison, record};

fn position(scene: &Scene) -> Option<i64> {
    scene.events.state().transactions.get(&ledger::position_id("journal/test")).copied()
}

#[test]
fn records_become_rows_and_position_and_marks_in_one_commit() {
    let scene = Scene::with([record(0, 1, 1, "a"), record(1, 1, 2, "b"), record(2, 2, 1, "c")]);
    scene.settle();
    assert_eq!(scene.stored(), ["a", "b", "c"]);
    assert_eq!((scene.events.state().version, position(&scene)), (1, Some(3)));
    assert!(scene.alarms().is_empty());
}

#[test]
fn the_log_may_forget_all_but_the_last_stored_record_and_only_after_the_commit() {
    let scene = Scene::with([record(0, 1, 1, "a"), record(1, 1, 2, "b")]);
    scene.chaos.fail_next(CommitFault::Failed);
    scene.try_turn().expect_err("the commit fails");
    assert_eq!(scene.floor(), LogPosition::START);
    scene.settle();
    assert_eq!(scene.floor(), LogPosition::new(1));
}

#[test]
fn the_stored_positions_are_known_before_the_first_commit_and_only_of_what_is_held() {
    let scene = Scene::with([record(0, 1, 1, "a"), record(1, 1, 2, "b")]);
    scene.settle();
    scene.metrics.resumed(&[("journal/gone".to_owned(), LogPosition::new(9))]);
    scene.restart();
    scene.try_turn().expect("nothing new");
    let stored: Vec<_> = scene.metrics.figures().stored.into_iter().collect();
    assert_eq!(stored, [("journal/test".to_owned(), LogPosition::new(2))]);
}

#[test]
fn a_batch_ends_at_its_bytes() {
    let config = IngestConfig { flush_bytes: 2, ..fixture::config() };
    let scene = Scene::configured(config, (0..6).map(|at| record(at, 1, at + 1, "e")));
    scene.settle();
    assert_eq!((scene.stored().len(), scene.events.state().version), (6, 3));
}

#[test]
fn a_batch_ends_at_its_age() {
    let scene = Scene::with([record(0, 1, 1, "a")]);
    let start = scene.clock();
    scene.settle();
    let waited = scene.clock() - start;
    assert_eq!(scene.stored(), ["a"]);
    let age = fixture::config().flush_age.as_micros() as u64;
    assert!((age..age * 2).contains(&waited), "waited {waited} µs");
}

#[test]
fn a_stop_stores_what_the_log_has_and_waits_for_nothing() {
    let scene = Scene::with((0..10).map(|at| record(at, 1, at + 1, "e")));
    let start = scene.clock();
    scene.run_stopped().expect("a clean stop");
    assert_eq!((scene.stored().len(), scene.clock() - start), (10, 0));
}

#[test]
fn a_stop_says_what_kept_the_last_batch_from_the_lake() {
    let scene = Scene::with([record(0, 1, 1, "a")]);
    scene.chaos.fail_next(CommitFault::Failed);
    assert_eq!(scene.run_stopped().map_err(|error| custody_types::Fault::code(&error)), Err("lake_storage_failed"));
}

#[test]
fn poison_goes_to_its_own_table_first_and_counts_as_present() {
    let scene = Scene::with([record(0, 1, 1, "a"), poison(1, 1, 2), record(2, 1, 3, "c")]);
    scene.chaos.fail_next(CommitFault::None);
    scene.chaos.fail_next(CommitFault::Failed);
    scene.try_turn().expect_err("the commit of the rows fails after that of the letters");
    assert_eq!((scene.letters(), scene.stored().len()), (vec![1], 0));
    scene.settle();
    assert_eq!((scene.letters(), scene.stored()), (vec![1], vec!["a".into(), "c".into()]));
    assert!(scene.alarms().is_empty(), "poison is no hole");
}

#[test]
fn a_letter_whose_commit_got_no_answer_is_stored_once() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost] {
        let scene = Scene::with([poison(0, 1, 1)]);
        scene.chaos.fail_next(fault);
        scene.settle();
        assert_eq!(scene.letters(), [0], "{fault:?}");
    }
}

#[test]
fn a_batch_of_poison_alone_still_moves_the_position() {
    let scene = Scene::with([poison(0, 1, 1), poison(1, 1, 2)]);
    scene.settle();
    assert_eq!((scene.letters(), position(&scene)), (vec![0, 1], Some(2)));
}

#[test]
fn a_record_shipped_twice_is_stored_once() {
    let within_a_batch = [record(0, 1, 1, "a"), record(1, 1, 2, "b"), record(2, 1, 1, "a"), record(3, 1, 2, "b")];
    let scene = Scene::with(within_a_batch);
    scene.settle();
    scene.log.push(record(4, 1, 2, "b"));
    scene.log.push(record(5, 1, 3, "c"));
    scene.settle();
    assert_eq!(scene.stored(), ["a", "b", "c"]);
    assert_eq!(scene.metrics.figures().duplicates, 3);
    assert!(scene.alarms().is_empty());
}

#[test]
fn a_cloned_journal_is_an_alarm_and_both_events_are_kept() {
    let scene = Scene::with([record(0, 1, 1, "a"), record(1, 1, 2, "b")]);
    scene.settle();
    scene.log.push(record(2, 1, 2, "clone of b"));
    scene.log.push(record(3, 1, 2, "clone of b"));
    scene.settle();
    assert_eq!(scene.stored(), ["a", "b", "clone of b"]);
    assert_eq!(scene.alarms(), ["cloned_journal"]);
    assert_eq!(scene.metrics.figures().clones, 1);
}

#[test]
fn a_hole_is_an_alarm_and_a_late_record_is_kept() {
    let scene = Scene::with([record(0, 1, 1, "a"), record(1, 1, 4, "d")]);
    scene.settle();
    scene.log.push(record(2, 1, 2, "b"));
    scene.settle();
    assert_eq!(scene.stored(), ["a", "d", "b"]);
    assert_eq!(scene.alarms(), ["sequence_hole", "late_record"]);
    assert_eq!((scene.metrics.figures().holes, scene.metrics.figures().missing), (1, 2));
}

#[test]
fn a_log_truncated_past_the_stored_position_is_an_alarm_and_not_skipped_silently() {
    let scene = Scene::with((0..3).map(|at| record(at, 1, at + 1, "e")));
    scene.settle();
    scene.log.push(record(3, 1, 4, "lost"));
    scene.log.push(record(4, 1, 5, "kept"));
    scene.log.truncate(4);
    scene.restart();
    scene.settle();
    assert_eq!(scene.stored(), ["e", "e", "e", "kept"]);
    assert_eq!(scene.alarms(), ["records_missing", "sequence_hole"]);
}

#[test]
fn a_log_truncated_under_a_running_ingest_is_an_alarm() {
    let scene = Scene::with([record(0, 1, 1, "a")]);
    scene.settle();
    scene.log.push(record(1, 1, 2, "lost"));
    scene.log.push(record(2, 1, 3, "c"));
    scene.log.truncate(2);
    scene.settle();
    assert_eq!((scene.stored(), scene.alarms()), (vec!["a".into(), "c".into()], vec!["records_missing", "sequence_hole"]));
}

#[test]
fn a_new_table_over_a_truncated_log_says_what_is_missing() {
    let scene = Scene::with((0..3).map(|at| record(at, 1, at + 1, "e")));
    scene.log.truncate(2);
    scene.settle();
    assert_eq!((scene.stored().len(), scene.alarms()), (1, vec!["records_missing", "sequence_hole"]));
}

#[test]
fn an_older_copy_of_the_journal_is_read_again_and_nothing_is_twice_or_lost() {
    let scene = Scene::with((0..4).map(|at| record(at, 1, at + 1, &format!("e{at}"))));
    scene.settle();
    scene.log.replace([record(0, 1, 1, "e0"), record(1, 1, 2, "e1"), record(2, 2, 1, "new")]);
    scene.restart();
    scene.settle();
    assert_eq!(scene.stored(), ["e0", "e1", "e2", "e3", "new"]);
    assert_eq!((scene.alarms(), position(&scene)), (vec!["log_differs"], Some(3)));
}

#[test]
fn another_history_under_the_same_name_is_read_again_and_both_are_kept() {
    let scene = Scene::with((0..3).map(|at| record(at, 1, at + 1, &format!("e{at}"))));
    scene.settle();
    let fork = [record(0, 1, 1, "e0"), record(1, 1, 2, "f1"), record(2, 1, 3, "f2"), record(3, 1, 4, "f3")];
    scene.log.replace(fork);
    scene.restart();
    scene.settle();
    assert_eq!(scene.stored(), ["e0", "e1", "e2", "f1", "f2", "f3"]);
    assert_eq!(scene.alarms(), ["log_differs", "cloned_journal", "cloned_journal"]);
}

#[test]
fn a_commit_without_an_answer_is_found_by_its_id() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost] {
        let scene = Scene::with([record(0, 1, 1, "a")]);
        scene.chaos.fail_next(fault);
        assert_eq!(scene.try_turn().ok(), Some(Turn::Committed), "{fault:?}");
        assert_eq!((scene.stored(), scene.events.state().version), (vec!["a".into()], 1), "{fault:?}");
        assert!(scene.alarms().is_empty());
    }
}

#[test]
fn a_second_ingest_of_the_partition_overtakes_and_nothing_is_twice() {
    let scene = Scene::with([record(0, 1, 1, "a")]);
    scene.settle();
    let other = scene.another();
    scene.log.push(record(1, 1, 2, "b"));
    other.settle();
    assert_eq!(scene.try_turn().ok(), Some(Turn::Rewound));
    scene.log.push(record(2, 1, 3, "c"));
    scene.settle();
    assert_eq!((scene.stored(), scene.alarms()), (vec!["a".into(), "b".into(), "c".into()], vec!["overtaken"]));
}

fn position_of_second(scene: &Scene) -> Option<i64> {
    scene.events.state().transactions.get(&ledger::position_id("journal/test1")).copied()
}

#[test]
fn all_partitions_share_one_commit_with_a_position_each() {
    let scene = Scene::of_two([record(0, 1, 1, "a"), record(1, 1, 2, "b")], [of_journal(8, record(0, 1, 1, "x"))]);
    scene.settle();
    assert_eq!((scene.stored(), scene.events.state().version), (vec!["a".into(), "b".into(), "x".into()], 1));
    assert_eq!((position(&scene), position_of_second(&scene)), (Some(2), Some(1)));
    scene.second.as_ref().expect("two").push(of_journal(8, record(1, 1, 2, "y")));
    scene.settle();
    assert_eq!((position(&scene), position_of_second(&scene)), (Some(2), Some(2)), "a silent partition keeps its position");
    assert!(scene.alarms().is_empty());
}

#[test]
fn a_batch_of_two_partitions_is_dropped_whole_when_another_ingest_has_one_of_them() {
    let scene = Scene::of_two([record(0, 1, 1, "a")], [of_journal(8, record(0, 1, 1, "x"))]);
    scene.settle();
    let other = scene.another();
    scene.log.push(record(1, 1, 2, "b"));
    scene.second.as_ref().expect("two").push(of_journal(8, record(1, 1, 2, "y")));
    other.settle();
    assert_eq!(scene.try_turn().ok(), Some(Turn::Rewound));
    scene.settle();
    assert_eq!((scene.stored(), scene.alarms()), (vec!["a".into(), "x".into(), "b".into(), "y".into()], vec!["overtaken"]));
}

#[test]
fn a_lost_answer_to_a_commit_of_two_partitions_is_found() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost] {
        let scene = Scene::of_two([record(0, 1, 1, "a")], [of_journal(8, record(0, 1, 1, "x"))]);
        scene.chaos.fail_next(fault);
        scene.settle();
        assert_eq!((scene.stored(), scene.events.state().version), (vec!["a".into(), "x".into()], 1), "{fault:?}");
    }
}

#[test]
fn a_log_that_withholds_a_record_is_an_error_and_no_alarm() {
    let scene = Scene::with([record(0, 1, 1, "a")]);
    scene.settle();
    scene.restart();
    scene.log.withhold();
    assert_eq!(scene.try_turn().map_err(|error| custody_types::Fault::code(&error)), Err("log_record_withheld"));
    assert!(scene.alarms().is_empty());
}

#[test]
fn dead_letters_that_a_later_decoder_reads_become_rows_once() {
    let scene = Scene::with([record(0, 1, 1, "a"), poison(1, 1, 2), poison(2, 1, 3)]);
    scene.settle();
    let readable = [record(1, 1, 2, "b"), poison(2, 1, 3)];
    for fault in [CommitFault::None, CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost] {
        scene.chaos.fail_next(fault);
        let tried = scene.retry(&readable).expect("every answer is resolved");
        let first = fault == CommitFault::None;
        assert_eq!((tried.stored, tried.known, tried.dead), (usize::from(first), usize::from(!first), 1), "{fault:?}");
        assert_eq!(scene.stored(), ["a", "b"], "{fault:?}");
        scene.chaos.forget();
    }
    assert_eq!(position(&scene), Some(3), "positions are ingest's alone");
}

#[test]
fn a_retry_without_an_answer_is_found_by_its_id() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost] {
        let scene = Scene::with([poison(0, 1, 1)]);
        scene.settle();
        scene.chaos.fail_next(fault);
        let tried = scene.retry(&[record(0, 1, 1, "a")]).expect("every answer is resolved");
        assert_eq!((tried.stored, scene.stored()), (1, vec!["a".to_owned()]), "{fault:?}");
    }
}

#[test]
fn the_fixture_reads_as_the_port_says() {
    let scene = Scene::with([record(0, 1, 1, "a"), record(1, 1, 2, "b")]);
    let mut log = scene.log.clone();
    log.seek(LogPosition::new(1));
    let read = fixture::block_on(log.read(1, std::time::Duration::ZERO)).expect("readable");
    assert_eq!(read.len(), 1, "at least one record, however small the limit");
}
