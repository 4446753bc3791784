//! From a data folder to a session. Takes no lock and writes nothing, so it works beside the process that writes.

use std::path::Path;

use custody_query::{QueryConfig, QueryError, SqlSession, open_folder};

/// The lake's folder in a data folder.
const LAKE: &str = "lake";
/// The journal's folder in a data folder.
const JOURNAL: &str = "journal";

/// Opens the lake and, where there is one, the journal after it.
pub async fn open(data_dir: &Path) -> Result<SqlSession, QueryError> {
    let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
    let spill_dir = Some(std::env::temp_dir());
    let config = QueryConfig { parallelism, spill_dir, ..QueryConfig::default() };
    let engine = open_folder(&data_dir.join(LAKE), &data_dir.join(JOURNAL), &config).await?;
    Ok(engine.session())
}
