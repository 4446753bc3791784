//! The versions of the event's Avro schema that records are read by.

use arrow_avro::{
    reader::{Decoder, ReaderBuilder},
    schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore},
};
use custody_event::{EVENT_SCHEMA_JSON, RELEASED_SCHEMAS_JSON};

use crate::error::StoreError;

/// The schemas that records may be written by, and the one that they are read by.
#[derive(Clone)]
pub(crate) struct Schemas {
    store: SchemaStore,
    reader: AvroSchema,
}

impl Schemas {
    /// The versions that were released.
    pub(crate) fn released() -> Result<Self, StoreError> {
        Self::new(&RELEASED_SCHEMAS_JSON, EVENT_SCHEMA_JSON)
    }

    /// Versions to read from, by Avro's rules of resolution, into the columns of `reader`.
    pub(crate) fn new(writers: &[&str], reader: &str) -> Result<Self, StoreError> {
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Rabin);
        for writer in writers.iter().chain(std::iter::once(&reader)) {
            store.register(AvroSchema::new((*writer).to_owned())).map_err(StoreError::encoding)?;
        }
        Ok(Self { store, reader: AvroSchema::new(reader.to_owned()) })
    }

    /// The writers' fingerprints.
    pub(crate) fn fingerprints(&self) -> Vec<Fingerprint> {
        self.store.fingerprints()
    }

    /// A decoder that starts with an empty batch.
    pub(crate) fn decoder(&self, batch_size: usize) -> Result<Decoder, StoreError> {
        ReaderBuilder::new()
            .with_writer_schema_store(self.store.clone())
            .with_reader_schema(self.reader.clone())
            .with_batch_size(batch_size)
            .build_decoder()
            .map_err(StoreError::encoding)
    }
}
