//! Whose headers are believed, and which address a sender has.
//!
//! A header is believed only from a trusted peer, or with the secret that only a trusted proxy knows; and a list of hops
//! (`X-Forwarded-For`, `Forwarded` of RFC 7239) only as far as trusted proxies wrote it: it is walked from the right, and
//! whatever stands to the left of the first hop that is not trusted, anybody can have sent.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use subtle::ConstantTimeEq;

use super::headers::HeaderNames;

/// Hops of one request that are looked at; real chains have fewer than ten.
const HOPS: usize = 64;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Networks of proxies.
    pub networks: Vec<IpNet>,
    /// What a proxy shows that has no fixed address.
    pub secret: Option<ProxySecret>,
}

/// A header that only a trusted proxy can fill.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxySecret {
    /// Its name.
    pub header: HeaderName,
    /// What it must hold.
    pub secret: String,
}

impl fmt::Debug for ProxySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxySecret({}, …)", self.header)
    }
}

impl Trust {
    /// Whether what `peer` says in these headers is believed.
    #[must_use]
    pub fn believes(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.has(peer) || self.secret.as_ref().is_some_and(|secret| secret.is_shown(headers))
    }

    fn has(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The sender's address behind the believed `peer`: the one that the delivery network names, or the right-most hop of
    /// `X-Forwarded-For` that is no trusted proxy, or `peer` itself.
    #[must_use]
    pub fn behind(&self, peer: IpAddr, headers: &HeaderMap, names: &HeaderNames) -> IpAddr {
        match &names.address {
            // Who reads `Forwarded` has a proxy that may pass on anybody's `X-Forwarded-For`.
            Some(name) if name == FORWARDED => self.walk(headers, name).unwrap_or(peer),
            Some(name) => self.walk(headers, name).or_else(|| self.walk(headers, &X_FORWARDED_FOR)).unwrap_or(peer),
            None => self.walk(headers, &X_FORWARDED_FOR).unwrap_or(peer),
        }
    }

    /// The right-most hop that is not trusted; the left-most one where all are.
    fn walk(&self, headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
        let mut nearest = None;
        let is_forwarded = name == FORWARDED;
        let hops = headers.get_all(name).iter().rev().flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        for hop in hops.take(HOPS) {
            // What is no address ends the chain: beyond it nothing can be believed.
            let hop = if is_forwarded { forwarded_for(hop) } else { parse(hop) };
            let Some(hop) = hop else { break };
            nearest = Some(hop);
            if !self.has(hop) {
                break;
            }
        }
        nearest
    }
}

impl ProxySecret {
    fn is_shown(&self, headers: &HeaderMap) -> bool {
        // In constant time, so that trying does not tell how much of it was right.
        headers.get(&self.header).is_some_and(|shown| shown.as_bytes().ct_eq(self.secret.as_bytes()).into())
    }
}

/// The address of one element of `Forwarded`: `for="[2001:db8::17]:4711";proto=https`. `unknown` and names that hide an
/// address (`_gazonk`) are none. <https://www.rfc-editor.org/rfc/rfc7239#section-4>
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let node = node.trim();
    parse(node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node))
}

/// Reads an address with or without a port. CloudFront writes IPv6 with a port and without brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = plain.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let with_bare_port = || text.rsplit_once(':').and_then(|(address, _)| address.parse::<IpAddr>().ok());
    address.or_else(with_port).or_else(with_bare_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        map
    }

    fn trust() -> Trust {
        Trust { networks: vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()], secret: None }
    }

    #[track_caller]
    fn check_names(names: &HeaderNames, headers: &[(&str, &str)], expect: &str) {
        let address = trust().behind("127.0.0.1".parse().unwrap(), &map(headers), names);
        assert_eq!(address, expect.parse::<IpAddr>().unwrap());
    }

    #[track_caller]
    fn check(preset: &str, headers: &[(&str, &str)], expect: &str) {
        check_names(&HeaderNames::preset(preset).unwrap_or_default(), headers, expect);
    }

    #[test]
    fn the_right_most_hop_that_is_not_trusted_counts() {
        check("", &[], "127.0.0.1");
        check("", &[("x-forwarded-for", "203.0.113.9")], "203.0.113.9");
        check("", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.1.2.3")], "203.0.113.9");
        check("", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9 , 10.1.2.3:443")], "203.0.113.9");
        check("", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9, 10.1.2.3")], "203.0.113.9");
        check("", &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.1.2.3")], "203.0.113.9");
        check("", &[("x-forwarded-for", "10.9.9.9, 10.1.2.3")], "10.9.9.9");
        check("", &[("x-forwarded-for", "6.6.6.6, nonsense, 10.1.2.3")], "10.1.2.3");
        check("", &[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9");
        check("", &[("x-forwarded-for", "[2001:db8::7]:8080")], "2001:db8::7");
        check("", &[("forwarded", "for=6.6.6.6")], "127.0.0.1");
    }

    #[test]
    fn a_chain_is_walked_no_further_than_its_bound() {
        let chain = |trusted: usize| format!("203.0.113.9{}", ", 10.1.2.3".repeat(trusted));
        check("", &[("x-forwarded-for", &chain(HOPS - 1))], "203.0.113.9");
        check("", &[("x-forwarded-for", &chain(HOPS))], "10.1.2.3");
    }

    #[test]
    fn the_delivery_networks_own_header_comes_first() {
        let chain = ("x-forwarded-for", "203.0.113.9");
        check("cloudflare", &[("cf-connecting-ip", "198.51.100.1"), chain], "198.51.100.1");
        check("cloudfront", &[("cloudfront-viewer-address", "198.51.100.1:46532"), chain], "198.51.100.1");
        check("cloudfront", &[("cloudfront-viewer-address", "2001:db8:0:0:0:0:0:7:46532"), chain], "2001:db8::7");
        check("fastly", &[("fastly-client-ip", "198.51.100.1"), chain], "198.51.100.1");
        check("akamai", &[("true-client-ip", "198.51.100.1"), chain], "198.51.100.1");
        check("vercel", &[("x-vercel-forwarded-for", "198.51.100.1"), chain], "198.51.100.1");
        check("cloudflare", &[("cf-connecting-ip", "broken"), chain], "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_where_it_is_asked_for() {
        let names = HeaderNames { address: Some(FORWARDED), ..HeaderNames::default() };
        let check = |value: &str, expect: &str| {
            check_names(&names, &[("forwarded", value), ("x-forwarded-for", "6.6.6.6")], expect);
        };
        check("for=203.0.113.9;proto=http;by=203.0.113.43", "203.0.113.9");
        check("proto=https;For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17");
        check("for=6.6.6.6, for=203.0.113.9 , for=10.0.0.1", "203.0.113.9");
        check("for=\"203.0.113.9:47011\"", "203.0.113.9");
        check("for=6.6.6.6, for=_hidden, for=10.0.0.1", "10.0.0.1");
        check("for=unknown", "127.0.0.1");
        check("nonsense", "127.0.0.1");
    }

    #[test]
    fn a_secret_stands_for_an_address() {
        let secret = ProxySecret { header: HeaderName::from_static("x-edge"), secret: "s3cret s3cret".into() };
        let trust = Trust { networks: Vec::new(), secret: Some(secret) };
        let peer = "198.51.100.7".parse().unwrap();
        for (headers, expect) in [
            (&[("x-edge", "s3cret s3cret")][..], true),
            (&[("x-edge", "s3cret s3cre")], false),
            (&[("x-edge", "")], false),
            (&[("x-other", "s3cret s3cret")], false),
            (&[], false),
        ] {
            assert_eq!(trust.believes(peer, &map(headers)), expect, "{headers:?}");
        }
        assert!(!format!("{trust:?}").contains("s3cret"), "a secret is in no log");
        let behind = trust.behind(peer, &map(&[("x-forwarded-for", "6.6.6.6, 203.0.113.9")]), &HeaderNames::default());
        assert_eq!(behind, "203.0.113.9".parse::<IpAddr>().unwrap());
    }
}
