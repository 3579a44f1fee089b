//! What is built, and in which order each thing is brought up to date when something else needs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Doing, Error, Result};
use crate::process::run;
use crate::workspace::Context;
use crate::{setup, wasm};

/// Something that must be in place before something else can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// The Rust toolchain with its components and the target of browsers.
    Toolchain,
    /// What `package-lock.json` names.
    NodePackages,
    /// The prebuilt DuckDB library.
    DuckDb,
    /// Chromium.
    Browser,
    /// Browsers of other engines: Firefox ESR and WebKitGTK.
    Engines,
    /// What makes the media that tests play.
    Media,
    /// The WebAssembly module and the bundles of the npm package.
    Bundles,
    /// The binary of the collector.
    Collector,
    /// The simulated audience.
    Simulator,
}

impl Need {
    /// What must be in place before this one.
    fn first(self) -> &'static [Self] {
        match self {
            Self::Toolchain | Self::NodePackages | Self::Browser | Self::Engines | Self::Media => &[],
            Self::DuckDb => &[Self::NodePackages],
            Self::Bundles => &[Self::Toolchain, Self::NodePackages],
            Self::Collector => &[Self::Bundles, Self::DuckDb],
            Self::Simulator => &[Self::Toolchain],
        }
    }

    /// Puts this one in place; the ones before it are.
    fn provide(self, context: &Context) -> Result<()> {
        match self {
            Self::Toolchain => setup::toolchain(context),
            Self::NodePackages => setup::node_packages(context),
            Self::DuckDb => setup::duckdb(context),
            Self::Browser => setup::browser(context),
            Self::Engines => setup::engines(context),
            Self::Media => setup::media(context),
            Self::Bundles => wasm::build(context).and_then(|()| bundle(context)),
            Self::Collector => compile(context, "Compiling the collector", "quartile-collector"),
            Self::Simulator => compile(context, "Compiling the simulated audience", "quartile-simulator"),
        }
    }
}

/// What has been put in place so far in this run, each thing once, failures included.
#[derive(Debug, Default)]
pub struct Prepared(HashMap<Need, std::result::Result<(), String>>);

impl Prepared {
    /// Puts `need` and what it builds on in place, unless that was done or has failed before.
    pub fn ensure(&mut self, context: &Context, need: Need) -> Result<()> {
        self.ensure_with(need, &mut |need| need.provide(context))
    }

    /// The same with something else than the real work, for tests.
    fn ensure_with(&mut self, need: Need, provide: &mut impl FnMut(Need) -> Result<()>) -> Result<()> {
        for first in need.first() {
            self.ensure_with(*first, provide)?;
        }
        let outcome = self.0.entry(need).or_insert_with(|| provide(need).map_err(|error| error.to_string()));
        outcome.clone().map_err(Error::new)
    }

    /// Puts all of `needs` in place, up to the first failure.
    pub fn ensure_all(&mut self, context: &Context, needs: &[Need]) -> Result<()> {
        needs.iter().try_for_each(|need| self.ensure(context, *need))
    }
}

/// Everything that ships.
pub fn run_all(context: &Context) -> Result<()> {
    Prepared::default().ensure(context, Need::Collector)?;
    context.progress.say(&format!("\nThe collector is {}", context.collector_binary()?.display()));
    Ok(())
}

/// Lets the npm package make its bundles and types from what the WebAssembly steps left.
fn bundle(context: &Context) -> Result<()> {
    context.progress.step("Bundling the npm package", || {
        keeping_times(&context.path("npm/dist"), || {
            run(&mut context.npm(&["run", "build", "--workspace", "npm"]), context.progress.sink())
        })
    })?;
    for file in ["npm/dist/index.js", "npm/dist/quartile.js"] {
        if !context.path(file).is_file() {
            return Err(Error::new(format!("`npm run build --workspace npm` made no {file}")));
        }
    }
    Ok(())
}

/// Compiles one of our binaries as everyday development does.
fn compile(context: &Context, what: &str, package: &str) -> Result<()> {
    context.progress.step(what, || run(&mut context.cargo(&["build", "--package", package]), context.progress.sink()))
}

/// Does `work`, then gives the files of `folder` that came out the same as before their old times back: what embeds
/// them, the collector, need not be compiled again.
fn keeping_times(folder: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut before: HashMap<PathBuf, (SystemTime, Vec<u8>)> = HashMap::new();
    for path in files_under(folder) {
        let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
        if let (Ok(modified), Ok(bytes)) = (modified, std::fs::read(&path)) {
            before.insert(path, (modified, bytes));
        }
    }
    work()?;
    for path in files_under(folder) {
        if let Some((modified, bytes)) = before.get(&path)
            && std::fs::read(&path).is_ok_and(|now| now == *bytes)
        {
            let file = std::fs::File::options().write(true).open(&path);
            file.and_then(|file| file.set_modified(*modified))
                .doing(|| format!("setting the time of {}", path.display()))?;
        }
    }
    Ok(())
}

/// All files in a folder and those below it, in no particular order; none when it does not exist.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_under(&path)),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_first_is_done_first_and_once() {
        use Need::{Bundles, Collector, DuckDb, NodePackages, Toolchain};
        let mut order = Vec::new();
        let mut prepared = Prepared::default();
        for need in [Collector, Bundles, DuckDb] {
            prepared
                .ensure_with(need, &mut |need| {
                    order.push(need);
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(order, [Toolchain, NodePackages, Bundles, DuckDb, Collector]);
    }

    #[test]
    fn a_failure_is_remembered_and_fails_what_builds_on_it() {
        let mut attempts = 0;
        let mut prepared = Prepared::default();
        for _ in 0..2 {
            let error = prepared
                .ensure_with(Need::Collector, &mut |need| match need {
                    Need::Bundles => {
                        attempts += 1;
                        Err(Error::new("no bundles"))
                    }
                    _ => Ok(()),
                })
                .unwrap_err();
            assert_eq!(error.to_string(), "no bundles");
        }
        assert_eq!(attempts, 1);
    }

    #[test]
    fn unchanged_files_keep_their_times() {
        let folder = std::env::temp_dir().join(format!("xtask-times-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        let (same, changed) = (folder.join("inner/same"), folder.join("changed"));
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for file in [&same, &changed] {
            std::fs::write(file, "before").unwrap();
            std::fs::File::options().write(true).open(file).unwrap().set_modified(old).unwrap();
        }
        keeping_times(&folder, || {
            std::fs::write(&same, "before").unwrap();
            std::fs::write(&changed, "after").unwrap();
            Ok(())
        })
        .unwrap();
        let time = |file: &Path| std::fs::metadata(file).unwrap().modified().unwrap();
        assert_eq!(time(&same), old);
        assert_ne!(time(&changed), old);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
