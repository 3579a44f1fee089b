//! Reads bodies: never more than is allowed, before and after decompression, and never for longer than is allowed.

use std::fmt::Display;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt;
use hyper::body::Body;
use quartile_protocol::limits::BODY_BYTES;
use quartile_protocol::reply::{BodyCode, Problem};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::unfold::{self, Coding};
use super::{Shared, answer};

/// How long a body that is too large is read to no purpose.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A body, and the permits to hold it.
pub(super) struct Taken {
    pub bytes: Bytes,
    pub permits: Permits,
}

/// The right to be at work, and to hold so many bytes. Whoever lets go of it gives both back.
pub(super) struct Permits {
    _request: OwnedSemaphorePermit,
    bytes: OwnedSemaphorePermit,
}

impl Taken {
    /// Undoes what the body was compressed with. What it grows to is reserved like what was sent.
    pub(super) fn unfold(self, shared: &Shared, coding: Coding) -> Result<Self, Problem> {
        let Self { bytes, mut permits } = self;
        let sent = bytes.len();
        let bytes = unfold::bytes(coding, bytes)?;
        permits.bytes.merge(reserve(shared, bytes.len().saturating_sub(sent))?);
        Ok(Self { bytes, permits })
    }
}

/// Reads a body as it came.
pub(super) async fn take<B>(shared: &Shared, headers: &HeaderMap, mut body: B) -> Result<Taken, Problem>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES) {
        // Who expects 100 has sent nothing yet and need not; everybody else is heard out, within reason.
        if !headers.contains_key(EXPECT) {
            drain(shared, &mut body).await;
        }
        return Err(too_large());
    }
    let reserved = declared.unwrap_or(BODY_BYTES);
    let mut permits = permits(shared, reserved)?;
    match timeout(shared.bounds.body_time, read(&mut body, declared.unwrap_or_default())).await {
        Ok(Ok(Some(bytes))) => {
            // Who did not say how long it would be had room for the longest.
            drop(permits.bytes.split(reserved.saturating_sub(bytes.len())));
            Ok(Taken { bytes, permits })
        }
        Ok(Ok(None)) => {
            drain(shared, &mut body).await;
            Err(too_large())
        }
        Ok(Err(error)) => Err(answer::problem(BodyCode::Unreadable, format!("the body broke off: {error}"))),
        Err(_) => Err(answer::problem(BodyCode::Unavailable, "the body did not arrive in time; send it again")),
    }
}

/// Reserves one request and `length` bytes.
fn permits(shared: &Shared, length: usize) -> Result<Permits, Problem> {
    let request = Arc::clone(&shared.requests).try_acquire_owned().map_err(|_| too_much())?;
    Ok(Permits { _request: request, bytes: reserve(shared, length)? })
}

fn reserve(shared: &Shared, length: usize) -> Result<OwnedSemaphorePermit, Problem> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    Arc::clone(&shared.bytes).try_acquire_many_owned(length).map_err(|_| too_much())
}

fn too_much() -> Problem {
    answer::problem(BodyCode::Unavailable, "too much at once; come back later")
}

/// Reads up to the bound; `None` beyond it. What arrives in one piece, as most do, is not copied.
async fn read<B>(body: &mut B, expected: usize) -> Result<Option<Bytes>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.len() + all.len() + data.len() > BODY_BYTES {
            return Ok(None);
        }
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.reserve(expected.max(first.len() + data.len()));
            all.extend_from_slice(&mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(Some(if all.is_empty() { first } else { all.freeze() }))
}

/// Reads on without keeping anything. A sender that is still writing when the connection closes never sees the answer.
async fn drain(shared: &Shared, body: &mut (impl Body<Data = Bytes> + Unpin)) {
    let mut left = shared.bounds.drained_bytes;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(read) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Time is a bound like the other: when it is over, so is the reading.
    let _ = timeout(DRAIN_TIME, reading).await;
}

pub(super) fn too_large() -> Problem {
    answer::problem(
        BodyCode::TooLarge,
        format!("a body may have {BODY_BYTES} bytes, before and after decompression; send less at once"),
    )
}
