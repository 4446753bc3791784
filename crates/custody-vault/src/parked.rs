//! Content records that could not be opened yet: kept as they came, beside the log, so that the log may go on without them.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use custody_seal::edge::EdgeDay;
use custody_types::LogPosition;

use crate::{
    error::VaultError,
    objects::{ObjectName, Objects, Replaced},
};

const FOLDER: &str = "parked";

/// Keeps parked records.
#[derive(Debug, Clone)]
pub struct ParkedRecords {
    objects: Arc<dyn Objects>,
}

/// Where records are parked: under the day of their key, by the place in the log of the first of them. Parking the same records
/// again overwrites them with themselves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParkedPlace {
    /// The day of the key that opens them.
    pub day: EdgeDay,
    /// The partition of the log, as its reader names it.
    pub partition: String,
    /// The position of the first record.
    pub first: LogPosition,
}

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
    fn name(&self) -> Result<ObjectName, VaultError> {
        let Self { day, partition, first } = self;
        let folder: ObjectName = format!("{FOLDER}/{day}").parse()?;
        Ok(folder.join(&ObjectName::label(partition))?.join(&first.get().to_string())?)
    }

    fn read(name: &ObjectName) -> Option<Self> {
        let mut segments = name.segments().skip(1);
        let (day, partition, first) = (segments.next()?, segments.next()?, segments.next()?);
        Some(Self {
            day: EdgeDay::from_number(day.parse().ok()?),
            partition: ObjectName::read_label(partition)?,
            first: LogPosition::new(first.parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests;
