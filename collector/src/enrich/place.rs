//! Places by address, from an MMDB file that the operator provides.
//!
//! Two layouts are read: MaxMind's nested one (`country.iso_code`, `city.names.en`) and the flat one of other makers
//! (`country_code`, `city`). The file is opened again when it changes.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;

use super::headers::country;

/// Where a sender is; what is unknown is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: String,
    /// Region or state.
    pub region: String,
    /// City.
    pub city: String,
    /// Internet service provider.
    pub isp: String,
}

/// Why a file of places cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is no MMDB file.
    #[error("is no MMDB file: {0}")]
    Format(#[from] MaxMindDbError),
}

/// An MMDB file, or none.
pub struct PlaceDatabase {
    path: Option<PathBuf>,
    reader: ArcSwapOption<Reader<Vec<u8>>>,
    modified: Mutex<Option<SystemTime>>,
}

impl PlaceDatabase {
    /// No file: every place is unknown.
    #[must_use]
    pub fn none() -> Self {
        Self { path: None, reader: ArcSwapOption::empty(), modified: Mutex::new(None) }
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn open(path: PathBuf) -> Result<Self, PlaceError> {
        let database = Self { path: Some(path), ..Self::none() };
        database.refresh()?;
        Ok(database)
    }

    /// Opens the file again if it has changed; the one before serves until the new one is sound. Tells whether it was.
    ///
    /// # Errors
    /// [`PlaceError`], with the file before still in use.
    pub fn refresh(&self) -> Result<bool, PlaceError> {
        let Some(path) = &self.path else { return Ok(false) };
        let modified = fs::metadata(path)?.modified()?;
        let mut known = self.modified.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *known == Some(modified) {
            return Ok(false);
        }
        let reader = Reader::from_source(fs::read(path)?)?;
        self.reader.store(Some(reader.into()));
        *known = Some(modified);
        Ok(true)
    }

    /// The place of an address.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Place {
        let Some(reader) = &*self.reader.load() else { return Place::default() };
        // An address of the other family than the file's, or a damaged entry, is an unknown place.
        let entry = reader.lookup(address).and_then(|found| found.decode::<Entry<'_>>()).ok().flatten();
        entry.unwrap_or_default().place()
    }
}

/// An entry of either layout.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    country: Option<Named<'a>>,
    country_code: &'a str,
    #[serde(borrow)]
    subdivisions: Vec<Named<'a>>,
    state1: &'a str,
    #[serde(borrow)]
    city: Option<Named<'a>>,
    #[serde(borrow)]
    traits: Traits<'a>,
    isp: &'a str,
    autonomous_system_organization: &'a str,
    as_name: &'a str,
}

/// A record with names in several languages, or one plain text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named<'a> {
    Text(&'a str),
    Record {
        #[serde(default)]
        iso_code: &'a str,
        #[serde(borrow, default)]
        names: Names<'a>,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    en: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Traits<'a> {
    isp: &'a str,
}

impl Named<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Record { names, .. } => names.en,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Record { iso_code, .. } => iso_code,
        }
    }
}

impl Entry<'_> {
    fn place(&self) -> Place {
        let nested = |named: Option<&Named<'_>>| named.map_or("", Named::name).to_owned();
        let first = |texts: &[&str]| texts.iter().find(|text| !text.is_empty()).map_or("", |text| text).to_owned();
        let region = nested(self.subdivisions.first());
        Place {
            country: country(&first(&[self.country.as_ref().map_or("", Named::code), self.country_code])),
            region: first(&[&region, self.state1]),
            city: nested(self.city.as_ref()),
            isp: first(&[self.traits.isp, self.isp, self.autonomous_system_organization, self.as_name]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(entry: Value, expect: [&str; 4]) {
        let text = entry.to_string();
        let place = serde_json::from_str::<Entry<'_>>(&text).unwrap().place();
        assert_eq!([place.country, place.region, place.city, place.isp], expect);
    }

    #[test]
    fn both_layouts_are_read() {
        check(
            json!({
                "country": { "iso_code": "FR", "geoname_id": 3, "names": { "de": "Frankreich", "en": "France" } },
                "subdivisions": [{ "iso_code": "ARA", "names": { "en": "Auvergne-Rhone-Alpes" } }],
                "city": { "names": { "en": "Lyon" } },
                "traits": { "isp": "Orange" },
                "location": { "latitude": 45.7 },
            }),
            ["FR", "Auvergne-Rhone-Alpes", "Lyon", "Orange"],
        );
        check(
            json!({ "country_code": "DE", "state1": "Hesse", "city": "Kassel", "latitude": 51.3 }),
            ["DE", "Hesse", "Kassel", ""],
        );
        check(json!({ "autonomous_system_organization": "Example Net" }), ["", "", "", "Example Net"]);
        check(json!({}), ["", "", "", ""]);
    }

    /// Writes an MMDB file of one tree node: `low` for addresses up to 127.255.255.255, `high` for those above.
    /// <https://maxmind.github.io/MaxMind-DB/>
    fn mmdb(low: &Value, high: &Value) -> Vec<u8> {
        const NODES: usize = 1;
        let metadata = json!({
            "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 0, "database_type": "Test",
            "description": {}, "ip_version": 4, "languages": [], "node_count": NODES, "record_size": 24,
        });
        let (low, high) = (encoded(low), encoded(high));
        let mut file = Vec::new();
        for offset in [0, low.len()] {
            // A record beyond the nodes points into the data, which lies behind 16 bytes of nothing.
            file.extend_from_slice(&(NODES + 16 + offset).to_be_bytes()[5..]);
        }
        file.extend_from_slice(&[0; 16]);
        file.extend(low.into_iter().chain(high));
        file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
        file.extend(encoded(&metadata));
        file
    }

    /// A value of the data section; short texts, small numbers, lists and maps only.
    fn encoded(value: &Value) -> Vec<u8> {
        let head = |kind: u8, length: usize| kind << 5 | u8::try_from(length).unwrap();
        match value {
            Value::String(text) => [&[head(2, text.len())], text.as_bytes()].concat(),
            // The narrowest number, of 16 bits; the metadata have two wider ones.
            Value::Number(number) => {
                [&[head(5, 2)], &u16::try_from(number.as_u64().unwrap()).unwrap().to_be_bytes()[..]].concat()
            }
            Value::Array(list) => {
                [vec![head(0, list.len()), 4]].into_iter().chain(list.iter().map(encoded)).flatten().collect()
            }
            Value::Object(members) => {
                let wide = |name: &str, value| match name {
                    "node_count" => vec![head(6, 1), 1],
                    "build_epoch" => vec![head(0, 0), 2],
                    _ => encoded(value),
                };
                let pairs = members.iter().flat_map(|(name, value)| [encoded(&json!(name)), wide(name, value)]);
                [vec![head(7, members.len())]].into_iter().chain(pairs).flatten().collect()
            }
            other => panic!("{other} is not needed here"),
        }
    }

    #[test]
    fn a_file_is_read_and_read_again_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("places.mmdb");
        let nested = json!({ "country": { "iso_code": "FR" }, "city": { "names": { "en": "Lyon" } } });
        fs::write(&path, mmdb(&nested, &json!({ "country_code": "DE", "city": "Kassel" }))).unwrap();
        let places = PlaceDatabase::open(path.clone()).unwrap();
        let told = |address: &str| {
            let place = places.of(address.parse().unwrap());
            format!("{} {}", place.country, place.city)
        };
        assert_eq!((told("1.2.3.4"), told("203.0.113.9")), ("FR Lyon".into(), "DE Kassel".into()));
        assert_eq!(told("2001:db8::7"), " ", "a file of the other family");
        assert!(!places.refresh().unwrap(), "nothing changed");

        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(2_000_000_000);
        let replace = |content: &[u8], date| {
            fs::write(&path, content).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
        };
        replace(b"nonsense", later);
        assert!(places.refresh().is_err());
        assert_eq!(told("1.2.3.4"), "FR Lyon", "the one before serves on");
        replace(&mmdb(&json!({ "country_code": "IT" }), &nested), later);
        assert!(places.refresh().unwrap());
        assert_eq!(told("1.2.3.4"), "IT ");
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("places.mmdb");
        assert!(matches!(PlaceDatabase::open(path.clone()), Err(PlaceError::Io(_))));
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(PlaceDatabase::open(path), Err(PlaceError::Format(_))));
        assert_eq!(PlaceDatabase::none().of("203.0.113.9".parse().unwrap()), Place::default());
    }
}
