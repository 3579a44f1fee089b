//! What it takes to read user agents: `cargo bench -p quartile-collector --bench agents`.
//!
//! Prints figures; the machine is never quiet enough to assert on them.
// A benchmark is the shell that reads the clock.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::time::Instant;

use quartile_collector::enrich::agent::Agents;

const TABLE: &str = include_str!("../fixtures/user-agents.tsv");
const READS: usize = 1_000_000;

/// Different user agents that a large site sees in a day: five times what is remembered.
const DIFFERENT: usize = 50_000;

fn main() {
    let started = Instant::now();
    let agents = Agents::new().unwrap();
    println!("compiling the patterns: {:.0?}", started.elapsed());
    let known: Vec<_> = TABLE.lines().filter_map(|line| line.split_once('\t')).map(|(_, agent)| agent).collect();

    let different: Vec<_> =
        (0..DIFFERENT).map(|number| format!("{} v/{number}", known[number % known.len()])).collect();
    let started = Instant::now();
    different.iter().take(5_000).for_each(|agent| drop(agents.read(agent)));
    println!("one for the first time: {:.1?}", started.elapsed() / 5_000);

    let started = Instant::now();
    (0..READS).for_each(|number| drop(agents.read(&different[number % 100])));
    println!("one of a hundred, again: {:.0?}", started.elapsed() / READS as u32);

    // As on a site: the k-th most frequent comes 1/k as often as the first.
    let weights: Vec<f64> = (1..=DIFFERENT)
        .scan(0.0, |sum, rank| {
            Some({
                *sum += 1.0 / rank as f64;
                *sum
            })
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(1);
    let agents = Agents::new().unwrap();
    let (mut misses, started) = (0, Instant::now());
    for _ in 0..READS {
        let point = random.f64() * weights[DIFFERENT - 1];
        let chosen = weights.partition_point(|&sum| sum < point);
        misses += usize::from(!agents.remembers(&different[chosen]));
        drop(agents.read(&different[chosen]));
    }
    let hits = 100.0 * (READS - misses) as f64 / READS as f64;
    println!(
        "{DIFFERENT} different ones by Zipf's law: {hits:.1} % remembered, {:.2?} each",
        started.elapsed() / READS as u32
    );
}
