//! `cargo xtask bench ingest`: how many requests a second one core acknowledges, how long they wait, what they weigh.
//!
//! The server is pinned to the first core and the generator to the second. The collector with each durability runs in
//! turns with a bare axum handler, nginx and a Fastify collector, several rounds of each; figures are medians. What is
//! compared is the way to the acknowledgement: rows wait a minute for the store, which is longer than a run. What the
//! store costs is measured by itself: memory at a steady rate, and how many batches a second become rows that can be
//! queried, on both cores.

mod subject;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use self::subject::{Cores, Subject};
use crate::build::{Need, Prepared};
use crate::error::{Doing, Error, Result};
use crate::process::{capture, run};
use crate::progress::now;
use crate::workspace::{Context, make_folder};

/// The Fastify that is measured beside ours.
const FASTIFY: &str = "fastify@5";

/// Events in a batch.
const SIZES: [u32; 3] = [1, 10, 50];

/// Connections at once, to every server alike. One that syncs answers a group at a time, so with few of them its
/// throughput would be that of the disk's latency.
const CONNECTIONS: u32 = 512;

/// The size that targets are about.
const USUAL: u32 = 10;

/// Batches a second at which memory is measured, and for how long.
const STEADY: (u32, u64) = (2_000, 20);

/// For how long latency and the way to the store are measured.
const LONG_SECONDS: u64 = 15;

/// How long the store may take to come after.
const CATCHING_UP: Duration = Duration::from_secs(120);

/// How to measure.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// The last line of standard output is the result, progress goes to standard error.
    pub json: bool,
    /// How often each server is measured.
    pub rounds: usize,
    /// For how long each time.
    pub seconds: u64,
}

/// Reads the arguments after `bench ingest`.
pub fn options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    let mut options = Options { json: false, rounds: 3, seconds: 3 };
    while let Some(argument) = rest.next() {
        let mut number = |bound: u64| {
            let number = rest.next().and_then(|number| number.parse::<u64>().ok());
            number
                .filter(|number| (1..=bound).contains(number))
                .ok_or(format!("{argument} needs a number up to {bound}"))
        };
        match argument {
            "--json" => options.json = true,
            "--rounds" => options.rounds = number(20)? as usize,
            "--seconds" => options.seconds = number(60)?,
            other => return Err(format!("unexpected argument `{other}` of bench ingest")),
        }
    }
    Ok(options)
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bare,
    Nginx,
    Fastify,
    Collector(&'static str),
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Bare,
        Self::Nginx,
        Self::Fastify,
        Self::Collector("fsync"),
        Self::Collector("os"),
        Self::Collector("memory"),
    ];

    fn name(self) -> String {
        match self {
            Self::Bare => "bare axum handler".into(),
            Self::Nginx => "nginx, return 204".into(),
            Self::Fastify => "Fastify, fsync per group".into(),
            Self::Collector(durability) => format!("quartile, {durability}"),
        }
    }
}

/// What one run gave.
#[derive(Clone, Debug, Default)]
struct Run {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    cpu_micros: f64,
    rss_mb: f64,
    failed: u64,
}

/// The tools and where their files are.
struct Bench<'a> {
    context: &'a Context,
    folder: PathBuf,
    full: PathBuf,
    small: PathBuf,
    load: PathBuf,
    has_nginx: bool,
    fastify: Option<PathBuf>,
}

/// Measures everything; as tables, or as one line of JSON.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    let bench = Bench::prepare(context)?;
    let table = bench.compare(options)?;
    let median = |kind| table.iter().find(|(found, size, _)| *found == kind && *size == USUAL).map(|(.., run)| run);
    let ours = median(Kind::Collector("fsync")).cloned().unwrap_or_default();
    let floor = median(Kind::Bare).cloned().unwrap_or_default();
    context.progress.say("── Latency at half load");
    let half = bench.latency(ours.per_second / 2.0)?;
    context.progress.say("── Memory at a steady rate");
    let (forwarding, embedded) = (bench.memory_forwarding()?, bench.memory_embedded()?);
    context.progress.say("── From socket to rows");
    let (sustained, lag) = bench.sustained()?;
    let binary_mb = std::fs::metadata(&bench.small).doing(|| "the binary".into())?.len() as f64 / 1e6;

    let result = json!({
        "ack_ratio_fsync_10": rounded(ours.per_second / floor.per_second, 3),
        "acks_per_s_fsync_10": ours.per_second.round(),
        "p99_ms_half_load": rounded(half.p99_ms, 1),
        "rss_mb_forwarding": rounded(forwarding.rss_mb, 1),
        "rss_mb_embedded": rounded(embedded.rss_mb, 1),
        "sustained_batches_per_s": sustained.round(),
        "largest_lag_rows": lag,
        "binary_mb_without_duckdb": rounded(binary_mb, 1),
        "failed_requests": table.iter().map(|(.., run)| run.failed).sum::<u64>() + half.failed,
        "runs": table.iter().map(|(kind, size, run)| run.to_json(*kind, *size)).collect::<Vec<_>>(),
    });
    if options.json {
        println!("{result}");
    } else {
        print!("\n{}\n{}", markdown(&table, bench.has_nginx, bench.fastify.is_some()), summary(&result));
    }
    Ok(())
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

impl Bench<'_> {
    fn prepare(context: &Context) -> Result<Bench<'_>> {
        Prepared::default().ensure_all(context, &[Need::Bundles, Need::DuckDb])?;
        let folder = context.target_folder()?.join("bench");
        make_folder(&folder)?;
        let small = folder.join("quartile-without-duckdb");
        let built = context.target_folder()?.join("release");
        let build =
            |arguments: &[&str]| run(context.cargo(&["build", "--release"]).args(arguments), context.progress.sink());
        context.progress.step("Compiling for the bench", || {
            // One after the other in the same folder, so that what both are made of is compiled once.
            build(&["--package", "quartile-collector", "--no-default-features"])?;
            std::fs::copy(built.join("quartile"), &small).doing(|| "keeping the collector without a store".into())?;
            build(&["--package", "quartile-collector", "--package", "quartile-bench"])
        })?;
        Ok(Bench {
            context,
            full: built.join("quartile"),
            load: built.join("quartile-bench"),
            small,
            has_nginx: answers(Command::new("nginx").arg("-v")),
            fastify: install_fastify(context, &folder),
            folder,
        })
    }

    /// Every server with every size, in turns; the median of each.
    fn compare(&self, options: &Options) -> Result<Vec<(Kind, u32, Run)>> {
        let present = |kind: &Kind| match kind {
            Kind::Nginx => self.has_nginx,
            Kind::Fastify => self.fastify.is_some(),
            _ => true,
        };
        let kinds: Vec<_> = Kind::ALL.into_iter().filter(present).collect();
        let mut runs: Vec<(Kind, u32, Vec<Run>)> = Vec::new();
        for size in SIZES {
            runs.extend(kinds.iter().map(|&kind| (kind, size, Vec::new())));
        }
        for round in 1..=options.rounds {
            self.context.progress.say(&format!("── Round {round} of {}", options.rounds));
            for (kind, size, found) in &mut runs {
                let subject = self.start(*kind)?;
                // Caches, connections and the first segment are not what is measured.
                self.load(&subject, *size, 1, None)?;
                let run = self.load(&subject, *size, options.seconds, None)?;
                self.context.progress.say(&format!("   {} × {size}: {:.0}/s", kind.name(), run.per_second));
                found.push(run);
            }
        }
        Ok(runs.into_iter().map(|(kind, size, found)| (kind, size, middle(found))).collect())
    }

    fn start(&self, kind: Kind) -> Result<Subject> {
        match kind {
            Kind::Bare => Subject::printing(Command::new(&self.load).arg("bare"), Cores::First),
            Kind::Nginx => {
                let folder = self.folder.join("nginx");
                Subject::listening(|address| subject::nginx(&folder, address), Cores::First, Some(folder.clone()))
            }
            Kind::Fastify => {
                let folder = self.fastify.as_deref().unwrap_or(&self.folder);
                let file = folder.join("batches.ndjson");
                let _ = std::fs::remove_file(&file);
                Subject::printing(Command::new("node").arg(folder.join("fastify.mjs")).arg(file), Cores::First)
            }
            Kind::Collector(durability) => self.collector(&self.full, durability, 60_000, Cores::First, None),
        }
    }

    /// A collector with an empty folder, as the demo or with a configuration.
    fn collector(
        &self,
        binary: &Path,
        durability: &str,
        delay_ms: u32,
        cores: Cores,
        config: Option<&str>,
    ) -> Result<Subject> {
        let folder = self.folder.join("data");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).doing(|| "clearing the bench's folder".into())?;
        }
        make_folder(&folder)?;
        let make = |address: std::net::SocketAddr| {
            let mut command = Command::new(binary);
            for (name, value) in [
                ("QUARTILE_LISTEN", address.to_string()),
                ("QUARTILE_DATA_DIR", folder.display().to_string()),
                ("QUARTILE_DURABILITY", durability.to_owned()),
                ("QUARTILE_FORWARD_DELAY_MS", delay_ms.to_string()),
            ] {
                command.env(name, value);
            }
            if let Some(config) = config {
                let path = folder.join("quartile.toml");
                std::fs::write(&path, config).doing(|| "configuring the collector".into())?;
                command.arg("--config").arg(path);
            }
            Ok(command)
        };
        Subject::listening(make, cores, Some(folder.clone()))
    }

    /// Loads a server from the second core.
    fn load(&self, subject: &Subject, events: u32, seconds: u64, rate: Option<u32>) -> Result<Run> {
        let mut command = Command::new(&self.load);
        command.args(["load", "--to", &subject.address.to_string(), "--events", &events.to_string()]);
        command.args(["--seconds", &seconds.to_string(), "--connections", &CONNECTIONS.to_string()]);
        match rate {
            None => command.arg("closed"),
            Some(rate) => command.args(["open", &rate.to_string()]),
        };
        let before = subject.cpu_micros()?;
        let printed = capture(&mut Cores::Second.pin(&command))?;
        let cpu = subject.cpu_micros()? - before;
        let told: Value = serde_json::from_str(printed.trim()).doing(|| "reading the generator's result".into())?;
        let number = |name: &str| told[name].as_f64().unwrap_or_default();
        Ok(Run {
            per_second: number("requests") / number("seconds"),
            p50_ms: number("p50_us") / 1e3,
            p99_ms: number("p99_us") / 1e3,
            p999_ms: number("p999_us") / 1e3,
            cpu_micros: cpu as f64 / number("requests").max(1.0),
            rss_mb: subject.resident_kb()? as f64 / 1024.0,
            failed: (number("refused") + number("not_sent")) as u64,
        })
    }

    fn latency(&self, rate: f64) -> Result<Run> {
        let subject = self.start(Kind::Collector("fsync"))?;
        self.load(&subject, USUAL, 2, Some(rate as u32))?;
        self.load(&subject, USUAL, LONG_SECONDS, Some(rate as u32))
    }

    /// Without a store: rows go to a receiver over HTTP.
    fn memory_forwarding(&self) -> Result<Run> {
        let receiver = Subject::printing(Command::new(&self.load).arg("bare"), Cores::Second)?;
        let config = format!(
            "auth = \"none\"\ntrusted_proxies = [\"127.0.0.1\"]\n[[sites]]\nid = \"demo\"\norigins = [\"*\"]\n\
             [geo]\nheaders = \"cloudflare\"\n[[sinks]]\nname = \"receiver\"\nkind = \"http\"\n\
             url = \"http://{}/v1/collect\"\nrows = \"as_received\"\n",
            receiver.address
        );
        let subject = self.collector(&self.small, "fsync", 200, Cores::Both, Some(&config))?;
        self.load(&subject, USUAL, STEADY.1, Some(STEADY.0))
    }

    fn memory_embedded(&self) -> Result<Run> {
        let subject = self.collector(&self.full, "fsync", 200, Cores::Both, None)?;
        self.load(&subject, USUAL, STEADY.1, Some(STEADY.0))
    }

    /// Batches a second, from the first request until the store has every row; and how many rows it was behind when the
    /// requests ended.
    fn sustained(&self) -> Result<(f64, u64)> {
        let subject = self.collector(&self.full, "fsync", 200, Cores::Both, None)?;
        let begun = now();
        let run = self.load(&subject, USUAL, LONG_SECONDS, None)?;
        let (batches, lag) = (run.per_second * LONG_SECONDS as f64, subject.metric("quartile_forward_lag_rows")?);
        let ended = now();
        while subject.metric("quartile_forward_lag_rows")? > 0 {
            if ended.elapsed() > CATCHING_UP {
                return Err(Error::new(format!("the store does not come after: {lag} rows behind")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok((batches / begun.elapsed().as_secs_f64(), lag))
    }
}

fn answers(command: &mut Command) -> bool {
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Fastify in a folder of its own; it is no dependency of the product. `None` where it cannot be had.
fn install_fastify(context: &Context, folder: &Path) -> Option<PathBuf> {
    let folder = folder.join("fastify");
    make_folder(&folder).ok()?;
    std::fs::copy(context.path("xtask/bench/fastify.mjs"), folder.join("fastify.mjs")).ok()?;
    if !folder.join("node_modules/fastify").exists() {
        let prefix = format!("--prefix={}", folder.display());
        let arguments = ["install", FASTIFY, "--no-save", "--ignore-scripts", &prefix];
        run(&mut context.npm(&arguments), context.progress.sink()).ok()?;
    }
    Some(folder)
}

/// The run in the middle by throughput.
fn middle(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    runs.swap_remove(runs.len() / 2)
}

impl Run {
    fn to_json(&self, kind: Kind, size: u32) -> Value {
        json!({
            "server": kind.name(),
            "events": size,
            "requests_per_s": self.per_second.round(),
            "events_per_s": (self.per_second * f64::from(size)).round(),
            "p50_ms": rounded(self.p50_ms, 2),
            "p99_ms": rounded(self.p99_ms, 2),
            "p999_ms": rounded(self.p999_ms, 2),
            "cpu_us": rounded(self.cpu_micros, 1),
            "rss_mb": rounded(self.rss_mb, 1),
            "failed": self.failed,
        })
    }
}

fn markdown(table: &[(Kind, u32, Run)], has_nginx: bool, has_fastify: bool) -> String {
    let mut text = String::from(
        "| server | events | requests/s | events/s | p50 ms | p99 ms | p99.9 ms | CPU µs | memory MB |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (kind, size, run) in table {
        let Run { per_second, p50_ms, p99_ms, p999_ms, cpu_micros, rss_mb, .. } = run;
        text.push_str(&format!(
            "| {} | {size} | {per_second:.0} | {:.0} | {p50_ms:.1} | {p99_ms:.1} | {p999_ms:.1} | {cpu_micros:.0} | {rss_mb:.0} |\n",
            kind.name(),
            per_second * f64::from(*size),
        ));
    }
    for (name, is_there) in [("nginx", has_nginx), ("Fastify", has_fastify)] {
        if !is_there {
            text.push_str(&format!("\nnot run: {name} is not installed\n"));
        }
    }
    text
}

fn summary(result: &Value) -> String {
    let members = result.as_object().into_iter().flatten().filter(|(name, _)| *name != "runs");
    members.map(|(name, value)| format!("{name:<28} {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_in_the_middle_counts() {
        let runs = [3.0, 1.0, 2.0].map(|per_second| Run { per_second, ..Run::default() });
        assert!((middle(runs.to_vec()).per_second - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_was_not_run_is_said() {
        let table = [(Kind::Bare, 10, Run { per_second: 1000.0, ..Run::default() })];
        let text = markdown(&table, false, true);
        assert!(text.contains("| bare axum handler | 10 | 1000 | 10000 |"), "{text}");
        assert!(text.contains("not run: nginx") && !text.contains("Fastify"), "{text}");
    }
}
