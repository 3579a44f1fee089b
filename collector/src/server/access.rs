//! Who reads, by the header of the request.

use axum::response::Response;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use quartile_protocol::id::SiteId;

use super::answer;
use crate::access::{Access, Reader, Scope};

/// Who reads; or what a stranger is told: how to become a reader.
#[expect(clippy::result_large_err, reason = "the answer is given at once")]
pub(super) fn reader(access: &Access, headers: &HeaderMap) -> Result<Reader, Response> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    access.reader(token.map(|(_, token)| token.trim())).ok_or_else(|| unauthorized(access))
}

/// What a reader is told whose token does not reach so far. `None` lets through.
pub(super) fn refusal(reader: &Reader, scope: Scope, site: Option<&SiteId>) -> Option<Response> {
    (!reader.may(scope, site)).then(|| {
        let of_what = site.map_or_else(|| "every site".to_owned(), |site| format!("the site `{site}`"));
        let message = format!("this takes a token with the scope `{}` for {of_what}", scope.as_str());
        answer::error(StatusCode::FORBIDDEN, "forbidden", &message)
    })
}

fn unauthorized(access: &Access) -> Response {
    let message = if *access == Access::Tokens(Vec::new()) {
        "nobody may read yet: make a token with `quartile token create`"
    } else {
        "show a token: Authorization: Bearer …"
    };
    let mut response = answer::error(StatusCode::UNAUTHORIZED, "unauthorized", message);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, token_hash};

    #[test]
    fn a_token_is_shown_as_a_bearer() {
        let access = Access::Tokens(vec![Grant::everything(token_hash("right"))]);
        let is_let_through = |authorization: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, authorization.parse().unwrap());
            reader(&access, &headers).is_ok()
        };
        assert!(is_let_through("Bearer right"));
        assert!(is_let_through("bearer right"));
        for wrong in ["right", "Bearer", "Bearer ", "Bearer wrong", "Basic right", "Bearer right right"] {
            assert!(!is_let_through(wrong), "{wrong}");
        }
        assert!(reader(&access, &HeaderMap::new()).is_err());
        assert!(reader(&Access::Open, &HeaderMap::new()).is_ok());
    }
}
