//! `quartile check`: everything that starting needs, tried and told at once.

use std::error::Error;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use quartile_collector::app;
use quartile_collector::config::Config;
use quartile_collector::enrich::place::Places;
use quartile_collector::queue::{self, Depth, DiskFs};

use super::load;
use super::queue::size;

pub const ABOUT: &str = "\
Reads the configuration and tries what starting needs: the folders, the port, the file of places, the tokens, the space \
on the disk. Tells all that is wrong at once, with its cure, and ends with status 1 if anything is. Starts nothing and \
leaves nothing behind but the data folder.

Beside a collector at work the port is its, which is no mistake.";

/// Something would keep the collector from working; what it is was said already.
#[derive(Debug, thiserror::Error)]
#[error("{0} of these would keep the collector from working")]
struct Faulty(usize);

/// What was tried.
#[derive(Default)]
struct Findings {
    faults: usize,
}

impl Findings {
    fn tell(&mut self, what: &str, found: Result<String, String>) {
        match found {
            Ok(found) => println!("ok  {what:<10} {found}"),
            Err(fault) => {
                self.faults += 1;
                println!("!!  {what:<10} {fault}");
            }
        }
    }
}

/// Does it.
pub fn run(path: Option<&PathBuf>) -> Result<(), Box<dyn Error>> {
    let config = load(path)?;
    let mut findings = Findings::default();
    for site in config.sites.iter() {
        findings.tell("site", Ok(format!("{}  {}", site.id, site.origins)));
    }
    if let Err(error) = app::check_store(&config) {
        findings.tell("store", Err(error.to_string()));
    }
    findings.tell("data", folder(&config.data_dir));
    findings.tell("disk", space(&config));
    let (queue, at_work) = queue(&config);
    findings.tell("queue", queue);
    findings.tell("port", port(&config, at_work));
    for path in &config.mmdb {
        let opened = Places::open(vec![path.clone()]);
        findings.tell("places", opened.map(|_| path.display().to_string()).map_err(|error| error.to_string()));
    }
    if let Some(archive) = &config.archive {
        let (days, bytes) = (archive.retention.days, size(archive.retention.max_bytes));
        findings.tell("archive", Ok(format!("{}, {days} days, at most {bytes}", archive.dir.display())));
    }
    for sink in &config.sinks {
        findings.tell("sink", Ok(format!("{}, {}", sink.name, sink.url)));
    }
    let readers = app::readers(&config);
    findings.tell("reports", readers.map(|access| format!("for {access}")).map_err(|error| error.to_string()));
    if config.demo {
        println!("This is the demo: name a configuration with --config for anything else.");
    }
    if findings.faults > 0 { Err(Faulty(findings.faults).into()) } else { Ok(()) }
}

/// Makes the folder, as starting does, and tries to write in it.
fn folder(folder: &Path) -> Result<String, String> {
    let trial = folder.join(".check");
    let tried = fs::create_dir_all(folder).and_then(|()| fs::write(&trial, b"")).and_then(|()| fs::remove_file(&trial));
    let shown = folder.display();
    tried.map(|()| shown.to_string()).map_err(|error| {
        format!("{shown} cannot be written ({error}): give it to the user that the collector runs as, or name another in `data_dir`")
    })
}

/// Whether queue and archive fit on the disk when they are full; without the store, which has no bound.
fn space(config: &Config) -> Result<String, String> {
    let disk = rustix::fs::statvfs(&config.data_dir).map_err(|error| io::Error::from(error).to_string())?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let sinks: u64 = config.sinks.iter().map(|sink| sink.max_bytes).sum();
    let archive = config.archive.as_ref().map_or(0, |archive| archive.retention.max_bytes);
    let wanted = config.queue.max_bytes.saturating_add(sinks).saturating_add(archive);
    let kept = [&config.queue.dir, &config.data_dir.join("archive"), &config.data_dir.join("sinks")];
    let used: u64 = kept.into_iter().map(|folder| bytes_below(folder)).sum();
    if free.saturating_add(used) >= wanted {
        return Ok(format!("{} free; queue and archive may grow to {}", size(free), size(wanted)));
    }
    Err(format!(
        "{} free, but queue and archive may grow to {}: make room, or lower `max_bytes` of `queue` and `archive`",
        size(free),
        size(wanted)
    ))
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// What is in the queue, and whether a collector is at work with it.
fn queue(config: &Config) -> (Result<String, String>, bool) {
    if !config.queue.dir.exists() {
        return (Ok("none yet".to_owned()), false);
    }
    match queue::audit(&DiskFs, &config.queue.dir, Depth::Headers) {
        Ok(audit) => (Ok(format!("{} segments", audit.segments.len())), audit.in_use),
        Err(error) => (Err(format!("{error}: `quartile queue verify` tells more")), false),
    }
}

fn port(config: &Config, at_work: bool) -> Result<String, String> {
    let listen = config.listen;
    match TcpListener::bind(listen) {
        Ok(_) => Ok(listen.to_string()),
        Err(error) if at_work && error.kind() == io::ErrorKind::AddrInUse => {
            Ok(format!("{listen}, in use, as is the queue: by a collector at work"))
        }
        Err(error) => Err(format!("{listen} cannot be listened on ({error}): name another in `listen`")),
    }
}
