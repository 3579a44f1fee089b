//! Which path leads where, and what is said where none does.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tower::Service as _;
use tracing::{Instrument, Span};

use super::connection::Activity;
use super::request_id::RequestId;
use super::sent::Sent;
use super::{Peer, Shared, answer, assets, collect, health, reports};

/// Names the request in the answer and in the log.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where batches go.
const COLLECT: &str = "/v1/collect";

/// Nothing here is for search engines.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// All routes.
pub(super) fn all(shared: Arc<Shared>) -> Router {
    Router::new()
        // Batches do not come this way; that they are taken is told to who asks with another method.
        .route(COLLECT, post(method_not_allowed).options(collect::preflight))
        .route("/v1/reports/query", post(reports::query).get(reports::query))
        .route("/v1/reports/funnel", post(reports::funnel).get(reports::funnel))
        .route("/v1/reports/retention", post(reports::retention).get(reports::retention))
        .route("/v1/reports/realtime", post(reports::realtime).get(reports::realtime))
        .route("/v1/reports/timeline", get(reports::timeline))
        .route("/v1/reports/named/{report}", post(reports::named).get(reports::named))
        .route("/v1/reports/named/{report}/{part}", post(reports::part).get(reports::part))
        .route("/v1/reports/catalog", get(reports::catalog))
        .route("/v1/reports/openapi.json", get(reports::openapi))
        .route("/quartile.js", get(assets::serve_stable))
        .route(&shared.bundle.lasting_path(), get(assets::serve_lasting))
        .route("/quartile.core.js", get(assets::serve_core))
        .route("/robots.txt", get(robots))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(shared)
}

/// The routes for the requests of one connection, and a name for each request, which is in everything that is logged of
/// it and in its answer. The query of an address is not logged: it is not ours.
pub(super) fn for_peer(
    routes: Router,
    shared: Arc<Shared>,
    peer: Peer,
    activity: Arc<Activity>,
) -> impl Service<http::Request<Incoming>, Response = http::Response<Sent>, Error = Infallible, Future: Send> {
    service_fn(move |request: http::Request<Incoming>| {
        let (at_work, activity) = (activity.begin(), Arc::clone(&activity));
        let id = RequestId::next();
        // Nearly every request is a batch. It goes its way without the boxes that the router puts around a request, and
        // it is in a span only where that is logged: what is logged of it in production names it by itself.
        let way = if *request.method() == Method::POST && request.uri().path() == COLLECT {
            let span = tracing::debug_span!("request", %id, method = "POST", path = COLLECT);
            Way::Batch(Arc::clone(&shared), span)
        } else {
            Way::Routed(routes.clone())
        };
        async move {
            let answer = match way {
                Way::Batch(shared, span) => collect::take_in(&shared, peer, id, request).instrument(span).await,
                Way::Routed(routes) => routed(routes, id, request).await,
            };
            let answer = identified(answer, id).map(|body| Sent::new(body, &activity));
            drop(at_work);
            Ok(answer)
        }
    })
}

/// Which way a request goes.
enum Way {
    Batch(Arc<Shared>, Span),
    Routed(Router),
}

async fn routed(mut routes: Router, id: RequestId, request: http::Request<Incoming>) -> Response {
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    let answering = async move {
        let Ok(answer) = routes.call(request.map(Body::new) as Request).await;
        tracing::debug!(status = answer.status().as_u16(), "answered");
        answer
    };
    answering.instrument(span).await
}

/// Names the request in its answer, and lets no answer be taken for something else than it says it is.
fn identified(mut answer: Response, id: RequestId) -> Response {
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_REQUEST_ID, id.header());
    answer
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
