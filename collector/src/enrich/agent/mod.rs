//! Device, system and browser of a sender.
//!
//! Names and models come from the patterns of `uap-core` (Apache-2.0); what kind of device it is, they do not say: that
//! is one table of tokens in [`kind`]. Client hints, where a page passes them on, are better than the user agent, which
//! browsers have frozen: [`hints`].

mod browser;
mod hints;
mod kind;
mod patterns;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use quick_cache::sync::Cache;
use ua_parser::{Regexes, device, os, user_agent};

pub use self::kind::Device;
use self::patterns::Patterns;
use super::truncated;

/// User agents that are remembered; reading one takes about 10 µs, remembering one about 500 bytes.
const REMEMBERED: usize = 10_000;

/// Parts of a user agent are kept up to here.
const PART_BYTES: usize = 100;

const PATTERNS: &str = include_str!(concat!(env!("OUT_DIR"), "/user_agents.json"));

/// What is known of a sender's device; unknown is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// What kind of device it is; `None` without a user agent.
    pub device: Option<Device>,
    /// Who made it.
    pub vendor: String,
    /// Which one it is.
    pub model: String,
    /// The operating system.
    pub os: String,
    /// The operating system's version.
    pub os_version: String,
    /// The browser.
    pub browser: String,
    /// The browser's major version.
    pub browser_version: String,
    /// The name of the bot, if it is a known one.
    pub bot: String,
}

/// Why the built-in patterns cannot be used: a fault of the build.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// They are not of the expected shape.
    #[error("the user-agent patterns cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// One of them is no pattern.
    #[error("a user-agent pattern cannot be read: {0}")]
    Pattern(#[from] Box<regex_syntax::Error>),
    /// The texts in them are too many to be looked for.
    #[error("the user-agent patterns have too many texts: {0}")]
    Texts(#[from] aho_corasick::BuildError),
}

/// Reads user agents and remembers them.
pub struct Agents {
    browsers: Patterns<user_agent::Extractor<'static>>,
    systems: Patterns<os::Extractor<'static>>,
    devices: Patterns<device::Extractor<'static>>,
    remembered: Cache<Box<str>, Arc<Agent>>,
}

impl Agents {
    /// Reads the patterns; each is compiled when it is first needed.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new() -> Result<Self, PatternError> {
        let patterns: Regexes<'static> = serde_json::from_str(PATTERNS)?;
        Ok(Self {
            browsers: Patterns::new(patterns.user_agent_parsers)?,
            systems: Patterns::new(patterns.os_parsers)?,
            devices: Patterns::new(patterns.device_parsers)?,
            remembered: Cache::new(REMEMBERED),
        })
    }

    /// What a user agent tells.
    #[must_use]
    pub fn read(&self, user_agent: &str) -> Arc<Agent> {
        if let Some(agent) = self.remembered.get(user_agent) {
            return agent;
        }
        let agent = Arc::new(self.parse(user_agent));
        self.remembered.insert(user_agent.into(), Arc::clone(&agent));
        agent
    }

    /// Whether a user agent need not be read again.
    #[must_use]
    pub fn remembers(&self, user_agent: &str) -> bool {
        self.remembered.peek(user_agent).is_some()
    }

    fn parse(&self, user_agent: &str) -> Agent {
        if user_agent.is_empty() {
            return Agent::default();
        }
        let family = self.browsers.of(user_agent).find_map(|pattern| pattern.extract(user_agent));
        let os = self.systems.of(user_agent).find_map(|pattern| pattern.extract(user_agent));
        let device = self.devices.of(user_agent).find_map(|pattern| pattern.extract(user_agent));
        let lower = user_agent.to_ascii_lowercase();
        let part = |text: &str| truncated(text, PART_BYTES).to_owned();
        let major = family.as_ref().and_then(|browser| browser.major).unwrap_or_default();
        let family = family.as_ref().map_or("", |browser| &*browser.family);
        let brand = device.as_ref().and_then(|device| device.brand.as_deref()).unwrap_or_default();
        let model = device.as_ref().and_then(|device| device.model.as_deref()).unwrap_or_default();
        let (name, major) = browser::browser(&lower, family, major);

        let mut agent = Agent {
            device: Some(kind::device(&lower)),
            browser: part(name),
            browser_version: part(major),
            bot: part(kind::bot(&lower, brand, family)),
            ..Agent::default()
        };
        if let Some(os) = &os {
            agent.os = part(kind::os(&os.os));
            if !agent.os.is_empty() {
                agent.os_version = part(&version(os.major.as_deref(), os.minor.as_deref()));
            }
        }
        if !kind::is_generic_brand(brand) {
            agent.vendor = part(kind::vendor(brand));
        }
        if brand != kind::SPIDER {
            let is_generic = kind::is_generic_model(model);
            agent.model = part(if is_generic { kind::android_model(user_agent) } else { model });
        }
        kind::fill_in(&lower, &mut agent);
        agent.name_maker();
        kind::forget_frozen(user_agent, &mut agent);
        agent
    }
}

impl Agent {
    /// Whoever makes the model, where nothing else says it.
    fn name_maker(&mut self) {
        if self.vendor.is_empty() {
            self.vendor = kind::maker(&self.model).into();
        }
    }
}

/// `major.minor`, or the major number alone where the minor one is 0.
fn version(major: Option<&str>, minor: Option<&str>) -> String {
    match (major, minor) {
        (None, _) => String::new(),
        (Some(major), None | Some("0")) => major.to_owned(),
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
    }
}
