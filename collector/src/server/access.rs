//! Who may read: holders of a token, or everybody where the configuration says so.

use axum::response::Response;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use subtle::{Choice, ConstantTimeEq};

use super::answer;
use crate::config::{Access, token_hash};

/// What a stranger is told: how to become a reader. `None` lets through.
pub(super) fn refusal(access: &Access, headers: &HeaderMap) -> Option<Response> {
    let Access::Tokens(hashes) = access else { return None };
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    // All hashes are compared, each in constant time: how long it takes tells nothing.
    let known = token.is_some_and(|(_, token)| {
        let hash = token_hash(token.trim());
        let found = hashes.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&hash));
        found.into()
    });
    (!known).then(|| unauthorized(hashes.is_empty()))
}

fn unauthorized(no_tokens: bool) -> Response {
    let message = if no_tokens {
        "nobody may read yet: make a token with `quartile token create` and put its hash into the configuration"
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

    fn is_let_through(access: &Access, authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        }
        refusal(access, &headers).is_none()
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        let access = Access::Tokens(vec![token_hash("other"), token_hash("right")]);
        assert!(is_let_through(&access, "Bearer right"));
        assert!(is_let_through(&access, "bearer right"));
        for wrong in ["", "right", "Bearer", "Bearer ", "Bearer wrong", "Basic right", "Bearer right right"] {
            assert!(!is_let_through(&access, wrong), "{wrong}");
        }
        assert!(!is_let_through(&Access::Tokens(Vec::new()), "Bearer right"));
        assert!(is_let_through(&Access::Open, ""));
    }
}
