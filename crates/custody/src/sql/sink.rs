//! Where a result goes: standard output, or a file that appears when the result is complete.

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, IsTerminal, Stdout, Write},
    path::{Path, PathBuf},
};

use custody_query::QueryError;

/// Ending of a file that is not complete.
const PARTIAL: &str = "partial";
/// Columns of a terminal that does not say how many it has.
const USUAL_WIDTH: usize = 80;

/// A place for one result.
pub enum Sink {
    /// Standard output.
    Screen(Screen),
    /// A file under another name until [`Sink::keep`].
    File {
        /// The file as it is written.
        writer: BufWriter<File>,
        /// Where it is written.
        partial: PathBuf,
        /// Where it will stand.
        target: PathBuf,
    },
}

/// Standard output, of which a reader that has seen enough (`| head`) is no error.
pub struct Screen {
    writer: BufWriter<Stdout>,
    is_closed: bool,
}

impl Sink {
    /// Opens a file, or standard output.
    pub fn open(target: Option<&Path>) -> Result<Self, QueryError> {
        let Some(target) = target else {
            return Ok(Self::Screen(Screen { writer: BufWriter::new(std::io::stdout()), is_closed: false }));
        };
        let partial = partial_of(target);
        let writer = BufWriter::new(File::create(&partial).map_err(QueryError::output)?);
        Ok(Self::File { writer, partial, target: target.to_owned() })
    }

    /// Makes a complete result visible.
    pub fn keep(self) -> Result<(), QueryError> {
        match self {
            Self::Screen(_) => Ok(()),
            Self::File { mut writer, partial, target } => {
                writer.flush().and_then(|()| std::fs::rename(partial, target)).map_err(QueryError::output)
            }
        }
    }
}

/// Removes what a result that did not end well has left.
pub fn discard(target: Option<&Path>) {
    if let Some(target) = target {
        // There is none where the failure came before the first row.
        let _ = std::fs::remove_file(partial_of(target));
    }
}

fn partial_of(target: &Path) -> PathBuf {
    let mut partial = target.as_os_str().to_owned();
    partial.push(format!(".{}.{PARTIAL}", std::process::id()));
    PathBuf::from(partial)
}

/// Columns of the terminal, where standard output is one.
pub fn screen_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let dimensions = rustyline::DefaultEditor::new().ok().and_then(|mut editor| editor.dimensions());
    Some(dimensions.map_or(USUAL_WIDTH, |(columns, _)| usize::from(columns)))
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Screen(screen) => screen.write(bytes),
            Self::File { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Screen(screen) => screen.flush(),
            Self::File { writer, .. } => writer.flush(),
        }
    }
}

impl Screen {
    fn forgive<T>(&mut self, result: std::io::Result<T>, when_closed: T) -> std::io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(when_closed)
            }
            other => other,
        }
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = self.writer.write(bytes);
        self.forgive(written, bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = self.writer.flush();
        self.forgive(flushed, ())
    }
}
