//! Reads bodies: never more than is allowed, before and after decompression, and never for longer than is allowed.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use flate2::bufread::GzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt;
use quartile_protocol::limits::BODY_BYTES;
use quartile_protocol::reply::{BodyCode, Problem};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::{Shared, answer};

/// The first bytes of gzip (RFC 1952). They are what tells it: a header would cost pages a preflight.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How long a body that is too large is read to no purpose.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A body, and the permits to hold it.
pub(super) struct Taken {
    pub bytes: Vec<u8>,
    pub permits: [OwnedSemaphorePermit; 2],
}

/// Reads a body as it came.
pub(super) async fn take(shared: &Shared, headers: &HeaderMap, mut body: Body) -> Result<Taken, Problem> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES) {
        // Who expects 100 has sent nothing yet and need not; everybody else is heard out, within reason.
        if !headers.contains_key(EXPECT) {
            drain(shared, &mut body).await;
        }
        return Err(too_large());
    }
    let permits = permits(shared, declared.unwrap_or(BODY_BYTES))?;
    match timeout(shared.bounds.body_time, read(&mut body, declared.unwrap_or_default())).await {
        Ok(Ok(Some(bytes))) => Ok(Taken { bytes, permits }),
        Ok(Ok(None)) => {
            drain(shared, &mut body).await;
            Err(too_large())
        }
        Ok(Err(error)) => Err(answer::problem(BodyCode::Unreadable, format!("the body broke off: {error}"))),
        Err(_) => Err(answer::problem(BodyCode::Unavailable, "the body did not arrive in time; send it again")),
    }
}

/// Reserves one request and `length` bytes.
fn permits(shared: &Shared, length: usize) -> Result<[OwnedSemaphorePermit; 2], Problem> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let request = Arc::clone(&shared.requests).try_acquire_owned();
    let bytes = Arc::clone(&shared.bytes).try_acquire_many_owned(length);
    match (request, bytes) {
        (Ok(request), Ok(bytes)) => Ok([request, bytes]),
        _ => Err(answer::problem(BodyCode::Unavailable, "too much at once; come back later")),
    }
}

/// Reads up to the bound; `None` beyond it.
async fn read(body: &mut Body, expected: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut bytes = Vec::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > BODY_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Some(bytes))
}

/// Reads on without keeping anything. A sender that is still writing when the connection closes never sees the answer.
async fn drain(shared: &Shared, body: &mut Body) {
    let mut left = shared.bounds.drained_bytes;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, bytes::Bytes::len);
            match left.checked_sub(read) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Time is a bound like the other: when it is over, so is the reading.
    let _ = timeout(DRAIN_TIME, reading).await;
}

/// Undoes gzip, if it is gzip. A bomb is cut at the bound and never unfolds.
pub(super) fn unfold(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unfolded = Vec::new();
    let bound = BODY_BYTES as u64 + 1;
    GzDecoder::new(&*bytes)
        .take(bound)
        .read_to_end(&mut unfolded)
        .map_err(|error| answer::problem(BodyCode::Unreadable, format!("the body is broken gzip: {error}")))?;
    if unfolded.len() > BODY_BYTES { Err(too_large()) } else { Ok(unfolded) }
}

fn too_large() -> Problem {
    answer::problem(
        BodyCode::TooLarge,
        format!("a body may have {BODY_BYTES} bytes, before and after decompression; send less at once"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes_and_bounded() {
        assert_eq!(unfold(b"{}".to_vec()).unwrap(), b"{}");
        assert_eq!(unfold(gzip(b"{}")).unwrap(), b"{}");
        assert_eq!(unfold(gzip(&vec![b' '; BODY_BYTES])).unwrap().len(), BODY_BYTES);
        let code = |bytes| unfold(bytes).unwrap_err().code;
        assert_eq!(code(gzip(&vec![b' '; BODY_BYTES + 1])), BodyCode::TooLarge);
        assert_eq!(code(GZIP.to_vec()), BodyCode::Unreadable);
        assert_eq!(code(gzip(b"{}")[..12].to_vec()), BodyCode::Unreadable);
    }
}
