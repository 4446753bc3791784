use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use custody_event::{EVENT_SCHEMA_JSON, Event};
use custody_testkit::events::{any_event, sample_events};
use proptest::prelude::*;

use super::*;
use crate::{
    columns::event_columns,
    testing::{PARTITION, record, records},
};

/// Every record is in exactly one output, in order.
fn outputs(records: &[LogRecord], decoded: &Decoded) -> (Vec<u64>, Vec<u64>) {
    let rows: Vec<u64> = decoded.rows.keys().iter().map(|key| key.position.get()).collect();
    let poison: Vec<u64> = decoded.poison.iter().map(|letter| letter.position.get()).collect();
    let all: BTreeSet<u64> = rows.iter().chain(&poison).copied().collect();
    assert_eq!(all.len(), rows.len() + poison.len(), "a record is in both outputs");
    assert_eq!(all, records.iter().map(|record| record.position.get()).collect(), "a record is in no output");
    assert_eq!(decoded.rows.batches().iter().map(|batch| batch.num_rows()).sum::<usize>(), rows.len());
    (rows, poison)
}

#[test]
fn every_released_schema_is_known_and_the_last_is_the_one_written() {
    assert!(Schemas::released().is_ok());
    assert_eq!(custody_event::RELEASED_SCHEMAS_JSON.last(), Some(&EVENT_SCHEMA_JSON));
}

#[test]
fn events_of_all_kinds_become_rows_with_the_columns_of_the_table() {
    let events = sample_events(3, 300);
    let records = records(&events);
    let decoded = decode(PARTITION, &records);
    let (rows, poison) = outputs(&records, &decoded);
    assert_eq!((rows.len(), poison.len()), (300, 0));
    let batch = &decoded.rows.batches()[0];
    assert_eq!(batch.schema(), event_columns());
    for (place, event) in events.iter().enumerate() {
        assert_eq!(batch.column_by_name("kind").unwrap().as_string::<i32>().value(place), event.kind.name());
        assert_eq!(decoded.rows.keys()[place].event_id, *event.event_id);
        assert_eq!(batch.column_by_name("log_position").unwrap().as_primitive::<arrow::datatypes::Int64Type>().value(place), place as i64);
        let kind_is_set = batch.column_by_name("outcome_class").unwrap().is_valid(place);
        assert_eq!(kind_is_set, event.kind.name() == "outcome");
    }
}

#[test]
fn a_poisoned_record_takes_nothing_down_with_it() {
    let mut records = records(&sample_events(5, 64));
    let good = records[9].payload.clone();
    let other_schema = [&[0xC3, 0x01][..], &[9; 8], &good[10..]].concat();
    let two_in_one = [&good[..], &good[..]].concat();
    let trailing = [&good[..], &[0]].concat();
    let half = good.slice(..good.len() / 2);
    let bad: [(usize, Bytes, DeadLetterReason); 8] = [
        (0, Bytes::new(), DeadLetterReason::UnknownSchema),
        (7, Bytes::from_static(b"{\"not\": \"avro\"}"), DeadLetterReason::UnknownSchema),
        (8, other_schema.into(), DeadLetterReason::UnknownSchema),
        (20, two_in_one.into(), DeadLetterReason::Malformed),
        (21, trailing.into(), DeadLetterReason::Malformed),
        (22, half, DeadLetterReason::Malformed),
        (40, good.slice(..10), DeadLetterReason::Malformed),
        (63, [&good[..10], &[0xFF; 40]].concat().into(), DeadLetterReason::Malformed),
    ];
    for (place, payload, _) in &bad {
        records[*place].payload = payload.clone();
    }
    records[30].damaged = true;
    let decoded = decode(PARTITION, &records);
    let (rows, _) = outputs(&records, &decoded);
    assert_eq!(rows.len(), 64 - 9);
    let mut expected: Vec<(u64, DeadLetterReason)> = bad.iter().map(|(place, _, reason)| (*place as u64, *reason)).collect();
    expected.push((30, DeadLetterReason::Damaged));
    expected.sort();
    let found: Vec<_> = decoded.poison.iter().map(|letter| (letter.position.get(), letter.reason)).collect();
    assert_eq!(found, expected);
    for letter in &decoded.poison {
        assert_eq!(letter.payload, records[letter.position.get() as usize].payload, "the payload is kept as it was");
    }
}

#[test]
fn text_that_is_not_utf8_is_malformed() {
    let mut events = sample_events(11, 40);
    events[17].event_id = "MARK".into();
    let mut records = records(&events);
    let mut payload = records[17].payload.to_vec();
    let place = payload.windows(4).position(|bytes| bytes == b"MARK").unwrap();
    payload[place] = 0xFF;
    records[17].payload = payload.into();
    let decoded = decode(PARTITION, &records);
    assert_eq!(outputs(&records, &decoded).1, [17]);
    assert_eq!(decoded.poison[0].reason, DeadLetterReason::Malformed);
}

#[test]
fn an_event_must_have_the_kind_it_names_and_a_time_that_can_be_printed() {
    let outcome = |events: &[Event]| events.iter().find(|event| event.kind.name() == "outcome").unwrap().clone();
    let mut late = outcome(&sample_events(2, 200));
    late.time = custody_types::Timestamp::from_micros(i64::MAX);
    let mut records = records(&[late, outcome(&sample_events(3, 200)), outcome(&sample_events(4, 200))]);
    let mut misnamed = records[1].payload.to_vec();
    let place = misnamed.windows(7).position(|bytes| bytes == b"outcome").unwrap();
    misnamed[place..place + 7].copy_from_slice(b"Request");
    records[1].payload = misnamed.into();
    let decoded = decode(PARTITION, &records);
    assert_eq!(outputs(&records, &decoded).0, [2]);
    let reasons: Vec<_> = decoded.poison.iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons, [DeadLetterReason::TimeOutOfRange, DeadLetterReason::KindMismatch]);
}

#[test]
fn rows_can_be_dropped_by_key_and_joined() {
    let records = records(&sample_events(13, 50));
    let mut rows = decode(PARTITION, &records[..20]).rows;
    rows.append(decode(PARTITION, &records[20..]).rows);
    rows.retain(|key| key.position.get() % 3 == 0);
    let left: Vec<u64> = rows.keys().iter().map(|key| key.position.get()).collect();
    assert_eq!(left, (0..50).filter(|position| position % 3 == 0).collect::<Vec<u64>>());
    let stored: Vec<i64> = rows
        .batches()
        .iter()
        .flat_map(|batch| batch.column_by_name("log_position").unwrap().as_primitive::<arrow::datatypes::Int64Type>().values().to_vec())
        .collect();
    assert_eq!(stored, (0..50).filter(|position| position % 3 == 0).collect::<Vec<i64>>());
}

#[test]
fn more_records_than_a_batch_holds_are_decoded_in_order() {
    let few = records(&sample_events(17, 10));
    let many: Vec<LogRecord> = (0..20_000).map(|place| record(place, few[(place % 10) as usize].payload.clone())).collect();
    let decoded = decode(PARTITION, &many);
    let (rows, poison) = outputs(&many, &decoded);
    assert_eq!(rows, (0..20_000).collect::<Vec<u64>>());
    assert!(poison.is_empty());
}

/// LOG-16 and DESIGN D1: what an earlier version wrote is read by a later one.
#[test]
fn an_earlier_schema_is_read_by_a_later_one_in_the_same_batch() {
    let later = EVENT_SCHEMA_JSON.replacen(
        "\"fields\": [",
        "\"fields\": [ { \"name\": \"residency\", \"type\": [\"null\", \"string\"], \"field-id\": 22, \"default\": null },",
        1,
    );
    let schemas = Schemas::new(&[EVENT_SCHEMA_JSON], &later).unwrap();
    let records = records(&sample_events(19, 30));
    let decoded = EventDecoder::with_schemas(schemas).unwrap().decode(PARTITION, &records);
    assert_eq!(outputs(&records, &decoded).0.len(), 30);
    assert_eq!(decoded.rows.batches()[0].column_by_name("residency").unwrap().null_count(), 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_event_decodes(events in proptest::collection::vec(any_event(), 1..20)) {
        let records = records(&events);
        let decoded = decode(PARTITION, &records);
        prop_assert_eq!(outputs(&records, &decoded).0.len(), events.len());
    }

    #[test]
    fn any_bytes_end_in_exactly_one_output(seed in any::<u64>(), flips in proptest::collection::vec((0usize..16, any::<u16>(), any::<u8>()), 1..24)) {
        let mut records = records(&sample_events(seed, 16));
        for (record, place, value) in flips {
            let mut payload = records[record].payload.to_vec();
            let place = 10 + place as usize % (payload.len() - 10);
            payload[place] = value;
            records[record].payload = payload.into();
        }
        let decoded = decode(PARTITION, &records);
        outputs(&records, &decoded);
        for (row, key) in decoded.rows.keys().iter().enumerate() {
            let batch = &decoded.rows.batches()[0];
            prop_assert!(decoded.rows.batches().len() > 1 || batch.num_rows() > row);
            let event = custody_event::Decoder::new(&[]).decode(&records[key.position.get() as usize].payload);
            if let (Ok(event), 1) = (event, decoded.rows.batches().len()) {
                let of_struct = custody_event::canonical::canonical_bytes(&event).unwrap();
                prop_assert_eq!(crate::canonical_from_row(batch, row).unwrap(), of_struct);
            }
        }
    }
}
