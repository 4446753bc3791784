//! What the program tells its operator: lines on standard error. Every one passes redaction, whoever wrote it, since a library's error may
//! quote what a caller or a provider sent (LOG-38).
//!
//! ```text
//! our line, a library's line (tracing or log) ──filter──▶ fields ──each value and the message: redacted, on one line──▶ standard error
//! a panic ──only its place──▶ ┘                           a command's last error ──redacted──▶ standard error
//! ```

mod fields;
mod redaction;

use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use self::fields::RedactedFields;
pub use self::redaction::redacted;

/// Libraries are heard from `warn` on; our own crates from `info`. The table's library logs what it also returns, and what it returns is
/// logged where it is handled.
const DEFAULT_LOG: &str = "warn,custody=info,delta_kernel=off,buoyant_kernel=off,deltalake_core=off";

/// From here on lines go to standard error.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::registry().with(filter).with(lines(std::io::stderr, colours)).init();
}

/// A panic's message may quote text (slicing a string does); only its place is logged.
pub fn hide_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect ended a task");
    }));
}

fn lines<S, W>(writer: W, colours: bool) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    let lines = tracing_subscriber::fmt::layer().fmt_fields(RedactedFields).with_writer(writer).with_ansi(colours).with_target(false);
    lines.with_filter(filter_fn(|line| may_be_logged(line.target(), *line.level())))
}

/// Below `info` the AWS libraries print whole requests, prompts included, and keys of the environment. No `RUST_LOG` lets these out.
fn may_be_logged(target: &str, level: Level) -> bool {
    cfg!(feature = "unsealed") || !target.starts_with("aws_") || level <= Level::INFO
}

#[cfg(test)]
mod tests;
