//! `routes`: both fronts of the gateway before both kinds of route, each beside a bare hyper proxy that passes the same form of
//! request to the same upstream.
//!
//! ```text
//! OpenAI form ──▶ bare proxy ─────────────────────▶ upstream, /v1/chat/completions
//! OpenAI form ──▶ gateway ──OpenAI-compatible route─▶ upstream, /v1/chat/completions
//! Converse    ──▶ gateway ──OpenAI-compatible route─▶ upstream, /v1/chat/completions
//! Converse    ──▶ bare proxy ─────────────────────▶ upstream, /model/…/converse[-stream]
//! OpenAI form ──▶ gateway ──Bedrock route─────────▶ upstream, /model/…/converse[-stream]
//! Converse    ──▶ gateway ──Bedrock route─────────▶ upstream, /model/…/converse[-stream]
//! ```
//! The gateway's journal is on disk, as users have it. Each of its rows is compared with the proxy before the same answers.

use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::{
    Role,
    fleet::{self, Server},
    form::Form,
    gateway::{OVER_BEDROCK, OVER_OPENAI, Way},
    mode::Mode,
    rounds::{Effort, Rounds, Row, alternate, check},
};
use crate::terminal::Table;

const COLUMNS: &str = "\
Before anything is measured each row is asked once in each kind of load: its answer must be whole, say what the upstream sent, and \
have come by the row's route. While measuring, an answer that lacks a word or its end is an error.

Columns, each the middle of the rounds, in milliseconds:
  added p50   median latency less that of the proxy beside it, by round
  CPU ms/req  processor time of the gateway's or the proxy's process
  first       from the request to the first word
  gap         from each word to the next; none between words that come together
  stall       from the last word to the end: the outcome is made durable";

/// Settings of the part.
#[derive(Args, Debug)]
#[command(after_help = COLUMNS)]
pub struct RoutesArgs {
    /// Connections to try.
    #[arg(long, value_delimiter = ',', default_value = "1,32")]
    connections: Vec<usize>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds; the rows take turns within each.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Kinds of load to try.
    #[arg(long, value_delimiter = ',', default_value = "plain,stream,paced")]
    modes: Vec<Mode>,
    /// Rows to compare: front, then route. Without its proxy a row shows no added latency.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "proxy-openai,openai-openai,converse-openai,proxy-bedrock,openai-bedrock,converse-bedrock"
    )]
    rows: Vec<Combination>,
}

/// A caller's form, and what answers it.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Combination {
    /// OpenAI's form, by the bare proxy.
    ProxyOpenai,
    /// The OpenAI front, by the OpenAI-compatible route.
    OpenaiOpenai,
    /// The Converse front, by the OpenAI-compatible route.
    ConverseOpenai,
    /// Converse, by the bare proxy.
    ProxyBedrock,
    /// The OpenAI front, by the Bedrock route.
    OpenaiBedrock,
    /// The Converse front, by the Bedrock route.
    ConverseBedrock,
}

impl Combination {
    fn row(self, servers: &Servers) -> Row<'_> {
        let bare = |name, form| {
            let capability = OVER_OPENAI.capability;
            Row { name, server: &servers.proxy, form, capability, route: None }
        };
        let governed = |name, form, Way { capability, route }| Row { name, server: &servers.gateway, form, capability, route: Some(route) };
        match self {
            Self::ProxyOpenai => bare("bare proxy (OpenAI)", Form::OpenAi),
            Self::OpenaiOpenai => governed("OpenAI front, OpenAI-compatible route", Form::OpenAi, OVER_OPENAI),
            Self::ConverseOpenai => governed("Converse front, OpenAI-compatible route", Form::Converse, OVER_OPENAI),
            Self::ProxyBedrock => bare("bare proxy (Bedrock)", Form::Converse),
            Self::OpenaiBedrock => governed("OpenAI front, Bedrock route", Form::OpenAi, OVER_BEDROCK),
            Self::ConverseBedrock => governed("Converse front, Bedrock route", Form::Converse, OVER_BEDROCK),
        }
    }

    /// The proxy before the same upstream; nothing for a proxy itself.
    const fn proxy(self) -> Option<Self> {
        match self {
            Self::OpenaiOpenai | Self::ConverseOpenai => Some(Self::ProxyOpenai),
            Self::OpenaiBedrock | Self::ConverseBedrock => Some(Self::ProxyBedrock),
            Self::ProxyOpenai | Self::ProxyBedrock => None,
        }
    }
}

struct Servers {
    proxy: Server,
    gateway: Server,
    _upstream: Server,
}

/// Runs the part.
pub async fn run(args: RoutesArgs) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let upstream = fleet::start("upstream", Role::Upstream, None, folder.path())?;
    let proxy = fleet::start("bare hyper proxy", Role::Proxy, Some(upstream.address), folder.path())?;
    let gateway = fleet::start("gateway", Role::Durable, Some(upstream.address), folder.path())?;
    let servers = Servers { proxy, gateway, _upstream: upstream };
    let rows: Vec<Row<'_>> = args.rows.iter().map(|combination| combination.row(&servers)).collect();
    let effort = |connections| Effort { connections, lasting: Duration::from_secs_f64(args.seconds), rounds: args.rounds };
    for mode in &args.modes {
        check(&rows, *mode, effort(1)).await?;
    }
    for mode in &args.modes {
        for connections in &args.connections {
            let measured = alternate(&rows, *mode, effort(*connections)).await?;
            print(&args.rows, *mode, *connections, &rows, &measured);
        }
    }
    Ok(())
}

fn print(combinations: &[Combination], mode: Mode, connections: usize, rows: &[Row<'_>], measured: &[Rounds]) {
    let plain = ["", "req/s", "p50 ms", "p99 ms", "added p50", "CPU ms/req", "errors"];
    let stream = ["first p50", "first p99", "gap p50", "gap p99", "stall p50", "stall p99"];
    let columns = if mode.is_stream() { [&plain[..], &stream[..]].concat() } else { plain.to_vec() };
    let mut table = Table::new(format!("{}, {connections} connections", mode.title()), &columns);
    for ((combination, row), rounds) in combinations.iter().zip(rows).zip(measured) {
        let beside = combinations.iter().position(|other| Some(*other) == combination.proxy()).and_then(|place| measured.get(place));
        let added = beside.map_or_else(|| "–".to_owned(), |proxy| rounds.middle_over(proxy, |f| f.p50));
        let middle = |of| rounds.middle(of);
        let mut cells = vec![middle(|f| f.rate), middle(|f| f.p50), middle(|f| f.p99), added, middle(|f| f.cpu_ms), rounds.errors()];
        if mode.is_stream() {
            cells.extend([middle(|f| f.first_p50), middle(|f| f.first_p99), middle(|f| f.gap_p50), middle(|f| f.gap_p99)]);
            cells.extend([middle(|f| f.stall_p50), middle(|f| f.stall_p99)]);
        }
        table.row(row.name, cells);
    }
    table.print();
}
