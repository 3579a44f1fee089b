//! The bounds of the server, and the section `[server]` that sets those which a machine or a delivery network decides.

use std::time::Duration;

use quartile_protocol::limits::BODY_BYTES;

use super::reader::Section;

/// The bounds. Nothing that a peer does goes beyond them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; more wait to be accepted.
    pub connections: u32,
    /// Requests at work at once.
    pub requests: u32,
    /// Requests at work at once on one connection of HTTP/2.
    pub streams: u32,
    /// Reports at work at once.
    pub reports: u32,
    /// Bytes of all bodies at work, unfolded where they came compressed.
    pub in_flight_bytes: u32,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Headers of a request of HTTP/1.1; in HTTP/2 the bytes alone count.
    pub headers: usize,
    /// How long a connection may take for the head of its next request; also how long it may idle.
    pub head_time: Duration,
    /// How long a body may take.
    pub body_time: Duration,
    /// How long an answer may wait for its reader to take anything of it.
    pub write_time: Duration,
    /// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
    pub drained_bytes: usize,
    /// How long requests at work may take once the collector is to stop.
    pub finish_time: Duration,
    /// How long the queue may take to be forwarded after that; what is left waits for the next start.
    pub drain_time: Duration,
    /// How long the store may take to close after that.
    pub close_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 4_096,
            requests: 1_024,
            streams: 128,
            reports: 16,
            in_flight_bytes: 64 * BODY_BYTES as u32,
            head_bytes: 32 * 1024,
            headers: 64,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(20),
            write_time: Duration::from_secs(20),
            drained_bytes: 32 * BODY_BYTES,
            finish_time: Duration::from_secs(10),
            drain_time: Duration::from_secs(15),
            close_time: Duration::from_secs(10),
        }
    }
}

/// The most connections that can be asked for; each takes a file descriptor.
const MAX_CONNECTIONS: u64 = 1_000_000;

/// The longest that a head, a body or the reading of an answer may be given.
const MAX_SECONDS: u64 = 600;

/// The longest that each step of stopping may be given.
const MAX_STOP_SECONDS: u64 = 3_600;

impl Bounds {
    /// Reads `[server]`.
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut bounds = Self::default();
        let Some(mut section) = root.section("server") else { return bounds };
        for (key, bound) in [("connections", &mut bounds.connections), ("requests", &mut bounds.requests)] {
            let most = section.whole(key, 1..=MAX_CONNECTIONS).and_then(|most| u32::try_from(most).ok());
            *bound = most.unwrap_or(*bound);
        }
        if let Some(bytes) = section.bytes("in_flight_bytes", 1 << 20) {
            match u32::try_from(bytes) {
                Ok(bytes) => bounds.in_flight_bytes = bytes,
                Err(_) => section.blame("in_flight_bytes", "must be less than 4 GiB"),
            }
        }
        for (key, most, bound) in [
            ("head_seconds", MAX_SECONDS, &mut bounds.head_time),
            ("body_seconds", MAX_SECONDS, &mut bounds.body_time),
            ("write_seconds", MAX_SECONDS, &mut bounds.write_time),
            ("finish_seconds", MAX_STOP_SECONDS, &mut bounds.finish_time),
            ("drain_seconds", MAX_STOP_SECONDS, &mut bounds.drain_time),
        ] {
            *bound = section.whole(key, 1..=most).map_or(*bound, Duration::from_secs);
        }
        section.finish();
        bounds
    }
}
