//! Questions and their answers. One engine a process, one session a connection; each query has a catalogue of its own, with the
//! cut that was exact when it began, so that no connection can change what another sees.

#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use datafusion::{
    arrow::{array::AsArray, datatypes::SchemaRef},
    dataframe::DataFrame,
    execution::{
        SessionState, SessionStateBuilder,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        runtime_env::RuntimeEnvBuilder,
    },
    logical_expr::LogicalPlan,
    physical_plan::execute_stream,
    prelude::SessionConfig,
};

use crate::{
    Cut, LiveLake, Parameters, QueryError,
    catalog::{CATALOG, SCHEMA, catalogs_of, table_names},
    memory::TwoPartPool,
    pico_usd, read_only,
    run::{QueryRun, RunLimits},
};

/// The column of an explanation that has the plan's text.
const EXPLANATION: &str = "plan";

/// What all queries of a process share.
#[derive(Debug, Clone)]
pub struct QueryConfig {
    /// Memory for sorts, joins and groups of all queries together.
    pub memory_bytes: usize,
    /// Where such work goes when it does not fit; none means that it fails instead.
    pub spill_dir: Option<PathBuf>,
    /// Most bytes there.
    pub spill_bytes: u64,
    /// Threads that one query may keep busy.
    pub parallelism: usize,
}

impl Default for QueryConfig {
    /// A gigabyte leaves a laptop usable and groups tens of millions of keys; spilling is off until someone names a folder; two
    /// threads leave the other cores to the gateway.
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, spill_dir: None, spill_bytes: 16 << 30, parallelism: 2 }
    }
}

/// What one query may use.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// Time from question to last row.
    pub timeout: Duration,
    /// Most rows; none for all.
    pub rows: Option<usize>,
    /// Values for `$name` places.
    pub parameters: Parameters,
}

impl Default for QueryOptions {
    /// Five minutes: longer than any question over a day, short enough that a forgotten one ends.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(300), rows: None, parameters: Parameters::default() }
    }
}

/// Everything that queries of one process share.
#[derive(Debug, Clone)]
pub struct QueryEngine {
    lake: LiveLake,
    template: Arc<SessionState>,
}

/// One connection.
#[derive(Debug, Clone)]
pub struct SqlSession(QueryEngine);

impl QueryEngine {
    /// An engine over a lake.
    ///
    /// # Errors
    /// When the spill folder can't be used.
    pub fn build(config: &QueryConfig, lake: LiveLake) -> Result<Self, QueryError> {
        let spill = DiskManagerBuilder::default().with_mode(spill_mode(config)).with_max_temp_directory_size(config.spill_bytes);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(TwoPartPool::new(config.memory_bytes)))
            .with_disk_manager_builder(spill)
            .build_arc()
            .map_err(QueryError::from_running)?;
        let mut template =
            SessionStateBuilder::new_with_default_features().with_config(session_config(config)).with_runtime_env(runtime).build();
        let function = Arc::new(pico_usd::function());
        datafusion::logical_expr::registry::FunctionRegistry::register_udf(&mut template, function).map_err(QueryError::from_planning)?;
        Ok(Self { lake, template: Arc::new(template) })
    }

    /// A new session.
    #[must_use]
    pub fn session(&self) -> SqlSession {
        SqlSession(self.clone())
    }
}

fn spill_mode(config: &QueryConfig) -> DiskManagerMode {
    match &config.spill_dir {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::Disabled,
    }
}

fn session_config(config: &QueryConfig) -> SessionConfig {
    let mut session = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(config.parallelism.max(1));
    let options = session.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    session
}

impl SqlSession {
    /// Starts a query.
    ///
    /// # Errors
    /// When the statement would change something, does not parse or fit, lacks a parameter, or the lake or log can't be read.
    pub async fn query(&self, sql: &str, options: &QueryOptions) -> Result<QueryRun, QueryError> {
        let mut deadline = Box::pin(tokio::time::sleep(options.timeout));
        let planned = tokio::select! {
            biased;
            () = deadline.as_mut() => return Err(QueryError::TimedOut(options.timeout)),
            planned = self.plan(sql, options) => planned?,
        };
        let (frame, cut) = planned;
        let context = Arc::new(frame.task_ctx());
        let plan = tokio::select! {
            biased;
            () = deadline.as_mut() => return Err(QueryError::TimedOut(options.timeout)),
            plan = frame.create_physical_plan() => plan.map_err(QueryError::from_planning)?,
        };
        let stream = execute_stream(Arc::clone(&plan), context).map_err(QueryError::from_running)?;
        let limits = RunLimits { deadline, allowed: options.timeout, rows: options.rows };
        Ok(QueryRun::new(plan, stream, limits, cut))
    }

    /// How a query would be run, as text.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn explain(&self, sql: &str, options: &QueryOptions) -> Result<String, QueryError> {
        let mut run = self.query(&format!("EXPLAIN FORMAT INDENT {sql}"), options).await?;
        let mut text = String::new();
        while let Some(batch) = run.next_batch().await? {
            let plans = batch.column_by_name(EXPLANATION).and_then(|column| column.as_string_opt::<i32>());
            text.extend(plans.into_iter().flatten().flatten());
        }
        Ok(text)
    }

    /// Names to complete: tables, their columns, functions.
    ///
    /// # Errors
    /// When the lake or the log can't be read.
    pub async fn names(&self) -> Result<Vec<String>, QueryError> {
        let Self(engine) = self;
        let state = engine.state(engine.lake.cut().await?)?;
        let functions = state.scalar_functions().keys().chain(state.aggregate_functions().keys()).chain(state.window_functions().keys());
        let mut names: Vec<String> = functions.cloned().collect();
        for table in table_names() {
            names.push(table.to_owned());
            let schema = state.schema_for_ref(table).map_err(QueryError::from_planning)?;
            if let Some(provider) = schema.table(table).await.map_err(QueryError::from_planning)? {
                names.extend(provider.schema().fields().iter().map(|field| field.name().clone()));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    pub(crate) async fn table_schema(&self, table: &str) -> Result<SchemaRef, QueryError> {
        let Self(engine) = self;
        let state = engine.state(engine.lake.cut().await?)?;
        let schema = state.schema_for_ref(table).map_err(QueryError::from_planning)?;
        let found = schema.table(table).await.map_err(QueryError::from_planning)?;
        let found = found.ok_or_else(|| QueryError::Plan(format!("there is no table `{table}`")))?;
        Ok(found.schema())
    }

    async fn plan(&self, sql: &str, options: &QueryOptions) -> Result<(DataFrame, (u64, usize)), QueryError> {
        let Self(engine) = self;
        let statement = read_only::parse(sql)?;
        let cut = engine.lake.cut().await?;
        let facts = (cut.lake_version, cut.tail_rows);
        let state = engine.state(cut)?;
        let plan = state.statement_to_plan(statement).await.map_err(QueryError::from_planning)?;
        read_only::check(&plan, sql)?;
        let is_limited = !matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_));
        let frame = DataFrame::new(state, options.parameters.bind(plan)?);
        // One row more than shown tells whether there are more.
        let wanted = options.rows.filter(|_| is_limited).map(|rows| rows.saturating_add(1));
        let frame = if wanted.is_some() { frame.limit(0, wanted).map_err(QueryError::from_planning)? } else { frame };
        Ok((frame, facts))
    }
}

impl QueryEngine {
    fn state(&self, cut: Cut) -> Result<SessionState, QueryError> {
        let catalogs = catalogs_of(cut).map_err(QueryError::from_planning)?;
        Ok(SessionStateBuilder::new_from_existing(self.template.as_ref().clone()).with_catalog_list(catalogs).build())
    }
}
