//! Where things are, and how the tools that we call are started.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Doing, Error, Result};
use crate::progress::Progress;

/// What every step needs: the folders, and somewhere to show progress.
#[derive(Debug)]
pub struct Context {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where steps are shown.
    pub progress: Progress,
}

impl Context {
    /// Finds the workspace around this tool. `cargo run` names the folder at run time, which stays right when several
    /// checkouts share a target folder; without it the current folder is searched upwards.
    pub fn find(progress: Progress) -> Result<Self> {
        let named = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start = named.map_or_else(std::env::current_dir, Ok).doing(|| "finding the current folder".into())?;
        let root = workspace_above(&start)
            .ok_or_else(|| Error::new(format!("no Cargo workspace at or above {}", start.display())))?;
        Ok(Self { root, progress })
    }

    /// A path inside the workspace.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A program run from the root of the workspace, without what `cargo run` told this tool about itself: build
    /// scripts that look at those variables would be run anew, now from here and now from a terminal.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.current_dir(&self.root);
        for (key, _) in std::env::vars_os() {
            let key = key.to_string_lossy();
            if key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") {
                command.env_remove(key.as_ref());
            }
        }
        command
    }

    /// The `cargo` that started this tool.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let name = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let mut command = self.program(&name);
        command.args(arguments);
        command
    }

    /// `npm`, without its own chatter.
    pub fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("npm");
        command.args(arguments).args(["--no-fund", "--no-audit"]).env("NPM_CONFIG_UPDATE_NOTIFIER", "false");
        command
    }

    /// Where Cargo puts what it builds, whatever the environment or configuration says.
    pub fn target_folder(&self) -> Result<PathBuf> {
        let mut command = self.cargo(&["metadata", "--no-deps", "--format-version", "1"]);
        let output = command.output().doing(|| "running cargo metadata".into())?;
        if !output.status.success() {
            return Err(Error::new(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim())));
        }
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).doing(|| "reading cargo metadata".into())?;
        metadata["target_directory"]
            .as_str()
            .map(PathBuf::from)
            .ok_or_else(|| Error::new("cargo metadata names no target_directory"))
    }

    /// The collector as `cargo build` makes it.
    pub fn collector_binary(&self) -> Result<PathBuf> {
        Ok(self.target_folder()?.join("debug/quartile"))
    }
}

/// The nearest folder at or above `start` whose `Cargo.toml` begins a workspace.
fn workspace_above(start: &Path) -> Option<PathBuf> {
    let is_workspace = |folder: &&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    start.ancestors().find(is_workspace).map(Path::to_owned)
}

/// The text of a file, or an error that names it.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).doing(|| format!("reading {}", path.display()))
}

/// A file of JSON, or an error that names it.
pub fn read_json(path: &Path) -> Result<serde_json::Value> {
    serde_json::from_str(&read_text(path)?).doing(|| format!("reading {}", path.display()))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).doing(|| format!("making the folder {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_found_from_a_crate_inside_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(workspace_above(&here.join("src")).as_deref(), here.parent());
    }
}
