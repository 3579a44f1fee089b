//! Where the delivery networks tell of a sender: the one table of their request headers.

use http::{HeaderMap, HeaderName};

use super::place::Place;
use super::truncated;

/// Places are kept up to here.
const PLACE_BYTES: usize = 100;

/// A header with a whole place in it is read up to here.
const COMPOSITE_BYTES: usize = 1_000;

/// The presets, in the order of the documentation.
///
/// - Cloudflare sends the country, and region and city once the managed transform "Add visitor location headers" is on;
///   in UTF-8. `XX` is unknown, `T1` is Tor.
/// - CloudFront sends what the origin request policy names, percent-encoded where it is not ASCII; the address with a
///   port; of the provider its number alone.
/// - Fastly sends nothing by itself: the names are those that its VCL is to set, and to set always, because the network
///   passes on what a sender has put there: `set req.http.X-Geo-City = client.geo.city.utf8;` and so on. `?` is unknown.
/// - Akamai puts everything into one header of `key=value` pairs, cities in capitals and without spaces.
/// - Vercel percent-encodes cities.
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
            asn: "cloudfront-viewer-asn",
            encoded: true,
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
            asn: "x-geo-asn",
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
            asn: "x-vercel-ip-as-number",
            encoded: true,
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
    asn: &'static str,
    composite: &'static str,
    encoded: bool,
}

impl Preset {
    const NONE: Self =
        Self { address: "", country: "", region: "", city: "", isp: "", asn: "", composite: "", encoded: false };
}

/// The names of the headers that are read; those of none are never looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderNames {
    /// The sender's address, or a list of hops that ends with it.
    pub address: Option<HeaderName>,
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: Option<HeaderName>,
    /// Region or state.
    pub region: Option<HeaderName>,
    /// City.
    pub city: Option<HeaderName>,
    /// Internet service provider.
    pub isp: Option<HeaderName>,
    /// The number of the provider's network, which stands for a name that nothing tells.
    pub asn: Option<HeaderName>,
    /// All of it in one header, as `key=value` pairs with commas between.
    pub composite: Option<HeaderName>,
    /// Whether texts are percent-encoded.
    pub encoded: bool,
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
            asn: header(preset.asn),
            composite: header(preset.composite),
            encoded: preset.encoded,
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
            value.map_or_else(String::new, |value| text(value.as_bytes(), self.encoded))
        };
        let mut place = Place {
            country: read(&self.country),
            region: read(&self.region),
            city: read(&self.city),
            isp: read(&self.isp),
        };
        let mut number = read(&self.asn);
        for pair in read_whole(&self.composite, headers).split(',') {
            match pair.trim().split_once('=') {
                Some(("country_code", value)) => place.country = text(value.as_bytes(), false),
                Some(("region_code", value)) => place.region = text(value.as_bytes(), false),
                Some(("city", value)) => place.city = text(value.as_bytes(), false),
                Some(("network", value)) => place.isp = text(value.as_bytes(), false),
                Some(("asnum", value)) => number = text(value.as_bytes(), false),
                _ => {}
            }
        }
        place.country = country(&place.country);
        if place.isp.is_empty() {
            place.isp = network(&number);
        }
        place
    }
}

/// A composite header is longer than a place.
fn read_whole(name: &Option<HeaderName>, headers: &HeaderMap) -> String {
    let value = name.as_ref().and_then(|name| headers.get(name)).and_then(|value| value.to_str().ok());
    truncated(value.unwrap_or_default(), COMPOSITE_BYTES).to_owned()
}

/// A country's code in capitals; empty for what is none. `XX` is unknown; what has a digit, such as Tor's `T1`, is none.
pub(super) fn country(code: &str) -> String {
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    let code = if is_code { code.to_ascii_uppercase() } else { String::new() };
    if code == "XX" { String::new() } else { code }
}

/// A network's number as people write it, `AS64496`; empty for what is none.
pub(super) fn network(number: &str) -> String {
    let digits = number.get(..2).filter(|prefix| prefix.eq_ignore_ascii_case("AS")).map_or(number, |_| &number[2..]);
    match digits.parse::<u32>() {
        Ok(number @ 1..) => format!("AS{number}"),
        _ => String::new(),
    }
}

/// A header's text. One that is neither UTF-8 nor encoded is Latin-1, as headers once were; what says that it is unknown
/// is empty.
fn text(bytes: &[u8], encoded: bool) -> String {
    let text = if encoded {
        String::from_utf8(undo_percents(bytes)).unwrap_or_default()
    } else {
        std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
    };
    let text = text.trim();
    let is_unknown = UNKNOWN.iter().any(|unknown| text.eq_ignore_ascii_case(unknown));
    if is_unknown || text.contains(char::is_control) { String::new() } else { truncated(text, PLACE_BYTES).to_owned() }
}

/// What delivery networks write for a place that they do not know.
const UNKNOWN: &[&str] = &["?", "-", "**", "unknown", "reserved", "(null)", "null"];

fn undo_percents(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let digits = tail.first_chunk::<2>().filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(value.unwrap_or(byte));
        if value.is_some() {
            rest = &tail[2..];
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check_bytes(preset: &str, headers: &[(&str, &[u8])], expect: [&str; 4]) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        let place = HeaderNames::preset(preset).unwrap().place(&map);
        assert_eq!([place.country, place.region, place.city, place.isp], expect);
    }

    #[track_caller]
    fn check(preset: &str, headers: &[(&str, &str)], expect: [&str; 4]) {
        let bytes: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        check_bytes(preset, &bytes, expect);
    }

    #[test]
    fn cloudflare_writes_utf_8() {
        let place = [("cf-ipcountry", "fr"), ("cf-region", "Auvergne-Rhône-Alpes"), ("cf-ipcity", "Saint-Étienne")];
        check("cloudflare", &place, ["FR", "Auvergne-Rhône-Alpes", "Saint-Étienne", ""]);
        check("cloudflare", &[("cf-ipcountry", "XX")], ["", "", "", ""]);
        check("cloudflare", &[("cf-ipcountry", "T1")], ["", "", "", ""]);
        check("cloudflare", &[("cf-ipcity", "100%25")], ["", "", "100%25", ""]);
    }

    #[test]
    fn cloudfront_encodes_and_numbers_networks() {
        let place = [
            ("cloudfront-viewer-country", "BR"),
            ("cloudfront-viewer-country-region-name", "S%C3%A3o Paulo"),
            ("cloudfront-viewer-city", "Ribeir%C3%A3o Preto"),
            ("cloudfront-viewer-asn", "64496"),
        ];
        check("cloudfront", &place, ["BR", "São Paulo", "Ribeirão Preto", "AS64496"]);
        check("cloudfront", &[("cloudfront-viewer-asn", "0")], ["", "", "", ""]);
        check("cloudfront", &[("cloudfront-viewer-city", "%ff")], ["", "", "", ""]);
    }

    #[test]
    fn fastly_writes_what_its_vcl_says() {
        let place = [("x-geo-country-code", "DE"), ("x-geo-region", "HE"), ("x-geo-city", "kassel")];
        check("fastly", &[&place[..], &[("x-geo-isp", "Telekom")]].concat(), ["DE", "HE", "kassel", "Telekom"]);
        check("fastly", &[&place[..], &[("x-geo-asn", "AS64496")]].concat(), ["DE", "HE", "kassel", "AS64496"]);
        check("fastly", &[("x-geo-country-code", "**"), ("x-geo-city", "?")], ["", "", "", ""]);
        check_bytes("fastly", &[("x-geo-city", b"m\xfcnchen")], ["", "", "münchen", ""]);
    }

    #[test]
    fn akamai_puts_all_into_one_header() {
        let told = "georegion=246,country_code=US,region_code=CA,city=SANJOSE,dma=807,lat=37.3,network=aol,asnum=1";
        check("akamai", &[("x-akamai-edgescape", told)], ["US", "CA", "SANJOSE", "aol"]);
        check("akamai", &[("x-akamai-edgescape", "country_code=JP,asnum=64496")], ["JP", "", "", "AS64496"]);
        check("akamai", &[("x-akamai-edgescape", "country_code=reserved,city=reserved")], ["", "", "", ""]);
        check("akamai", &[("x-akamai-edgescape", "=,=US,country_code")], ["", "", "", ""]);
        let fits = format!("country_code=US{}", ",city=X".repeat((COMPOSITE_BYTES - 15) / 7));
        check("akamai", &[("x-akamai-edgescape", &fits)], ["US", "", "X", ""]);
        let beyond = format!("{}country_code=US", "a".repeat(COMPOSITE_BYTES));
        check("akamai", &[("x-akamai-edgescape", &beyond)], ["", "", "", ""]);
    }

    #[test]
    fn vercel_encodes_cities() {
        let place = [
            ("x-vercel-ip-country", "BR"),
            ("x-vercel-ip-country-region", "SP"),
            ("x-vercel-ip-city", "S%C3%A3o%20Paulo"),
            ("x-vercel-ip-as-number", "64496"),
        ];
        check("vercel", &place, ["BR", "SP", "São Paulo", "AS64496"]);
    }

    #[test]
    fn odd_texts_are_no_places() {
        assert_eq!(text(b"100%", true), "100%");
        assert_eq!(text(b"%zz%4%+1", true), "%zz%4%+1");
        assert_eq!(text(b"%ff", true), "");
        assert_eq!(text(b"%0a", true), "", "a line break is in no place");
        assert_eq!(text(&[b'x'; PLACE_BYTES], false).len(), PLACE_BYTES);
        assert_eq!(text(&[b'x'; PLACE_BYTES + 1], false).len(), PLACE_BYTES);
        assert_eq!(country("FRA"), "");
        assert_eq!(["AS1", "as01", "AS", "-1", "4294967296"].map(network), ["AS1", "AS1", "", "", ""]);
        assert_eq!(HeaderNames::preset("nonsense"), None);
    }
}
