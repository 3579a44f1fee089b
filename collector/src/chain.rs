//! An error as a text.

use std::error::Error;

/// An error with what caused it, on one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn causes_follow() {
        let inner = std::fmt::Error;
        assert_eq!(chain(&Outer(inner)), format!("outer: {inner}"));
        assert_eq!(chain(&inner), inner.to_string());
    }
}
