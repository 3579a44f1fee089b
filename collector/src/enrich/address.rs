//! Which address a sender has. A header is believed only from a trusted peer, and within `X-Forwarded-For` only as far
//! as trusted proxies wrote it: whatever stands to the left of them, anybody can have sent.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

use super::headers::HeaderNames;

/// Whether `address` is one of the `trusted` networks.
#[must_use]
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The sender's address behind the trusted `peer`: the one that the delivery network names, or the right-most hop of
/// `X-Forwarded-For` that is no trusted proxy, or `peer` itself.
#[must_use]
pub fn behind(peer: IpAddr, headers: &HeaderMap, names: &HeaderNames, trusted: &[IpNet]) -> IpAddr {
    let named = names.address.as_ref().and_then(|name| headers.get(name)).and_then(|value| value.to_str().ok());
    named.and_then(parse).unwrap_or_else(|| forwarded(peer, headers, trusted))
}

fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut nearest = peer;
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        for hop in value.to_str().unwrap_or_default().rsplit(',') {
            // What is no address ends the chain: beyond it nothing can be believed.
            let Some(hop) = parse(hop) else { return nearest };
            nearest = hop;
            if !is_trusted(hop, trusted) {
                return hop;
            }
        }
    }
    nearest
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

    #[track_caller]
    fn check(preset: &str, headers: &[(&'static str, &'static str)], expect: &str) {
        let headers = headers.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let trusted = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()];
        let names = HeaderNames::preset(preset).unwrap_or_default();
        let address = behind("127.0.0.1".parse().unwrap(), &headers, &names, &trusted);
        assert_eq!(address, expect.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn the_right_most_hop_that_is_not_trusted_counts() {
        check("", &[], "127.0.0.1");
        check("", &[("x-forwarded-for", "203.0.113.9")], "203.0.113.9");
        check("", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.1.2.3")], "203.0.113.9");
        check("", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9 , 10.1.2.3:443")], "203.0.113.9");
        check("", &[("x-forwarded-for", "10.9.9.9, 10.1.2.3")], "10.9.9.9");
        check("", &[("x-forwarded-for", "6.6.6.6, nonsense, 10.1.2.3")], "10.1.2.3");
        check("", &[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9");
        check("", &[("x-forwarded-for", "[2001:db8::7]:8080")], "2001:db8::7");
    }

    #[test]
    fn the_delivery_networks_own_header_comes_first() {
        let chain = ("x-forwarded-for", "203.0.113.9");
        check("cloudflare", &[("cf-connecting-ip", "198.51.100.1"), chain], "198.51.100.1");
        check("cloudfront", &[("cloudfront-viewer-address", "198.51.100.1:46532"), chain], "198.51.100.1");
        check("cloudfront", &[("cloudfront-viewer-address", "2001:db8:0:0:0:0:0:7:46532"), chain], "2001:db8::7");
        check("cloudflare", &[("cf-connecting-ip", "broken"), chain], "203.0.113.9");
    }
}
