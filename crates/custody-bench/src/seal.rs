//! `seal`: what sealing and opening a text costs on one core, at the edge and at rest, beside AES-256-GCM alone.
//!
//! All rows take the same texts. AES-GCM alone encrypts under one key with a counted nonce; the product's rows derive a key for each
//! text, commit to the key, and compute the commitment that the event carries (HMAC-SHA-256 over the text).

use std::{hint::black_box, time::Duration};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{AeadInOut, Nonce},
};
use anyhow::{Context, Result};
use clap::Args;
use custody_seal::{
    Entropy, Part, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgeTerms, EdgeWindow, SegmentSealer},
    rest::{ContentSchema, ShredUnit, UnitKey},
};
use custody_types::{IdSource, Timestamp};
use tokio::time::Instant;

use crate::{
    entropy::System,
    measure::median,
    terminal::{Table, say, shown},
};

const NOON: Timestamp = Timestamp::from_micros(1_760_000_000_000_000);
const SCHEMA: ContentSchema = ContentSchema(1);

/// Settings of the part.
#[derive(Args, Debug)]
pub struct SealArgs {
    /// Sizes of a text, in bytes.
    #[arg(long, value_delimiter = ',', default_value = "200,2048,65536")]
    sizes: Vec<usize>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Rounds; the rows alternate within each.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Everything a row needs, made once.
struct Bench {
    context: TextContext,
    sealer: SegmentSealer,
    opener: EdgeOpener,
    unit: UnitKey,
    alone: Aes256Gcm,
}

/// Texts a second, and the bytes that came out of one, for each round.
type Rounds = Vec<(f64, usize)>;

/// One row: does one text and says how many bytes came out.
type Row<'a> = (&'static str, Box<dyn FnMut() -> Result<usize> + 'a>);

/// Runs the part.
pub fn run(args: &SealArgs) -> Result<()> {
    for size in &args.sizes {
        let text = text_of(*size);
        let (names, rounds) = measure(args, &text)?;
        print(args, *size, &names, &rounds);
    }
    say("  one core; MB of text a second. Sealed at rest are the text and its redacted form, so a kept text is sealed twice.");
    Ok(())
}

/// Words, because that is what is sealed; sealing does not look at them.
fn text_of(size: usize) -> Vec<u8> {
    b"where is my parcel, it should have come on monday? ".iter().copied().cycle().take(size).collect()
}

/// Texts a second and bytes added, by row and round.
fn measure(args: &SealArgs, text: &[u8]) -> Result<(Vec<&'static str>, Vec<Rounds>)> {
    let mut bench = Bench::new()?;
    let mut names = Vec::new();
    let mut all: Vec<Rounds> = Vec::new();
    for round in 0..args.rounds {
        for (place, (name, mut row)) in bench.rows(text)?.into_iter().enumerate() {
            if round == 0 {
                names.push(name);
                all.push(Vec::new());
            }
            let figure = repeat(Duration::from_secs_f64(args.seconds), &mut row)?;
            if let Some(rounds) = all.get_mut(place) {
                rounds.push(figure);
            }
        }
    }
    Ok((names, all))
}

fn repeat(lasting: Duration, row: &mut dyn FnMut() -> Result<usize>) -> Result<(f64, usize)> {
    let began = Instant::now();
    let (mut done, mut bytes) = (0_u32, 0);
    while began.elapsed() < lasting {
        for _ in 0..16 {
            bytes = black_box(row()?);
        }
        done += 16;
    }
    Ok((f64::from(done) / began.elapsed().as_secs_f64(), bytes))
}

impl Bench {
    fn new() -> Result<Self> {
        let context = context()?;
        let window = EdgeWindow::new(Duration::from_secs(3600), Duration::from_secs(259_200));
        let key = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut System)?;
        let sealer = SegmentSealer::begin(key.public(), window, &mut System)?;
        let mut opener = EdgeOpener::new();
        opener.hold(key);
        let unit = UnitKey::generate(ShredUnit::of(&context, NOON), &mut System)?;
        let mut secret = [0; 32];
        System.fill(&mut secret)?;
        Ok(Self { context, sealer, opener, unit, alone: Aes256Gcm::new(&secret.into()) })
    }

    fn rows<'a>(&'a mut self, text: &'a [u8]) -> Result<Vec<Row<'a>>> {
        let Self { context, sealer, opener, unit, alone } = self;
        let (context, sealer, unit, alone) = (&*context, &*sealer, &*unit, &*alone);
        let at_edge = sealer.seal(context, &EdgeTerms::default(), text, NOON)?;
        let opened = opener.open(&at_edge.bytes, context, &EdgeTerms::default())?;
        let at_rest = unit.seal(SCHEMA, context, &opened, &mut System)?;
        let mut count = 0_u64;
        let encrypt = move || {
            count += 1;
            let mut nonce = [0; 12];
            nonce.iter_mut().zip(count.to_be_bytes()).for_each(|(to, from)| *to = from);
            let mut bytes = text.to_vec();
            alone.encrypt_in_place(&Nonce::<Aes256Gcm>::from(nonce), &[], &mut bytes).map_err(|_| anyhow::anyhow!("too long"))?;
            Ok(bytes.len())
        };
        Ok(vec![
            ("AES-256-GCM alone", Box::new(encrypt)),
            ("seal at the edge", Box::new(move || Ok(sealer.seal(context, &EdgeTerms::default(), text, NOON)?.bytes.len()))),
            ("open from the edge", Box::new(move || Ok(opener.open(&at_edge.bytes, context, &EdgeTerms::default())?.text().len()))),
            ("seal at rest", Box::new(move || Ok(unit.seal(SCHEMA, context, &opened, &mut System)?.len()))),
            ("open from rest", Box::new(move || Ok(unit.open(&at_rest, SCHEMA, context)?.text().len()))),
        ])
    }
}

fn context() -> Result<TextContext> {
    let label = "a label is wrong";
    Ok(TextContext {
        tenant: "acme".parse().context(label)?,
        person: Some("p_0123456789abcdef".parse().context(label)?),
        request: custody_gateway::SystemIds.request_id(),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality-review".parse().context(label)?,
        retention: "short".parse().context(label)?,
    })
}

fn print(args: &SealArgs, size: usize, names: &[&'static str], rounds: &[Rounds]) {
    let title = format!("sealing and opening, texts of {size} bytes ({} rounds of {} s, median)", args.rounds, args.seconds);
    let mut table = Table::new(&title, &["", "MB/s", "texts/s", "µs a text", "bytes added"]);
    for (name, figures) in names.iter().zip(rounds) {
        let rate = median(figures.iter().map(|(rate, _)| *rate));
        let added = figures.first().map_or(0, |(_, bytes)| bytes.saturating_sub(size));
        table.row((*name).to_owned(), [shown(rate * size as f64 / 1e6), shown(rate), shown(1e6 / rate), added.to_string()]);
    }
    table.print();
}
