//! kill -9 at every named place of the vault step: each text is a row once afterwards, and opens; nothing stays
//! parked.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use custody_lake::{LakeReader, LakeRoot, TextState};
use serde_json::{Value, json};

use crate::harness::{Up, comes_to, custody, header, post_chat};

const RULES: &str = r#"
version = 1
claim_above_bytes = 1024
[retention.short]
days = 30
[[rule]]
name = "quality"
capture = ["prompt", "response"]
purpose = "quality-review"
retention = "short"
reveal = { groups = ["investigators"], second_person = false, per_hour = 1000 }
"#;

const POLICY: &str = r#"
@id("reveal.investigators")
permit (principal in Group::"investigators", action == Action::"RevealContent", resource);
"#;

const PAUSE: Duration = Duration::from_millis(500);
/// Longer together than the step's patience with a vault that is away, and than the pause between two tries of what is parked.
const LOOKS: u32 = 360;

/// A data folder whose rules keep everything.
struct House {
    folder: tempfile::TempDir,
    acme: String,
    analyst: String,
    /// Requests and what was asked in them.
    asked: Vec<(String, String)>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let up = Up::start(folder.path());
        let acme = up.key("acme");
        up.stop();
        fs::write(folder.path().join("workspace/data-handling.toml"), RULES).unwrap();
        fs::write(folder.path().join("workspace/policies/reveal.cedar"), POLICY).unwrap();
        let mut house = Self { folder, acme, analyst: String::new(), asked: Vec::new() };
        let added = house.run(&["keys", "add", "--tenant", "acme", "--principal", "analyst", "--group", "investigators", "--person"]);
        house.analyst = added.trim().split(',').nth(1).unwrap().to_owned();
        house
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(custody()).args(arguments).arg("--data-dir").arg(self.data()).env("CUSTODY_KEY", &self.analyst).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Texts reach the table after a second, or wait in the content journal.
    fn start(&self, flush_age: &str) -> Up {
        Up::start_with(self.data(), |command| {
            command.args(["--flush-age", flush_age]);
        })
    }

    /// Two requests, one of which is so large that it goes to a claim check.
    fn ask(&mut self, up: &Up) {
        for more in [0, 2000] {
            let text = format!("where is parcel {} {}", self.asked.len(), "x".repeat(more));
            let body = json!({ "model": "support.answer", "user": "anna", "messages": [{ "role": "user", "content": text }] });
            let answer = post_chat(&up.address, &self.acme, &body);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            self.asked.push((header(&answer, "x-request-id").to_owned(), text));
        }
    }

    /// Starts, has it halt at a place, asks, and kills it there.
    fn killed_at(&mut self, point: &str, asks: bool) {
        let mut up = Up::start_with(self.data(), |command| {
            command.args(["--flush-age", "1"]).env("CUSTODY_HALT_AT", point).stderr(Stdio::piped());
        });
        if asks {
            self.ask(&up);
        }
        assert!(comes_to(up.errors(), point), "{point} is not on the way");
        up.kill_9();
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        files_of(&self.data().join("vault").join(folder))
    }

    /// Each text once, opened by who may, and nothing is parked.
    fn assert_each_text_once(&mut self, point: &str) {
        let up = self.start("1");
        self.ask(&up);
        self.await_rows(point);
        up.stop();
        for (request, text) in &self.asked {
            let answer: Value = serde_json::from_str(&self.run(&["reveal", request, "--reason", "case 7", "--format", "json"])).unwrap();
            let texts = answer["texts"].as_array().unwrap();
            let opened = texts.iter().filter(|found| found["text"].as_str().unwrap().contains(text.as_str())).count();
            assert_eq!((texts.len(), opened), (2, 1), "{point}: {answer}");
        }
    }

    fn await_rows(&self, point: &str) {
        let wanted = (2 * self.asked.len(), 0);
        let mut found = (0, 0);
        for _ in 0..LOOKS {
            let (rows, ids) = self.rows();
            assert_eq!(rows, ids.len(), "{point}: a text stands twice");
            found = (rows, self.files("parked").len());
            if found == wanted {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        assert_eq!(found, wanted, "{point}: rows, and parked files");
    }

    /// How many rows, and their texts.
    fn rows(&self) -> (usize, BTreeSet<String>) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let reader = LakeReader::open(&LakeRoot::folder(self.data().join("lake"))).await.unwrap();
            let (mut rows, mut ids) = (0, BTreeSet::new());
            for (request, _) in &self.asked {
                for row in reader.texts_of(request).await.unwrap() {
                    assert_eq!(row.state, TextState::Kept, "{:?}", row.reason);
                    rows += 1;
                    ids.insert(row.content_id);
                }
            }
            (rows, ids)
        })
    }

    /// The private keys of the days do not open until they are put back.
    fn spoil_edge_keys(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let keys: Vec<PathBuf> = self.files("edge").into_iter().filter(|file| file.extension().is_some_and(|end| end == "key")).collect();
        assert!(!keys.is_empty());
        let spoilt = |key: PathBuf| {
            let whole = fs::read(&key).unwrap();
            let mut bytes = whole.clone();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(&key, bytes).unwrap();
            (key, whole)
        };
        keys.into_iter().map(spoilt).collect()
    }

    /// Two requests whose texts are in the content journal only.
    fn with_texts_that_wait() -> Self {
        let mut house = Self::new();
        let up = house.start("3600");
        house.ask(&up);
        up.kill_9();
        house
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

fn put_back(spoilt: Vec<(PathBuf, Vec<u8>)>) {
    for (key, whole) in spoilt {
        fs::write(key, whole).unwrap();
    }
}

#[test]
fn a_vault_step_that_is_killed_between_log_and_table_goes_on_once() {
    let mut house = House::new();
    for point in ["content.stage", "content.claims_put", "content.committed"] {
        house.killed_at(point, true);
        house.assert_each_text_once(point);
        println!("{point}: killed, {} texts once", 2 * house.asked.len());
    }
}

/// The records stand in the vault and in the log at once.
#[test]
fn a_vault_step_that_is_killed_while_it_parks_goes_on_once() {
    let mut house = House::with_texts_that_wait();
    let spoilt = house.spoil_edge_keys();
    house.killed_at("content.parked", false);
    assert!(!house.files("parked").is_empty());
    put_back(spoilt);
    house.assert_each_text_once("content.parked");
}

/// The rows stand in the table, and the parked records still in the vault.
#[test]
fn a_vault_step_that_is_killed_after_it_unparked_goes_on_once() {
    let mut house = House::with_texts_that_wait();
    let spoilt = house.spoil_edge_keys();
    let up = house.start("1");
    let is_parked = (0..LOOKS).any(|_| {
        std::thread::sleep(PAUSE);
        !house.files("parked").is_empty()
    });
    assert!(is_parked, "nothing is parked");
    up.stop();
    put_back(spoilt);
    house.killed_at("content.unparked", false);
    assert!(!house.files("parked").is_empty());
    house.assert_each_text_once("content.unparked");
}
