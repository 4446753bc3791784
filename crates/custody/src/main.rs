//! The one binary of Custody. It assembles the parts and owns what only a program may do: arguments, signals, standard output.

mod content;
mod deadletters;
mod deployment;
mod figures;
mod forget;
#[cfg(debug_assertions)]
mod halt;
mod hash_key;
mod ingest_parts;
mod journal;
mod keys;
mod lake;
mod log;
mod memory;
mod office;
mod orphans;
mod price;
mod process;
mod replay;
mod reveal;
mod service;
mod sql;
mod terminal;
mod texts;
mod topics;
#[cfg(feature = "unsealed")]
mod unsealed;
mod up;
mod vault;
mod vault_parts;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use custody_gateway::workspace::WorkspaceError;

use crate::deployment::DeploymentMistakes;

/// The C library's allocator keeps what an ingest's batches used: gigabytes after minutes, where this one gives it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// As clap ends for wrong arguments.
const EXIT_WRONG_USE: u8 = 2;

/// The chain of custody for production AI: governed model calls, and evidence that nothing was lost.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
A first look:
  custody up                                   everything in one process, on loopback, with an example workspace
  curl localhost:8700/v1/chat/completions -H \"authorization: Bearer $KEY\" -H 'content-type: application/json' \\
    -d '{\"model\":\"support.answer\",\"messages\":[{\"role\":\"user\",\"content\":\"Where is my parcel?\"}]}'
  custody sql 'select tenant, sum(cost_usd) from costs group by tenant'

Exit codes common to all commands: 0 done, 1 failed, 2 the arguments or the configuration are wrong.
Log lines go to standard error; RUST_LOG sets what is logged (default: warn, info for custody, and nothing of the\ntable library, whose errors are logged where they are handled)."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything in one process: gateway, journal, ingest and lake.
    Up(up::UpArgs),
    /// Serve governed requests, and ship their events to Kafka.
    Gateway(service::GatewayArgs),
    /// Move the log into the lake.
    Ingest(service::IngestArgs),
    /// Answer questions over HTTP, with the log's newest events.
    Query(service::QueryArgs),
    /// Compare and make the log's topics.
    Topics(topics::TopicsArgs),
    /// Look after the lake: status, compaction, vacuum.
    Lake(lake::LakeArgs),
    /// Look at records that are no events, and try them again.
    Deadletters(deadletters::DeadlettersArgs),
    /// Ask the evidence in SQL.
    Sql(sql::SqlArgs),
    /// Look after prices: import, quote, explain, diff, reprice, reconcile.
    Price(price::PriceArgs),
    /// Send governed requests that follow a trace.
    Replay(replay::ReplayArgs),
    /// See kept text, or agree that somebody sees it.
    Reveal(reveal::RevealArgs),
    /// Keep texts from being forgotten: legal holds.
    Hold(forget::HoldArgs),
    /// Say what is kept until when, and forget what is due.
    Retention(forget::RetentionArgs),
    /// Forget a person or a tenant, with a certificate.
    Erase(forget::EraseArgs),
    /// Make and list API keys.
    Keys(keys::KeysArgs),
    /// Look after the vault: status, rotation of what wraps its keys.
    Vault(vault::VaultCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(debug_assertions)]
    halt::watch();
    log::init();
    choose_cryptography();
    #[cfg(feature = "unsealed")]
    if !unsealed::is_meant() {
        return ExitCode::from(EXIT_WRONG_USE);
    }
    if !cfg!(feature = "unsealed") {
        log::hide_panic_messages();
        memory::keep_from_disk();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("the runtime could not be started")),
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Up(args) => up::run(args).await,
            Command::Gateway(args) => service::run_gateway(args).await,
            Command::Ingest(args) => service::run_ingest(args).await,
            Command::Query(args) => service::run_query(args).await,
            Command::Topics(args) => topics::run(args).await,
            Command::Lake(args) => lake::run(args).await,
            Command::Deadletters(args) => deadletters::run(args).await,
            Command::Sql(args) => sql::run(args).await,
            Command::Price(args) => price::run(args).await,
            Command::Replay(args) => replay::run(args).await,
            Command::Reveal(args) => reveal::run(args).await,
            Command::Hold(args) => forget::run_hold(args).await,
            Command::Retention(args) => forget::run_retention(args).await,
            Command::Erase(args) => forget::run_erase(args).await,
            Command::Keys(args) => keys::run(&args),
            Command::Vault(args) => vault::run(args).await,
        }
    });
    result.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    terminal::note(&log::redacted(&format!("custody: {error:#}")));
    if is_wrong_configuration(error) { ExitCode::from(EXIT_WRONG_USE) } else { ExitCode::FAILURE }
}

/// What only a person with an editor can mend, apart from what a supervisor mends by starting again.
fn is_wrong_configuration(error: &anyhow::Error) -> bool {
    let of_workspace = error.downcast_ref::<WorkspaceError>().is_some_and(|error| !error.mistakes().is_empty());
    of_workspace || error.is::<DeploymentMistakes>()
}

/// Two providers are linked, one by the AWS libraries and one by the object store's; without a choice the first connection panics.
fn choose_cryptography() {
    // An error means that one is chosen already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
