//! The books balance: whatever is grouped by, and in whatever order, the sums agree to the last pico-dollar.

use std::collections::{BTreeMap, HashMap};

use super::*;

const USAGES: u64 = 100_000;

/// A small generator with a seed that a failure can name (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn count(&mut self) -> u64 {
        let size = 10_u64.pow(u32::try_from(self.roll(7)).unwrap());
        self.roll(size)
    }

    fn usage(&mut self) -> Usage {
        let [plain, output] = std::array::from_fn(|_| self.count());
        let [read, short, long] = if self.roll(2) == 0 { [0; 3] } else { std::array::from_fn(|_| self.count()) };
        let tokens = TokenUsage {
            input: plain + read + short + long,
            cache_read: read,
            cache_write_5m: short,
            cache_write_1h: long,
            output,
            reasoning: output / 3,
        };
        let items = if self.roll(10) == 0 { BTreeMap::from([(Item::WebSearchMedium, self.roll(9))]) } else { BTreeMap::new() };
        Usage { items, ..Usage::from(tokens) }
    }

    fn facts(&mut self, ids: &[(ModelName, Option<custody_types::Text>, ServiceTier)]) -> Facts {
        let (model, variant, service) = ids[usize::try_from(self.roll(ids.len() as u64)).unwrap()].clone();
        let geography = (self.roll(3) == 0).then(|| "us".into());
        Facts { variant, service, geography, ..Facts::on_demand(Provider::Bedrock, model, NOV_2026) }
    }
}

fn fixture() -> (PriceBook, Vec<(ModelName, Option<custody_types::Text>, ServiceTier)>) {
    let book = PriceBook::parse("fixture", include_str!("fixtures/litellm_bedrock.toml")).unwrap();
    let mut subjects = Vec::new();
    for entry in book.entries() {
        subjects.push((entry.model.clone(), entry.variant.clone(), ServiceTier::Standard));
        subjects.extend(entry.tiers.iter().map(|tier| (entry.model.clone(), entry.variant.clone(), tier.service)));
    }
    (book, subjects)
}

#[test]
fn a_hundred_thousand_random_usages_balance_at_every_grouping() {
    let seed = 20_261_121;
    let (book, subjects) = fixture();
    let mut dice = Dice(seed);
    let mut whole = Sum::default();
    let mut by_tenant: HashMap<u64, Sum> = HashMap::new();
    let mut by_model: BTreeMap<String, Sum> = BTreeMap::new();
    let mut by_both: HashMap<(u64, String), Sum> = HashMap::new();
    let (mut by_class, mut parts): (BTreeMap<PriceClass, i128>, [i128; 5]) = Default::default();
    let mut answers = Vec::new();
    for _ in 0..USAGES {
        let (facts, usage, tenant) = (dice.facts(&subjects), dice.usage(), dice.roll(50));
        let quote = book.quote(&facts, &usage);
        let amount = quote.as_ref().map(Quote::total).map_err(|finding| *finding);
        for sum in [
            by_tenant.entry(tenant).or_default(),
            by_model.entry(facts.model.to_string()).or_default(),
            by_both.entry((tenant, facts.model.to_string())).or_default(),
            &mut whole,
        ] {
            sum.add(amount);
        }
        if let Ok(quote) = &quote {
            assert!(quote.total().pico() >= 0 && quote.lines().iter().all(|line| line.amount.pico() >= 0), "seed {seed}");
            assert_eq!(quote.lines().iter().map(|line| line.amount.pico()).sum::<i64>(), quote.total().pico(), "seed {seed}");
            quote.lines().iter().for_each(|line| *by_class.entry(line.class).or_default() += i128::from(line.amount.pico()));
            let priced = quote.priced();
            let of_event = [priced.input, priced.cache_read, priced.cache_write, priced.output, priced.items];
            parts.iter_mut().zip(of_event).for_each(|(sum, part)| *sum += i128::from(part.pico()));
        }
        answers.push(amount);
    }
    assert!(whole.priced() > USAGES / 4, "seed {seed}: {whole:?}");
    assert_eq!(by_class.values().sum::<i128>(), whole.pico(), "seed {seed}");
    assert_eq!(parts.iter().sum::<i128>(), whole.pico(), "seed {seed}");
    for grouped in [merged(by_tenant.values()), merged(by_model.values()), merged(by_both.values())] {
        assert_eq!(grouped, whole, "seed {seed}");
    }
    answers.reverse();
    let mut backwards = Sum::default();
    answers.into_iter().for_each(|amount| backwards.add(amount));
    assert_eq!(backwards, whole, "seed {seed}");
    println!("seed {seed}: {} priced, {:?} without amount, total {whole} USD", whole.priced(), whole.findings());
}

fn merged<'s>(sums: impl Iterator<Item = &'s Sum>) -> Sum {
    let mut whole = Sum::default();
    sums.for_each(|sum| whole.merge(sum));
    whole
}

proptest! {
    /// More of anything never costs less, within a tier.
    #[test]
    fn no_count_makes_a_request_cheaper(usage in usages(), more in 0_u64..1000, class in 0_usize..5) {
        let mut larger = usage;
        match class {
            0 => larger.input += more,
            1 => { larger.input += more; larger.cache_read += more; }
            2 => { larger.input += more; larger.cache_write_5m += more; }
            3 => { larger.input += more; larger.cache_write_1h += more; }
            _ => larger.output += more,
        }
        prop_assert!(sim_large(&larger).unwrap().total >= sim_large(&usage).unwrap().total);
    }

    /// Pricing again with the same book changes nothing; nothing but the arguments counts.
    #[test]
    fn pricing_again_gives_the_same(seed in any::<u64>()) {
        let (book, subjects) = fixture();
        let mut dice = Dice(seed);
        let (facts, usage) = (dice.facts(&subjects), dice.usage());
        prop_assert_eq!(book.quote(&facts, &usage), book.quote(&facts, &usage));
    }
}
