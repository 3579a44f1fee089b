//! Reports over HTTP. What a query means is no business of this module.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};

use super::{Shared, access, answer, body};
use crate::access::{Reader, Scope};
use crate::report::error::{Code, Refusal, ReportError};
use crate::report::query::Query;
use crate::report::{self, Answer};

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
    let span = tracing::Span::current();
    let work = tokio::task::spawn_blocking(move || {
        // Writing a large table takes long as well: neither on a thread that others wait for, nor without the permit.
        let answered =
            || answered(&worker, &reader, &taken.bytes, &head.headers).unwrap_or_else(|error| refused(&error));
        let response = span.in_scope(answered);
        drop((permit, taken.permits));
        response
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a report was not given because of a bug");
        answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the collector failed at this query")
    })
}

fn answered(shared: &Shared, reader: &Reader, body: &[u8], headers: &HeaderMap) -> Result<Response, ReportError> {
    let services = &shared.services;
    let mut query = Query::parse(body)?;
    // First, so that a token for other sites does not tell which there are.
    if let Some(refusal) = access::refusal(reader, Scope::Read, Some(&query.site)) {
        return Ok(refusal);
    }
    let Some(site) = services.sites.load().get(&query.site).cloned() else {
        let message = format!("there is no site `{}` here", query.site);
        return Err(Refusal { code: Code::InvalidValue, message, field: "site".into() }.into());
    };
    query.timezone.get_or_insert_with(|| site.timezone.clone());
    let answer = report::answer(&*services.store, &query, services.clock.now())?;
    Ok(in_accepted_type(&answer, headers))
}

fn in_accepted_type(answered: &Answer, headers: &HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/csv") && !accept.contains("json") {
        return answer::text(StatusCode::OK, "text/csv; charset=utf-8", answered.to_csv());
    }
    answer::json(StatusCode::OK, answered)
}

fn refused(error: &ReportError) -> Response {
    if let ReportError::Store(source) = error {
        tracing::error!(error = ?source, "the store did not answer a query");
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer::json(status, error)
}

/// `GET /v1/reports/catalog`: what can be asked for.
pub(super) async fn catalog(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let reader = access::reader(&shared.services.access.load(), &headers);
    reader.map_or_else(|refusal| refusal, |_| answer::json(StatusCode::OK, &report::catalog::catalog()))
}
