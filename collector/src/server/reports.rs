//! Reports over HTTP. What a query means is no business of this module.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};

use super::{Shared, access, answer, body};
use crate::access::{Reader, Scope};
use crate::report::dimension::Names;
use crate::report::error::{Code, Refusal, ReportError};
use crate::report::query::Request as ReportRequest;
use crate::report::{self, Answer};
use crate::store::StoreError;
use crate::store::cancel::Cancel;

/// `POST /v1/reports/query`: JSON, or CSV for who accepts nothing else.
pub(super) async fn query(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let reader = match access::reader(&shared.services.access.load(), &head.headers) {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    let Ok(permit) = Arc::clone(&shared.reports).try_acquire_owned() else { return answer::busy() };
    let taken = match body::take(&shared, &head.headers, body).await {
        Ok(taken) => taken,
        Err(problem) => return answer::refusal(problem, None),
    };
    let worker = Arc::clone(&shared);
    // Dropped with this future, which is when the peer has gone.
    let cancel = Cancel::default();
    let _gone = cancel.on_drop();
    let span = tracing::Span::current();
    let work = tokio::task::spawn_blocking(move || {
        let answered = span.in_scope(|| answered(&worker, &reader, &taken.bytes, &cancel));
        drop((permit, taken.permits));
        answered
    });
    match work.await {
        Ok(Ok(Answered::Table(answer))) => in_accepted_type(&answer, &head.headers),
        Ok(Ok(Answered::Forbidden(refusal))) => refusal,
        Ok(Err(error)) => refused(&error),
        Err(error) => {
            tracing::error!(%error, "a report was not given because of a bug");
            answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the collector failed at this query")
        }
    }
}

/// What becomes of a query that can be read.
enum Answered {
    Table(Box<Answer>),
    Forbidden(Response),
}

fn answered(shared: &Shared, reader: &Reader, body: &[u8], cancel: &Cancel) -> Result<Answered, ReportError> {
    let services = &shared.services;
    let request = ReportRequest::parse(body)?;
    // First, so that a token for other sites does not tell which there are.
    if let Some(refusal) = access::refusal(reader, Scope::Read, Some(&request.site)) {
        return Ok(Answered::Forbidden(refusal));
    }
    let Some(site) = services.sites.load().get(&request.site).cloned() else {
        let message = format!("there is no site `{}` here", request.site);
        return Err(Refusal { code: Code::InvalidValue, message, field: "site".into() }.into());
    };
    let mut query = request.query(Names::new(&site.dimensions))?;
    query.timezone.get_or_insert_with(|| site.timezone.clone());
    let answer = report::answer(&*services.store, &query, services.clock.now(), cancel)?;
    Ok(Answered::Table(Box::new(answer)))
}

fn in_accepted_type(answered: &Answer, headers: &HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/csv") && !accept.contains("json") {
        return answer::text(StatusCode::OK, "text/csv; charset=utf-8", answered.to_csv());
    }
    answer::json(StatusCode::OK, answered)
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

/// `GET /v1/reports/catalog`: what can be asked for.
pub(super) async fn catalog(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let reader = access::reader(&shared.services.access.load(), &headers);
    reader
        .map_or_else(|refusal| refusal, |_| answer::json(StatusCode::OK, &report::catalog::catalog(&Names::default())))
}
