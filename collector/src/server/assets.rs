//! The SDK for a script tag, built in, at two addresses.
//!
//! `/quartile.js` stays the same for ever: caches keep it for an hour and then ask whether it changed. Beside it stands
//! an address with a hash of the content in its name, which caches keep for a year and never ask about; `Content-Location`
//! of the first tells it. The compressed forms are made when the collector is built.
//!
//! `/quartile.core.js` is the SDK's second file: its core in JavaScript, for pages that allow no WebAssembly. The script
//! asks for it with a hash of its content as the query, and caches keep what was asked for so for a year.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LOCATION, CONTENT_TYPE,
    ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode, Uri};
use sha2::{Digest, Sha256};

use super::{Shared, answer};
use crate::config::hex;

/// One of the SDK's files, compressed by brotli, by gzip, and as it is.
macro_rules! file {
    ($name:literal) => {
        [
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".br")),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../npm/dist/", $name)),
        ]
    };
}

const SCRIPT: [&[u8]; 3] = file!("quartile.js");
const CORE: [&[u8]; 3] = file!("quartile.core.js");

const STABLE: HeaderValue = HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400");
const LASTING: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Lets pages that isolate themselves load it all the same.
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A file of the SDK.
pub(super) struct Bundle {
    /// Names the content.
    hash: String,
    /// From what caches should rather have to what everybody understands.
    forms: [Form; 3],
}

/// The file in one coding.
struct Form {
    /// As `Content-Encoding` names it; empty for the file as it is.
    coding: &'static str,
    bytes: Bytes,
    /// Strong, so each form has its own.
    tag: HeaderValue,
}

impl Bundle {
    /// The script that pages load.
    pub(super) fn script() -> Self {
        Self::new(SCRIPT)
    }

    /// What it loads where WebAssembly is refused.
    pub(super) fn core() -> Self {
        Self::new(CORE)
    }

    fn new([brotli, gzip, plain]: [&'static [u8]; 3]) -> Self {
        let hash = hex(&Sha256::digest(plain)[..12]);
        let form = |coding: &'static str, bytes| {
            let tag = HeaderValue::from_str(&format!("\"{hash}{coding}\""));
            let tag = tag.unwrap_or_else(|_| HeaderValue::from_static("\"\""));
            Form { coding, bytes: Bytes::from_static(bytes), tag }
        };
        Self { forms: [form("br", brotli), form("gzip", gzip), form("", plain)], hash }
    }

    /// The address that stands for this content and no other.
    pub(super) fn lasting_path(&self) -> String {
        format!("/quartile-{}.js", self.hash)
    }

    fn form(&self, headers: &HeaderMap) -> &Form {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let [brotli, gzip, plain] = &self.forms;
        [brotli, gzip].into_iter().find(|form| accepts(accepted, form.coding)).unwrap_or(plain)
    }

    fn serve(&self, headers: &HeaderMap, cache_control: HeaderValue) -> Response {
        let form = self.form(headers);
        let fresh = is_known(headers, &form.tag);
        let mut response = Response::new(if fresh { Bytes::new() } else { form.bytes.clone() }.into());
        let fields = response.headers_mut();
        if !fresh && !form.coding.is_empty() {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static(form.coding));
        }
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
        fields.insert(CACHE_CONTROL, cache_control);
        fields.insert(ETAG, form.tag.clone());
        fields.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        fields.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }
}

/// `GET /quartile.js`, for any page.
pub(super) async fn serve_stable(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let mut response = shared.bundle.serve(&headers, STABLE);
    if let Ok(path) = HeaderValue::from_str(&shared.bundle.lasting_path()) {
        response.headers_mut().insert(CONTENT_LOCATION, path);
    }
    response
}

/// `GET /quartile-….js`, for any page.
pub(super) async fn serve_lasting(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.bundle.serve(&headers, LASTING)
}

/// `GET /quartile.core.js`, for any page. The core of another version than the script's would misunderstand it.
pub(super) async fn serve_core(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    match uri.query() {
        None => shared.core.serve(&headers, STABLE),
        Some(hash) if hash == shared.core.hash => shared.core.serve(&headers, LASTING),
        Some(_) => answer::error(StatusCode::NOT_FOUND, "not_found", "there is no core of that version"),
    }
}

/// Whether `Accept-Encoding` names a coding (RFC 9110, 12.5.3): by name or by `*`, and not with a weight of 0.
fn accepts(accepted: &str, coding: &str) -> bool {
    let weight = |name: &str| {
        accepted.split(',').find_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let named = parts.next().is_some_and(|given| given.eq_ignore_ascii_case(name));
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            named.then(|| weight.map_or(Some(1.0), |weight| weight.parse::<f32>().ok()).unwrap_or(0.0))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether the reader has this already (RFC 9110, 13.1.2: the comparison is weak).
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).map(str::trim).any(|known| {
        let known = known.strip_prefix("W/").unwrap_or(known);
        known == "*" || known.as_bytes() == tag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_taken_when_it_is_named_and_not_refused() {
        for accepted in ["br", "gzip, deflate, br", "BR;q=0.1", "*", "gzip;q=0, *;q=0.5"] {
            assert!(accepts(accepted, "br"), "{accepted}");
        }
        for refused in ["", "gzip", "br;q=0", "br;q=0.0, *", "*;q=0", "brx", "br;q=x", "identity"] {
            assert!(!accepts(refused, "br"), "{refused}");
        }
    }

    #[test]
    fn every_form_is_the_same_file() {
        for bundle in [Bundle::script(), Bundle::core()] {
            let [brotli, gzip, plain] = &bundle.forms;
            assert!(brotli.bytes.len() < gzip.bytes.len() && gzip.bytes.len() < plain.bytes.len());
            let unfolded =
                |coding, form: &Form| super::super::unfold::bytes(coding, form.bytes.to_vec().into()).unwrap();
            assert_eq!(unfolded(super::super::unfold::Coding::Brotli, brotli), plain.bytes);
            assert_eq!(unfolded(super::super::unfold::Coding::Gzip, gzip), plain.bytes);
        }
    }
}
