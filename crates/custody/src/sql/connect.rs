//! From a data folder, or a deployment's lake and log, to a session. Takes no lock and writes nothing, so it works beside the
//! processes that write.

use std::path::Path;

use custody_query::{QueryConfig, QueryEngine, QueryError, SqlSession, TailBudget, open_folder};

use crate::{deployment::Deployment, service};

/// The lake's folder in a data folder.
const LAKE: &str = "lake";
/// The journal's folder in a data folder.
const JOURNAL: &str = "journal";
/// The folder of the commands' journal in a data folder.
const OFFICE: &str = "office";

/// Opens the lake and, where they are there, the journals after it.
pub async fn open(data_dir: &Path) -> Result<SqlSession, QueryError> {
    let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
    let spill_dir = Some(std::env::temp_dir());
    let config = QueryConfig { parallelism, spill_dir, ..QueryConfig::default() };
    let engine = open_folder(&data_dir.join(LAKE), &[&data_dir.join(JOURNAL), &data_dir.join(OFFICE)], &config).await?;
    Ok(engine.session())
}

/// Opens a deployment's lake, and follows every partition of its log.
pub async fn open_deployment(file: &Path) -> anyhow::Result<SqlSession> {
    let deployment = Deployment::load(file)?;
    let live = service::open_live(&deployment, &TailBudget::of(deployment.query.tail_bytes)).await?;
    Ok(QueryEngine::build(&service::query_config(&deployment), live)?.session())
}
