//! Files that are built in: the SDK for a script tag.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use super::Shared;
use crate::config::hex;

const BUNDLE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../npm/dist/quartile.js"));

/// Lets pages that isolate themselves load it all the same.
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A file and what names its content.
pub(super) struct Asset {
    bytes: Bytes,
    content_type: &'static str,
    tag: String,
}

/// The SDK as one script.
pub(super) fn bundle() -> Asset {
    let tag = format!("\"{}\"", hex(&Sha256::digest(BUNDLE)[..12]));
    Asset { bytes: Bytes::from_static(BUNDLE), content_type: "text/javascript; charset=utf-8", tag }
}

/// `GET /quartile.js`, for any page.
pub(super) async fn serve_bundle(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    serve(&shared.bundle, &headers)
}

fn serve(asset: &Asset, headers: &HeaderMap) -> Response {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fresh = known == "*" || known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.tag);
    let mut response = Response::new(if fresh { Bytes::new() } else { asset.bytes.clone() }.into());
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400"));
    fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    fields.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    if let Ok(tag) = HeaderValue::from_str(&asset.tag) {
        fields.insert(ETAG, tag);
    }
    response
}
