//! Answers that come piece by piece. A piece is made when the one before was taken, so no more than a few are held; whoever
//! goes away ends it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::ask::{Ask, Asked, Reply, reply};
use super::{NDJSON, answer, refused};
use crate::access::Reader;
use crate::report::error::ReportError;
use crate::report::query::Request;
use crate::server::Shared;
use crate::store::cancel::Cancel;

/// How often a realtime report comes again.
const AGAIN: Duration = Duration::from_secs(5);

/// After how many the stream ends, and who still reads begins another: an hour.
const TIMES: u32 = 720;

/// Pieces that wait to be taken.
const WAITING: usize = 2;

/// What comes out of a channel, as a body.
struct Pieces(mpsc::Receiver<Result<Bytes, Broken>>);

/// The rest of an answer could not be made: the body breaks off, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
struct Broken;

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// One try at answering. The permit is held for as long as that takes, and whoever drops the future cancels it.
async fn attempt(
    shared: &Arc<Shared>,
    reader: &Reader,
    ask: Ask,
    asked: Asked,
    permit: OwnedSemaphorePermit,
) -> Result<Result<Reply, ReportError>, tokio::task::JoinError> {
    let (shared, reader, cancel) = (Arc::clone(shared), reader.clone(), Cancel::default());
    let _gone = cancel.on_drop();
    tokio::task::spawn_blocking(move || {
        let reply = reply(&shared.services, &reader, &ask, &asked, &cancel);
        drop(permit);
        reply
    })
    .await
}

/// All rows of a query as NDJSON, page by page.
pub async fn pages(shared: Arc<Shared>, reader: Reader, asked: Asked) -> Response {
    let Asked::Report(request) = asked else { return answer::busy() };
    let first = match page(&shared, &reader, &request).await {
        Ok(page) => page,
        Err(response) => return *response,
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut page = Ok(first);
        loop {
            let (lines, next) = match page {
                Ok(Page { lines, next }) => (Ok(lines.into()), next),
                Err(_) => (Err(Broken), None),
            };
            if sender.send(lines).await.is_err() {
                return;
            }
            let Some(next) = next else { return };
            page = tokio::select! {
                page = self::page(&shared, &reader, &next) => page,
                () = sender.closed() => return,
            };
        }
    });
    answer::text(StatusCode::OK, NDJSON, Body::new(Pieces(receiver)))
}

struct Page {
    lines: String,
    next: Option<Request>,
}

async fn page(shared: &Arc<Shared>, reader: &Reader, request: &Request) -> Result<Page, Box<Response>> {
    let permit = Arc::clone(&shared.reports).acquire_owned().await.map_err(|_| Box::new(answer::busy()))?;
    match attempt(shared, reader, Ask::Query, Asked::Report(request.clone()), permit).await {
        Ok(Ok(Reply::Table(answer))) => {
            let next = answer.next_cursor.as_deref().and_then(|cursor| request.at(cursor).ok());
            Ok(Page { lines: answer.sheet().ndjson(), next })
        }
        Ok(Ok(Reply::Forbidden(refusal))) => Err(Box::new(refusal)),
        Ok(Err(error)) => Err(Box::new(refused(&error))),
        Ok(Ok(_)) | Err(_) => {
            tracing::error!("a page of a report was not given because of a bug");
            let message = "the collector failed at this query";
            Err(Box::new(answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)))
        }
    }
}

/// The realtime report as server-sent events, every few seconds.
pub async fn realtime(shared: Arc<Shared>, reader: Reader, asked: Asked) -> Response {
    let Ok(stream) = Arc::clone(&shared.streams).try_acquire_owned() else { return answer::busy() };
    let first = match event(&shared, &reader, &asked).await {
        Ok(event) => event,
        Err(response) => return *response,
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut event = Ok(first);
        for _ in 0..TIMES {
            let piece = event.unwrap_or_else(|_| "event: unavailable\ndata: {}\n\n".into());
            if sender.send(Ok::<_, Broken>(piece.into())).await.is_err() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = sender.closed() => break,
            }
            event = self::event(&shared, &reader, &asked).await;
        }
        drop(stream);
    });
    answer::text(StatusCode::OK, "text/event-stream", Body::new(Pieces(receiver)))
}

async fn event(shared: &Arc<Shared>, reader: &Reader, asked: &Asked) -> Result<String, Box<Response>> {
    let Ok(permit) = Arc::clone(&shared.reports).try_acquire_owned() else { return Err(Box::new(answer::busy())) };
    match attempt(shared, reader, Ask::Realtime, asked.clone(), permit).await {
        Ok(Ok(Reply::Forbidden(refusal))) => Err(Box::new(refusal)),
        Ok(Ok(reply)) => Ok(format!("event: realtime\ndata: {}\n\n", json!(reply))),
        Ok(Err(error)) => Err(Box::new(refused(&error))),
        Err(error) => {
            tracing::error!(%error, "a report was not given because of a bug");
            Err(Box::new(answer::busy()))
        }
    }
}
