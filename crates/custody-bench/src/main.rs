//! The figures of Custody beside those of its yardsticks, measured in one run on one machine. A development program: it is not
//! part of what users install. `cargo xtask bench` builds it for release and runs it.

mod commits;
mod entropy;
mod http;
mod ingest;
mod journal;
mod kafka;
mod lake;
mod measure;
mod recording;
mod seal;
mod terminal;
mod trails;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// As the product has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures Custody beside its yardsticks. Figures hold for this machine and this run; compare rows, not runs.
#[derive(Parser, Debug)]
#[command(name = "custody-bench")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand, Debug)]
enum Part {
    /// The gateway, durable and unrecorded, beside a bare hyper proxy and nginx: rates, latencies, processor time.
    Http(http::HttpArgs),
    /// Both fronts of the gateway before an OpenAI-compatible and a Bedrock route, each beside a bare hyper proxy before the same
    /// answers: rates, latencies, processor time, time to the first word and gaps between words.
    Routes(http::routes::RoutesArgs),
    /// Durable appends by 1 to 256 clients beside a bare write and fdatasync.
    Journal(journal::JournalArgs),
    /// The ingest loop from journal to Delta table beside decoding alone and Parquet encoding alone.
    Ingest(ingest::IngestArgs),
    /// Journals to real Kafka, and Kafka to committed Parquet in a folder and on S3, beside Kafka Connect's Iceberg sink and Parquet encoding alone.
    Kafka(kafka::KafkaArgs),
    /// What a commit takes with ten, a thousand and ten thousand live files, in a folder and on S3.
    Commits(commits::CommitsArgs),
    /// Look-up of one request and cost by tenant and day over ten million generated events.
    Lake(lake::LakeArgs),
    /// Sealing and opening a text on one core, at the edge and at rest, beside AES-256-GCM alone.
    Seal(seal::SealArgs),
    #[command(hide = true)]
    Serve(http::ServeArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    // Two providers are linked; without a choice the first encrypted connection panics.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let done = match Arguments::parse().part {
        Part::Http(args) => http::run(args).await,
        Part::Routes(args) => http::routes::run(args).await,
        Part::Journal(args) => journal::run(args).await,
        Part::Ingest(args) => ingest::run(args).await,
        Part::Kafka(args) => kafka::run(args).await,
        Part::Commits(args) => commits::run(args).await,
        Part::Lake(args) => lake::run(args).await,
        Part::Seal(args) => seal::run(&args),
        Part::Serve(args) => http::serve(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::say(&format!("custody-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
