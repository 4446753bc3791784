//! A lake and journals in folders, for a process that only reads.

use std::{path::Path, sync::Arc};

use custody_lake::LakeReader;
use custody_log::JournalReader;

use crate::{Follower, FollowerConfig, LakeTables, LiveLake, QueryConfig, QueryEngine, QueryError};

/// An engine over a lake's folder and the folders of the journals that it is made of. Takes no lock, so it works beside the process that writes; where there is
/// no journal, what is stored is everything.
///
/// # Errors
/// When there is no lake, or the journal is there and can't be read.
pub async fn open_folder(lake: &Path, journals: &[&Path], config: &QueryConfig) -> Result<QueryEngine, QueryError> {
    let reader = LakeReader::open(lake).await.map_err(|error| QueryError::Lake(Box::new(error)))?;
    let mut followers = Vec::new();
    for journal in journals.iter().filter(|journal| journal.is_dir()) {
        let log = JournalReader::open_read_only(journal).map_err(|error| QueryError::Log(Box::new(error)))?;
        followers.push(Arc::new(Follower::new(Box::new(log), FollowerConfig::default())));
    }
    QueryEngine::build(config, LiveLake::new(Arc::new(LakeTables::new(reader)), followers))
}
