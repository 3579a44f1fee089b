//! An answer on its way: the body that tells its connection that somebody takes it.
//!
//! HTTP/2 asks for a piece of a body when its reader has room for some. So who reads slowly is told from who reads no
//! more by the pieces that are asked for; a piece is small, because what was handed over is not seen any more.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body as AnyBody;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::connection::{Activity, Sending};

/// The most that is handed over at once.
const PIECE: usize = 16 * 1024;

/// A body in pieces, of which each is a sign of life.
pub(super) struct Sent {
    body: AnyBody,
    /// What was taken from the body and is to be handed over.
    rest: Bytes,
    sending: Sending,
}

impl Sent {
    pub(super) fn new(body: AnyBody, activity: &Arc<Activity>) -> Self {
        Self { body, rest: Bytes::new(), sending: activity.send() }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)?) else { return Poll::Ready(None) };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        self.sending.goes_on();
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest + body.lower());
        if let Some(upper) = body.upper() {
            hint.set_upper(rest + upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_body_is_handed_over_in_pieces_and_whole() {
        for (length, pieces) in [(0, 0), (1, 1), (PIECE, 1), (PIECE + 1, 2), (3 * PIECE, 3)] {
            let whole: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut sent = Sent::new(AnyBody::from(whole.clone()), &Arc::default());
            let (mut taken, mut count) = (Vec::new(), 0);
            loop {
                assert_eq!(sent.size_hint().exact(), Some((length - taken.len()) as u64));
                assert_eq!(sent.is_end_stream(), taken.len() == length, "{length}");
                let Some(frame) = sent.frame().await else { break };
                let data = frame.unwrap().into_data().unwrap();
                assert!(data.len() <= PIECE);
                taken.extend_from_slice(&data);
                count += 1;
            }
            assert_eq!((taken, count), (whole, pieces), "{length}");
        }
    }
}
