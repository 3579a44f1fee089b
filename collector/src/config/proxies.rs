//! Whose headers are believed, and what is read in them: `trusted_proxies`, `[proxy_secret]` and `[geo]`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::HeaderName;
use ipnet::IpNet;

use super::reader::{Mistakes, Section};
use super::sink::secret;
use super::{Config, Env};
use crate::enrich::address::{ProxySecret, Trust};
use crate::enrich::headers::HeaderNames;

/// The shortest secret: it is the only thing between a sender and any address that it likes.
const SECRET_CHARS: usize = 16;

/// Files of places that may be asked one after the other.
const MMDB_FILES: usize = 4;

/// What a trusted proxy must be.
pub(super) const NETWORK: &str = "must be an address or a network, such as 10.0.0.0/8";

/// Proxies on this machine alone, for the demo.
pub(super) fn this_machine() -> Trust {
    let addresses = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
    Trust { networks: addresses.map(IpNet::from).to_vec(), secret: None }
}

impl Config {
    pub(super) fn read_proxies(&mut self, root: &mut Section<'_>, env: Env<'_>) {
        for (field, text) in root.texts("trusted_proxies").unwrap_or_default() {
            match network(&text) {
                Some(network) => self.trust.networks.push(network),
                None => root.blame_whole(&field, NETWORK),
            }
        }
        self.trust.secret = proxy_secret(root, env);
        let Some(mut section) = root.section("geo") else { return };
        self.mmdb = mmdb(&mut section);
        self.headers = geo_headers(&mut section);
        section.finish();
    }

    /// Once the environment was read, too, which may name the proxies.
    pub(super) fn check_proxies(&self, mistakes: &Mistakes) {
        if self.headers != HeaderNames::default() && self.trust == Trust::default() {
            let cure =
                "are believed from nobody: name your proxies in `trusted_proxies`, or a secret in `proxy_secret`";
            mistakes.add("geo.headers", cure);
        }
    }
}

/// One address, or a network.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn proxy_secret(root: &mut Section<'_>, env: Env<'_>) -> Option<ProxySecret> {
    let mut section = root.section("proxy_secret")?;
    let named = section.text("header").unwrap_or_default();
    let header = section.parsed("header", &named, "the name of the header that your proxy puts the secret into");
    let secret = secret(&mut section, env);
    if secret.as_ref().is_none_or(|secret| secret.chars().count() < SECRET_CHARS) {
        let cure =
            format!("must have at least {SECRET_CHARS} characters, here or in the variable that `secret_env` names");
        section.blame("secret", &cure);
    }
    section.finish();
    Some(ProxySecret { header: header?, secret: secret? })
}

/// One file, or a list of files.
fn mmdb(section: &mut Section<'_>) -> Vec<PathBuf> {
    let named = if section.is_text("mmdb") {
        section.text("mmdb").map(|path| vec![("geo.mmdb".to_owned(), path)])
    } else {
        section.texts("mmdb")
    };
    let named = named.unwrap_or_default();
    if named.len() > MMDB_FILES {
        section.blame("mmdb", &format!("may name at most {MMDB_FILES} files"));
    }
    for (field, path) in &named {
        if !Path::new(path).is_file() {
            let cure = format!("names {path}, which is no file: put an MMDB file there, or leave this out");
            section.blame_whole(field, &cure);
        }
    }
    named.into_iter().map(|(_, path)| path.into()).collect()
}

/// A preset's name, or a table of header names.
fn geo_headers(section: &mut Section<'_>) -> HeaderNames {
    if section.is_text("headers") {
        let preset = section.text("headers").and_then(|name| HeaderNames::preset(&name));
        if preset.is_none() {
            let presets: Vec<_> = HeaderNames::presets().collect();
            section.blame("headers", &format!("must be one of {}, or a table of header names", presets.join(", ")));
        }
        return preset.unwrap_or_default();
    }
    let Some(mut names) = section.section("headers") else { return HeaderNames::default() };
    let read = HeaderNames {
        address: header(&mut names, "address"),
        country: header(&mut names, "country"),
        region: header(&mut names, "region"),
        city: header(&mut names, "city"),
        isp: header(&mut names, "isp"),
        asn: header(&mut names, "asn"),
        composite: None,
        encoded: names.truth("percent_encoded").unwrap_or_default(),
    };
    names.finish();
    read
}

fn header(section: &mut Section<'_>, key: &'static str) -> Option<HeaderName> {
    let name = section.text(key)?;
    section.parsed(key, &name, "the name of a header")
}
