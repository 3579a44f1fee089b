//! What a request tells of its sender beside the body: device, place, and a stand-in for a viewer without an id.
//!
//! | module | answers |
//! |---|---|
//! | [`agent`] | which device, system and browser, from the user agent and the client hints |
//! | [`address`] | which address the sender has, believing proxies only where they are trusted |
//! | [`headers`] | where that is, as a content delivery network tells it |
//! | [`place`] | where that is, from MMDB files |
//! | [`daily`] | the salted hash of the day |
//!
//! The address is used and dropped: it is in no log, no error and no row.

pub mod address;
pub mod agent;
pub mod daily;
pub mod headers;
pub mod place;

use std::net::IpAddr;

use http::HeaderMap;
use http::header::USER_AGENT;
use quartile_protocol::batch::Client;
use quartile_protocol::clock::Wall;
use quartile_protocol::id::SiteId;

use self::address::Trust;
use self::agent::{Agent, Agents};
use self::daily::Salts;
use self::headers::HeaderNames;
use self::place::{Place, Places};

/// User agents are read up to here; real ones are shorter.
const USER_AGENT_BYTES: usize = 1_000;

/// Everything that turns a request into facts about its sender.
pub struct Enricher {
    /// Reads user agents.
    pub agents: Agents,
    /// Whose headers are believed.
    pub trust: Trust,
    /// The headers in which they tell the sender's address and place.
    pub headers: HeaderNames,
    /// Places by address, for what the headers do not tell.
    pub places: Places,
    /// The salts of the days.
    pub salts: Salts,
}

/// The sender of one request.
pub struct Visitor {
    address: IpAddr,
    user_agent: Box<str>,
    /// Whether what its headers tell is believed.
    believed: bool,
    /// Whether Global Privacy Control is on.
    pub private: bool,
}

impl Enricher {
    /// The sender of a request that came from `peer` with these headers.
    #[must_use]
    pub fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> Visitor {
        let peer = peer.to_canonical();
        let believed = self.trust.believes(peer, headers);
        let address = if believed { self.trust.behind(peer, headers, &self.headers) } else { peer };
        let private = headers.get("sec-gpc").is_some_and(|value| value.as_bytes() == b"1");
        let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Visitor { address, user_agent: truncated(user_agent, USER_AGENT_BYTES).into(), believed, private }
    }

    /// Where the sender is, as far as known; without a city if it asked not to be followed.
    #[must_use]
    pub fn place(&self, visitor: &Visitor, headers: &HeaderMap) -> Place {
        let told = if visitor.believed { self.headers.place(headers) } else { Place::default() };
        let mut place = told.completed(|| self.places.of(visitor.address));
        if visitor.private {
            place.city.clear();
        }
        place
    }

    /// The sender's device, by its user agent and what its page says of it.
    #[must_use]
    pub fn agent(&self, visitor: &Visitor, client: &Client) -> Agent {
        self.agents.read(&visitor.user_agent).with_hints(client)
    }

    /// The hash that stands for the sender in views of `day`; empty when it asked not to be followed, or when the day
    /// is neither today nor yesterday.
    #[must_use]
    pub fn daily_viewer(&self, visitor: &Visitor, site: &SiteId, day: i64, now: Wall) -> String {
        if visitor.private {
            return String::new();
        }
        let salt = self.salts.of_day(day, now);
        salt.map_or_else(String::new, |salt| salt.hash(site, visitor.address, &visitor.user_agent))
    }
}

/// The beginning of `text`, at most `max` bytes, without a broken character at its end.
pub(crate) fn truncated(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enricher(dir: &std::path::Path) -> Enricher {
        Enricher {
            agents: Agents::new().unwrap(),
            trust: Trust { networks: vec!["127.0.0.0/8".parse().unwrap()], secret: None },
            headers: HeaderNames::preset("cloudflare").unwrap(),
            places: Places::default(),
            salts: Salts::new(dir.join("salts")),
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_trusted_peer_tells_address_and_country() {
        let dir = tempfile::tempdir().unwrap();
        let enricher = enricher(dir.path());
        let told = headers(&[("cf-ipcountry", "FR"), ("cf-ipcity", "Lyon"), ("cf-connecting-ip", "203.0.113.9")]);
        let behind = enricher.visitor("127.0.0.1".parse().unwrap(), &told);
        let place = enricher.place(&behind, &told);
        assert_eq!((place.country.as_str(), place.city.as_str()), ("FR", "Lyon"));
        assert_eq!(behind.address, "203.0.113.9".parse::<IpAddr>().unwrap());
        let direct = enricher.visitor("198.51.100.7".parse().unwrap(), &told);
        assert_eq!(enricher.place(&direct, &told), Place::default());
        assert_eq!(direct.address, "198.51.100.7".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn global_privacy_control_leaves_no_city_and_no_daily_viewer() {
        let dir = tempfile::tempdir().unwrap();
        let enricher = enricher(dir.path());
        let peer = "127.0.0.1".parse().unwrap();
        let told = headers(&[("cf-ipcountry", "FR"), ("cf-ipcity", "Lyon"), ("sec-gpc", "1")]);
        let visitor = enricher.visitor(peer, &told);
        let place = enricher.place(&visitor, &told);
        assert_eq!((place.country.as_str(), place.city.as_str()), ("FR", ""));
        let (site, now) = (SiteId::new("demo").unwrap(), Wall::from_ms(1_790_000_000_000));
        assert_eq!(enricher.daily_viewer(&visitor, &site, 20_717, now), "");
        let open = enricher.visitor(peer, &headers(&[]));
        assert_eq!(enricher.daily_viewer(&open, &site, 20_717, now).len(), 16);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(truncated("aé", 2), "a");
        assert_eq!(truncated("aé", 3), "aé");
    }
}
