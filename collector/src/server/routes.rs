//! Which path leads where, and what is said where none does.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tower::Service as _;
use tracing::Instrument;

use super::connection::Activity;
use super::request_id::RequestId;
use super::{Peer, Shared, answer, assets, collect, health, reports};

/// Names the request in the answer and in the log.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing here is for search engines.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// All routes.
pub(super) fn all(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/collect", post(collect::take).options(collect::preflight))
        .route("/v1/reports/query", post(reports::query))
        .route("/v1/reports/catalog", get(reports::catalog))
        .route("/quartile.js", get(assets::serve_stable))
        .route(&shared.bundle.lasting_path(), get(assets::serve_lasting))
        .route("/quartile.core.js", get(assets::serve_core))
        .route("/robots.txt", get(robots))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum::middleware::from_fn(identified))
        .with_state(shared)
}

/// The routes for the requests of one connection.
pub(super) fn for_peer(
    routes: Router,
    peer: Peer,
    activity: Arc<Activity>,
) -> impl Service<http::Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    service_fn(move |mut request: http::Request<Incoming>| {
        let at_work = activity.begin();
        request.extensions_mut().insert(peer);
        let answering = routes.clone().call(request.map(Body::new) as Request);
        async move {
            let answer = answering.await;
            drop(at_work);
            answer
        }
    })
}

/// Gives the request a name, which is in everything that is logged of it and in its answer; and lets no answer be taken
/// for something else than it says it is. The query of an address is not logged: it is not ours.
async fn identified(request: Request, next: Next) -> Response {
    let id = RequestId::next();
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    async move {
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(X_REQUEST_ID, id.header());
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

async fn robots() -> Response {
    answer::text(StatusCode::OK, "text/plain; charset=utf-8", ROBOTS)
}

async fn not_found(uri: Uri) -> Response {
    answer::error(StatusCode::NOT_FOUND, "not_found", &format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    answer::error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &message)
}
