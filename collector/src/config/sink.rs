//! The sections `[[sinks]]`.

use std::time::Duration;

use http::Uri;

use super::Env;
use super::reader::Section;
use crate::sink::{SinkConfig, When};

/// How long nothing may be added to a slice until it is sent, unless something else is said: twice as long as a slice
/// lasts.
const SETTLE_SECONDS: u64 = 600;

/// The bound of a sink's queue unless something else is said.
const MAX_BYTES: u64 = 1 << 30;

/// Reads all of them.
pub(super) fn read(root: &mut Section<'_>, env: Env<'_>) -> Vec<SinkConfig> {
    let mut sinks: Vec<SinkConfig> = Vec::new();
    for mut section in root.sections("sinks") {
        if let Some(sink) = sink(&mut section, env) {
            if sinks.iter().any(|other| other.name == sink.name) {
                section.blame("name", "is that of another sink already");
            }
            sinks.push(sink);
        }
        section.finish();
    }
    sinks
}

fn sink(section: &mut Section<'_>, env: Env<'_>) -> Option<SinkConfig> {
    let (when, max_bytes) = (when(section), section.bytes("max_bytes", 16 << 20).unwrap_or(MAX_BYTES));
    let (secret, name, url) = (secret(section, env), name(section), url(section));
    if section.text("kind").as_deref() != Some("http") {
        section.blame("kind", "must be `http`");
    }
    Some(SinkConfig { name: name?, url: url?, secret, when, max_bytes })
}

fn name(section: &mut Section<'_>) -> Option<String> {
    let name = section.text("name").unwrap_or_default();
    let fits = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fits {
        section.blame("name", "must be 1 to 32 small letters, digits and hyphens: metrics and a folder have this name");
    }
    fits.then_some(name)
}

fn url(section: &mut Section<'_>) -> Option<String> {
    let text = section.text("url").unwrap_or_default();
    let uri: Option<Uri> = text.parse().ok();
    let fits = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if !fits {
        section.blame("url", "must be where to post to, such as https://warehouse.example.org/quartile");
    }
    fits.then_some(text)
}

/// From the file, or from a variable of the environment that the file names.
pub(super) fn secret(section: &mut Section<'_>, env: Env<'_>) -> Option<String> {
    let (secret, variable) = (section.text("secret"), section.text("secret_env"));
    match (secret, variable) {
        (Some(_), Some(_)) => {
            section.blame("secret", "cannot be there together with `secret_env`");
            None
        }
        (None, Some(variable)) => {
            let secret = env(&variable);
            if secret.is_none() {
                section.blame("secret_env", &format!("names {variable}, which is not set in the environment"));
            }
            secret
        }
        (secret, None) => secret,
    }
}

fn when(section: &mut Section<'_>) -> When {
    let seconds = section.whole("settle_seconds", 1..=86_400);
    match section.text("rows").as_deref() {
        None | Some("settled") => {}
        Some("as_received") if seconds.is_none() => return When::AsReceived,
        Some("as_received") => section.blame("settle_seconds", "has no meaning with rows `as_received`"),
        Some(_) => section.blame("rows", "must be `settled` or `as_received`"),
    }
    When::Settled(Duration::from_secs(seconds.unwrap_or(SETTLE_SECONDS)))
}
