//! `quartile serve`: the collector at work, until a signal ends it.

use std::error::Error;
use std::fs;
use std::io::IsTerminal;
use std::path::PathBuf;

use quartile_collector::app::{self, Bounds, Collector};
use quartile_collector::clock::Clock;
use quartile_collector::config::{Config, LogFormat};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::changes::Changes;
use super::load;

/// Collects and answers.
pub fn run(path: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let config = load(path.as_ref())?;
    start_log(config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(collect(path, config));
    // A query that nobody waits for any more does not keep the process.
    runtime.shutdown_background();
    served
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("QUARTILE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi);
    // What cannot be logged, because the disk is full for instance, is no reason for whoever logs to panic.
    let log = log.log_internal_errors(false);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

async fn collect(path: Option<PathBuf>, config: Config) -> Result<(), Box<dyn Error>> {
    // Before anything is kept, so that no signal finds the collector unprepared.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    let clock = Clock::system();
    app::check_store(&config)?;
    // Before tokens are read, so that none is changed unseen while the collector starts.
    fs::create_dir_all(&config.data_dir)?;
    let mut changes = Changes::watch(path.as_deref(), &config.tokens_path());
    let (settings, for_store) = (config.clone(), clock.clone());
    let open_store = move || app::open_store(&settings, &for_store);
    let collector = Collector::start(config.clone(), clock, bounds(&config.bounds), open_store).await?;
    tell_start(&config, &collector);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => {
                reload(&collector, path.as_ref());
                collector.reload_places();
            }
            () = changes.next() => reload(&collector, path.as_ref()),
        }
    }
    tracing::info!("stopping");
    collector.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Reads sites and tokens again. With a mistake in either both stay as they were.
fn reload(collector: &Collector, path: Option<&PathBuf>) {
    let read = || -> Result<_, Box<dyn Error>> {
        let config = load(path)?;
        let access = app::readers(&config)?;
        Ok((config.sites, access))
    };
    match read() {
        Ok((sites, access)) => {
            let (count, readers) = (sites.iter().count(), access.to_string());
            collector.replace(sites, access);
            tracing::info!(
                sites = count,
                readers,
                "sites and tokens were read again; everything else waits for a restart"
            );
        }
        Err(error) => {
            collector.count_failed_reload();
            tracing::error!("SITES AND TOKENS STAY AS THEY WERE, because of a mistake: {error}");
        }
    }
}

/// The bounds, with no more connections than leave files enough for everything else.
fn bounds(wanted: &Bounds) -> Bounds {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let half = files.map_or(u32::MAX, |files| u32::try_from(files / 2).unwrap_or(u32::MAX)).max(1);
    if half < wanted.connections {
        tracing::warn!(
            wanted = wanted.connections,
            allowed = half,
            "the limit of open files allows fewer connections than `server.connections`: raise it to twice that"
        );
    }
    Bounds { connections: wanted.connections.min(half), ..wanted.clone() }
}

fn tell_start(config: &Config, collector: &Collector) {
    let sites: Vec<_> = config.sites.iter().map(|site| site.id.as_str()).collect();
    tracing::info!(
        "listening on http://{} for the sites {}, keeping everything in {}; reports are for {}",
        collector.address(),
        sites.join(", "),
        config.data_dir.display(),
        collector.readers(),
    );
    if config.demo {
        tracing::warn!("this is the demo: anybody on this machine may send and read; --config names a configuration");
    }
}
