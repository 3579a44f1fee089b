//! A stand-in for a viewer without an id: a hash that tells two senders of one day and site apart, and nothing else.
//!
//! It is keyed by a random salt of the day. The salts lie in a folder of their own, apart from the data, one file a day
//! named for the days since 1970. They are made on demand for today and yesterday only and destroyed at the end of the
//! next day (UTC): from then on nobody, the operator included, can go from a hash back to an address or from one day to
//! another. The day is that of the view's id, so that a view at midnight stays one viewer.

use std::collections::BTreeMap;
use std::fs;
use std::hash::Hasher;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use quartile_protocol::clock::{DAY_MS, Wall};
use quartile_protocol::id::SiteId;
use siphasher::sip::SipHasher24;

/// The salt of one day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    /// The stand-in for a sender on a site: 16 hexadecimal digits.
    #[must_use]
    pub fn hash(self, site: &SiteId, address: IpAddr, user_agent: &str) -> String {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        let address = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        // Each part is of fixed length or ends with a byte that is in no UTF-8, so that no two senders read alike.
        hasher.write(site.as_str().as_bytes());
        hasher.write_u8(0xff);
        hasher.write(&address.octets());
        hasher.write(user_agent.as_bytes());
        format!("{:016x}", hasher.finish())
    }
}

/// The salts of today and yesterday.
pub struct Salts {
    folder: PathBuf,
    known: Mutex<BTreeMap<i64, Salt>>,
}

impl Salts {
    /// Salts that are kept in `folder`, which is made when the first one is.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, known: Mutex::default() }
    }

    /// The salt of `day`, if that is today or yesterday; made if it is the first time.
    #[must_use]
    pub fn of_day(&self, day: i64, now: Wall) -> Option<Salt> {
        let today = day_of(now);
        if day != today && day != today - 1 {
            return None;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(salt) = known.get(&day) {
            return Some(*salt);
        }
        match load_or_make(&self.folder, day) {
            Ok(salt) => {
                known.insert(day, salt);
                Some(salt)
            }
            Err(error) => {
                tracing::error!(%error, day, "the day's salt can be neither read nor made; viewers without id go by session");
                None
            }
        }
    }

    /// Destroys the salts of days before yesterday.
    ///
    /// # Errors
    /// The first file that cannot be removed; the others are.
    pub fn destroy_old(&self, now: Wall) -> io::Result<()> {
        let yesterday = day_of(now) - 1;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|&day, _| day >= yesterday);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut outcome = Ok(());
        for entry in entries {
            let entry = entry?;
            let day = entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok());
            if day.is_some_and(|day| day < yesterday) {
                outcome = outcome.and(fs::remove_file(entry.path()));
            }
        }
        outcome
    }
}

fn day_of(now: Wall) -> i64 {
    now.as_ms().div_euclid(DAY_MS)
}

/// Reads a day's salt, or makes one. Collectors that share the folder agree on the first that was made.
fn load_or_make(folder: &Path, day: i64) -> io::Result<Salt> {
    let path = folder.join(day.to_string());
    match load(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        loaded => return loaded,
    }
    fs::create_dir_all(folder)?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let draft = folder.join(format!("{day}.{:016x}", getrandom::u64()?));
    write_private(&draft, &salt)?;
    // A link to a name that exists fails: whoever came first has made the salt.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => load(&path),
    }
}

fn load(path: &Path) -> io::Result<Salt> {
    let bytes = fs::read(path)?;
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, format!("{} is no salt", path.display()));
    bytes.try_into().map(Salt).map_err(wrong)
}

/// Writes a new file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: i64 = 20_717;

    fn at(day: i64) -> Wall {
        Wall::from_ms(day * DAY_MS + 1_000)
    }

    fn hash(salt: Salt, site: &str, address: &str, user_agent: &str) -> String {
        salt.hash(&SiteId::new(site).unwrap(), address.parse().unwrap(), user_agent)
    }

    #[test]
    fn a_hash_tells_senders_sites_and_agents_apart() {
        let salt = Salt([7; 16]);
        let one = hash(salt, "demo", "203.0.113.9", "Safari");
        assert_eq!(one.len(), 16);
        assert_eq!(one, hash(salt, "demo", "203.0.113.9", "Safari"));
        assert_eq!(one, hash(salt, "demo", "::ffff:203.0.113.9", "Safari"));
        for (site, address, agent) in
            [("demp", "203.0.113.9", "Safari"), ("demo", "203.0.113.8", "Safari"), ("demo", "203.0.113.9", "Chrome")]
        {
            assert_ne!(one, hash(salt, site, address, agent));
        }
        assert_ne!(one, hash(Salt([8; 16]), "demo", "203.0.113.9", "Safari"));
    }

    #[test]
    fn a_salt_lasts_until_the_end_of_the_next_day() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("salts");
        let salts = Salts::new(folder.clone());
        let first = salts.of_day(TODAY, at(TODAY));
        assert!(first.is_some());
        salts.destroy_old(at(TODAY + 1)).unwrap();
        assert!(salts.of_day(TODAY, at(TODAY + 1)) == first, "a view from before midnight stays the same viewer");
        assert!(Salts::new(folder.clone()).of_day(TODAY, at(TODAY + 1)) == first, "a restart changes nothing");
        salts.destroy_old(at(TODAY + 2)).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert!(salts.of_day(TODAY, at(TODAY + 2)).is_none());
        assert!(Salts::new(folder).of_day(TODAY, at(TODAY)) != first, "what was destroyed does not come back");
    }

    #[test]
    fn no_salt_is_made_for_other_days() {
        let dir = tempfile::tempdir().unwrap();
        let salts = Salts::new(dir.path().join("salts"));
        for day in [0, TODAY - 2, TODAY + 1] {
            assert!(salts.of_day(day, at(TODAY)).is_none());
        }
        assert!(salts.of_day(TODAY - 1, at(TODAY)).is_some());
    }

    #[test]
    fn collectors_that_share_the_folder_agree() {
        let dir = tempfile::tempdir().unwrap();
        let salts: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Salts::new(dir.path().to_owned()).of_day(TODAY, at(TODAY)).unwrap().0))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(salts.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
