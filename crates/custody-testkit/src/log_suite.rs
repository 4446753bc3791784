//! One suite for every adapter of the log port: what `LogReader` promises, asked of each log in the same words.
//!
//! An adapter's tests implement [`LogUnderTest`] and name it in [`crate::log_suite!`]; each case becomes a test of its own, on a fresh
//! log.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the suite may stop a test")]

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use custody_log::{LogReader, ReadError};
use custody_types::{LogPosition, LogRecord};

/// Longer than any log needs; a case that waits so long has failed.
const LONG: Duration = Duration::from_secs(30);
/// Short enough to wait for in vain.
const SHORT: Duration = Duration::from_millis(300);
const MUCH: usize = 1 << 20;

/// One partition of a fresh log, and what can be done to it.
#[async_trait(?Send)]
pub trait LogUnderTest {
    /// The reader that is tested.
    type Reader: LogReader;
    /// Appends records by one writer; they are durable when this returns.
    async fn append(&mut self, payloads: Vec<Bytes>);
    /// A reader of its own, at the start.
    fn reader(&mut self) -> Self::Reader;
    /// Puts one record there whose bytes were altered, or that no writer of ours wrote. False where this log cannot have one.
    async fn put_damaged(&mut self) -> bool;
    /// Has the log forget its first records; may append others for that. False where this log cannot.
    async fn forget_first(&mut self) -> bool;
}

fn numbered(range: std::ops::Range<u64>) -> Vec<Bytes> {
    range.map(|number| Bytes::from(format!("record {number}"))).collect()
}

fn at(position: u64) -> LogPosition {
    LogPosition::new(position)
}

/// Reads until `count` records came.
async fn read<R: LogReader>(reader: &mut R, count: usize, max_bytes: usize) -> Vec<LogRecord> {
    let mut records = Vec::new();
    while records.len() < count {
        let more = reader.read(max_bytes, LONG).await.unwrap();
        assert!(!more.is_empty(), "{} of {count} records came", records.len());
        records.extend(more);
    }
    records
}

fn assert_numbered(records: &[LogRecord], from: u64) {
    for (record, number) in records.iter().zip(from..) {
        assert_eq!(record.position, at(number));
        assert_eq!(record.payload, format!("record {number}"));
        assert_eq!(record.seq.get(), number + 1);
        assert!(!record.damaged);
    }
}

/// Records come in order, each once, however small the pieces are.
pub async fn reads_in_order_within_a_budget(log: &mut impl LogUnderTest) {
    log.append(numbered(0..200)).await;
    let mut reader = log.reader();
    let small = reader.read(300, LONG).await.unwrap();
    assert!(!small.is_empty() && small.len() < 30, "{} records for 300 bytes", small.len());
    assert_numbered(&small, 0);
    assert_eq!(reader.position(), at(small.len() as u64));
    let rest = read(&mut reader, 200 - small.len(), 2000).await;
    assert_numbered(&rest, small.len() as u64);
    assert_eq!(small.len() + rest.len(), 200);
    let sources: std::collections::BTreeSet<_> = small.iter().chain(&rest).map(|record| record.source).collect();
    assert_eq!(sources.len(), 1);
}

/// A record larger than the budget still comes.
pub async fn gives_at_least_one_record(log: &mut impl LogUnderTest) {
    let large = Bytes::from(vec![7; 3000]);
    log.append(vec![large.clone(), large.clone()]).await;
    let mut reader = log.reader();
    for position in 0..2 {
        let records = read(&mut reader, 1, 1).await;
        assert_eq!((records.len(), records[0].position, &records[0].payload), (1, at(position), &large));
    }
}

/// The bounds are what is there when they are asked for.
pub async fn tells_its_bounds(log: &mut impl LogUnderTest) {
    let mut reader = log.reader();
    let empty = reader.bounds().await.unwrap();
    assert_eq!((empty.first, empty.end), (at(0), at(0)));
    log.append(numbered(0..10)).await;
    let bounds = reader.bounds().await.unwrap();
    assert_eq!((bounds.first, bounds.end), (at(0), at(10)));
    assert_eq!(reader.position(), at(0), "asking moves nothing");
    assert_numbered(&read(&mut reader, 10, MUCH).await, 0);
}

/// Seeking goes back and forth, also over what is buffered.
pub async fn seeks_back_and_forth(log: &mut impl LogUnderTest) {
    log.append(numbered(0..50)).await;
    let mut reader = log.reader();
    for position in [0, 40, 10, 49, 0, 11, 12, 12, 30] {
        reader.seek(at(position));
        assert_eq!(reader.position(), at(position));
        let records = read(&mut reader, 1, 200).await;
        assert_numbered(&records, position);
    }
    // A seek that is taken back before the next read changes nothing.
    let next = reader.position();
    reader.seek(at(3));
    reader.seek(next);
    assert_numbered(&read(&mut reader, 1, 100).await, next.get());
}

/// A read that is given up, at whatever moment, loses nothing.
pub async fn a_dropped_read_loses_nothing(log: &mut impl LogUnderTest) {
    log.append(numbered(0..300)).await;
    let mut reader = log.reader();
    let mut records = Vec::new();
    let mut patience = Duration::ZERO;
    while records.len() < 300 {
        let before = reader.position();
        match tokio::time::timeout(patience, reader.read(400, LONG)).await {
            Ok(more) => records.extend(more.unwrap()),
            Err(_) => assert_eq!(reader.position(), before, "the position moves only with the answer"),
        }
        patience = if patience > Duration::from_millis(20) { Duration::ZERO } else { patience * 2 + Duration::from_micros(20) };
        if patience.is_zero() {
            records.extend(reader.read(400, LONG).await.unwrap());
        }
    }
    assert_eq!(records.len(), 300);
    assert_numbered(&records, 0);
}

/// At the end, and beyond it, nothing comes until there is something.
pub async fn waits_at_the_end_and_beyond(log: &mut impl LogUnderTest) {
    log.append(numbered(0..5)).await;
    let (mut at_end, mut beyond) = (log.reader(), log.reader());
    at_end.seek(at(5));
    beyond.seek(at(8));
    for reader in [&mut at_end, &mut beyond] {
        assert!(reader.read(MUCH, Duration::ZERO).await.unwrap().is_empty());
        assert!(reader.read(MUCH, SHORT).await.unwrap().is_empty());
        assert_eq!(reader.bounds().await.unwrap().end, at(5));
    }
    assert_eq!((at_end.position(), beyond.position()), (at(5), at(8)));
    log.append(numbered(5..8)).await;
    assert_numbered(&read(&mut at_end, 3, MUCH).await, 5);
    assert!(beyond.read(MUCH, SHORT).await.unwrap().is_empty());
    log.append(numbered(8..10)).await;
    assert_numbered(&read(&mut beyond, 2, MUCH).await, 8);
}

/// A reader that waits is woken by what is appended, and many small appends all come.
pub async fn reads_while_records_are_appended(log: &mut impl LogUnderTest) {
    let mut reader = log.reader();
    let appending = async {
        for number in 0..40 {
            log.append(numbered(number * 5..number * 5 + 5)).await;
        }
    };
    let ((), records) = tokio::join!(appending, read(&mut reader, 200, 700));
    assert_eq!(records.len(), 200);
    assert_numbered(&records, 0);
}

/// Two readers have positions of their own.
pub async fn readers_do_not_touch_each_other(log: &mut impl LogUnderTest) {
    log.append(numbered(0..20)).await;
    let (mut one, mut other) = (log.reader(), log.reader());
    assert_eq!(one.partition(), other.partition());
    other.seek(at(10));
    assert_numbered(&read(&mut other, 10, MUCH).await, 10);
    assert_numbered(&read(&mut one, 20, MUCH).await, 0);
}

/// Bytes that were altered or are a stranger's are handed on in their place, as damaged, and what follows is read.
pub async fn hands_on_damaged_records_in_their_place(log: &mut impl LogUnderTest) {
    log.append(numbered(0..1)).await;
    if !log.put_damaged().await {
        return;
    }
    log.append(vec![Bytes::from_static(b"after")]).await;
    let mut reader = log.reader();
    let records = read(&mut reader, 3, MUCH).await;
    let damaged: Vec<bool> = records.iter().map(|record| record.damaged).collect();
    let positions: Vec<u64> = records.iter().map(|record| record.position.get()).collect();
    assert_eq!((damaged, positions), (vec![false, true, false], vec![0, 1, 2]));
    assert_eq!(records[2].payload, "after");
}

/// A position below what is kept is told, with the first that can be read; nothing is skipped silently.
pub async fn says_what_was_truncated(log: &mut impl LogUnderTest) {
    log.append(numbered(0..10)).await;
    let mut reader = log.reader();
    if !log.forget_first().await {
        return;
    }
    let bounds = reader.bounds().await.unwrap();
    assert!(bounds.first > at(0) && bounds.end > bounds.first, "{bounds:?}");
    for _ in 0..2 {
        match reader.read(MUCH, LONG).await {
            Err(ReadError::Truncated { asked, first }) => assert_eq!((asked, first), (at(0), bounds.first)),
            other => panic!("{other:?}"),
        }
        assert_eq!(reader.position(), at(0));
    }
    reader.seek(bounds.first);
    assert_eq!(read(&mut reader, 1, 1).await[0].position, bounds.first);
}

/// Makes every case a test. `$make` is a path to an async function that makes a fresh log; `$attribute` stands on each test.
#[macro_export]
macro_rules! log_suite {
    ($make:path $(, $attribute:meta)*) => {
        $crate::log_suite!(@cases $make, [$($attribute),*],
            reads_in_order_within_a_budget,
            gives_at_least_one_record,
            tells_its_bounds,
            seeks_back_and_forth,
            a_dropped_read_loses_nothing,
            waits_at_the_end_and_beyond,
            reads_while_records_are_appended,
            readers_do_not_touch_each_other,
            hands_on_damaged_records_in_their_place,
            says_what_was_truncated,
        );
    };
    (@cases $make:path, $attributes:tt, $($case:ident,)*) => {
        $($crate::log_suite!(@case $make, $attributes, $case);)*
    };
    (@case $make:path, [$($attribute:meta),*], $case:ident) => {
        #[tokio::test]
        $(#[$attribute])*
        async fn $case() {
            $crate::log_suite::$case(&mut $make().await).await;
        }
    };
}
