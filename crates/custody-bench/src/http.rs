//! `http`: the gateway beside a bare hyper proxy and nginx, before the same upstream, under the same closed loop.

mod fleet;
mod gateway;
mod load;
mod mode;
mod nginx;
mod proxy;
mod upstream;
mod wire;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use self::{
    fleet::Server,
    load::{Load, Seen},
    mode::Mode,
};
use crate::{
    measure::{cpu_seconds, median},
    terminal::{Table, say, shown},
};

/// Settings of the part.
#[derive(Args, Debug)]
pub struct HttpArgs {
    /// Connections to try.
    #[arg(long, value_delimiter = ',', default_value = "1,10,64")]
    connections: Vec<usize>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds; the contenders alternate within each.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Kinds of load to try.
    #[arg(long, value_delimiter = ',', default_value = "plain,stream,paced")]
    modes: Vec<Mode>,
    /// Contenders to compare.
    #[arg(long, value_delimiter = ',', default_value = "proxy,durable,unrecorded,nginx")]
    contenders: Vec<Contender>,
}

/// What is compared.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    /// A bare hyper reverse proxy.
    Proxy,
    /// The gateway with its journal on disk.
    Durable,
    /// The gateway with a recorder that keeps nothing.
    Unrecorded,
    /// nginx, where it is installed.
    Nginx,
}

impl Contender {
    fn start(self, upstream: SocketAddr, folder: &Path) -> Result<Option<Server>> {
        match self {
            Self::Proxy => fleet::start("bare hyper proxy", Role::Proxy, Some(upstream), folder).map(Some),
            Self::Durable => fleet::start("gateway, audit durable", Role::Durable, Some(upstream), folder).map(Some),
            Self::Unrecorded => fleet::start("gateway, audit off", Role::Unrecorded, Some(upstream), folder).map(Some),
            Self::Nginx => fleet::start_nginx("nginx", upstream, folder),
        }
    }
}

/// What a child process is.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The model.
    Upstream,
    /// The bare proxy.
    Proxy,
    /// The gateway with its journal on disk.
    Durable,
    /// The gateway with a recorder that keeps nothing.
    Unrecorded,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Proxy => "proxy",
            Self::Durable => "durable",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// Settings of a child process.
#[derive(Args, Debug)]
pub struct ServeArgs {
    role: Role,
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    upstream: Option<SocketAddr>,
}

/// Runs as a child process.
pub async fn serve(args: ServeArgs) -> Result<()> {
    let upstream = || args.upstream.context("this role needs --upstream");
    if let Role::Durable | Role::Unrecorded = args.role {
        return gateway::serve(&args.folder, upstream()?, args.role == Role::Durable).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?, None);
    if args.role == Role::Upstream { upstream::serve(listener).await } else { proxy::serve(listener, upstream()?).await }
}

/// Tells the parent where to connect and with which key, and ends this process when the parent's end of standard input closes.
fn announce(address: SocketAddr, key: Option<&str>) {
    say(&format!("listening {address} {}", key.unwrap_or(gateway::ANY_KEY)));
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
}

/// Runs the part.
pub async fn run(args: HttpArgs) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_upstream, contenders) = start_all(&args.contenders, folder.path())?;
    for mode in &args.modes {
        for connections in &args.connections {
            compare(&args, *mode, *connections, &contenders).await?;
        }
    }
    Ok(())
}

fn start_all(wanted: &[Contender], folder: &Path) -> Result<(Server, Vec<Server>)> {
    let upstream = fleet::start("upstream", Role::Upstream, None, folder)?;
    let mut contenders = Vec::new();
    for contender in wanted {
        match contender.start(upstream.address, folder)? {
            Some(server) => contenders.push(server),
            None => say("nginx is not installed and is left out"),
        }
    }
    // nginx says nothing when it listens.
    std::thread::sleep(Duration::from_millis(300));
    Ok((upstream, contenders))
}

/// One round of one contender.
#[derive(Debug, Default)]
struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    first_p50: f64,
    first_p99: f64,
    stall_p50: f64,
    stall_p99: f64,
    cpu_ms: f64,
    errors: u64,
}

impl Figures {
    fn new(mut seen: Seen, cpu_seconds: f64) -> Self {
        let answered = seen.answered.max(1) as f64;
        Self {
            rate: seen.answered as f64 / seen.seconds,
            p50: seen.latency.percentile(50.0),
            p99: seen.latency.percentile(99.0),
            first_p50: seen.first_byte.percentile(50.0),
            first_p99: seen.first_byte.percentile(99.0),
            stall_p50: seen.stall.percentile(50.0),
            stall_p99: seen.stall.percentile(99.0),
            cpu_ms: cpu_seconds * 1_000.0 / answered,
            errors: seen.errors,
        }
    }
}

async fn compare(args: &HttpArgs, mode: Mode, connections: usize, contenders: &[Server]) -> Result<()> {
    let mut rounds: Vec<Vec<Figures>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..args.rounds {
        for (server, figures) in contenders.iter().zip(&mut rounds) {
            figures.push(measure(args, mode, connections, server).await?);
        }
    }
    print(mode, connections, contenders, &rounds);
    Ok(())
}

async fn measure(args: &HttpArgs, mode: Mode, connections: usize, server: &Server) -> Result<Figures> {
    let lasting = Duration::from_secs_f64(args.seconds);
    let load = Load { target: server.address, request: mode.request(&server.key), stream: mode != Mode::Plain, connections, lasting };
    let warm = load::run(&Load { lasting: lasting.mul_f64(0.15), ..load.clone() }).await?;
    ensure!(warm.answered > 0, "{} answers nothing: {}", server.name, warm.first_error.unwrap_or_default());
    let cpu = cpu_seconds(server.pid())?;
    let seen = load::run(&load).await?;
    let cpu = cpu_seconds(server.pid())? - cpu;
    if let Some(error) = &seen.first_error {
        say(&format!("{}: {} errors, the first: {error}", server.name, seen.errors));
    }
    Ok(Figures::new(seen, cpu))
}

fn print(mode: Mode, connections: usize, contenders: &[Server], rounds: &[Vec<Figures>]) {
    let plain = ["", "req/s", "p50 ms", "p99 ms", "CPU ms/req", "errors"];
    let stream = ["", "req/s", "p50 ms", "p99 ms", "CPU ms/req", "errors", "first p50", "first p99", "stall p50", "stall p99"];
    let columns = if mode == Mode::Plain { &plain[..] } else { &stream[..] };
    let mut table = Table::new(format!("{}, {connections} connections", mode.title()), columns);
    for (server, figures) in contenders.iter().zip(rounds) {
        let middle = |of: fn(&Figures) -> f64| shown(median(figures.iter().map(of)));
        let errors: u64 = figures.iter().map(|round| round.errors).sum();
        let mut cells = vec![middle(|f| f.rate), middle(|f| f.p50), middle(|f| f.p99), middle(|f| f.cpu_ms), errors.to_string()];
        if mode != Mode::Plain {
            cells.extend([middle(|f| f.first_p50), middle(|f| f.first_p99), middle(|f| f.stall_p50), middle(|f| f.stall_p99)]);
        }
        table.row(server.name, cells);
    }
    table.print();
}
