//! Who may send, from which pages, how much, and what is kept of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::tz::TimeZone;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::id::SiteId;
use quartile_protocol::limits;

use super::reader::Section;
use crate::enrich::place::Place;
use crate::ingest::quota::Quota;

/// The largest quota of a minute.
const MAX_PER_MINUTE: u64 = 1_000_000;

/// The longest retention: a hundred years.
const MAX_RETENTION_DAYS: u64 = 36_500;

/// One site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its key.
    pub id: SiteId,
    /// The pages that may send.
    pub origins: Origins,
    /// The names of its own dimensions, in the order of the columns.
    pub dimensions: Vec<String>,
    /// What it may send in a minute.
    pub quota: Quota,
    /// How many days its rows are to be kept; `None` is for ever.
    pub retention_days: Option<u32>,
    /// How exactly viewers are placed.
    pub geo: GeoPrecision,
    /// What holds of viewers who were not asked, as far as their batches tell.
    pub consent: Consent,
    /// The timezone of its reports where a query names none.
    pub timezone: TimeZone,
}

impl Site {
    fn new(id: SiteId, origins: Origins) -> Self {
        Self {
            id,
            origins,
            dimensions: Vec::new(),
            quota: Quota::default(),
            retention_days: None,
            geo: GeoPrecision::City,
            consent: Consent::Granted,
            timezone: TimeZone::UTC,
        }
    }
}

/// How exactly viewers are placed. What is beyond it is never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeoPrecision {
    /// Not at all; the provider is not kept either.
    None,
    /// Country and provider.
    Country,
    /// Also the region.
    Region,
    /// Also the city.
    City,
}

impl GeoPrecision {
    const ALL: [(&str, Self); 4] =
        [("none", Self::None), ("country", Self::Country), ("region", Self::Region), ("city", Self::City)];

    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        name_of(&Self::ALL, self)
    }

    /// As much of a place as is to be kept.
    #[must_use]
    pub fn of(self, place: Place) -> Place {
        let kept = |least, text| if self as u8 >= least as u8 { text } else { String::new() };
        Place {
            country: kept(Self::Country, place.country),
            region: kept(Self::Region, place.region),
            city: kept(Self::City, place.city),
            isp: kept(Self::Country, place.isp),
        }
    }
}

/// Whether viewers consent to be told from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// What pages send of a viewer is kept.
    Granted,
    /// Counts are kept, and nothing that tells one viewer from another, as with Global Privacy Control.
    Denied,
}

impl Consent {
    const ALL: [(&str, Self); 2] = [("granted", Self::Granted), ("denied", Self::Denied)];

    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

fn name_of<T: Copy + PartialEq>(all: &[(&'static str, T)], value: T) -> &'static str {
    all.iter().find(|(_, other)| *other == value).map_or("", |(name, _)| name)
}

/// The sites by their keys.
#[derive(Clone, Debug, Default)]
pub struct Sites(BTreeMap<String, Arc<Site>>);

impl Sites {
    /// The one site of the demo.
    pub(super) fn demo() -> Self {
        let id = SiteId::new("demo").ok();
        let site = id.map(|id| Site::new(id, Origins(vec![Origin::Any])));
        Self(site.map(|site| (site.id.to_string(), Arc::new(site))).into_iter().collect())
    }

    /// The site with this key.
    #[must_use]
    pub fn get(&self, id: &SiteId) -> Option<&Arc<Site>> {
        self.0.get(id.as_str())
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.0.values()
    }
}

/// The pages that may send to a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// Any page, also one that has no origin to show (`null`).
    Any,
    /// This origin exactly, in small letters.
    One(String),
    /// Any subdomain: what comes before the wildcard, and what after.
    Below { scheme: String, suffix: String },
}

impl Origins {
    /// Whether a page of `origin`, as its browser states it, may send.
    #[must_use]
    pub fn allow(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.0.iter().any(|allowed| match allowed {
            Origin::Any => true,
            Origin::One(one) => *one == origin,
            Origin::Below { scheme, suffix } => {
                let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_suffix(suffix));
                // Something must stand for the wildcard, and no port, path or user may hide in it.
                host.is_some_and(|host| !host.is_empty() && !host.contains([':', '/', '@']))
            }
        })
    }
}

impl Origins {
    /// Each as the configuration says it.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(" "))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::One(one) => f.write_str(one),
            Self::Below { scheme, suffix } => write!(f, "{scheme}*{suffix}"),
        }
    }
}

const ORIGIN: &str = "must be an origin such as https://example.org, without a path; https://*.example.org for its \
                      subdomains; or * for any page";

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let text = text.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://")?;
        let (wildcard, rest) = host.strip_prefix("*.").map_or((false, host), |rest| (true, rest));
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if scheme.is_empty() || rest.is_empty() || !rest.chars().all(sound) {
            return None;
        }
        Some(if wildcard {
            Self::Below { scheme: format!("{scheme}://"), suffix: format!(".{rest}") }
        } else {
            Self::One(text)
        })
    }
}

/// Reads `[[sites]]`.
pub(super) fn read(root: &mut Section<'_>) -> Sites {
    let mut sites = Sites::default();
    let sections = root.sections("sites");
    if sections.is_empty() {
        root.blame("sites", "are missing: add [[sites]] with an id and origins");
    }
    for mut section in sections {
        let site = site(&mut section);
        if let Some(site) = site
            && let Some(twin) = sites.0.insert(site.id.to_string(), Arc::new(site))
        {
            section.blame("id", &format!("`{}` is there twice: give each site one section", twin.id));
        }
        section.finish();
    }
    sites
}

fn site(section: &mut Section<'_>) -> Option<Site> {
    let dimensions = dimensions(section);
    let origins = origins(section);
    let quota =
        Quota { requests: per_minute(section, "requests_per_minute"), views: per_minute(section, "views_per_minute") };
    let retention_days = section.whole("retention_days", 1..=MAX_RETENTION_DAYS);
    let retention_days = retention_days.and_then(|days| u32::try_from(days).ok());
    let geo = section.word("geo", &GeoPrecision::ALL).unwrap_or(GeoPrecision::City);
    let consent = section.word("consent", &Consent::ALL).unwrap_or(Consent::Granted);
    let timezone = timezone(section);
    let Some(id) = section.text("id") else {
        section.blame("id", "is missing: the key that pages name in data-site");
        return None;
    };
    match SiteId::new(&id) {
        Ok(id) => Some(Site { dimensions, quota, retention_days, geo, consent, timezone, ..Site::new(id, origins) }),
        Err(error) => {
            section.blame("id", &error.to_string());
            None
        }
    }
}

fn per_minute(section: &mut Section<'_>, key: &'static str) -> Option<NonZeroU32> {
    section.whole(key, 1..=MAX_PER_MINUTE).and_then(|number| u32::try_from(number).ok()).and_then(NonZeroU32::new)
}

fn timezone(section: &mut Section<'_>) -> TimeZone {
    let Some(name) = section.text("timezone") else { return TimeZone::UTC };
    TimeZone::get(&name).unwrap_or_else(|_| {
        section.blame("timezone", "must be the IANA name of a timezone, such as Europe/Paris");
        TimeZone::UTC
    })
}

fn origins(section: &mut Section<'_>) -> Origins {
    let Some(texts) = section.texts("origins") else {
        section.blame("origins", "are missing: the pages that may send, such as [\"https://example.org\"], or [\"*\"]");
        return Origins::default();
    };
    let mut origins = Vec::new();
    for (field, text) in texts {
        match Origin::parse(&text) {
            Some(origin) => origins.push(origin),
            None => section.blame_whole(&field, ORIGIN),
        }
    }
    Origins(origins)
}

fn dimensions(section: &mut Section<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    for (field, name) in section.texts("dimensions").unwrap_or_default() {
        if name.is_empty() || name.len() > limits::WORD_BYTES {
            section.blame_whole(&field, &format!("must have 1 to {} bytes", limits::WORD_BYTES));
        } else if Dimension::from_name(&name).is_some() {
            section.blame_whole(&field, &format!("`{name}` is a dimension of its own already: take another name"));
        } else if !seen.insert(name.clone()) {
            section.blame_whole(&field, &format!("`{name}` is there twice"));
        }
        names.push(name);
    }
    if names.len() > limits::CUSTOM_DIMENSIONS {
        section.blame("dimensions", &format!("can be {} at most", limits::CUSTOM_DIMENSIONS));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(allowed: &[&str], origin: &str, expect: bool) {
        let origins = Origins(allowed.iter().map(|text| Origin::parse(text).unwrap()).collect());
        assert_eq!(origins.allow(origin), expect, "{origin}");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let one = &["https://example.org"][..];
        check(one, "https://example.org", true);
        check(one, "https://EXAMPLE.org", true);
        for other in ["http://example.org", "https://example.org:8443", "https://www.example.org", "null", ""] {
            check(one, other, false);
        }
        check(&["http://localhost:3000"], "http://localhost:3000", true);
    }

    #[test]
    fn a_wildcard_is_a_subdomain_and_nothing_else() {
        let below = &["https://*.example.org"][..];
        check(below, "https://www.example.org", true);
        check(below, "https://a.b.example.org", true);
        for other in [
            "https://example.org",
            "https://evilexample.org",
            "https://.example.org",
            "https://evil.com/.example.org",
            "https://evil.com:1.example.org",
            "http://www.example.org",
            "https://www.example.org.evil.com",
        ] {
            check(below, other, false);
        }
        check(&["*"], "null", true);
    }

    #[test]
    fn a_place_is_kept_as_exactly_as_the_site_wants() {
        let texts = ["FR", "Rhône", "Lyon", "Isp"].map(str::to_owned);
        let [country, region, city, isp] = texts;
        let whole = Place { country, region, city, isp };
        let kept = |precision: GeoPrecision| {
            let place = precision.of(whole.clone());
            [place.country, place.region, place.city, place.isp].map(|text| !text.is_empty())
        };
        assert_eq!(kept(GeoPrecision::None), [false; 4]);
        assert_eq!(kept(GeoPrecision::Country), [true, false, false, true]);
        assert_eq!(kept(GeoPrecision::Region), [true, true, false, true]);
        assert_eq!(kept(GeoPrecision::City), [true; 4]);
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in ["example.org", "https://", "https://example.org/", "https://*", "https://ex*mple.org", "://x", ""]
        {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
