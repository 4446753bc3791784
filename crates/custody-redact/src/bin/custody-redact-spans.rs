//! Spans of texts, for measuring: JSON lines `{"id","text"}` in, `{"id","spans":[{start,end,entity,name}]}` out, offsets in characters.
//! The time spent finding, and megabytes a second, go to standard error. With `--all`, dates and web addresses are
//! looked for too; `--rounds N` looks through all texts so many times, to measure without the reading and writing; `--redact` replaces
//! what was found as well; `--custom` adds two hundred words and three patterns of a deployment's own.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use custody_redact::{CustomPattern, CustomWord, Redactor, Rules};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut rules = Rules::default();
    if std::env::args().any(|argument| argument == "--all") {
        rules.entities = custody_redact::Entity::ALL.iter().copied().collect();
    }
    if std::env::args().any(|argument| argument == "--custom") {
        add_custom(&mut rules);
    }
    match run(&rules, rounds()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Words and patterns such as deployments have: names of projects, ticket numbers, customer numbers.
fn add_custom(rules: &mut Rules) {
    let word = |number: usize| CustomWord {
        name: "PROJECT".to_owned(),
        word: format!("project {}{number}", if number.is_multiple_of(2) { "heron" } else { "otter" }),
    };
    rules.words.extend((0..200).map(word));
    let pattern = |name: &str, pattern: &str| CustomPattern { name: name.to_owned(), pattern: pattern.to_owned() };
    rules.patterns.push(pattern("TICKET", r"\bTCK-\d{4,6}\b"));
    rules.patterns.push(pattern("CUSTOMER", r"\b[A-Z]{2}-\d{3}-[a-z]{4}\b"));
    rules.patterns.push(pattern("HOST", r"\b[a-z0-9][a-z0-9-]{0,60}\.corp\.example\.com\b"));
}

fn rounds() -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--rounds").skip(1);
    arguments.next().and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[expect(clippy::disallowed_methods, reason = "a program that measures reads a clock")]
fn run(rules: &Rules, rounds: usize) -> Result<(), Box<dyn std::error::Error>> {
    let redactor = Redactor::new(rules)?;
    let rows = std::io::stdin().lock().lines().map(|line| Ok(serde_json::from_str(&line?)?));
    let rows: Vec<Value> = rows.collect::<Result<_, Box<dyn std::error::Error>>>()?;
    let text = |row: &'_ Value| row.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts: Vec<String> = rows.iter().map(text).collect();
    let redact = std::env::args().any(|argument| argument == "--redact");
    let begin = std::time::Instant::now();
    let mut finds: Vec<_> = texts.iter().map(|text| redactor.find(text)).collect();
    for _ in 1..rounds {
        if redact {
            std::hint::black_box(texts.iter().map(|text| redactor.redact(text)).collect::<Vec<_>>());
        } else {
            finds = texts.iter().map(|text| redactor.find(text)).collect();
        }
    }
    let spent = begin.elapsed();
    let bytes = texts.iter().map(String::len).sum::<usize>() * rounds;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for ((row, text), spans) in rows.iter().zip(&texts).zip(&finds) {
        writeln!(out, "{}", json!({ "id": row.get("id"), "spans": in_characters(text, spans) }))?;
    }
    out.flush()?;
    let megabytes = bytes as f64 / 1e6;
    let seconds = spent.as_secs_f64();
    writeln!(std::io::stderr(), "{megabytes:.3} MB in {seconds:.4} s: {:.1} MB/s", megabytes / seconds)?;
    Ok(())
}

/// Byte offsets as character offsets, in one walk over the text.
fn in_characters(text: &str, spans: &[custody_redact::Span]) -> Vec<Value> {
    let (mut byte, mut character) = (0, 0);
    let mut place = |until: usize| {
        character += text.get(byte..until).map_or(0, |piece| piece.chars().count());
        byte = until;
        character
    };
    spans.iter().map(|span| json!({ "start": place(span.start), "end": place(span.end), "entity": span.entity })).collect()
}
