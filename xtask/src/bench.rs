//! Figures side by side: builds the workspace for release and runs `custody-bench`, part after part.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{run, services};

const HELP: &str = "\
cargo xtask bench [part…] [-- options of the part]

  http      the gateway, keeping texts, durable and unrecorded, beside a bare hyper proxy and nginx
  routes    both fronts before an OpenAI-compatible and a Bedrock route, each beside a bare hyper proxy: plain, streamed and paced
  journal   durable appends by 1, 8, 64 and 256 clients beside a bare write and fdatasync
  ingest    journal to Delta table beside decoding alone and Parquet encoding alone
  kafka     journals to real Kafka, and Kafka to committed Parquet, beside Kafka Connect's Iceberg sink and Parquet encoding alone
  commits   what a commit takes with 10, 1,000 and 10,000 live files, in a folder and on S3
  lake      one request's trail, and cost by tenant and day, over ten million generated events
  seal      sealing and opening a text at the edge and at rest, beside AES-256-GCM alone

Without a part all are run. The first release build takes long. Options follow `--`: `cargo xtask bench lake -- --events 1000000`;
`cargo xtask bench lake -- --help` lists them. `kafka` needs a JDK 17 and mvn, and the first time fetches Kafka Connect with its sink,
115 MB, into <target dir>/services-cache. Leave the machine alone meanwhile: figures of a busy machine say nothing.
";

/// Parts that need Kafka or S3, which are started for them.
const WITH_SERVICES: [&str; 2] = ["kafka", "commits"];
const PARTS: [&str; 8] = ["http", "routes", "journal", "ingest", "kafka", "commits", "lake", "seal"];
/// The part that Kafka Connect runs beside.
const WITH_PEER: &str = "kafka";
/// Tells `custody-bench` where Kafka Connect and its sink are.
const PEER_VARIABLE: &str = "CUSTODY_BENCH_PEER";

pub fn run(arguments: &[String]) -> Result<()> {
    let (parts, options) = match arguments.iter().position(|argument| argument == "--") {
        Some(place) => (arguments.get(..place).unwrap_or_default(), arguments.get(place + 1..).unwrap_or_default()),
        None => (arguments, &[][..]),
    };
    if parts.iter().any(|part| ["--help", "-h", "help"].contains(&part.as_str())) {
        run::say(HELP);
        return Ok(());
    }
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("`{unknown}` is not a part; the parts are {}", PARTS.join(", "));
    }
    let wanted: Vec<&str> = PARTS.into_iter().filter(|part| parts.is_empty() || parts.iter().any(|wanted| wanted == part)).collect();
    // What is missing for it is said before the long build.
    let peer = wanted.contains(&WITH_PEER).then(services::peer).transpose()?;
    // The whole workspace, because another set of features would build DataFusion again.
    run::program("cargo", ["build", "--locked", "--release", "--workspace"])?;
    let program = run::target_dir()?.join("release/custody-bench");
    for part in wanted {
        let mut command = Command::new(&program);
        command.arg(part).args(options).current_dir(run::root());
        if WITH_SERVICES.contains(&part) {
            command.envs(peer.iter().map(|folder| (PEER_VARIABLE, folder)));
            services::with_services(|environment| run::status(command.envs(environment.variables())))?;
        } else {
            run::status(&mut command)?;
        }
    }
    Ok(())
}
