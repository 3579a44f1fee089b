//! The command line.

mod queue;
#[cfg(feature = "duckdb")]
mod rebuild;

use std::error::Error;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use quartile_collector::app::{self, Bounds, Collector};
use quartile_collector::clock::Clock;
use quartile_collector::config::{self, Config, LogFormat};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const LONG_ABOUT: &str = "\
Takes in what players in web pages tell of their views, keeps it on disk, and answers reports about it.

Without a configuration file it starts as a demo: one site named `demo` that any page on this machine may send to, \
reports without a token, data in ./quartile-data, and no address but this machine's own.";

const AFTER_HELP: &str = "\
Environment, stronger than the file:
  QUARTILE_LISTEN             address and port to listen on, such as 127.0.0.1:8787
  QUARTILE_DATA_DIR           folder of everything that is kept
  QUARTILE_DURABILITY         fsync, os or memory: what a success reply means
  QUARTILE_TOKEN              one more token that may read reports
  QUARTILE_FORWARD_DELAY_MS   how long rows wait for company before they go to the store
  QUARTILE_LOG                what is logged: error, warn, info, debug, or a filter by module

Signals: SIGTERM and SIGINT finish what is at work and stop; SIGHUP reads the sites of the file again.

A configuration with every key, commented: quartile example";

/// Self-hosted video analytics: the collector.
#[derive(Parser)]
#[command(name = "quartile", version, long_about = LONG_ABOUT, after_help = AFTER_HELP)]
struct Arguments {
    /// The configuration, a TOML file; without one the demo starts
    #[arg(long, global = true, env = "QUARTILE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Collect and answer; what happens when no command is given
    Serve,
    /// Read the configuration, tell all its mistakes and start nothing
    Check,
    /// Print a configuration with every key
    Example,
    /// Tokens that may read reports
    #[command(subcommand)]
    Token(TokenCommand),
    /// Look at the queue, repair it, forward again
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Make the store anew from queue and archive
    #[cfg(feature = "duckdb")]
    #[command(long_about = rebuild::ABOUT)]
    Rebuild(queue::Output),
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Print a new token, once, and the line for the configuration
    Create,
}

/// Does what the command line says.
pub fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // A variable that is set to nothing is not set.
    let config = arguments.config.filter(|path| !path.as_os_str().is_empty());
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config),
        Command::Check => check(config),
        Command::Example => {
            print!("{}", config::EXAMPLE);
            Ok(())
        }
        Command::Token(TokenCommand::Create) => create_token(),
        Command::Queue(command) => queue::run(&command, &load(config.as_ref())?),
        #[cfg(feature = "duckdb")]
        Command::Rebuild(output) => rebuild::run(&load(config.as_ref())?, &output),
    }
}

fn load(path: Option<&PathBuf>) -> Result<Config, config::ConfigError> {
    config::load(path.map(PathBuf::as_path), &config::process_env)
}

fn check(path: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let config = load(path.as_ref())?;
    println!("listens on   {}", config.listen);
    println!("keeps        {}", config.data_dir.display());
    for site in config.sites.iter() {
        println!("site         {}", site.id);
    }
    if let Some(archive) = &config.archive {
        let (days, bytes) = (archive.retention.days, queue::size(archive.retention.max_bytes));
        println!("archive      {}, {days} days, at most {bytes}", archive.dir.display());
    }
    for sink in &config.sinks {
        println!("sink         {}, {}", sink.name, sink.url);
    }
    println!("reports for  {}", config.access);
    if config.demo {
        println!("This is the demo: name a configuration with --config for anything else.");
    }
    Ok(())
}

fn create_token() -> Result<(), Box<dyn Error>> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let token = format!("qt_{}", config::hex(&random));
    println!("The token; it is not shown again and not kept anywhere:\n\n  {token}\n");
    println!("For the configuration:\n\n  [auth]\n  tokens = [\"{}\"]\n", config::hex(&config::token_hash(&token)));
    println!("To read: curl -H 'Authorization: Bearer {token}' …");
    Ok(())
}

fn serve(path: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
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
    let (settings, for_store) = (config.clone(), clock.clone());
    let open_store = move || app::open_store(&settings, &for_store);
    let collector = Collector::start(config.clone(), clock, bounds(), open_store).await?;
    tell_start(&config, &collector);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => match load(path.as_ref()) {
                Ok(config) => {
                    collector.replace_sites(config.sites);
                    tracing::info!("the sites were read again; everything else waits for a restart");
                }
                Err(error) => tracing::error!("the sites stay as they were: {error}"),
            },
        }
    }
    tracing::info!("stopping");
    collector.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// The usual bounds, with no more connections than leave files enough for everything else.
fn bounds() -> Bounds {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let usual = Bounds::default();
    let half = files.map_or(u32::MAX, |files| u32::try_from(files / 2).unwrap_or(u32::MAX));
    Bounds { connections: usual.connections.min(half).max(1), ..usual }
}

fn tell_start(config: &Config, collector: &Collector) {
    let sites: Vec<_> = config.sites.iter().map(|site| site.id.as_str()).collect();
    tracing::info!(
        "listening on http://{} for the sites {}, keeping everything in {}; reports are for {}",
        collector.address(),
        sites.join(", "),
        config.data_dir.display(),
        config.access,
    );
    if config.demo {
        tracing::warn!("this is the demo: anybody on this machine may send and read; --config names a configuration");
    }
}
