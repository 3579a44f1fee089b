//! Places by address, from MMDB files that the operator provides: one with cities or countries, one with networks, or
//! one with both.
//!
//! Two layouts are read: MaxMind's nested one (`country.iso_code`, `city.names.en`), which DB-IP uses as well, and the
//! flat one of other makers (`country_code`, `city`; IPinfo's `as_name`). [`Places::reload`] reads files that have
//! changed; [`watch`](crate::watch) calls it when they do.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;

use super::headers::{country, network};

/// Addresses of each family that are looked up in a new file before it is used.
const PROBES: u32 = 1 << 12;

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

impl Place {
    /// This place with what `other` knows beside. Region and city go with a country: from one that says another country
    /// they are not taken.
    #[must_use]
    pub fn completed(mut self, other: impl FnOnce() -> Self) -> Self {
        if [&self.country, &self.region, &self.city, &self.isp].iter().all(|text| !text.is_empty()) {
            return self;
        }
        let other = other();
        if self.isp.is_empty() {
            self.isp = other.isp;
        }
        if self.country.is_empty() {
            return Self { isp: self.isp, ..other };
        }
        if self.country == other.country && self.region.is_empty() && self.city.is_empty() {
            (self.region, self.city) = (other.region, other.city);
        }
        self
    }
}

/// Why a file of places cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It cannot be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no MMDB file, or a damaged one.
    #[error("{path} is no sound MMDB file: {source}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: MaxMindDbError,
    },
}

/// Any number of files: what one does not know, the next is asked.
#[derive(Default)]
pub struct Places(Vec<File>);

impl Places {
    /// Opens the files.
    ///
    /// # Errors
    /// [`PlaceError`] of the first that cannot be used.
    pub fn open(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self, PlaceError> {
        let open = |path| {
            let file = File { path, reader: ArcSwapOption::empty(), stamp: Mutex::new(None) };
            file.reload().map(|_| file)
        };
        Ok(Self(paths.into_iter().map(open).collect::<Result<_, _>>()?))
    }

    /// Where the files are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|file| &*file.path)
    }

    /// Reads the files that have changed again, and says so in the log. A file that is not sound is not used, and the one
    /// before stays in use.
    pub fn reload(&self) {
        for file in &self.0 {
            match file.reload() {
                Ok(true) => tracing::info!(file = %file.path.display(), "a file of places was read again"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "a new file of places is not used, the one before is"),
            }
        }
    }

    /// The place of an address.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Place {
        self.0.iter().fold(Place::default(), |place, file| place.completed(|| file.of(address)))
    }
}

struct File {
    path: PathBuf,
    reader: ArcSwapOption<Reader<Vec<u8>>>,
    /// What told the file apart when it was read.
    stamp: Mutex<Option<Stamp>>,
}

/// Time, length and number: a file that was replaced by another of the same second differs in one of them.
type Stamp = (SystemTime, u64, u64);

fn stamp(path: &Path) -> io::Result<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified()?, metadata.len(), metadata.ino()))
}

impl File {
    /// Reads the file if it is another than before. Tells whether it was.
    fn reload(&self) -> Result<bool, PlaceError> {
        let failed = |source| PlaceError::Io { path: self.path.clone(), source };
        let mut known = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stamp(&self.path).map_err(failed)?;
        if *known == Some(found) {
            return Ok(false);
        }
        // Into memory: a file that is overwritten while it is mapped ends the process.
        let bytes = fs::read(&self.path).map_err(failed)?;
        let reader = sound(bytes).map_err(|source| PlaceError::Format { path: self.path.clone(), source })?;
        self.reader.store(Some(reader.into()));
        *known = Some(found);
        Ok(true)
    }

    fn of(&self, address: IpAddr) -> Place {
        let Some(reader) = &*self.reader.load() else { return Place::default() };
        // An address of the other family than the file's, or a damaged entry, is an unknown place.
        let entry = reader.lookup(address).and_then(|found| found.decode::<Entry<'_>>()).ok().flatten();
        entry.unwrap_or_default().place()
    }
}

/// A reader of these bytes, if addresses from everywhere can be looked up: what marks a file as MMDB stands at its end, so
/// one that is damaged or was cut in the middle and put together passes for a good one until it is asked.
fn sound(bytes: Vec<u8>) -> Result<Reader<Vec<u8>>, MaxMindDbError> {
    let reader = Reader::from_source(bytes)?;
    let everywhere = |index: u32| index * (u32::MAX / PROBES);
    let is_v6 = reader.metadata().ip_version == 6;
    for index in 0..PROBES {
        let high = everywhere(index);
        let mut probes = vec![IpAddr::from(Ipv4Addr::from_bits(high))];
        if is_v6 {
            // Global addresses begin with 001.
            probes.push(IpAddr::from(Ipv6Addr::from_bits(u128::from(high >> 3 | 1 << 29) << 96)));
        }
        for probe in probes {
            reader.lookup(probe)?.decode::<Entry<'_>>()?;
        }
    }
    Ok(reader)
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
    region: &'a str,
    state1: &'a str,
    #[serde(borrow)]
    city: Option<Named<'a>>,
    #[serde(borrow)]
    traits: Traits<'a>,
    isp: &'a str,
    organization: &'a str,
    autonomous_system_organization: &'a str,
    as_name: &'a str,
    autonomous_system_number: u32,
    asn: &'a str,
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
    autonomous_system_organization: &'a str,
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
        // A country that is a plain text is its code with some makers and its name with others.
        let codes = [self.country_code, self.country.as_ref().map_or("", Named::code)].map(country);
        let number = network(self.asn);
        let number = if number.is_empty() { network(&self.autonomous_system_number.to_string()) } else { number };
        Place {
            country: codes.into_iter().find(|code| !code.is_empty()).unwrap_or_default(),
            region: first(&[self.subdivisions.first().map_or("", Named::name), self.region, self.state1]),
            city: self.city.as_ref().map_or("", Named::name).to_owned(),
            isp: first(&[
                self.traits.isp,
                self.isp,
                self.autonomous_system_organization,
                self.traits.autonomous_system_organization,
                self.organization,
                self.as_name,
                &number,
            ]),
        }
    }
}

fn first(texts: &[&str]) -> String {
    (*texts.iter().find(|text| !text.is_empty()).unwrap_or(&"")).to_owned()
}

#[cfg(test)]
mod tests;
