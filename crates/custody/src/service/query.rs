//! `custody query`: answers questions over HTTP, each on the newest snapshot of the lake and the log's rows after it.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_trait::async_trait;
use clap::Args;
use custody_lake::LakeReader;
use custody_log::kafka::KafkaReader;
use custody_query::{Follower, FollowerConfig, LakeTables, LiveLake, QueryConfig, QueryEngine, SqlSession, TailBudget};
use tokio::sync::watch;

use super::{
    ServiceArgs,
    door::{Door, Pages},
    on_loopback,
};
use crate::{
    deployment::Deployment,
    figures::{Figures, Kind, count},
    office::OfficePlace,
    process::{announce_stop, interrupted},
    reveal::{RevealCounter, RevealPlace},
    terminal::say,
    topics,
};

/// How often the followers take in what the log has, so that no question has much to decode.
const KEEP_UP: Duration = Duration::from_millis(200);
/// How often to look for partitions that were added.
const LOOK_FOR_PARTITIONS: Duration = Duration::from_secs(5);
/// A lake that gives no snapshot within this is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answer questions over HTTP.
#[derive(Debug, Args)]
#[command(after_help = "\
  curl -s http://127.0.0.1:8702/sql --data-binary 'select tenant, count(*) from events group by 1'
  curl -s -H 'accept: text/csv' http://127.0.0.1:8702/sql --data-binary @question.sql

Each answer holds every event that was durable in the log before the question, once. Memory is bounded: where the lake
lags behind the log by more than the follower may hold, questions are refused (503, lake_behind) until ingest has
caught up, and never answered with less.

With reveals = true in [query] it also shows kept text to whom may see it (docs/REVEAL.md): POST /v1/reveal.

Pages: POST /sql, /healthz, /readyz, /metrics. Loopback only.

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct QueryArgs {
    #[command(flatten)]
    service: ServiceArgs,
}

/// Runs until interrupted.
pub async fn run(args: QueryArgs) -> Result<ExitCode> {
    let deployment = Deployment::load(&args.service.config)?;
    let address = on_loopback(args.service.listen.unwrap_or(deployment.query.listen))?;
    let budget = TailBudget::of(deployment.query.tail_bytes);
    let live = open_live(&deployment, &budget).await?;
    let engine = QueryEngine::build(&query_config(&deployment), live.clone())?;
    let reveals = open_reveals(&deployment).await?;
    let pages = Arc::new(QueryPages { session: engine.session(), live: live.clone(), reveals: reveals.clone() });
    let door = Door::open(address, pages).await?;
    let interrupted = interrupted();
    say("custody query is up");
    say(&format!("  questions http://{}/sql", door.address()?));
    if reveals.is_some() {
        say("  reveals   POST /v1/reveal");
    }
    say("  ready");
    let (stop, stopping) = watch::channel(false);
    let door = tokio::spawn(door.serve(stopping.clone()));
    let follower = tokio::spawn(keep_up(live, deployment, budget, stopping));
    interrupted.await;
    announce_stop();
    stop.send_replace(true);
    door.await.context("the door ended abnormally")?;
    follower.await.context("the follower ended abnormally")?;
    if let Some(counter) = reveals.and_then(Arc::into_inner) {
        counter.close().await;
    }
    say("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The counter for reveals, where the deployment has this process hold one: it then opens kept text, and needs the keys for that.
async fn open_reveals(deployment: &Deployment) -> Result<Option<Arc<RevealCounter>>> {
    if !deployment.query.reveals {
        return Ok(None);
    }
    let place = RevealPlace::in_deployment(deployment, OfficePlace::of_service(deployment, "query"))?;
    Ok(Some(Arc::new(RevealCounter::open(&place, "custody query").await?)))
}

/// A live lake over every partition that the topic has now.
pub async fn open_live(deployment: &Deployment, budget: &Arc<TailBudget>) -> Result<LiveLake> {
    let reader = LakeReader::open(&deployment.lake).await.context("the lake cannot be read; `custody ingest` makes it")?;
    let live = LiveLake::new(Arc::new(LakeTables::new(reader)), Vec::new());
    follow_all(&live, deployment, budget).await?;
    Ok(live)
}

pub fn query_config(deployment: &Deployment) -> QueryConfig {
    let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
    let spill_dir = Some(deployment.query.spill_dir.clone());
    QueryConfig { memory_bytes: deployment.query.memory_bytes, spill_dir, parallelism, ..QueryConfig::default() }
}

/// Follows the partitions that nobody follows yet.
async fn follow_all(live: &LiveLake, deployment: &Deployment, budget: &Arc<TailBudget>) -> Result<()> {
    let log = &deployment.log;
    let partitions = topics::partitions(log).await?;
    let followed = live.followers().len();
    for partition in (0..partitions).skip(followed) {
        let reader = KafkaReader::open(&log.kafka, &log.topic.name, partition)?;
        let config = FollowerConfig { rows: deployment.query.tail_rows, budget: Arc::clone(budget), ..FollowerConfig::default() };
        live.follow(Arc::new(Follower::new(Box::new(reader), config)));
    }
    Ok(())
}

async fn keep_up(live: LiveLake, deployment: Deployment, budget: Arc<TailBudget>, mut stop: watch::Receiver<bool>) {
    let mut looked = tokio::time::Instant::now();
    while tokio::time::timeout(KEEP_UP, stop.wait_for(|stop| *stop)).await.is_err() {
        if let Err(error) = live.keep_up().await {
            tracing::warn!(%error, "the lake cannot be read at the moment");
        }
        if looked.elapsed() >= LOOK_FOR_PARTITIONS {
            looked = tokio::time::Instant::now();
            if let Err(error) = follow_all(&live, &deployment, &budget).await {
                tracing::warn!(error = format!("{error:#}"), "the topic cannot be looked at at the moment");
            }
        }
    }
}

struct QueryPages {
    session: SqlSession,
    live: LiveLake,
    reveals: Option<Arc<RevealCounter>>,
}

#[async_trait]
impl Pages for QueryPages {
    /// Ready means that a question that came now would be answered.
    async fn why_not_ready(&self) -> Option<String> {
        match tokio::time::timeout(PATIENCE, self.live.cut()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("lake and log do not answer".to_owned()),
        }
    }

    async fn metrics(&self) -> String {
        let (mut rows, mut bytes) = (0, 0);
        let followers = self.live.followers();
        for follower in &followers {
            let (of_one, bytes_of_one) = follower.holds().await;
            rows += of_one;
            bytes += bytes_of_one;
        }
        let mut figures = Figures::default();
        figures.add(Kind::Gauge, "custody_query_followed_partitions", "Partitions of the log followed", count(followers.len() as u64));
        figures.add(Kind::Gauge, "custody_query_tail_rows", "Rows held that the lake has not", count(rows as u64));
        figures.add(Kind::Gauge, "custody_query_tail_bytes", "Bytes of them", count(bytes as u64));
        figures.into_text()
    }

    fn sql(&self) -> Option<SqlSession> {
        Some(self.session.clone())
    }

    fn reveals(&self) -> Option<Arc<RevealCounter>> {
        self.reveals.clone()
    }
}
