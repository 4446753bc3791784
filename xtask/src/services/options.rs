//! What a person asked `cargo xtask services` to do.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::service::Selection;

/// The largest cluster that a laptop should be asked for.
const MOST_BROKERS: u16 = 5;

/// One command line.
pub struct Options {
    pub verb: Verb,
    pub dir: Option<PathBuf>,
}

/// The thing to do.
pub enum Verb {
    Help,
    Up(Wishes),
    Down { keep: bool },
    Status,
    Environment,
    Stop(Selection),
    Start(Selection),
    Kill(Selection),
}

/// How new services should be; one broker, and containers where there is an engine, unless said otherwise.
#[derive(Default)]
pub struct Wishes {
    pub brokers: Option<u16>,
    pub as_processes: bool,
}

#[derive(Default)]
struct Written {
    words: Vec<String>,
    help: bool,
    keep: bool,
    wishes: Wishes,
    dir: Option<PathBuf>,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let written = Written::read(arguments)?;
        let dir = written.dir.clone();
        Ok(Self { verb: written.verb()?, dir })
    }
}

impl Written {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut written = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--help" | "-h" | "help" => written.help = true,
                "--keep" => written.keep = true,
                "--processes" => written.wishes.as_processes = true,
                "--dir" => written.dir = Some(rest.next().context("--dir needs a folder")?.into()),
                "--brokers" => written.wishes.brokers = Some(brokers(rest.next())?),
                option if option.starts_with('-') => bail!("`{option}` is not an option; `cargo xtask services --help` lists them"),
                word => written.words.push(word.to_owned()),
            }
        }
        Ok(written)
    }

    fn verb(self) -> Result<Verb> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        if self.help || words.is_empty() {
            return Ok(Verb::Help);
        }
        if self.keep && words != ["down"] {
            bail!("--keep belongs to `down`");
        }
        if (self.wishes.as_processes || self.wishes.brokers.is_some()) && words != ["up"] {
            bail!("--brokers and --processes belong to `up`");
        }
        match words.as_slice() {
            ["up"] => Ok(Verb::Up(self.wishes)),
            ["down"] => Ok(Verb::Down { keep: self.keep }),
            ["status"] => Ok(Verb::Status),
            ["env"] => Ok(Verb::Environment),
            ["stop", services] => Ok(Verb::Stop(services.parse()?)),
            ["start", services] => Ok(Verb::Start(services.parse()?)),
            ["kill", services] => Ok(Verb::Kill(services.parse()?)),
            other => bail!("`{}` is not a command; `cargo xtask services --help` lists them", other.join(" ")),
        }
    }
}

fn brokers(written: Option<&String>) -> Result<u16> {
    let number = written.and_then(|text| text.parse().ok()).filter(|number| (1..=MOST_BROKERS).contains(number));
    number.with_context(|| format!("--brokers needs a number from 1 to {MOST_BROKERS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn brokers_and_folder_are_read() {
        let options = parse("up --brokers 3 --dir /x").unwrap();
        assert!(matches!(options.verb, Verb::Up(Wishes { brokers: Some(3), as_processes: false })));
        assert_eq!(options.dir, Some("/x".into()));
    }

    #[test]
    fn one_broker_or_all_can_be_killed() {
        use super::super::service::ServiceName;
        assert!(matches!(parse("kill kafka").unwrap().verb, Verb::Kill(Selection::EveryBroker)));
        assert!(matches!(parse("kill kafka:2").unwrap().verb, Verb::Kill(Selection::One(ServiceName::Kafka(2)))));
    }

    #[test]
    fn what_is_not_meant_is_refused() {
        for line in ["up --brokers 0", "up --keep", "down --brokers 2", "kill", "kill redis", "up --what", "stop kafka:x"] {
            assert!(parse(line).is_err(), "`{line}` was accepted");
        }
    }
}
