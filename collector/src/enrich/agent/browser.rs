//! The name of a browser under which people know it.

/// Browsers that are told by a token, in small letters, rather than by the patterns, which do not know them or take them
/// for what they are made of: (what tells it, its name, what its version stands behind, if it states one).
const BY_TOKEN: &[(&str, &str, &str)] = &[
    // Applications with a browser inside.
    ("musical_ly", "TikTok", ""),
    ("bytedancewebview", "TikTok", ""),
    ("trill_", "TikTok", ""),
    ("micromessenger/", "WeChat", "micromessenger/"),
    (" barcelona ", "Threads", " barcelona "),
    ("naver(", "NAVER", ""),
    // Browsers under another's name.
    ("duckduckgo/", "DuckDuckGo", ""),
    (" ddg/", "DuckDuckGo", ""),
    ("(ecosia ", "Ecosia", ""),
    (" brave/", "Brave", ""),
    (" brave ", "Brave", ""),
    ("vivaldi/", "Vivaldi", "vivaldi/"),
    (" opt/", "Opera", " opt/"),
    ("fxios/", "Firefox", "fxios/"),
    (" focus/", "Firefox Focus", " focus/"),
    ("oculusbrowser/", "Oculus Browser", "oculusbrowser/"),
    ("huaweibrowser/", "Huawei Browser", "huaweibrowser/"),
    ("miuibrowser/", "MIUI Browser", "miuibrowser/"),
];

/// The name of the browser, and its major version, if that is the version of what is named.
pub(super) fn browser<'a>(lower: &'a str, family: &'a str, major: &'a str) -> (&'a str, &'a str) {
    let by_token = BY_TOKEN.iter().find(|(token, ..)| lower.contains(token) || lower.ends_with(token.trim_end()));
    match (by_token, known_as(family)) {
        (Some((_, name, "")), _) => (name, ""),
        (Some((_, name, behind)), _) => (name, number_behind(lower, behind)),
        (None, "") => ("", ""),
        (None, name) => (name, major),
    }
}

/// The digits behind a token.
fn number_behind<'a>(lower: &'a str, token: &str) -> &'a str {
    let rest = lower.split_once(token).map_or("", |(_, rest)| rest);
    &rest[..rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len())]
}

fn known_as(family: &str) -> &str {
    match family {
        "Chrome Mobile" | "Chrome Mobile iOS" => "Chrome",
        "Chrome Mobile WebView" => "Chrome WebView",
        "Mobile Safari" => "Safari",
        "Mobile Safari UI/WKWebView" => "Safari WebView",
        "Firefox Mobile" | "Firefox iOS" => "Firefox",
        "Edge Mobile" => "Edge",
        "Opera Mobile" => "Opera",
        "IE" | "IE Mobile" => "Internet Explorer",
        // Any WebKit without a browser's name, such as that of a console or a television, is taken for a mail program or
        // for a build of WebKit.
        "Apple Mail" | "WebKit Nightly" | "Other" => "",
        // A piece of an address.
        other if other.contains('/') => "",
        other => other,
    }
}
