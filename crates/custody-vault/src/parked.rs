//! Content records that could not be opened yet: kept as they came, beside the log, so that the log may go on without them.

use std::{collections::BTreeSet, fmt, sync::Arc};

use bytes::Bytes;
use custody_seal::edge::EdgeDay;
use custody_types::LogPosition;
use sha2::{Digest, Sha256};

use crate::{
    error::VaultError,
    objects::{ObjectName, Objects, Replaced},
};

const FOLDER: &str = "parked";

/// Between position and digest.
const POINT: char = '.';

/// Keeps parked records.
#[derive(Debug, Clone)]
pub struct ParkedRecords {
    objects: Arc<dyn Objects>,
}

/// Where records are parked: under the day of their key, by the place in the log of the first of them, and by what they are. Parking the
/// same records again overwrites them with themselves; another reader that gathered fewer or more from the same place on overwrites
/// nothing.
///
/// ```text
/// parked/<day>/<partition>/<first position>.<digest>
/// parked/<day>/<partition>/<first position>             as earlier programs named it; read, not written
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParkedPlace {
    /// The day of the key that opens them.
    pub day: EdgeDay,
    /// The partition of the log, as its reader names it.
    pub partition: String,
    /// The position of the first record.
    pub first: LogPosition,
    /// What was parked there at first: an erasure may have taken texts out since. Earlier programs named places without.
    pub digest: Option<ParkedDigest>,
}

/// The first half of the SHA-256 of parked records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParkedDigest(u128);

impl ParkedRecords {
    /// Over a store.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { objects }
    }

    /// Parks records; their encoding is the caller's.
    ///
    /// # Errors
    /// When the store fails, or the partition can't be part of a name.
    pub async fn put(&self, place: &ParkedPlace, records: Bytes) -> Result<(), VaultError> {
        self.objects.put(&place.name()?, records).await
    }

    /// What is parked at a place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, place: &ParkedPlace) -> Result<Option<Bytes>, VaultError> {
        self.objects.get(&place.name()?).await
    }

    /// Parks other records at a place that still holds `was`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replace(&self, place: &ParkedPlace, was: &[u8], records: Bytes) -> Result<Replaced, VaultError> {
        self.objects.replace(&place.name()?, was, records).await
    }

    /// Lets go of what is parked at a place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, place: &ParkedPlace) -> Result<(), VaultError> {
        self.objects.delete(&place.name()?).await
    }

    /// All places, by day, partition and position.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> Result<Vec<ParkedPlace>, VaultError> {
        let names = self.objects.list(&FOLDER.parse()?).await?;
        let mut places: Vec<ParkedPlace> = names.iter().filter_map(ParkedPlace::read).collect();
        places.sort_unstable();
        Ok(places)
    }

    /// The days under which something is parked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn days(&self) -> Result<BTreeSet<EdgeDay>, VaultError> {
        Ok(self.list().await?.into_iter().map(|place| place.day).collect())
    }
}

impl ParkedPlace {
    /// The place for these records.
    #[must_use]
    pub fn of(day: EdgeDay, partition: String, first: LogPosition, records: &[u8]) -> Self {
        Self { day, partition, first, digest: Some(ParkedDigest::of(records)) }
    }

    fn name(&self) -> Result<ObjectName, VaultError> {
        let Self { day, partition, first, digest } = self;
        let folder: ObjectName = format!("{FOLDER}/{day}").parse()?;
        let file = digest.map_or_else(|| first.get().to_string(), |digest| format!("{}{POINT}{digest}", first.get()));
        Ok(folder.join(&ObjectName::label(partition))?.join(&file)?)
    }

    fn read(name: &ObjectName) -> Option<Self> {
        let mut segments = name.segments().skip(1);
        let (day, partition, file) = (segments.next()?, segments.next()?, segments.next()?);
        let (first, digest) = match file.split_once(POINT) {
            Some((first, digest)) => (first, Some(ParkedDigest::read(digest)?)),
            None => (file, None),
        };
        Some(Self {
            day: EdgeDay::from_number(day.parse().ok()?),
            partition: ObjectName::read_label(partition)?,
            first: LogPosition::new(first.parse().ok()?),
            digest,
        })
    }
}

impl ParkedDigest {
    /// Of the bytes that are parked.
    #[must_use]
    pub fn of(records: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(records).into();
        Self(digest.iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte)))
    }

    fn read(text: &str) -> Option<Self> {
        let digest = Self(u128::from_str_radix(text, 16).ok()?);
        (digest.to_string() == text).then_some(digest)
    }
}

impl fmt::Display for ParkedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests;
