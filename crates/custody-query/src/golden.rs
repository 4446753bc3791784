//! SQL tested from text files: `queries/tests/*.txt`, one case a block.
//!
//! ```text
//! param day=2026-11-20          any number of parameters
//! file cost_by_x.sql            a file of `queries/`, or the statement itself
//! ----
//! the result as a table, or the error
//! ====                          between blocks
//! ```
//! `CUSTODY_REGENERATE=1` writes what comes out instead of comparing. Each case runs with nothing stored, with everything stored and
//! with the cut in the middle of the log: the answer must be the same.

use std::{fs, path::PathBuf};

use crate::{
    Parameters, QueryError, QueryOptions, SqlSession,
    output::{Format, ResultWriter},
    test_lake::{example, session},
};

const RESULT: &str = "----";
const BETWEEN: &str = "\n====\n";

fn queries() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../queries")
}

pub async fn table(session: &SqlSession, sql: &str, options: &QueryOptions) -> Result<String, QueryError> {
    let mut run = session.query(sql, options).await?;
    let mut writer = ResultWriter::new(Format::Table { screen: None }, &run.schema(), Vec::new())?;
    while let Some(batch) = run.next_batch().await? {
        writer.write(&batch)?;
    }
    Ok(String::from_utf8(writer.finish()?).unwrap())
}

pub async fn answer(session: &SqlSession, input: &str) -> String {
    let (parameters, rest): (Vec<&str>, Vec<&str>) = input.lines().partition(|line| line.starts_with("param "));
    let rest = rest.join("\n");
    let sql = rest.strip_prefix("file ").map_or_else(|| rest.clone(), |name| fs::read_to_string(queries().join(name.trim())).unwrap());
    let parameters = Parameters::parse(parameters.iter().map(|line| line.trim_start_matches("param "))).unwrap();
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    match table(session, &sql, &options).await {
        Ok(table) => table,
        Err(error) => format!("error: {error}\n"),
    }
}

/// Every case on file: what is asked, and what comes out.
pub fn cases() -> Vec<(String, String)> {
    let read = |file: PathBuf| fs::read_to_string(file).unwrap();
    let texts = fs::read_dir(queries().join("tests")).unwrap().map(|entry| read(entry.unwrap().path()));
    let case = |block: &str| {
        let (input, answer) = block.split_once(&format!("\n{RESULT}\n")).unwrap();
        (input.to_owned(), answer.trim_end().to_owned())
    };
    texts.flat_map(|text| text.trim_end().split(BETWEEN).map(case).collect::<Vec<_>>()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn regenerates() -> bool {
    std::env::var("CUSTODY_REGENERATE").is_ok()
}

#[tokio::test]
async fn queries_give_the_answers_on_file_wherever_the_cut_lies() {
    let all = example().len() as u64;
    let mut failures = Vec::new();
    let mut files: Vec<_> = fs::read_dir(queries().join("tests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut found = Vec::new();
        for block in text.trim_end().split(BETWEEN) {
            let (input, _) = block.split_once("\n----").unwrap_or((block, ""));
            let (input, mut answers) = (input.trim_end(), Vec::new());
            for stored in [0, all / 2, all] {
                answers.push(answer(&session(stored), input).await);
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{}: {input}\n{}", file.display(), answers.join("\n"));
            found.push(format!("{input}\n{RESULT}\n{}", answers[0].trim_end()));
        }
        let found = found.join(BETWEEN) + "\n";
        if regenerates() {
            fs::write(&file, &found).unwrap();
        } else if found != text {
            failures.push(format!("{}:\n{found}", file.display()));
        }
    }
    assert!(failures.is_empty(), "CUSTODY_REGENERATE=1 accepts these answers\n{}", failures.join("\n"));
}

#[test]
fn every_query_on_file_says_its_question_parameters_and_cost_and_is_tested() {
    let tests: String = fs::read_dir(queries().join("tests")).unwrap().map(|e| fs::read_to_string(e.unwrap().path()).unwrap()).collect();
    for entry in fs::read_dir(queries()).unwrap().map(|entry| entry.unwrap().path()) {
        let Some("sql") = entry.extension().and_then(|end| end.to_str()) else { continue };
        let text = fs::read_to_string(&entry).unwrap();
        for part in ["-- Question: ", "-- Parameters: ", "-- Reads: "] {
            assert!(text.contains(part), "{} lacks `{part}`", entry.display());
        }
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(tests.contains(&format!("file {name}")), "{name} has no case in queries/tests");
    }
}
