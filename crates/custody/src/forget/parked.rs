//! Parked records, as ingest writes them.

use bytes::Bytes;
use custody_ingest::content::ParkedBatch;
use custody_keeper::forgetting::ParkedForm;
use custody_types::LogRecord;

pub struct AsIngestWrites;

impl ParkedForm for AsIngestWrites {
    fn read(&self, bytes: &[u8]) -> Option<Vec<LogRecord>> {
        ParkedBatch::decode(bytes).ok().map(|ParkedBatch(records)| records)
    }

    fn write(&self, records: Vec<LogRecord>) -> Bytes {
        ParkedBatch(records).encode().into()
    }
}
