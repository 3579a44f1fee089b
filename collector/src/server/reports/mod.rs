//! Reports over HTTP. What a query means is no business of this module.
//!
//! A report is asked for with a body (`POST`) or with parameters (`GET`), which say the same. Whoever goes away before the
//! answer cancels it.
//!
//! | module | holds |
//! |---|---|
//! | [`ask`] | what is asked, and the work of answering it |
//! | [`stream`] | answers that come piece by piece: all pages of a query, and realtime again and again |

mod ask;
mod stream;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::header::{ACCEPT, HeaderMap, HeaderValue, VARY};
use http::{Method, StatusCode};

use self::ask::{Ask, Asked, Reply};
use super::body::{self, Permits};
use super::{Shared, access, answer};
use crate::access::Reader;
use crate::report::error::{Code, Refusal, ReportError};
use crate::report::openapi;
use crate::report::parameters::Parameters;
use crate::report::query::Request as ReportRequest;
use crate::report::sheet::Sheet;
use crate::store::StoreError;
use crate::store::cancel::Cancel;

/// What an answer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Ndjson,
}

const NDJSON: &str = "application/x-ndjson";

impl Format {
    /// What the parameter `format` says; without it, what is accepted. Who accepts JSON too gets JSON.
    fn of(parameter: Option<&str>, headers: &HeaderMap) -> Result<Self, Refusal> {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match parameter {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("ndjson") => Ok(Self::Ndjson),
            Some(_) => {
                let message = "must be json, csv or ndjson".into();
                Err(Refusal { code: Code::InvalidValue, message, field: "format".into() })
            }
            None if accept.contains("ndjson") => Ok(Self::Ndjson),
            None if accept.contains("text/csv") && !accept.contains("json") => Ok(Self::Csv),
            None => Ok(Self::Json),
        }
    }
}

pub(super) async fn query(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(shared, request, Ask::Query).await
}

pub(super) async fn funnel(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(shared, request, Ask::Funnel).await
}

pub(super) async fn retention(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(shared, request, Ask::Retention).await
}

pub(super) async fn realtime(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(shared, request, Ask::Realtime).await
}

pub(super) async fn timeline(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(shared, request, Ask::Timeline).await
}

pub(super) async fn named(State(shared): State<Arc<Shared>>, Path(report): Path<String>, request: Request) -> Response {
    answered(shared, request, Ask::Named { report, part: None }).await
}

pub(super) async fn part(
    State(shared): State<Arc<Shared>>,
    Path((report, part)): Path<(String, String)>,
    request: Request,
) -> Response {
    answered(shared, request, Ask::Named { report, part: Some(part) }).await
}

/// `GET /v1/reports/catalog`: what can be asked for; of a site, also by its own dimensions.
pub(super) async fn catalog(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(shared, request, Ask::Catalog).await
}

/// `GET /v1/reports/openapi.json`: this interface, for programs.
pub(super) async fn openapi(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let reader = access::reader(&shared.services.access.load(), &headers);
    reader.map_or_else(|refusal| refusal, |_| answer::json(StatusCode::OK, &openapi::document()))
}

async fn answered(shared: Arc<Shared>, request: Request, ask: Ask) -> Response {
    let reader = match access::reader(&shared.services.access.load(), request.headers()) {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    let wants_events = accepts_events(request.headers());
    match read(&shared, request, &ask).await {
        Ok((asked, ..)) if ask == Ask::Realtime && wants_events => stream::realtime(shared, reader, asked).await,
        Ok((asked, Format::Ndjson, _)) if ask == Ask::Query && asked.is_unbounded() => {
            stream::pages(shared, reader, asked).await
        }
        Ok((asked, format, held)) => once(shared, reader, ask, asked, format, held).await,
        Err(Unread::Refused(refusal)) => refused(&refusal.into()),
        Err(Unread::Answered(response)) => *response,
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Why a request was not read.
enum Unread {
    Refused(Refusal),
    Answered(Box<Response>),
}

impl From<Refusal> for Unread {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Reads a request, and gives what its body holds of the bounds as long as it is worked on.
async fn read(shared: &Shared, request: Request, ask: &Ask) -> Result<(Asked, Format, Option<Permits>), Unread> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        let parameters = Parameters::parse(head.uri.query().unwrap_or_default(), ask.parameters())?;
        let format = Format::of(parameters.get("format"), &head.headers)?;
        return Ok((ask.with_parameters(&parameters)?, format, None));
    }
    let format = Format::of(None, &head.headers)?;
    let taken = body::take(shared, &head.headers, body).await;
    let taken = taken.map_err(|problem| Unread::Answered(Box::new(answer::refusal(problem, None))))?;
    Ok((Asked::Report(ReportRequest::parse(&taken.bytes)?), format, Some(taken.permits)))
}

/// Answers in one piece.
async fn once(
    shared: Arc<Shared>,
    reader: Reader,
    ask: Ask,
    asked: Asked,
    format: Format,
    held: Option<Permits>,
) -> Response {
    let Ok(permit) = Arc::clone(&shared.reports).try_acquire_owned() else { return answer::busy() };
    // Dropped with this future, which is when the peer is known to have gone.
    let cancel = Cancel::default();
    let _gone = cancel.on_drop();
    let span = tracing::Span::current();
    let work = tokio::task::spawn_blocking(move || {
        // Writing a large table takes long as well: neither on a thread that others wait for, nor without the permit.
        let response = span.in_scope(|| match ask::reply(&shared.services, &reader, &ask, &asked, &cancel) {
            Ok(Reply::Forbidden(refusal)) => refusal,
            Ok(reply) => written(&reply, format),
            Err(error) => refused(&error),
        });
        drop((permit, held));
        response
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a report was not given because of a bug");
        answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the collector failed at this query")
    })
}

fn written(reply: &Reply, format: Format) -> Response {
    let text = |content_type, write: fn(&Sheet) -> String| match reply.sheet() {
        Some(sheet) => answer::text(StatusCode::OK, content_type, write(&sheet)),
        None => answer::error(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            "is given in JSON only; of a report with parts, a part is given in any format",
        ),
    };
    let mut response = match format {
        Format::Json => answer::json(StatusCode::OK, reply),
        Format::Csv => text("text/csv; charset=utf-8", Sheet::csv),
        Format::Ndjson => text(NDJSON, Sheet::ndjson),
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept, authorization"));
    response
}

fn refused(error: &ReportError) -> Response {
    if let ReportError::Store(source) = error
        && !matches!(source, StoreError::Cancelled)
    {
        tracing::error!(error = ?source, "the store did not answer a query");
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer::json(status, error)
}
