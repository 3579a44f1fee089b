//! Adds a site to the file, which otherwise stays as its owner wrote it, comments and all.

use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::{Table, Value};

use super::{ConfigError, Env, parse};
use crate::replace::{alone, replace};

/// A site to be added: what its section will say.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Its key.
    pub id: String,
    /// The pages that may send.
    pub origins: Vec<String>,
    /// The names of its own dimensions.
    pub dimensions: Vec<String>,
    /// What else is to be said, by key.
    pub settings: Vec<(&'static str, Value)>,
}

/// Why a site was not added. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file would have mistakes, or has some already.
    #[error("with the new site at its end {0}")]
    Mistakes(#[from] ConfigError),
}

/// Adds a site at the end of the file, unless the file would then have a mistake. Gives back what was added.
///
/// # Errors
/// [`EditError`]; then nothing has changed.
pub fn add_site(path: &Path, site: &NewSite, env: Env<'_>) -> Result<String, EditError> {
    let at = |source| EditError::Io { path: path.to_owned(), source };
    // No other command may add its own between reading and writing.
    let _alone = fs::metadata(path).and_then(|_| alone(path)).map_err(at)?;
    let text = fs::read_to_string(path).map_err(at)?;
    let section = section(site);
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{gap}\n{section}");
    parse(&text, env)?;
    replace(path, text.as_bytes()).map_err(at)?;
    Ok(section)
}

fn section(site: &NewSite) -> String {
    let list = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect());
    let mut keys = vec![("id", Value::String(site.id.clone())), ("origins", list(&site.origins))];
    if !site.dimensions.is_empty() {
        keys.push(("dimensions", list(&site.dimensions)));
    }
    keys.extend(site.settings.iter().cloned());
    // One key at a time, in this order: a table would sort them.
    let lines = keys.into_iter().map(|(key, value)| Table::from_iter([(key.to_owned(), value)]).to_string());
    lines.fold("[[sites]]\n".to_owned(), |text, line| text + &line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# mine\n[[sites]]\nid = \"a\"\norigins = [\"*\"] # any\n[log]\nformat = \"json\"";

    fn new_site(id: &str, origin: &str) -> NewSite {
        NewSite {
            id: id.into(),
            origins: vec![origin.into()],
            dimensions: vec!["plan".into()],
            settings: vec![("views_per_minute", Value::Integer(600)), ("geo", Value::String("country".into()))],
        }
    }

    #[test]
    fn a_site_is_added_and_the_rest_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("quartile.toml");
        fs::write(&path, BEFORE).unwrap();
        add_site(&path, &new_site("b", "https://example.org"), &|_| None).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(BEFORE), "{text}");
        insta::assert_snapshot!(&text[BEFORE.len()..], @r#"


        [[sites]]
        id = "b"
        origins = ["https://example.org"]
        dimensions = ["plan"]
        views_per_minute = 600
        geo = "country"
        "#);
        let sites = parse(&text, &|_| None).unwrap().sites;
        assert_eq!(sites.iter().map(|site| site.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing but its lock is left beside it");
    }

    #[test]
    fn commands_at_the_same_time_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("quartile.toml");
        fs::write(&path, BEFORE).unwrap();
        let add = |id: String| drop(add_site(&path, &new_site(&id, "*"), &|_| None).unwrap());
        std::thread::scope(|scope| {
            for worker in 0..4 {
                scope.spawn(move || (0..10).for_each(|number| add(format!("{worker}-{number}"))));
            }
        });
        let sites = parse(&fs::read_to_string(&path).unwrap(), &|_| None).unwrap().sites;
        assert_eq!(sites.iter().count(), 41);
    }

    #[test]
    fn a_site_that_would_be_a_mistake_is_not_added() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("quartile.toml");
        fs::write(&path, BEFORE).unwrap();
        for wrong in [new_site("a", "*"), new_site("no spaces", "*"), new_site("b", "example.org/\"]")] {
            let error = add_site(&path, &wrong, &|_| None).unwrap_err().to_string();
            assert!(error.contains("sites[1]."), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), BEFORE);
        }
        assert!(add_site(&dir.path().join("none.toml"), &new_site("b", "*"), &|_| None).is_err());
    }
}
