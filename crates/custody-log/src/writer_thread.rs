//! The one thread that writes: takes all that waits, commits it together, wakes the callers. No artificial delay: what arrives
//! during a sync makes the next batch.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use custody_types::LogPosition;
use tokio::sync::{mpsc, oneshot};

use crate::{
    error::AppendError,
    journal_core::JournalCore,
    report::JournalStats,
    unit::{Appended, RequestKey, Unit, UnitKind},
};

type Reply = oneshot::Sender<Result<Appended, AppendError>>;

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum Command {
    Append {
        unit: Unit,
        reply: Reply,
    },
    /// Something lies on the desk.
    Look,
    Stop,
}

/// What handles and the thread exchange without waiting for each other.
#[derive(Debug)]
pub(crate) struct Desk(Mutex<Papers>);

#[derive(Debug)]
struct Papers {
    floors: BTreeMap<String, LogPosition>,
    orphans: Vec<RequestKey>,
    stats: JournalStats,
}

impl Desk {
    pub(crate) fn new(stats: JournalStats) -> Self {
        Self(Mutex::new(Papers { floors: BTreeMap::new(), orphans: Vec::new(), stats }))
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put_floor(&self, consumer: &str, floor: LogPosition) {
        self.papers().floors.insert(consumer.to_owned(), floor);
    }

    fn take_floors(&self) -> BTreeMap<String, LogPosition> {
        std::mem::take(&mut self.papers().floors)
    }

    pub(crate) fn put_orphan(&self, key: RequestKey) {
        self.papers().orphans.push(key);
    }

    pub(crate) fn take_orphans(&self) -> Vec<RequestKey> {
        std::mem::take(&mut self.papers().orphans)
    }

    pub(crate) fn stats(&self) -> JournalStats {
        self.papers().stats.clone()
    }

    fn put_stats(&self, stats: JournalStats) {
        self.papers().stats = stats;
    }
}

/// The thread's state.
pub(crate) struct WriterThread {
    core: JournalCore,
    queue: mpsc::Receiver<Command>,
    desk: Arc<Desk>,
    waiting: Vec<Waiting>,
    spare: Option<JoinHandle<io::Result<()>>>,
    stopping: bool,
}

struct Waiting {
    appended: Appended,
    /// Set for an intent: if its caller is gone, nobody else can write the outcome.
    opens: Option<RequestKey>,
    reply: Reply,
}

impl WriterThread {
    pub(crate) fn new(core: JournalCore, queue: mpsc::Receiver<Command>, desk: Arc<Desk>) -> Self {
        Self { core, queue, desk, waiting: Vec::new(), spare: None, stopping: false }
    }

    pub(crate) fn run(mut self) {
        self.keep_house();
        while let Some(command) = self.queue.blocking_recv() {
            self.take(command);
            self.take_waiting();
            self.commit();
            self.keep_house();
            if self.stopping {
                // Appends already queued are still served; later ones are answered `Closed`.
                self.queue.close();
            }
        }
        self.join_spare();
        self.desk.put_stats(self.core.stats());
    }

    /// Takes what else is in the queue, so that it shares the next sync.
    fn take_waiting(&mut self) {
        for _ in 0..self.queue.max_capacity() {
            match self.queue.try_recv() {
                Ok(command) => self.take(command),
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Append { unit, reply } => self.enqueue(unit, reply),
            // Also the moment to try again for a spare that a full disk refused.
            Command::Look => self.start_spare(),
            Command::Stop => self.stopping = true,
        }
    }

    fn enqueue(&mut self, unit: Unit, reply: Reply) {
        self.wait_for_room(&unit);
        let opens = match unit.kind {
            UnitKind::Open(key) => Some(key),
            UnitKind::Plain | UnitKind::Within(_) | UnitKind::Close(_) => None,
        };
        match self.core.enqueue(unit) {
            Ok(ticket) => self.waiting.push(Waiting { appended: ticket.appended, opens, reply }),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Room that is about to be there is worth waiting for: callers wait instead of being refused at every roll. Pending units
    /// are committed first, so nobody waits for the spare who need not.
    fn wait_for_room(&mut self, unit: &Unit) {
        let refused = |core: &JournalCore| matches!(core.check(unit), Err(AppendError::Full { .. }));
        if !refused(&self.core) {
            return;
        }
        self.commit();
        self.take_floors();
        self.start_spare();
        if refused(&self.core) {
            self.join_spare();
        }
    }

    fn commit(&mut self) {
        while self.core.pending() > 0 {
            match self.core.commit() {
                Ok(report) => self.release(report.durable),
                Err(error) => return self.refuse_all(&error),
            }
        }
    }

    /// Wakes those whose records are durable.
    fn release(&mut self, durable: LogPosition) {
        // Before the callers wake, so that they find themselves counted.
        self.desk.put_stats(self.core.stats());
        let done = self.waiting.iter().take_while(|waiting| waiting.appended.end <= durable).count();
        for waiting in self.waiting.drain(..done) {
            let unheard = waiting.reply.send(Ok(waiting.appended)).is_err();
            if let Some(key) = waiting.opens.filter(|_| unheard) {
                self.desk.put_orphan(key);
            }
        }
    }

    fn refuse_all(&mut self, error: &AppendError) {
        self.desk.put_stats(self.core.stats());
        for waiting in self.waiting.drain(..) {
            let _ = waiting.reply.send(Err(error.clone()));
        }
    }

    fn keep_house(&mut self) {
        self.take_floors();
        if self.spare.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join_spare();
        }
        if !self.core.is_disk_full() {
            self.start_spare();
        }
        self.desk.put_stats(self.core.stats());
    }

    fn take_floors(&mut self) {
        for (consumer, floor) in self.desk.take_floors() {
            self.core.set_floor(&consumer, floor);
        }
    }

    fn start_spare(&mut self) {
        if self.spare.is_some() {
            return;
        }
        let Some(job) = self.core.spare_job() else { return };
        match std::thread::Builder::new().name("journal-spare".into()).spawn(move || job.run()) {
            Ok(thread) => self.spare = Some(thread),
            Err(error) => self.core.spare_done(Err(error)),
        }
    }

    fn join_spare(&mut self) {
        if let Some(thread) = self.spare.take() {
            let result = thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that prepares segments panicked")));
            self.core.spare_done(result);
        }
    }
}
