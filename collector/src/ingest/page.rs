//! Addresses of pages, taken apart without believing them to be well formed.

/// The parts of an address that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageAddress {
    /// The host in small letters, without port; empty where there is none.
    pub host: String,
    /// The path, without query and fragment; empty where there is no address.
    pub path: String,
}

/// Takes an address apart. A text without a scheme is a path.
#[must_use]
pub fn split(address: &str) -> PageAddress {
    let address = address.trim();
    let address = &address[..address.find(['?', '#']).unwrap_or(address.len())];
    let Some((_, rest)) = address.split_once("://") else {
        // `about:blank`, `data:…` and the like are no pages.
        let path = if address.starts_with('/') { address } else { "" };
        return PageAddress { host: String::new(), path: path.to_owned() };
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    PageAddress {
        host: without_port(host).to_ascii_lowercase(),
        path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, host: &str, path: &str) {
        assert_eq!(split(address), PageAddress { host: host.into(), path: path.into() });
    }

    #[test]
    fn host_and_path_are_kept_and_nothing_else() {
        check("https://Example.org/watch/1?token=secret#t=3", "example.org", "/watch/1");
        check("https://example.org", "example.org", "/");
        check("https://example.org?x=/y", "example.org", "/");
        check("http://localhost:3000/a", "localhost", "/a");
        check("https://user:password@example.org/a", "example.org", "/a");
        check("http://[2001:db8::7]:80/a", "[2001:db8::7]", "/a");
        check("http://[2001:db8::7]/a", "[2001:db8::7]", "/a");
        check("capacitor://localhost/index.html", "localhost", "/index.html");
        check("file:///home/me/a.html", "", "/home/me/a.html");
        check("/watch/1?x", "", "/watch/1");
        check("about:blank", "", "");
        check("", "", "");
        check("https://пример.рф/а", "пример.рф", "/а");
    }
}
