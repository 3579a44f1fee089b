//! Which path leads where, and what is said where none does.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tower::Service as _;

use super::{Peer, Shared, answer, assets, collect, health, reports};

/// All routes.
pub(super) fn all(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/collect", post(collect::take).options(collect::preflight))
        .route("/v1/reports/query", post(reports::query))
        .route("/v1/reports/catalog", get(reports::catalog))
        .route("/quartile.js", get(assets::serve_bundle))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum::middleware::map_response(finish))
        .with_state(shared)
}

/// The routes for the requests of one connection.
pub(super) fn for_peer(
    routes: Router,
    peer: Peer,
) -> impl Service<http::Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.clone().call(request.map(Body::new) as Request)
    })
}

/// No answer is to be taken for something else than it says it is.
async fn finish(mut response: Response) -> Response {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn not_found(uri: Uri) -> Response {
    answer::error(StatusCode::NOT_FOUND, "not_found", &format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    answer::error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &message)
}
