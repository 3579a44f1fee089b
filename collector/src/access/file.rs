//! The tokens that `quartile token` makes: one JSON file in the data folder, which only its owner can read.
//!
//! It holds hashes, never tokens. It is written whole beside its place and then put there, so that a collector which
//! reads it meets the old or the new one; a lock keeps two commands from losing each other's changes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use quartile_protocol::clock::Wall;
use quartile_protocol::id::SiteId;
use serde::{Deserialize, Serialize};

use super::{Grant, Reach, Scope, TokenHash, token_hash};
use crate::config::{hash_from_hex, hex};
use crate::replace::{alone, replace};

/// The version of the file.
const VERSION: u32 = 1;

/// Tokens that are kept at most; every request of a reader compares with each.
pub const TOKENS: usize = 1_000;

/// Bytes in a token's name.
pub const NAME_BYTES: usize = 100;

/// What a token begins with, so that one that leaked is recognised.
const PREFIX: &str = "qt_";

/// Why tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is none of ours, or damaged.
    #[error("{path} is no file of tokens ({problem}): put back a copy, or remove it and make new tokens")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There are as many as there may be.
    #[error("there are {TOKENS} tokens already: revoke some")]
    TooMany,
    /// The name is too long.
    #[error("a name may have {NAME_BYTES} bytes")]
    LongName,
    /// No such token.
    #[error("there is no token `{0}`: `quartile token list` tells which there are")]
    Unknown(String),
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is called on the command line: the beginning of its hash.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it lets do.
    pub grant: Grant,
    /// When it was made.
    pub created_at: Wall,
}

#[derive(Serialize, Deserialize)]
struct FileText {
    v: u32,
    tokens: Vec<TokenText>,
}

#[derive(Serialize, Deserialize)]
struct TokenText {
    id: String,
    name: String,
    hash: String,
    scope: String,
    /// Absent: every site.
    #[serde(skip_serializing_if = "Option::is_none")]
    sites: Option<Vec<String>>,
    created_at: i64,
}

/// The tokens in a file; none when there is no file.
///
/// # Errors
/// [`TokenError`].
pub fn read(path: &Path) -> Result<Vec<Token>, TokenError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(TokenError::Io { path: path.to_owned(), source }),
    };
    let format = |problem: String| TokenError::Format { path: path.to_owned(), problem };
    let file: FileText = serde_json::from_str(&text).map_err(|error| format(error.to_string()))?;
    if file.v != VERSION {
        return Err(format(format!("version {}", file.v)));
    }
    file.tokens.into_iter().map(token).collect::<Result<_, _>>().map_err(format)
}

fn token(text: TokenText) -> Result<Token, String> {
    let hash = hash_from_hex(&text.hash).ok_or("a hash is none")?;
    let scope = Scope::from_name(&text.scope).ok_or_else(|| format!("`{}` is no scope", text.scope))?;
    let only = |sites: Vec<String>| sites.iter().map(|site| SiteId::new(site)).collect::<Result<_, _>>();
    let sites = text.sites.map_or(Ok(Reach::Every), |sites| only(sites).map(Reach::Only));
    let grant = Grant { hash, scope, sites: sites.map_err(|error| error.to_string())? };
    Ok(Token { id: text.id, name: text.name, grant, created_at: Wall::from_ms(text.created_at) })
}

/// Makes a token and keeps its hash. The token itself is given back and kept nowhere.
///
/// # Errors
/// [`TokenError`]; then there is no new token.
pub fn create(path: &Path, name: &str, scope: Scope, sites: Reach, now: Wall) -> Result<(String, Token), TokenError> {
    if name.len() > NAME_BYTES {
        return Err(TokenError::LongName);
    }
    let mut random = [0; 32];
    let at = |source| TokenError::Io { path: path.to_owned(), source };
    getrandom::fill(&mut random).map_err(|error| at(error.into()))?;
    let secret = format!("{PREFIX}{}", hex(&random));
    let hash = token_hash(&secret);
    let made = Token { id: id(&hash), name: name.to_owned(), grant: Grant { hash, scope, sites }, created_at: now };
    change(path, |tokens| {
        if tokens.len() >= TOKENS {
            return Err(TokenError::TooMany);
        }
        tokens.push(made.clone());
        Ok(())
    })?;
    Ok((secret, made))
}

fn id(hash: &TokenHash) -> String {
    hex(&hash[..4])
}

/// Takes a token back. Collectors that watch the file refuse it at once.
///
/// # Errors
/// [`TokenError`].
pub fn revoke(path: &Path, id: &str) -> Result<Token, TokenError> {
    let mut revoked = None;
    change(path, |tokens| {
        let index = tokens.iter().position(|token| token.id == id);
        revoked = index.map(|index| tokens.remove(index));
        if revoked.is_some() { Ok(()) } else { Err(TokenError::Unknown(id.to_owned())) }
    })?;
    revoked.ok_or_else(|| TokenError::Unknown(id.to_owned()))
}

/// Reads, changes and writes the file, while nobody else does.
fn change(path: &Path, change: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>) -> Result<(), TokenError> {
    let at = |source| TokenError::Io { path: path.to_owned(), source };
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(at)?;
    let _alone = alone(path).map_err(at)?;
    let mut tokens = read(path)?;
    change(&mut tokens)?;
    write(path, &tokens).map_err(at)
}

fn write(path: &Path, tokens: &[Token]) -> io::Result<()> {
    let tokens = tokens.iter().map(|token| TokenText {
        id: token.id.clone(),
        name: token.name.clone(),
        hash: hex(&token.grant.hash),
        scope: token.grant.scope.as_str().to_owned(),
        sites: match &token.grant.sites {
            Reach::Every => None,
            Reach::Only(sites) => Some(sites.iter().map(ToString::to_string).collect()),
        },
        created_at: token.created_at.as_ms(),
    });
    let text = serde_json::to_vec_pretty(&FileText { v: VERSION, tokens: tokens.collect() })?;
    replace(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall::from_ms(1_790_000_000_000);

    fn make(path: &Path, name: &str) -> (String, Token) {
        create(path, name, Scope::Read, Reach::Every, NOW).unwrap()
    }

    #[test]
    fn a_token_is_made_read_and_revoked_and_never_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/tokens.json");
        assert_eq!(read(&path).unwrap(), []);
        let only = Reach::Only(vec![SiteId::new("demo").unwrap()]);
        let (secret, first) = create(&path, "dashboard", Scope::Export, only, NOW).unwrap();
        let (_, second) = make(&path, "");
        assert!(secret.starts_with(PREFIX) && secret.len() > 60);
        assert_eq!(first.grant.hash, token_hash(&secret));
        assert_eq!(read(&path).unwrap(), [first.clone(), second.clone()]);
        assert!(!fs::read_to_string(&path).unwrap().contains(&secret[3..]));
        assert_eq!(revoke(&path, &first.id).unwrap(), first);
        assert_eq!(read(&path).unwrap(), [second]);
        assert!(matches!(revoke(&path, &first.id), Err(TokenError::Unknown(_))));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        make(&path, "");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn commands_at_the_same_time_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| drop(make(&path, ""))));
            }
        });
        assert_eq!(read(&path).unwrap().len(), 40);
    }

    #[test]
    fn what_is_no_file_of_tokens_is_told_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        let good = r#"{"id":"0","name":"","hash":"HASH","scope":"read","created_at":0}"#;
        let good = good.replace("HASH", &"ab".repeat(32));
        for broken in [
            "".to_owned(),
            "{}".to_owned(),
            r#"{"v":2,"tokens":[]}"#.to_owned(),
            format!(r#"{{"v":1,"tokens":[{}]}}"#, good.replace("read", "rule")),
            format!(r#"{{"v":1,"tokens":[{}]}}"#, good.replace("abab", "zzab")),
        ] {
            fs::write(&path, &broken).unwrap();
            assert!(matches!(read(&path), Err(TokenError::Format { .. })), "{broken}");
            assert!(matches!(create(&path, "", Scope::Read, Reach::Every, NOW), Err(TokenError::Format { .. })));
            assert_eq!(fs::read_to_string(&path).unwrap(), broken);
        }
        fs::write(&path, format!(r#"{{"v":1,"tokens":[{good}]}}"#)).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
    }

    #[test]
    fn tokens_and_their_names_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        let (_, one) = make(&path, &"x".repeat(NAME_BYTES));
        let long = "x".repeat(NAME_BYTES + 1);
        assert!(matches!(create(&path, &long, Scope::Read, Reach::Every, NOW), Err(TokenError::LongName)));
        write(&path, &vec![one; TOKENS - 1]).unwrap();
        make(&path, "the last");
        assert!(matches!(create(&path, "", Scope::Read, Reach::Every, NOW), Err(TokenError::TooMany)));
    }
}
