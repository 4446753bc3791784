//! One consumer of one partition, driven from blocking threads.
//!
//! What the consumer hands out next, against where the reader stands:
//!
//! ```text
//!  next is the reader's position     take what is buffered
//!  next is elsewhere, or unknown     assign the partition anew, from the reader's position
//!  message before next               left over from an earlier assignment: dropped
//!  message after next                assign anew; a gap that shows twice is real (a transaction's marker, compaction)
//!  position out of range             ask for the bounds: below is Truncated, beyond gives nothing and is asked about again
//! ```
//!
//! So an answer that nobody waited for any more costs one fetch, and never a record.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use custody_types::{LogPosition, LogRecord};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use tokio::{sync::Notify, time::Instant};

use crate::{
    error::ReadError,
    kafka::{
        config::KafkaConfig,
        contact::{Doubt, Events},
        error::{Cause, KafkaClientError},
        record::Origin,
    },
    reader::LogBounds,
};

/// How long the log may be asked for its bounds.
const BOUNDS_LIMIT: Duration = Duration::from_secs(5);
/// Complaints younger than this are ridden out: a broker's restart, a new leader.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the log may take to end a doubt that is older.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How often a position beyond the end is asked about.
const BEYOND_AGAIN: Duration = Duration::from_millis(200);
/// A poll answers nothing also when it served an event that is no message, so silence is believed the second time.
const SILENCES: u32 = 2;
/// Complaints heard at once; more say the same.
const COMPLAINTS: u32 = 100;
/// Counted beside each payload, so that many empty records fill an answer too.
const RECORD_OVERHEAD: usize = 64;

/// The consumer and where it stands.
pub(crate) struct Desk {
    consumer: BaseConsumer<Events>,
    events: Events,
    topic: String,
    partition: i32,
    cursor: Cursor,
    /// When the partition was assigned, until something shows that it is there: the client is silent about one that does not exist.
    unproven_since: Option<Instant>,
    /// A position beyond the end, and when that was last so.
    beyond: Option<(LogPosition, Instant)>,
}

/// What the consumer hands out next.
#[derive(Debug, Default)]
struct Cursor {
    next: Option<LogPosition>,
    /// A gap seen once: the place before it and the one behind it.
    gap: Option<(LogPosition, LogPosition)>,
}

enum Verdict {
    Take,
    Drop,
    AssignAnew,
}

impl Desk {
    /// Opens a consumer that wakes `wake` when something arrives. Needs no broker yet.
    pub(crate) fn open(config: &KafkaConfig, topic: &str, partition: i32, wake: Arc<Notify>) -> Result<Self, KafkaClientError> {
        let events = config.events();
        let made = settings(config).create_with_context(events.clone());
        let mut consumer: BaseConsumer<Events> = made.map_err(KafkaClientError::new("making a consumer"))?;
        consumer.set_nonempty_callback(move || wake.notify_one());
        Ok(Self { consumer, events, topic: topic.to_owned(), partition, cursor: Cursor::default(), unproven_since: None, beyond: None })
    }

    /// Asks the broker, blocking.
    pub(crate) fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        self.wait_for_token();
        self.watermarks(BOUNDS_LIMIT).map_err(|error| self.explained("asking for its bounds", error))
    }

    /// Takes what is buffered from `from` on; waits for nothing.
    pub(crate) fn take(&mut self, from: LogPosition, max_bytes: usize) -> Result<Vec<LogRecord>, ReadError> {
        if !self.stand_at(from)? {
            return Ok(Vec::new());
        }
        let mut answer = Answer::new(max_bytes);
        let ended = self.fill(&mut answer);
        let records = answer.into_records();
        if !records.is_empty() {
            self.is_there();
            return Ok(records);
        }
        match ended {
            Some(error) if is_out_of_range(&error) => self.settle(from).map(|_| records),
            Some(error) => Err(unavailable("reading")(error)),
            None => self.end_doubt().map(|()| records),
        }
    }

    /// Fills the answer. An error ends it; the consumer is then assigned anew before the next, so that it shows again.
    fn fill(&mut self, answer: &mut Answer) -> Option<KafkaError> {
        let mut silences = 0;
        while answer.has_room() && silences < SILENCES {
            match self.consumer.poll(Duration::ZERO) {
                None => silences += 1,
                Some(Ok(message)) => match self.cursor.judge(&message) {
                    Verdict::Take => answer.add(&message),
                    Verdict::Drop => {}
                    Verdict::AssignAnew => return None,
                },
                Some(Err(error)) if is_ridden_out(&error) => {}
                Some(Err(error)) => {
                    self.cursor.next = None;
                    return Some(error);
                }
            }
        }
        None
    }

    /// Has the consumer hand out `from` next; false where that is beyond the log's end.
    fn stand_at(&mut self, from: LogPosition) -> Result<bool, ReadError> {
        if let Some((_, asked)) = self.beyond.filter(|(position, _)| *position == from) {
            let is_recent = asked.elapsed() < BEYOND_AGAIN;
            if is_recent || !self.settle(from)? {
                return Ok(false);
            }
        }
        if self.cursor.next != Some(from) {
            self.assign(from).map_err(unavailable("taking the partition"))?;
            self.cursor.next = Some(from);
            self.unproven_since = Some(Instant::now());
            self.beyond = None;
        }
        Ok(true)
    }

    fn assign(&self, from: LogPosition) -> Result<(), KafkaError> {
        let mut assignment = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(from.get()).unwrap_or(i64::MAX));
        assignment.add_partition_offset(&self.topic, self.partition, offset)?;
        self.consumer.assign(&assignment)
    }

    /// Finds out what an out-of-range position means; true where it is in range by now.
    fn settle(&mut self, from: LogPosition) -> Result<bool, ReadError> {
        let LogBounds { first, end } = self.bounds()?;
        if from < first {
            return Err(ReadError::Truncated { asked: from, first });
        }
        self.beyond = (from > end).then(|| (from, Instant::now()));
        Ok(self.beyond.is_none())
    }

    /// Says that the log is away, once complaints are old, or nothing ever came, and it does not answer a question either.
    fn end_doubt(&mut self) -> Result<(), ReadError> {
        let doubt = self.events.contact().doubt();
        let since = [doubt.as_ref().map(|doubt| doubt.since), self.unproven_since];
        if !since.into_iter().flatten().any(|since| since.elapsed() >= PATIENCE) {
            return Ok(());
        }
        match self.watermarks(PROBE_LIMIT) {
            Ok(_) => {
                self.is_there();
                Ok(())
            }
            Err(error) => {
                let source = doubt.map_or_else(|| Cause::from(error), Doubt::into_cause);
                Err(ReadError::Unavailable { doing: "reading", source })
            }
        }
    }

    /// An error with the brokers' own complaint in its place, where it says only that they were not reached. Complaints are heard
    /// while polling; a message that comes with them is fetched again.
    fn explained(&mut self, doing: &'static str, error: KafkaError) -> ReadError {
        if !is_ridden_out(&error) {
            return unavailable(doing)(error);
        }
        for _ in 0..COMPLAINTS {
            if self.consumer.poll(Duration::ZERO).is_some() {
                self.cursor.next = None;
            }
        }
        let source = self.events.contact().doubt().map_or_else(|| Cause::from(error), Doubt::into_cause);
        ReadError::Unavailable { doing, source }
    }

    fn is_there(&mut self) {
        self.unproven_since = None;
        self.events.contact().answered();
    }

    fn watermarks(&self, limit: Duration) -> Result<LogBounds, KafkaError> {
        let (first, end) = self.consumer.fetch_watermarks(&self.topic, self.partition, limit)?;
        Ok(LogBounds { first: position(first), end: position(end) })
    }

    /// The client asks for its first token while it is polled, and answers no question before.
    fn wait_for_token(&mut self) {
        let begun = Instant::now();
        while !self.events.may_ask() && begun.elapsed() < BOUNDS_LIMIT {
            if self.consumer.poll(Duration::from_millis(50)).is_some() {
                self.cursor.next = None;
            }
        }
    }
}

impl Cursor {
    fn judge(&mut self, message: &BorrowedMessage<'_>) -> Verdict {
        let found = position(message.offset());
        let Some(next) = self.next else { return Verdict::Drop };
        if found < next {
            return Verdict::Drop;
        }
        if found > next && self.gap != Some((next, found)) {
            self.gap = Some((next, found));
            self.next = None;
            return Verdict::AssignAnew;
        }
        self.next = Some(found.next());
        Verdict::Take
    }
}

/// Records in the making; their payloads share one allocation.
struct Answer {
    budget: usize,
    payloads: Vec<u8>,
    records: Vec<(LogRecord, usize)>,
}

impl Answer {
    fn new(max_bytes: usize) -> Self {
        Self { budget: max_bytes.max(1), payloads: Vec::new(), records: Vec::new() }
    }

    const fn has_room(&self) -> bool {
        self.budget > 0
    }

    fn add(&mut self, message: &BorrowedMessage<'_>) {
        let payload = message.payload().unwrap_or_default();
        let Origin { source, seq, damaged } = Origin::among(message.headers());
        self.payloads.extend_from_slice(payload);
        self.budget = self.budget.saturating_sub(payload.len() + RECORD_OVERHEAD);
        let record = LogRecord { position: position(message.offset()), source, seq, payload: Bytes::new(), damaged };
        self.records.push((record, self.payloads.len()));
    }

    fn into_records(self) -> Vec<LogRecord> {
        let mut rest = Bytes::from(self.payloads);
        let mut begun = 0;
        let with_payload = |(record, end): (LogRecord, usize)| {
            let payload = rest.split_to(end - begun);
            begun = end;
            LogRecord { payload, ..record }
        };
        self.records.into_iter().map(with_payload).collect()
    }
}

fn settings(config: &KafkaConfig) -> ClientConfig {
    let mut client = config.client();
    client
        // The library assigns nothing without a group's name; we neither join it nor commit to it.
        .set("group.id", "custody-reader")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("max.poll.interval.ms", "86400000")
        // Never moves us to where there is something: a position that is not kept must be told.
        .set("auto.offset.reset", "error")
        // We write without transactions. Under `read_committed` a stranger's open transaction would hold the end back.
        .set("isolation.level", "read_uncommitted")
        // Asking for the log's end waits behind a fetch that a silent partition holds open this long, by default half a second.
        .set("fetch.wait.max.ms", "50")
        .set("check.crcs", "true")
        // The bound of what waits here, in bytes; the one in records is set out of the way.
        .set("queued.max.messages.kbytes", "16384")
        .set("queued.min.messages", "1000000")
        // By default fetching pauses for a second once the queue is full; it is empty again after a tenth of that.
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.message.max.bytes", "4194304")
        .set("fetch.error.backoff.ms", "200");
    client
}

fn position(offset: i64) -> LogPosition {
    LogPosition::new(u64::try_from(offset).unwrap_or_default())
}

fn unavailable(doing: &'static str) -> impl FnOnce(KafkaError) -> ReadError {
    move |error| ReadError::Unavailable { doing, source: Cause::from(error) }
}

fn is_out_of_range(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(error.rdkafka_error_code(), Some(Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation))
}

/// Whether the client goes on by itself: connections (which begin a doubt), leaders on the move, and the group we are not in.
fn is_ridden_out(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let connection = [
        Code::AllBrokersDown,
        Code::Authentication,
        Code::BrokerNotAvailable,
        Code::BrokerTransportFailure,
        Code::NetworkException,
        Code::OperationTimedOut,
        Code::RequestTimedOut,
        Code::Resolve,
        Code::SaslAuthenticationFailed,
        Code::SSL,
    ];
    let leaders = [Code::FencedLeaderEpoch, Code::LeaderNotAvailable, Code::NotLeaderForPartition, Code::UnknownLeaderEpoch];
    let group = [Code::CoordinatorLoadInProgress, Code::CoordinatorNotAvailable, Code::GroupAuthorizationFailed, Code::NotCoordinator];
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| connection.contains(&code) || leaders.contains(&code) || group.contains(&code))
}
