//! One request to a sink: compressed, signed, bounded in time.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::Agent;

use crate::clock::Clock;
use crate::config::hex;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest that a sink may ask to be left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The header that tells that a request is ours.
pub const SIGNATURE: &str = "Quartile-Signature";

/// Where requests go.
#[derive(Clone)]
pub struct Target {
    agent: Agent,
    url: String,
    secret: Option<String>,
    clock: Clock,
}

/// Why lines were not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// No answer.
    #[error("the sink did not answer")]
    NoAnswer(#[source] Box<ureq::Error>),
    /// An answer that is no acceptance.
    #[error("the sink answered with status {status}")]
    Refused {
        /// The status.
        status: u16,
        /// How long it asked to be left alone.
        wait: Option<Duration>,
    },
    /// The lines could not be compressed.
    #[error("the lines could not be compressed")]
    Compress(#[from] io::Error),
}

impl PostError {
    /// Whether fewer lines may be taken.
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused { status: 413, .. })
    }

    /// How long the sink asked to be left alone.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { wait, .. } => *wait,
            _ => None,
        }
    }
}

impl Target {
    /// Requests to `url`, signed with `secret` if there is one.
    #[must_use]
    pub fn new(url: String, secret: Option<String>, clock: Clock) -> Self {
        let config =
            Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).max_redirects(0);
        Self { agent: config.build().into(), url, secret, clock }
    }

    /// Sends lines, each without its end. Blocks.
    ///
    /// # Errors
    /// [`PostError`].
    pub fn post(&self, lines: &[String]) -> Result<(), PostError> {
        let body = compressed(lines)?;
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/x-ndjson")
            .header("Content-Encoding", "gzip")
            .header("User-Agent", concat!("quartile/", env!("CARGO_PKG_VERSION")));
        if let Some(secret) = &self.secret {
            let seconds = self.clock.now().as_ms() / 1_000;
            request = request.header(SIGNATURE, format!("t={seconds},v1={}", signature(secret, seconds, &body)));
        }
        let answer = request.send(&body[..]).map_err(|error| PostError::NoAnswer(error.into()))?;
        if answer.status().is_success() {
            return Ok(());
        }
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let wait = wait.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
        Err(PostError::Refused { status: answer.status().as_u16(), wait })
    }
}

fn compressed(lines: &[String]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for line in lines {
        encoder.write_all(line.as_bytes())?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish()
}

/// The HMAC-SHA256 of the time and the body, as hexadecimal digits.
#[must_use]
pub fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // A key of any length is fine for an HMAC.
        return String::new();
    };
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_other_programs_compute() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
        let expected = "b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163";
        assert_eq!(signature("secret", 1_700_000_000, b"{}"), expected);
    }
}
