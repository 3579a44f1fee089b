//! Answers in JSON. None is ever kept by a cache.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use quartile_protocol::reply::{BodyCode, Problem, Refusal};
use serde::Serialize;
use serde_json::json;

/// Seconds after which a sender may come back when the queue was full: it takes a while to drain.
const QUEUE_FULL_SECONDS: u16 = 30;

/// Seconds after which a sender may come back otherwise.
const BUSY_SECONDS: u16 = 5;

/// An answer of this type and text.
pub(super) fn text(status: StatusCode, content_type: &'static str, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => text(status, "application/json", bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            text(StatusCode::INTERNAL_SERVER_ERROR, "application/json", Body::empty())
        }
    }
}

/// Something else than a batch was not taken.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &json!({ "error": { "code": code, "message": message } }))
}

/// A body was not taken. Its sender may come back after `retry_after` seconds, or after what its code says.
pub(super) fn refusal(problem: Problem, retry_after: Option<u16>) -> Response {
    let code = problem.code;
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let response = json(status, &Refusal { error: problem });
    match (retry_after, code) {
        (Some(seconds), _) => come_back(response, seconds),
        (None, BodyCode::QueueFull) => come_back(response, QUEUE_FULL_SECONDS),
        (None, BodyCode::Unavailable) => come_back(response, BUSY_SECONDS),
        _ => response,
    }
}

/// More is at work than may be.
pub(super) fn busy() -> Response {
    let response = error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "too much at once; come back later");
    come_back(response, BUSY_SECONDS)
}

fn come_back(mut response: Response, seconds: u16) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// What is wrong with a request, for [`refusal`].
pub(super) fn problem(code: BodyCode, message: impl Into<String>) -> Problem {
    Problem { code, message: message.into(), field: None }
}
