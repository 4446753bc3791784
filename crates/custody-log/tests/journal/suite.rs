//! The journal as a log: the suite that every adapter passes.

use std::{fs, os::unix::fs::FileExt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use custody_log::{FileDisk, Journal, JournalReader};
use custody_testkit::log_suite::LogUnderTest;
use custody_types::LogPosition;

use crate::world::config;

struct JournalLog {
    folder: tempfile::TempDir,
    journal: Journal,
}

async fn fresh() -> JournalLog {
    let folder = tempfile::tempdir().unwrap();
    let settings = custody_log::JournalConfig { max_total_bytes: 1 << 20, ..config() };
    let (journal, _) = Journal::open(settings, Arc::new(FileDisk::open(folder.path()).unwrap())).unwrap();
    JournalLog { folder, journal }
}

impl JournalLog {
    fn segments(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("segment-"))).collect()
    }
}

#[async_trait(?Send)]
impl LogUnderTest for JournalLog {
    type Reader = JournalReader;

    async fn append(&mut self, payloads: Vec<Bytes>) {
        for some in payloads.chunks(10) {
            self.journal.append(some.to_vec()).await.unwrap();
        }
    }

    fn reader(&mut self) -> JournalReader {
        self.journal.reader(LogPosition::START)
    }

    async fn put_damaged(&mut self) -> bool {
        self.append(vec![Bytes::from_static(b"to be altered")]).await;
        for path in self.segments() {
            let bytes = fs::read(&path).unwrap();
            if let Some(place) = bytes.windows(13).position(|window| window == b"to be altered") {
                fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(b"!", place as u64).unwrap();
                return true;
            }
        }
        false
    }

    async fn forget_first(&mut self) -> bool {
        for _ in 0..30 {
            self.append(vec![Bytes::from(vec![1; 3000])]).await;
        }
        self.journal.set_floor("lake", LogPosition::new(30));
        self.append(vec![Bytes::from_static(b"one more")]).await;
        true
    }
}

custody_testkit::log_suite!(fresh);
