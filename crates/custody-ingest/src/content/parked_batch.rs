//! Parked records as bytes: content records as they came, with their places.
//!
//! | Bytes | Field |
//! | --- | --- |
//! | 4 | `CPRK` |
//! | 1 | format version, 1 |
//! | 4 | number of records, big-endian like all that follow |
//! | then of each | position (8), journal (16), epoch (4), seq (8), length (4), the record |

use custody_types::{JournalId, LogPosition, LogRecord, Seq, Source};
use uuid::Uuid;

const MAGIC: &[u8; 4] = b"CPRK";
const VERSION: u8 = 1;

/// Records of one log partition that wait for the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedBatch(pub Vec<LogRecord>);

/// The bytes are not a parked batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParkedBatchError {
    /// Cut off, extended or of another kind.
    #[error("the bytes are no parked records")]
    Malformed,
    /// Of a version that this program does not read.
    #[error("parked records of version {0} are not known to this program")]
    Version(u8),
}

impl ParkedBatch {
    /// The bytes for the vault.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = [MAGIC.as_slice(), &[VERSION]].concat();
        out.extend_from_slice(&length(self.0.len()));
        for record in &self.0 {
            out.extend_from_slice(&record.position.get().to_be_bytes());
            out.extend_from_slice(record.source.journal.as_uuid().as_bytes());
            out.extend_from_slice(&record.source.epoch.to_be_bytes());
            out.extend_from_slice(&record.seq.get().to_be_bytes());
            out.extend_from_slice(&length(record.payload.len()));
            out.extend_from_slice(&record.payload);
        }
        out
    }

    /// Reads what [`ParkedBatch::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not of this format.
    pub fn decode(bytes: &[u8]) -> Result<Self, ParkedBatchError> {
        let mut rest = bytes;
        if take::<4>(&mut rest)? != *MAGIC {
            return Err(ParkedBatchError::Malformed);
        }
        let [version] = take::<1>(&mut rest)?;
        if version != VERSION {
            return Err(ParkedBatchError::Version(version));
        }
        let count = u32::from_be_bytes(take(&mut rest)?);
        let mut records = Vec::new();
        for _ in 0..count {
            records.push(read_record(&mut rest)?);
        }
        if rest.is_empty() { Ok(Self(records)) } else { Err(ParkedBatchError::Malformed) }
    }
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ParkedBatchError> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(ParkedBatchError::Malformed)?;
    *rest = left;
    Ok(*taken)
}

fn read_record(rest: &mut &[u8]) -> Result<LogRecord, ParkedBatchError> {
    let position = LogPosition::new(u64::from_be_bytes(take(rest)?));
    let journal = JournalId::from_uuid(Uuid::from_bytes(take(rest)?));
    let source = Source { journal, epoch: u32::from_be_bytes(take(rest)?) };
    let seq = Seq::new(u64::from_be_bytes(take(rest)?));
    let length = usize::try_from(u32::from_be_bytes(take(rest)?)).map_err(|_| ParkedBatchError::Malformed)?;
    let (payload, left) = rest.split_at_checked(length).ok_or(ParkedBatchError::Malformed)?;
    *rest = left;
    Ok(LogRecord { position, source, seq, payload: payload.to_vec().into(), damaged: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> ParkedBatch {
        let record = |place: u64, payload: &'static [u8]| LogRecord {
            position: LogPosition::new(place),
            source: Source { journal: JournalId::from_uuid(Uuid::from_u128(7)), epoch: 3 },
            seq: Seq::new(place + 1),
            payload: payload.into(),
            damaged: false,
        };
        ParkedBatch(vec![record(4, b"one"), record(6, b"")])
    }

    #[test]
    fn parked_records_are_read_as_they_were_written_and_nothing_else_is() {
        let bytes = batch().encode();
        assert_eq!(ParkedBatch::decode(&bytes), Ok(batch()));
        for end in 0..bytes.len() {
            assert!(ParkedBatch::decode(&bytes[..end]).is_err(), "cut off at {end}");
        }
        assert_eq!(ParkedBatch::decode(&[bytes.clone(), vec![0]].concat()), Err(ParkedBatchError::Malformed));
        let mut later = bytes;
        later[4] = 2;
        assert_eq!(ParkedBatch::decode(&later), Err(ParkedBatchError::Version(2)));
    }
}
