//! `cargo xtask demo`: the whole product on this machine, with an audience.

mod contract;
mod report;

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::{Need, Prepared};
use crate::error::{Doing, Error, Result};
use crate::process::{Background, LOOK_AGAIN};
use crate::progress::now;
use crate::workspace::{Context, make_folder};
use crate::{http, static_server};
use report::Report;

/// How long the collector may take to answer after it was started.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long the simulated audience may take.
const AUDIENCE_LIMIT: Duration = Duration::from_secs(300);

/// How long the browser may take to watch the clip.
const WATCH_LIMIT: Duration = Duration::from_secs(90);

/// How long what was sent may take to show in a report.
const REPORT_LIMIT: Duration = Duration::from_secs(20);

/// How long a report must stay the same to count as complete: twice what the collector promises.
const SETTLED: Duration = Duration::from_secs(4);

/// What to show.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Watch one clip in a browser, see it reported, and end.
    pub once: bool,
    /// The collector's port.
    pub port: Option<u16>,
}

/// Runs the demo; with `once` until the viewing was seen, otherwise until Ctrl-C or until the collector ends.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    let mut prepared = Prepared::default();
    prepared.ensure_all(context, &[Need::Collector, Need::Simulator])?;
    if options.once {
        prepared.ensure(context, Need::Browser)?;
    }
    let mut stage = Stage::open(context, options)?;
    let shown = stage.show(context, options);
    if shown.is_err() {
        context.progress.say(&format!(
            "\nThe collector's last lines ({}):\n{}",
            stage.log.display(),
            stage.last_lines()
        ));
    } else if options.once {
        stage.clean_up();
    }
    shown
}

/// A running collector and a served example page.
#[derive(Debug)]
struct Stage {
    collector: Background,
    address: SocketAddr,
    page: String,
    data: PathBuf,
    log: PathBuf,
}

impl Stage {
    /// Starts both, and waits until the collector answers. Both listen on this machine only.
    fn open(context: &Context, options: &Options) -> Result<Self> {
        let port = collector_port(options)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let page_port = if options.once { 0 } else { port + 1 };
        let page = serve_example(context, page_port, address)?;
        let name = if options.once { format!("once-{}", std::process::id()) } else { "demo".into() };
        let data = context.path("quartile-data").join(&name);
        let log = context.path("quartile-data").join(format!("{name}.log"));
        if data.exists() {
            std::fs::remove_dir_all(&data).doing(|| format!("emptying {}", data.display()))?;
        }
        make_folder(&data)?;
        let collector = start_collector(context, address, &data, &log)?;
        let mut stage = Self { collector, address, page, data, log };
        context.progress.step("Starting the collector", || stage.wait_until_healthy())?;
        Ok(stage)
    }

    /// The collector's address as a browser writes it.
    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the collector says that it runs.
    fn wait_until_healthy(&mut self) -> Result<()> {
        let begun = now();
        loop {
            if http::get(self.address, contract::HEALTH).is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            let problem = match self.collector.ended()? {
                Some(status) => format!("the collector ended with {status}"),
                None if begun.elapsed() > START_LIMIT => "the collector does not answer".into(),
                None => {
                    std::thread::sleep(LOOK_AGAIN);
                    continue;
                }
            };
            return Err(Error::new(format!("{problem}; it said:\n{}", self.last_lines())));
        }
    }

    /// Lets the audience watch and shows the report; then one more viewing, or all there is until Ctrl-C.
    fn show(&mut self, context: &Context, options: &Options) -> Result<()> {
        context.progress.step("Letting simulated viewers watch", || self.simulate(context))?;
        let report = context.progress.step("Waiting for their plays in the report", || self.settled_report())?;
        if options.once {
            context.progress.step("Watching the example's clip in Chromium", || self.watch_once(context))?;
            context.progress.say(&format!("\n{}", Report::ask(self.address, &contract::plays_query())?.table()?));
            context.progress.say("The viewing shows in the report: 1 more play, watched to its end.");
            return Ok(());
        }
        context.progress.say(&format!("\n{}", report.table()?));
        context.progress.say(&format!("Example page  {}", self.page));
        context.progress.say(&format!("Collector     {}/", self.origin()));
        context.progress.say(&format!("Its log       {}", self.log.display()));
        context.progress.say("Ctrl-C ends it.");
        self.keep()
    }

    /// Runs the simulated audience to its end.
    fn simulate(&self, context: &Context) -> Result<()> {
        let mut command = context.cargo(&["run", "--quiet", "--package", contract::AUDIENCE_PACKAGE, "--"]);
        command.args(contract::audience_arguments(&self.origin()));
        Background::start(&mut command)?.finish(AUDIENCE_LIMIT)
    }

    /// The plays, once they have stopped changing: what was accepted a moment ago is on its way to the store.
    fn settled_report(&self) -> Result<Report> {
        let begun = now();
        let mut last: Option<Report> = None;
        let mut since = now();
        loop {
            let report = Report::ask(self.address, &contract::plays_query())?;
            let plays = report.plays()?;
            if last.as_ref() != Some(&report) {
                last = Some(report);
                since = now();
            } else if plays > 0 && since.elapsed() > SETTLED {
                return Ok(report);
            }
            if begun.elapsed() > REPORT_LIMIT {
                return if plays > 0 { last } else { None }.ok_or_else(|| {
                    Error::new("the report shows no plays, although the simulated viewers were accepted")
                });
            }
            std::thread::sleep(LOOK_AGAIN * 5);
        }
    }

    /// Watches the example's clip in a browser, and waits until the report counts one more viewing to the end.
    fn watch_once(&self, context: &Context) -> Result<()> {
        let viewings = || Report::ask(self.address, &contract::videos_query())?.viewings_of(contract::CLIP);
        let before = viewings()?;
        let mut browser = context.program("node");
        browser.args(["xtask/demo/watch-once.mjs", &self.page, contract::CLIP]);
        Background::start(&mut browser)?.finish(WATCH_LIMIT)?;
        let begun = now();
        loop {
            let after = viewings()?;
            let plays = after.plays.saturating_sub(before.plays);
            let completed = after.completed.saturating_sub(before.completed);
            if (plays, completed) == (1, 1) {
                return Ok(());
            }
            if begun.elapsed() > REPORT_LIMIT || plays > 1 || completed > 1 {
                return Err(Error::new(format!(
                    "after one viewing of {} to its end the report counts {plays} more plays and {completed} more to the end",
                    contract::CLIP
                )));
            }
            std::thread::sleep(LOOK_AGAIN * 2);
        }
    }

    /// Goes on until this process is ended; an error if the collector ends by itself.
    fn keep(&mut self) -> Result<()> {
        loop {
            if let Some(status) = self.collector.ended()? {
                return Err(Error::new(format!("the collector ended with {status}")));
            }
            std::thread::sleep(LOOK_AGAIN * 5);
        }
    }

    /// What the collector logged last.
    fn last_lines(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Ends the collector and removes what it kept.
    fn clean_up(self) {
        let Self { collector, data, log, .. } = self;
        drop(collector);
        let _ = std::fs::remove_dir_all(data);
        let _ = std::fs::remove_file(log);
    }
}

/// The port for the collector: the one asked for, for a single run any free one, otherwise the usual one.
fn collector_port(options: &Options) -> Result<u16> {
    let wanted = options.port.unwrap_or(if options.once { 0 } else { contract::DEFAULT_PORT });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .map_err(|cause| Error::new(format!("port {wanted} cannot be used ({cause}): choose another with --port")))?;
    Ok(listener.local_addr().doing(|| "finding a free port".into())?.port())
}

/// Serves the examples and returns the address of the page, whose collector is the one at `collector`.
fn serve_example(context: &Context, port: u16, collector: SocketAddr) -> Result<String> {
    let file = context.path(contract::EXAMPLES).join(contract::PAGE.trim_matches('/')).join("index.html");
    let page = crate::workspace::read_text(&file)?;
    let origin = format!("http://{collector}");
    if !page.contains(contract::COLLECTOR_IN_PAGE) && origin != contract::COLLECTOR_IN_PAGE {
        return Err(Error::new(format!(
            "{} does not name the collector {}, so it cannot be given another",
            file.display(),
            contract::COLLECTOR_IN_PAGE
        )));
    }
    let replacement = Some((contract::COLLECTOR_IN_PAGE.to_owned(), origin));
    let address = static_server::start(&context.path(contract::EXAMPLES), port, replacement)?;
    Ok(format!("http://{address}{}", contract::PAGE))
}

/// Starts the collector with its output in a file.
fn start_collector(context: &Context, address: SocketAddr, data: &Path, log: &Path) -> Result<Background> {
    let doing = || format!("writing {}", log.display());
    let output = File::create(log).doing(doing)?;
    let errors = output.try_clone().doing(doing)?;
    let binary = context.collector_binary()?;
    let mut command = context.program(&binary.to_string_lossy());
    command.envs(contract::collector_environment(&address.to_string(), &data.to_string_lossy()));
    command.stdout(output).stderr(errors);
    Background::start(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_refused_with_advice() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = collector_port(&Options { once: false, port: Some(port) }).unwrap_err().to_string();
        assert!(error.contains("choose another with --port"), "{error}");
    }

    #[test]
    fn a_single_run_takes_a_free_port() {
        assert_ne!(collector_port(&Options { once: true, port: None }).unwrap(), 0);
    }
}
