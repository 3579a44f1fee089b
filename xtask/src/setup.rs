//! Puts in place what building and testing need. Every step looks first and does nothing when it is done already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Doing, Error, Result};
use crate::process::{capture, run};
use crate::workspace::{Context, make_folder, read_json};

/// The platform that browsers run.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Where the linker finds DuckDB; `.cargo/config.toml` names the same folder.
const DUCKDB_FOLDER: &str = ".deps/duckdb";

/// What a test needs and Debian packages: its name, a file of it, the package. `ARCH` stands for the machine's architecture.
type DebianFile = (&'static str, &'static str, &'static str);

/// The browser of most tests.
const CHROMIUM: &[DebianFile] = &[("Chromium", "/usr/bin/chromium", "chromium")];

/// The other engines. WebKitGTK needs a screen, which nobody sees, and plugins to play anything.
const ENGINES: &[DebianFile] = &[
    ("Firefox ESR", "/usr/bin/firefox-esr", "firefox-esr"),
    ("WebKitWebDriver", "/usr/bin/WebKitWebDriver", "webkit2gtk-driver"),
    ("WebKitGTK's MiniBrowser", "/usr/lib/ARCH-linux-gnu/webkit2gtk-4.1/MiniBrowser", "libwebkit2gtk-4.1-0"),
    ("GStreamer's libav", "/usr/lib/ARCH-linux-gnu/gstreamer-1.0/libgstlibav.so", "gstreamer1.0-libav"),
    ("GStreamer's good plugins", "/usr/lib/ARCH-linux-gnu/gstreamer-1.0/libgstisomp4.so", "gstreamer1.0-plugins-good"),
    ("Xvfb", "/usr/bin/xvfb-run", "xvfb"),
    ("xauth", "/usr/bin/xauth", "xauth"),
];

/// What makes the media that tests play.
const MEDIA: &[DebianFile] = &[("FFmpeg", "/usr/bin/ffmpeg", "ffmpeg")];

/// Everything, for a new machine.
pub fn run_all(context: &Context) -> Result<()> {
    toolchain(context)?;
    node_packages(context)?;
    duckdb(context)?;
    for (provide, without) in [
        (browser as fn(&Context) -> Result<()>, "the browser tests and `demo --once`"),
        (media, "the browser tests"),
        (engines, "the tests of other browsers than Chromium"),
    ] {
        if let Err(error) = provide(context) {
            context.progress.say(&format!("   {error}\n   Everything but {without} works without."));
        }
    }
    Ok(())
}

/// The formatter, the linter and the standard library for browsers, in the toolchain that `rust-toolchain.toml` pins.
pub fn toolchain(context: &Context) -> Result<()> {
    let sysroot = PathBuf::from(capture(context.program("rustc").args(["--print", "sysroot"]))?.trim());
    let missing_target = !sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir();
    let missing_tools: Vec<&str> = [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")]
        .into_iter()
        .filter_map(|(program, component)| (!sysroot.join("bin").join(program).is_file()).then_some(component))
        .collect();
    if missing_target {
        context.progress.step(&format!("Adding the Rust target {WASM_TARGET}"), || {
            run(context.program("rustup").args(["target", "add", WASM_TARGET]), context.progress.sink())
        })?;
    }
    if !missing_tools.is_empty() {
        context.progress.step(&format!("Adding {}", missing_tools.join(" and ")), || {
            run(context.program("rustup").args(["component", "add"]).args(&missing_tools), context.progress.sink())
        })?;
    }
    context.progress.ready("Rust toolchain");
    Ok(())
}

/// What `package-lock.json` names, in `node_modules`.
pub fn node_packages(context: &Context) -> Result<()> {
    let lock = read_json(&context.path("package-lock.json"))?;
    let installed = read_json(&context.path("node_modules/.package-lock.json")).unwrap_or(Value::Null);
    if let Some(reason) = first_difference(&lock, &installed) {
        context.progress.step(&format!("Installing packages from npm ({reason})"), || {
            run(&mut context.npm(&["ci"]), context.progress.sink())
        })?;
    }
    context.progress.ready("npm packages");
    Ok(())
}

/// Why `node_modules` does not hold what the lock file says, or nothing when it does.
///
/// npm notes what it installed in a lock file of its own inside `node_modules`. Optional packages may be absent there:
/// most of them are for other platforms.
fn first_difference(lock: &Value, installed: &Value) -> Option<String> {
    let wanted = packages(lock);
    let present = packages(installed);
    if present.is_empty() {
        return Some("none is installed".into());
    }
    for (name, package) in &wanted {
        let may_be_absent = package["optional"] == true || package["devOptional"] == true;
        match present.get(name) {
            Some(other) if other["version"] == package["version"] && other["integrity"] == package["integrity"] => {}
            Some(_) => return Some(format!("{name} is another version")),
            None if may_be_absent => {}
            None => return Some(format!("{name} is missing")),
        }
    }
    present.keys().find(|name| !wanted.contains_key(*name)).map(|name| format!("{name} is no longer wanted"))
}

/// The installed packages of a lock file by their name; the workspace's own folders are not installed.
fn packages(lock: &Value) -> BTreeMap<&str, &Value> {
    const PREFIX: &str = "node_modules/";
    let all = lock["packages"].as_object().into_iter().flatten();
    all.filter(|(path, _)| path.contains(PREFIX))
        .map(|(path, package)| (path.strip_prefix(PREFIX).unwrap_or(path), package))
        .collect()
}

/// The prebuilt DuckDB library, where the linker and the collector look for it.
pub fn duckdb(context: &Context) -> Result<()> {
    let (package, library) = duckdb_package(std::env::consts::OS, std::env::consts::ARCH)?;
    let version = duckdb_version(context)?;
    let find = || {
        let places = ["node_modules", ".deps/npm/node_modules"];
        places.map(|place| context.path(place).join(package)).into_iter().find(|folder| {
            let installed = read_json(&folder.join("package.json")).unwrap_or(Value::Null);
            installed["version"] == version.as_str() && folder.join(library).is_file()
        })
    };
    if find().is_none() {
        install_duckdb(context, &format!("{package}@{version}"))?;
    }
    let source = find()
        .ok_or_else(|| Error::new(format!("{package}@{version} was installed but holds no {library}")))?
        .join(library);
    let folder = context.path(DUCKDB_FOLDER);
    make_folder(&folder)?;
    let destination = folder.join(library);
    if !same_file(&source, &destination) {
        context.progress.step("Putting the DuckDB library in place", || place(&source, &destination))?;
    }
    context.progress.ready("DuckDB library");
    Ok(())
}

/// The version that the root `package.json` pins, for all platforms.
fn duckdb_version(context: &Context) -> Result<String> {
    let manifest = read_json(&context.path("package.json"))?;
    manifest["optionalDependencies"]["@duckdb/node-bindings-linux-x64"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::new("package.json pins no version of @duckdb/node-bindings-linux-x64"))
}

/// The npm package that holds DuckDB for a platform, and the name of the library in it.
fn duckdb_package(os: &str, arch: &str) -> Result<(&'static str, &'static str)> {
    match (os, arch) {
        ("linux", "x86_64") => Ok(("@duckdb/node-bindings-linux-x64", "libduckdb.so")),
        ("linux", "aarch64") => Ok(("@duckdb/node-bindings-linux-arm64", "libduckdb.so")),
        ("macos", "aarch64") => Ok(("@duckdb/node-bindings-darwin-arm64", "libduckdb.dylib")),
        ("macos", "x86_64") => Ok(("@duckdb/node-bindings-darwin-x64", "libduckdb.dylib")),
        _ => Err(Error::new(format!(
            "there is no prebuilt DuckDB for {os} on {arch}: build with `cargo build -p quartile-collector --features bundled`"
        ))),
    }
}

/// Fetches the library's package by itself: the lock file names only that of the most common platform, because npm
/// records a platform's package only where the registry offers it.
fn install_duckdb(context: &Context, wanted: &str) -> Result<()> {
    make_folder(&context.path(".deps/npm"))?;
    context.progress.step(&format!("Fetching {wanted}"), || {
        let arguments = ["install", "--no-save", "--no-package-lock", "--prefix", ".deps/npm", wanted];
        run(&mut context.npm(&arguments), context.progress.sink())
    })
}

/// Whether two files have the same length and were changed at the same moment.
fn same_file(one: &Path, other: &Path) -> bool {
    let facts = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    facts(one).is_some_and(|facts_of_one| facts(other) == Some(facts_of_one))
}

/// Links `source` to `destination`, or copies it where links are not possible.
fn place(source: &Path, destination: &Path) -> Result<()> {
    let doing = || format!("putting {} in place", destination.display());
    if destination.exists() {
        std::fs::remove_file(destination).doing(doing)?;
    }
    if std::fs::hard_link(source, destination).is_ok() {
        return Ok(());
    }
    std::fs::copy(source, destination).doing(doing)?;
    let modified = std::fs::metadata(source).and_then(|metadata| metadata.modified()).doing(doing)?;
    let copy = std::fs::File::options().write(true).open(destination).doing(doing)?;
    copy.set_modified(modified).doing(doing)
}

/// The browser that the end-to-end tests drive.
pub fn browser(context: &Context) -> Result<()> {
    debian_files(context, CHROMIUM, "Chromium")
}

/// The browsers of other engines that the matrix of players drives.
pub fn engines(context: &Context) -> Result<()> {
    debian_files(context, ENGINES, "Firefox ESR and WebKitGTK")
}

/// What makes the media that tests play.
pub fn media(context: &Context) -> Result<()> {
    debian_files(context, MEDIA, "FFmpeg")
}

/// Looks for the files, and has what is missing installed.
fn debian_files(context: &Context, files: &[DebianFile], about: &str) -> Result<()> {
    let missing: Vec<_> = files.iter().filter(|(_, path, _)| !debian_path(path).exists()).collect();
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|(name, _, _)| *name).collect();
        let packages: Vec<&str> = missing.iter().map(|(_, _, package)| *package).collect();
        install_debian_packages(context, &names.join(", "), &packages)?;
    }
    context.progress.ready(about);
    Ok(())
}

/// Where Debian puts a file on this machine.
fn debian_path(path: &str) -> PathBuf {
    path.replace("ARCH", std::env::consts::ARCH).into()
}

/// Installs packages where that is ours to do (Debian, as root), and otherwise says what to install.
fn install_debian_packages(context: &Context, names: &str, packages: &[&str]) -> Result<()> {
    let packages_text = packages.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(Error::new(format!("{names} is missing: install it so that it is at its usual Debian path")));
    }
    if capture(context.program("id").arg("-u"))?.trim() != "0" {
        return Err(Error::new(format!("{names} is missing: run `sudo apt-get install {packages_text}`")));
    }
    context.progress.step(&format!("Installing {names} by apt-get"), || {
        let sink = context.progress.sink();
        run(context.program("apt-get").args(["update", "--quiet"]), sink)?;
        let arguments = ["install", "--quiet", "--yes", "--no-install-recommends"];
        let mut install = context.program("apt-get");
        run(install.args(arguments).args(packages).env("DEBIAN_FRONTEND", "noninteractive"), sink)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares lock files that hold the given packages.
    fn check(wanted: &str, installed: &str, expected: Option<&str>) {
        let lock = |packages: &str| serde_json::from_str(&format!(r#"{{"packages":{packages}}}"#)).unwrap();
        let difference = first_difference(&lock(wanted), &lock(installed));
        assert_eq!(difference.as_deref(), expected);
    }

    const ONE: &str = r#"{"node_modules/a":{"version":"1.0.0","integrity":"sha512-a"}}"#;

    #[test]
    fn what_is_installed_as_locked_is_left_alone() {
        check(ONE, ONE, None);
        let with_folders = r#"{"":{},"npm":{},"node_modules/a":{"version":"1.0.0","integrity":"sha512-a"}}"#;
        check(with_folders, ONE, None);
    }

    #[test]
    fn a_package_for_another_platform_may_be_absent() {
        let wanted =
            r#"{"node_modules/a":{"version":"1.0.0","integrity":"sha512-a"},"node_modules/mac":{"optional":true}}"#;
        check(wanted, ONE, None);
    }

    #[test]
    fn another_version_a_missing_and_a_removed_package_are_noticed() {
        let other = r#"{"node_modules/a":{"version":"2.0.0","integrity":"sha512-b"}}"#;
        let more = r#"{"node_modules/a":{"version":"1.0.0","integrity":"sha512-a"},"node_modules/b":{}}"#;
        check(ONE, other, Some("a is another version"));
        check(more, ONE, Some("b is missing"));
        check(ONE, more, Some("b is no longer wanted"));
    }

    #[test]
    fn nothing_installed_is_noticed() {
        check(ONE, "{}", Some("none is installed"));
    }

    #[test]
    fn platforms_without_a_prebuilt_library_are_told_what_to_do() {
        assert_eq!(duckdb_package("macos", "aarch64").unwrap().1, "libduckdb.dylib");
        assert!(duckdb_package("freebsd", "x86_64").unwrap_err().to_string().contains("bundled"));
    }

    #[test]
    fn files_of_an_architecture_are_found_where_debian_puts_them() {
        let path = debian_path("/usr/lib/ARCH-linux-gnu/a.so");
        assert_eq!(path, Path::new(&format!("/usr/lib/{}-linux-gnu/a.so", std::env::consts::ARCH)));
        assert_eq!(debian_path("/usr/bin/xauth"), Path::new("/usr/bin/xauth"));
    }

    #[test]
    fn a_library_is_placed_once() {
        let folder = std::env::temp_dir().join(format!("xtask-place-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (source, destination) = (folder.join("source"), folder.join("destination"));
        std::fs::write(&source, "new").unwrap();
        std::fs::write(&destination, "older").unwrap();
        assert!(!same_file(&source, &destination));
        place(&source, &destination).unwrap();
        assert!(same_file(&source, &destination));
        assert_eq!(std::fs::read_to_string(&destination).unwrap(), "new");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
