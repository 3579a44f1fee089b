//! The command line.

mod changes;
mod check;
mod licenses;
mod queue;
#[cfg(feature = "duckdb")]
mod rebuild;
mod serve;
mod site;
#[cfg(feature = "duckdb")]
mod store;
mod token;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use quartile_collector::config::{self, Config};

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
  QUARTILE_TRUSTED_PROXIES    proxies whose headers are believed, with commas between, instead of those of the file
  QUARTILE_LOG                what is logged: error, warn, info, debug, or a filter by module
  QUARTILE_LOG_FORMAT         text or json

Signals: SIGTERM and SIGINT finish what is at work and stop; SIGHUP reads sites and tokens again, which also happens by \
itself when their file changes.

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
    /// Try everything that starting needs, tell all that is wrong and start nothing
    #[command(long_about = check::ABOUT)]
    Check,
    /// Print a configuration with every key
    Example,
    /// Sites that may send
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// Tokens that may read
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Print the notices of what others wrote and this program contains
    Licenses,
    /// Look at the queue, repair it, forward again
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Make the store anew from queue and archive
    #[cfg(feature = "duckdb")]
    #[command(long_about = rebuild::ABOUT)]
    Rebuild(queue::Output),
    /// Work on the store
    #[cfg(feature = "duckdb")]
    #[command(subcommand)]
    Store(store::StoreCommand),
}

/// Does what the command line says.
pub fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // A variable that is set to nothing is not set.
    let config = arguments.config.filter(|path| !path.as_os_str().is_empty());
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(config),
        Command::Check => check::run(config.as_ref()),
        Command::Example => print(config::EXAMPLE),
        Command::Site(command) => site::run(&command, config.as_deref()),
        Command::Token(command) => token::run(&command, &load(config.as_ref())?),
        Command::Licenses => print(&licenses::notices()?),
        Command::Queue(command) => queue::run(&command, &load(config.as_ref())?),
        #[cfg(feature = "duckdb")]
        Command::Rebuild(output) => rebuild::run(&load(config.as_ref())?, &output),
        #[cfg(feature = "duckdb")]
        Command::Store(command) => store::run(&command, &load(config.as_ref())?),
    }
}

fn load(path: Option<&PathBuf>) -> Result<Config, config::ConfigError> {
    config::load(path.map(PathBuf::as_path), &config::process_env)
}

/// Prints a text. Who reads only its beginning, as `head` does, has all that was asked for.
fn print(text: &str) -> Result<(), Box<dyn Error>> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
