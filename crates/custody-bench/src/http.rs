//! `http`: the gateway beside a bare hyper proxy and nginx, before the same upstream, under the same closed loop.

mod exchange;
mod fleet;
mod form;
mod gateway;
mod load;
mod mode;
mod nginx;
mod proxy;
mod rounds;
pub mod routes;
mod upstream;
mod wire;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use self::{
    fleet::Server,
    form::Form,
    gateway::OVER_OPENAI,
    mode::Mode,
    rounds::{Effort, Rounds, Row, alternate, check},
};
use crate::terminal::{Table, say};

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
    #[arg(long, value_delimiter = ',', default_value = "proxy,keeping,durable,unrecorded,nginx")]
    contenders: Vec<Contender>,
}

/// What is compared.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    /// A bare hyper reverse proxy.
    Proxy,
    /// The gateway with its journals on disk, and a rule that keeps question and answer.
    Keeping,
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
            Self::Keeping => fleet::start("gateway, texts kept", Role::Keeping, Some(upstream), folder).map(Some),
            Self::Durable => fleet::start("gateway, audit durable", Role::Durable, Some(upstream), folder).map(Some),
            Self::Unrecorded => fleet::start("gateway, audit off", Role::Unrecorded, Some(upstream), folder).map(Some),
            Self::Nginx => fleet::start_nginx("nginx", upstream, folder),
        }
    }

    /// All are asked in OpenAI's form.
    fn row(self, server: &Server) -> Row<'_> {
        let route = match self {
            Self::Keeping | Self::Durable | Self::Unrecorded => Some(OVER_OPENAI.route),
            Self::Proxy | Self::Nginx => None,
        };
        Row { name: server.name, server, form: Form::OpenAi, capability: OVER_OPENAI.capability, route }
    }
}

/// What a child process is.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The model.
    Upstream,
    /// The bare proxy.
    Proxy,
    /// The gateway with its journals on disk, and a rule that keeps question and answer.
    Keeping,
    /// The gateway with its journal on disk.
    Durable,
    /// The gateway with a recorder that keeps nothing.
    Unrecorded,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Proxy => "proxy",
            Self::Keeping => "keeping",
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
    if let Role::Keeping | Role::Durable | Role::Unrecorded = args.role {
        return gateway::serve(&args.folder, upstream()?, args.role).await;
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
    let upstream = fleet::start("upstream", Role::Upstream, None, folder.path())?;
    let servers = start_all(&args.contenders, upstream.address, folder.path())?;
    let rows: Vec<Row<'_>> = servers.iter().map(|(contender, server)| contender.row(server)).collect();
    let effort = |connections| Effort { connections, lasting: Duration::from_secs_f64(args.seconds), rounds: args.rounds };
    for mode in &args.modes {
        check(&rows, *mode, effort(1)).await?;
    }
    for mode in &args.modes {
        for connections in &args.connections {
            let measured = alternate(&rows, *mode, effort(*connections)).await?;
            print(*mode, *connections, &rows, &measured);
        }
    }
    Ok(())
}

fn start_all(wanted: &[Contender], upstream: SocketAddr, folder: &Path) -> Result<Vec<(Contender, Server)>> {
    let mut servers = Vec::new();
    for contender in wanted {
        match contender.start(upstream, folder)? {
            Some(server) => servers.push((*contender, server)),
            None => say("nginx is not installed and is left out"),
        }
    }
    // nginx says nothing when it listens.
    std::thread::sleep(Duration::from_millis(300));
    Ok(servers)
}

fn print(mode: Mode, connections: usize, rows: &[Row<'_>], measured: &[Rounds]) {
    let plain = ["", "req/s", "p50 ms", "p99 ms", "CPU ms/req", "errors"];
    let stream = ["first p50", "first p99", "stall p50", "stall p99"];
    let columns = if mode.is_stream() { [&plain[..], &stream[..]].concat() } else { plain.to_vec() };
    let mut table = Table::new(format!("{}, {connections} connections", mode.title()), &columns);
    for (row, rounds) in rows.iter().zip(measured) {
        let middle = |of| rounds.middle(of);
        let mut cells = vec![middle(|f| f.rate), middle(|f| f.p50), middle(|f| f.p99), middle(|f| f.cpu_ms), rounds.errors()];
        if mode.is_stream() {
            cells.extend([middle(|f| f.first_p50), middle(|f| f.first_p99), middle(|f| f.stall_p50), middle(|f| f.stall_p99)]);
        }
        table.row(row.name, cells);
    }
    table.print();
}
