//! Where the delivery networks tell of a sender: the one table of their request headers.

use http::{HeaderMap, HeaderName};

use super::place::Place;
use super::truncated;

/// Places are kept up to here.
const PLACE_BYTES: usize = 100;

/// The presets, in the order of the documentation.
///
/// Cloudflare sends region and city once "Add visitor location headers" is on. CloudFront sends what the origin request
/// policy names. Fastly sends nothing by itself: the names are those that its VCL is to fill from `client.geo`. Akamai
/// puts everything into one header. Vercel writes percent-encoded names.
const PRESETS: &[(&str, Preset)] = &[
    (
        "cloudflare",
        Preset {
            address: "cf-connecting-ip",
            country: "cf-ipcountry",
            region: "cf-region",
            city: "cf-ipcity",
            ..Preset::NONE
        },
    ),
    (
        "cloudfront",
        Preset {
            address: "cloudfront-viewer-address",
            country: "cloudfront-viewer-country",
            region: "cloudfront-viewer-country-region-name",
            city: "cloudfront-viewer-city",
            ..Preset::NONE
        },
    ),
    (
        "fastly",
        Preset {
            address: "fastly-client-ip",
            country: "x-geo-country-code",
            region: "x-geo-region",
            city: "x-geo-city",
            isp: "x-geo-isp",
            ..Preset::NONE
        },
    ),
    ("akamai", Preset { address: "true-client-ip", composite: "x-akamai-edgescape", ..Preset::NONE }),
    (
        "vercel",
        Preset {
            address: "x-vercel-forwarded-for",
            country: "x-vercel-ip-country",
            region: "x-vercel-ip-country-region",
            city: "x-vercel-ip-city",
            ..Preset::NONE
        },
    ),
];

struct Preset {
    address: &'static str,
    country: &'static str,
    region: &'static str,
    city: &'static str,
    isp: &'static str,
    composite: &'static str,
}

impl Preset {
    const NONE: Self = Self { address: "", country: "", region: "", city: "", isp: "", composite: "" };
}

/// The names of the headers that are read; those of none are never looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderNames {
    /// The sender's address.
    pub address: Option<HeaderName>,
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: Option<HeaderName>,
    /// Region or state.
    pub region: Option<HeaderName>,
    /// City.
    pub city: Option<HeaderName>,
    /// Internet service provider.
    pub isp: Option<HeaderName>,
    /// All of it in one header, as `key=value` pairs with commas between.
    pub composite: Option<HeaderName>,
}

impl HeaderNames {
    /// The names that a delivery network uses.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let (_, preset) = PRESETS.iter().find(|(preset, _)| *preset == name)?;
        let header = |name: &'static str| (!name.is_empty()).then(|| HeaderName::from_static(name));
        Some(Self {
            address: header(preset.address),
            country: header(preset.country),
            region: header(preset.region),
            city: header(preset.city),
            isp: header(preset.isp),
            composite: header(preset.composite),
        })
    }

    /// The names of the presets.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The place that the headers tell.
    #[must_use]
    pub fn place(&self, headers: &HeaderMap) -> Place {
        let read = |name: &Option<HeaderName>| {
            let value = name.as_ref().and_then(|name| headers.get(name));
            value.map_or_else(String::new, |value| text(value.as_bytes()))
        };
        let mut place = Place {
            country: read(&self.country),
            region: read(&self.region),
            city: read(&self.city),
            isp: read(&self.isp),
        };
        for pair in read_whole(&self.composite, headers).split(',') {
            match pair.trim().split_once('=') {
                Some(("country_code", value)) => place.country = value.into(),
                Some(("region_code", value)) => place.region = value.into(),
                Some(("city", value)) => place.city = value.into(),
                Some(("network", value)) => place.isp = value.into(),
                _ => {}
            }
        }
        place.country = country(&place.country);
        place
    }
}

/// A composite header is longer than a place; its parts are cut by whoever wrote them.
fn read_whole(name: &Option<HeaderName>, headers: &HeaderMap) -> String {
    let value = name.as_ref().and_then(|name| headers.get(name)).and_then(|value| value.to_str().ok());
    truncated(value.unwrap_or_default(), 10 * PLACE_BYTES).to_owned()
}

/// A country's code in capitals; empty for what is none. `XX` is unknown and `T1` is Tor.
pub(super) fn country(code: &str) -> String {
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    let code = if is_code { code.to_ascii_uppercase() } else { String::new() };
    if code == "XX" { String::new() } else { code }
}

/// A header's text, with percent-encoding undone; what is not UTF-8 after all is unknown.
fn text(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let encoded = (byte == b'%').then(|| tail.first_chunk::<2>()).flatten();
        let digits = encoded.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded_byte) => {
                decoded.push(decoded_byte);
                rest = &tail[2..];
            }
            None => decoded.push(byte),
        }
    }
    let text = String::from_utf8(decoded).unwrap_or_default();
    truncated(text.trim(), PLACE_BYTES).to_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(preset: &str, headers: &[(&str, &str)], expect: [&str; 4]) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let place = HeaderNames::preset(preset).unwrap().place(&map);
        assert_eq!([place.country, place.region, place.city, place.isp], expect);
    }

    #[test]
    fn every_preset_is_read() {
        check("cloudflare", &[("cf-ipcountry", "fr"), ("cf-ipcity", "Saint-Étienne")], ["FR", "", "Saint-Étienne", ""]);
        check("cloudflare", &[("cf-ipcountry", "XX")], ["", "", "", ""]);
        check("cloudflare", &[("cf-ipcountry", "T1")], ["", "", "", ""]);
        check(
            "cloudfront",
            &[("cloudfront-viewer-country", "US"), ("cloudfront-viewer-country-region-name", "Texas")],
            ["US", "Texas", "", ""],
        );
        check("fastly", &[("x-geo-country-code", "DE"), ("x-geo-isp", "Telekom")], ["DE", "", "", "Telekom"]);
        check(
            "akamai",
            &[("x-akamai-edgescape", "georegion=246,country_code=US,region_code=CA,city=SANJOSE,network=aol,asnum=1")],
            ["US", "CA", "SANJOSE", "aol"],
        );
        check(
            "vercel",
            &[("x-vercel-ip-country", "BR"), ("x-vercel-ip-city", "S%C3%A3o%20Paulo")],
            ["BR", "", "São Paulo", ""],
        );
    }

    #[test]
    fn odd_texts_are_no_places() {
        assert_eq!(text(b"100%"), "100%");
        assert_eq!(text(b"%zz%4"), "%zz%4");
        assert_eq!(text(b"%ff"), "");
        assert_eq!(text(&[b'x'; 500]).len(), PLACE_BYTES);
        assert_eq!(country("FRA"), "");
        assert_eq!(HeaderNames::preset("nonsense"), None);
    }
}
