//! Who may read: holders of a token within its rights, or everybody where the configuration says so.
//!
//! Where a reader comes from is no permission: behind a proxy everybody comes from this machine. Of a token only its
//! SHA-256 is kept; it is made from 32 random bytes, so nothing slower than that is needed against guessing. Tokens are
//! in the configuration, in the environment, or in the file that `quartile token` keeps ([`file`]).

pub mod file;

use std::fmt;

use quartile_protocol::id::SiteId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// What is kept of a token.
#[must_use]
pub fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

/// What a token is for. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reports and their catalog.
    Read,
    /// Single rows, as they were kept; nothing serves them yet.
    Export,
    /// Everything, metrics included.
    Admin,
}

impl Scope {
    /// All, from the least.
    pub const ALL: [Self; 3] = [Self::Read, Self::Export, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// The sites that a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every site, those that are added later too.
    Every,
    /// These.
    Only(Vec<SiteId>),
}

impl Reach {
    fn covers(&self, site: Option<&SiteId>) -> bool {
        match (self, site) {
            (Self::Every, _) => true,
            (Self::Only(sites), Some(site)) => sites.contains(site),
            (Self::Only(_), None) => false,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("every site"),
            Self::Only(sites) => f.write_str(&sites.iter().map(SiteId::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// What the holder of one token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token's hash.
    pub hash: TokenHash,
    /// What it is for.
    pub scope: Scope,
    /// Of which sites.
    pub sites: Reach,
}

impl Grant {
    /// Everything.
    #[must_use]
    pub const fn everything(hash: TokenHash) -> Self {
        Self { hash, scope: Scope::Admin, sites: Reach::Every }
    }
}

/// Who may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches the collector.
    Open,
    /// Who shows one of these tokens; nobody, if there are none.
    Tokens(Vec<Grant>),
}

/// Somebody who may read something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// One of everybody.
    Anybody,
    /// The holder of a token.
    Holder(Grant),
}

impl Access {
    /// Who shows `token`; `None` for a stranger.
    #[must_use]
    pub fn reader(&self, token: Option<&str>) -> Option<Reader> {
        let grants = match self {
            Self::Open => return Some(Reader::Anybody),
            Self::Tokens(grants) => grants,
        };
        let hash = token_hash(token?);
        // All hashes are compared, each in constant time: how long it takes tells nothing.
        let known =
            grants.iter().fold(None, |found, grant| if grant.hash.ct_eq(&hash).into() { Some(grant) } else { found });
        known.cloned().map(Reader::Holder)
    }

    /// Lets these in as well. Where everybody may read there is nothing to add.
    pub fn add(&mut self, more: impl IntoIterator<Item = Grant>) {
        if let Self::Tokens(grants) = self {
            grants.extend(more);
        }
    }
}

impl Reader {
    /// Whether this may be done, with a site or with what belongs to no single one.
    #[must_use]
    pub fn may(&self, scope: Scope, site: Option<&SiteId>) -> bool {
        match self {
            Self::Anybody => true,
            Self::Holder(grant) => grant.scope >= scope && grant.sites.covers(site),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("anybody who reaches this address"),
            Self::Tokens(grants) if grants.is_empty() => f.write_str("nobody: there is no token"),
            Self::Tokens(grants) => write!(f, "holders of {} token(s)", grants.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> SiteId {
        SiteId::new(name).unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        let grant = |token| Grant::everything(token_hash(token));
        let access = Access::Tokens(vec![grant("other"), grant("right"), grant("third")]);
        assert_eq!(access.reader(Some("right")), Some(Reader::Holder(grant("right"))));
        for wrong in [None, Some(""), Some("wrong"), Some("right ")] {
            assert_eq!(access.reader(wrong), None, "{wrong:?}");
        }
        assert_eq!(Access::Tokens(Vec::new()).reader(Some("right")), None);
        assert_eq!(Access::Open.reader(None), Some(Reader::Anybody));
    }

    #[test]
    fn a_scope_includes_those_before_it_and_stays_within_its_sites() {
        let (mine, other) = (site("mine"), site("other"));
        for scope in Scope::ALL {
            let hash = token_hash("x");
            let one = Reader::Holder(Grant { hash, scope, sites: Reach::Only(vec![mine.clone()]) });
            let every = Reader::Holder(Grant { hash, scope, sites: Reach::Every });
            for wanted in Scope::ALL {
                let within = wanted <= scope;
                assert_eq!(one.may(wanted, Some(&mine)), within, "{scope:?} {wanted:?}");
                assert!(!one.may(wanted, Some(&other)) && !one.may(wanted, None));
                assert_eq!((every.may(wanted, Some(&other)), every.may(wanted, None)), (within, within));
                assert!(Reader::Anybody.may(wanted, None));
            }
            assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
        }
    }
}
