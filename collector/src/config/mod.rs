//! The configuration: one TOML file, environment variables over it, and all mistakes at once.
//!
//! Without a file there is the *demo*: one site that anybody on this machine may send to and read from. What a file must
//! hold and what it may hold is written at [`EXAMPLE`]; a key that is not there is a mistake.

mod bounds;
mod edit;
mod proxies;
mod reader;
mod sink;
mod site;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::bounds::Bounds;
pub use self::edit::{EditError, NewSite, add_site};
pub use self::reader::Mistake;
use self::reader::{Mistakes, Section};
pub use self::site::{Consent, GeoPrecision, Origins, Site, Sites};
use crate::access::{Access, Grant, token_hash};
use crate::archive::{Archive, Retention};
use crate::enrich::address::Trust;
use crate::enrich::headers::HeaderNames;
use crate::queue::{self, Durability};
use crate::sink::SinkConfig;

/// A file with everything in it; `quartile check` takes it, and the documentation shows it.
pub const EXAMPLE: &str = include_str!("example.toml");

/// The longest that rows may wait for company.
const MAX_DELAY_MS: u64 = 60_000;

/// The longest that the archive may be kept: a hundred years.
const MAX_KEEP_DAYS: u64 = 36_500;

/// How long the archive is kept unless something else is said.
const KEEP_DAYS: u32 = 30;

/// How large the archive may grow unless something else is said.
const ARCHIVE_BYTES: u64 = 20 << 30;

/// The shortest token that is taken from the environment.
const TOKEN_CHARS: usize = 16;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether there is no file, and this is the demo.
    pub demo: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of everything that is kept.
    pub data_dir: PathBuf,
    /// Who may send.
    pub sites: Sites,
    /// The queue; its folder is in `data_dir`.
    pub queue: queue::Config,
    /// The archive of what was consumed from the queue, if one is kept; its folder is in `data_dir`.
    pub archive: Option<Archive>,
    /// MMDB files with places and networks.
    pub mmdb: Vec<PathBuf>,
    /// The headers in which trusted proxies tell address and place.
    pub headers: HeaderNames,
    /// Whose headers are believed.
    pub trust: Trust,
    /// Further places that rows go to.
    pub sinks: Vec<SinkConfig>,
    /// Who may read reports, as far as the configuration says; the file of tokens adds to it.
    pub access: Access,
    /// The bounds of the server.
    pub bounds: Bounds,
    /// How long rows wait for company before they go to the store.
    pub forward_delay: Duration,
    /// How log lines look.
    pub log: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("the configuration is no TOML: {0}")]
    Syntax(#[from] toml::de::Error),
    /// It has mistakes: all of them.
    #[error("{}", list(.0))]
    Mistakes(Vec<Mistake>),
}

fn list(mistakes: &[Mistake]) -> String {
    let mut text = match mistakes.len() {
        1 => "the configuration has a mistake:".to_owned(),
        count => format!("the configuration has {count} mistakes:"),
    };
    for mistake in mistakes {
        text.push_str(&format!("\n  {mistake}"));
    }
    text
}

/// Reads a variable of the environment; an argument, so that tests have one of their own.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a variable of the process's environment; an empty one is none.
#[must_use]
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads the configuration: the file, if there is one, and the environment over it.
///
/// # Errors
/// [`ConfigError`].
pub fn load(path: Option<&Path>, env: Env<'_>) -> Result<Config, ConfigError> {
    let Some(path) = path else { return demo(env) };
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    parse(&fs::read_to_string(path).map_err(unreadable)?, env)
}

/// Reads a configuration from its text.
///
/// # Errors
/// [`ConfigError::Syntax`] or [`ConfigError::Mistakes`].
pub fn parse(text: &str, env: Env<'_>) -> Result<Config, ConfigError> {
    let mistakes = Mistakes::of_file(text);
    let mut root = Section::root(text.parse()?, &mistakes);
    let mut config = Config { demo: false, sites: site::read(&mut root), ..Config::least() };
    config.sinks = sink::read(&mut root, env);
    if let Some(listen) = root.text("listen") {
        config.listen = root.parsed("listen", &listen, ADDRESS).unwrap_or(config.listen);
    }
    if let Some(folder) = root.text("data_dir") {
        config.set_data_dir(PathBuf::from(folder));
    }
    config.read_queue(&mut root);
    config.read_archive(&mut root);
    config.read_proxies(&mut root, env);
    config.read_access(&mut root);
    config.bounds = Bounds::read(&mut root);
    config.read_rest(&mut root);
    root.finish();
    config.read_env(env, &mistakes);
    config.check_proxies(&mistakes);
    mistakes.into_result(config)
}

/// The demo: any page, any reader, this machine only.
fn demo(env: Env<'_>) -> Result<Config, ConfigError> {
    let mistakes = Mistakes::default();
    let mut config = Config {
        demo: true,
        sites: Sites::demo(),
        headers: HeaderNames::preset("cloudflare").unwrap_or_default(),
        trust: proxies::this_machine(),
        access: Access::Open,
        ..Config::least()
    };
    config.read_env(env, &mistakes);
    if !config.listen.ip().is_loopback() {
        mistakes.add(
            "QUARTILE_LISTEN",
            "must be an address of this machine alone, such as 127.0.0.1:8787: without a configuration anybody could \
             send and read; write a file and name it with --config to listen elsewhere",
        );
    }
    mistakes.into_result(config)
}

const ADDRESS: &str = "an address and a port, such as 0.0.0.0:8787";
const LOG_FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
const DURABILITY: &str = "`fsync` (survives a power cut), `os` (survives a crash of the collector) or `memory`";

impl Config {
    /// What holds where nothing is said.
    fn least() -> Self {
        let mut config = Self {
            demo: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            data_dir: PathBuf::new(),
            sites: Sites::default(),
            queue: queue::Config::new(PathBuf::new()),
            archive: None,
            sinks: Vec::new(),
            mmdb: Vec::new(),
            headers: HeaderNames::default(),
            trust: Trust::default(),
            access: Access::Tokens(Vec::new()),
            bounds: Bounds::default(),
            forward_delay: Duration::from_millis(200),
            log: LogFormat::Text,
        };
        config.set_data_dir(PathBuf::from("quartile-data"));
        config
    }

    fn set_data_dir(&mut self, folder: PathBuf) {
        self.queue.dir = folder.join("queue");
        if let Some(archive) = &mut self.archive {
            archive.dir = folder.join("archive");
            self.queue.archive = Some(archive.dir.clone());
        }
        self.data_dir = folder;
    }

    /// The file of the embedded store.
    #[must_use]
    pub fn store_path(&self) -> PathBuf {
        self.data_dir.join("store").join("quartile.duckdb")
    }

    /// The file of the tokens that `quartile token` makes.
    #[must_use]
    pub fn tokens_path(&self) -> PathBuf {
        self.data_dir.join("tokens.json")
    }

    /// The folder of what can never be stored.
    #[must_use]
    pub fn dead_letters(&self) -> PathBuf {
        self.data_dir.join("dead-letters")
    }

    fn read_queue(&mut self, root: &mut Section<'_>) {
        let Some(mut section) = root.section("queue") else { return };
        if let Some(text) = section.text("durability") {
            match durability(&text) {
                Some(durability) => self.queue.durability = durability,
                None => section.blame("durability", &format!("must be {DURABILITY}")),
            }
        }
        if let Some(bytes) = section.bytes("max_bytes", 16 << 20) {
            self.queue.max_bytes = bytes;
        }
        if let Some(bytes) = section.bytes("segment_bytes", 1 << 20) {
            self.queue.segment_bytes = bytes;
        }
        if self.queue.segment_bytes > self.queue.max_bytes / 4 {
            section.blame(
                "segment_bytes",
                "must be at most a quarter of `max_bytes`: make it smaller, or the other larger",
            );
        }
        section.finish();
    }

    fn read_archive(&mut self, root: &mut Section<'_>) {
        let Some(mut section) = root.section("archive") else { return };
        let days = section.whole("keep_days", 1..=MAX_KEEP_DAYS);
        let max_bytes = section.bytes("max_bytes", self.queue.segment_bytes);
        section.finish();
        let retention = Retention {
            days: days.and_then(|days| u32::try_from(days).ok()).unwrap_or(KEEP_DAYS),
            max_bytes: max_bytes.unwrap_or(ARCHIVE_BYTES),
        };
        self.archive = Some(Archive { dir: PathBuf::new(), retention });
        self.set_data_dir(self.data_dir.clone());
    }

    fn read_access(&mut self, root: &mut Section<'_>) {
        if root.is_text("auth") {
            match root.text("auth").as_deref() {
                Some("none") => self.access = Access::Open,
                _ => root.blame("auth", "must be `none`, or a section with `tokens`"),
            }
            return;
        }
        let Some(mut section) = root.section("auth") else { return };
        let mut tokens = Vec::new();
        for (field, text) in section.texts("tokens").unwrap_or_default() {
            match hash_from_hex(&text) {
                Some(hash) => tokens.push(Grant::everything(hash)),
                None => section.blame_whole(
                    &field,
                    "must be the SHA-256 of a token, 64 hexadecimal digits: printf %s TOKEN | sha256sum prints it",
                ),
            }
        }
        section.finish();
        self.access = Access::Tokens(tokens);
    }

    fn read_rest(&mut self, root: &mut Section<'_>) {
        if let Some(mut section) = root.section("forward") {
            if let Some(ms) = section.whole("delay_ms", 0..=MAX_DELAY_MS) {
                self.forward_delay = Duration::from_millis(ms);
            }
            section.finish();
        }
        if let Some(mut section) = root.section("log") {
            self.log = section.word("format", &LOG_FORMATS).unwrap_or(self.log);
            section.finish();
        }
    }

    /// Takes what the environment says, which is stronger than the file.
    fn read_env(&mut self, env: Env<'_>, mistakes: &Mistakes) {
        if let Some(text) = env("QUARTILE_LISTEN") {
            match text.parse() {
                Ok(listen) => self.listen = listen,
                Err(_) => mistakes.add("QUARTILE_LISTEN", &format!("must be {ADDRESS}")),
            }
        }
        if let Some(folder) = env("QUARTILE_DATA_DIR") {
            self.set_data_dir(PathBuf::from(folder));
        }
        if let Some(text) = env("QUARTILE_DURABILITY") {
            match durability(&text) {
                Some(durability) => self.queue.durability = durability,
                None => mistakes.add("QUARTILE_DURABILITY", &format!("must be {DURABILITY}")),
            }
        }
        if let Some(text) = env("QUARTILE_FORWARD_DELAY_MS") {
            match text.parse() {
                Ok(ms @ 0..=MAX_DELAY_MS) => self.forward_delay = Duration::from_millis(ms),
                _ => mistakes.add("QUARTILE_FORWARD_DELAY_MS", &format!("must be a whole number up to {MAX_DELAY_MS}")),
            }
        }
        if let Some(text) = env("QUARTILE_LOG_FORMAT") {
            match LOG_FORMATS.iter().find(|(word, _)| *word == text) {
                Some((_, format)) => self.log = *format,
                None => mistakes.add("QUARTILE_LOG_FORMAT", "must be `text` or `json`"),
            }
        }
        if let Some(list) = env("QUARTILE_TRUSTED_PROXIES") {
            self.trust.networks = Vec::new();
            for text in list.split(',').map(str::trim) {
                match proxies::network(text) {
                    Some(network) => self.trust.networks.push(network),
                    None => mistakes.add("QUARTILE_TRUSTED_PROXIES", &format!("`{text}` {}", proxies::NETWORK)),
                }
            }
        }
        if let Some(token) = env("QUARTILE_TOKEN") {
            if token.chars().count() < TOKEN_CHARS {
                let cure = format!("must have at least {TOKEN_CHARS} characters: `quartile token create` makes one");
                mistakes.add("QUARTILE_TOKEN", &cure);
            }
            let grant = Grant::everything(token_hash(&token));
            match &mut self.access {
                Access::Tokens(tokens) => tokens.push(grant),
                open => *open = Access::Tokens(vec![grant]),
            }
        }
    }
}

fn durability(text: &str) -> Option<Durability> {
    match text {
        "fsync" => Some(Durability::Fsync),
        "os" => Some(Durability::Os),
        "memory" => Some(Durability::Memory),
        _ => None,
    }
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash that these 64 hexadecimal digits stand for.
pub(crate) fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(hash)
}
