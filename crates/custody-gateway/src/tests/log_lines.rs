//! What an operator's log says: WARN and ERROR lines of the whole test process, to be searched by request id.

use std::{
    fmt::{Debug, Write as _},
    sync::{Mutex, Once},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

static LINES: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

struct Listener;
struct Line(String);

/// From now on these lines are kept.
pub(super) fn listen() {
    LISTENING.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// The error lines that hold this text.
pub(super) fn errors_with(text: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    lines.iter().filter(|(level, line)| *level == Level::ERROR && line.contains(text)).map(|(_, line)| line.clone()).collect()
}

/// Every kept line that holds this text.
pub(super) fn lines_with(text: &str) -> Vec<String> {
    LINES.lock().unwrap().iter().filter(|(_, line)| line.contains(text)).map(|(_, line)| line.clone()).collect()
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        LINES.lock().unwrap().push((*event.metadata().level(), line.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}
