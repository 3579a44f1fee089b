//! A collector's process from outside.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use ureq::Agent;

use crate::collector::{Mode, control};
use crate::{Result, clock};

/// How long a collector may take to answer after it was started. Debug builds read their tables slowly.
const START: Duration = Duration::from_secs(10);

/// How long it may take to stop when it is asked to.
const STOP: Duration = Duration::from_secs(12);

/// Lets the limit on file sizes be an error and not the end. The shell becomes the collector.
const LIMITABLE: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

/// A collector in a folder of its own; it can be started again and again.
pub struct Subject {
    /// Where it listens, whenever it runs.
    pub address: SocketAddr,
    /// The folder of everything that it keeps.
    pub data: PathBuf,
    delay_ms: u64,
    sink: SocketAddr,
    folder: PathBuf,
    mode: Mode,
    clock_ms: i64,
    /// Its standard input is held open: when this harness ends, however it ends, so does the collector.
    running: Option<Child>,
    agent: Agent,
}

impl Subject {
    /// One that was never started.
    pub fn new(folder: &Path, sink: SocketAddr, delay_ms: u64) -> Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).http_status_as_error(false);
        let mut subject = Self {
            address,
            data: folder.join("data"),
            delay_ms,
            sink,
            folder: folder.to_owned(),
            mode: Mode::Works,
            clock_ms: 0,
            running: None,
            agent: config.build().into(),
        };
        subject.set(Mode::Works, 0)?;
        Ok(subject)
    }

    /// Tells the store and the clock what to do.
    pub fn set(&mut self, mode: Mode, clock_ms: i64) -> Result<()> {
        (self.mode, self.clock_ms) = (mode, clock_ms);
        // Read by another process: never half of it.
        let (draft, file) = (self.folder.join("control.part"), self.folder.join("control"));
        fs::write(&draft, control(mode, clock_ms))?;
        Ok(fs::rename(draft, file)?)
    }

    /// Tells the store alone.
    pub fn set_mode(&mut self, mode: Mode) -> Result<()> {
        self.set(mode, self.clock_ms)
    }

    /// Starts it and waits until it answers.
    pub fn start(&mut self) -> Result<()> {
        // A file, which is limited like all others when the disk is to be full.
        let log = File::options().create(true).append(true).open(self.folder.join("collector.log"))?;
        let child = Command::new("sh")
            .args(["-c", LIMITABLE])
            .arg(std::env::current_exe()?)
            .args(["collector", "--listen", &self.address.to_string(), "--delay-ms", &self.delay_ms.to_string()])
            .args(["--sink", &self.sink.to_string()])
            .arg("--data")
            .arg(&self.data)
            .arg("--control")
            .arg(self.folder.join("control"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.running = Some(child);
        let began = clock();
        while self.get("/healthz").is_err() {
            if let Some(status) = self.child()?.try_wait()? {
                return Err(format!("THE COLLECTOR DID NOT START: {status}").into());
            }
            if began.elapsed() > START {
                return Err("the collector does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn child(&mut self) -> Result<&mut Child> {
        Ok(self.running.as_mut().ok_or("the collector does not run")?)
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        let child = self.child()?;
        if let Some(status) = child.try_wait()? {
            return Err(format!("the collector ended by itself: {status}").into());
        }
        Ok(kill_process(Pid::from_child(child), signal)?)
    }

    /// Kills it.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.reap().map(drop)
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let began = clock();
        while self.child()?.try_wait()?.is_none() {
            if began.elapsed() > STOP {
                return Err("the collector does not stop".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        match self.reap()? {
            true => Ok(()),
            false => Err("the collector failed while it stopped".into()),
        }
    }

    fn reap(&mut self) -> Result<bool> {
        let Some(mut child) = self.running.take() else { return Ok(true) };
        Ok(child.wait()?.success())
    }

    /// Lets no file grow beyond so many bytes; `None` lifts that.
    pub fn limit_files(&mut self, bytes: Option<u64>) -> Result<()> {
        let pid = Pid::from_child(self.child()?);
        let before = prlimit(Some(pid), Resource::Fsize, Rlimit { current: bytes, maximum: None })?;
        // The hard limit stays, so that it can be lifted again.
        debug_assert!(before.maximum.is_none());
        Ok(())
    }

    /// What a path answers with status 200.
    pub fn get(&self, path: &str) -> Result<String> {
        let mut answer = self.agent.get(format!("http://{}{path}", self.address)).call()?;
        let text = answer.body_mut().read_to_string()?;
        if answer.status() == 200 { Ok(text) } else { Err(format!("{path}: {} {text}", answer.status()).into()) }
    }

    /// What a query is answered.
    pub fn query(&self, query: &serde_json::Value) -> Result<serde_json::Value> {
        let url = format!("http://{}/v1/reports/query", self.address);
        let text = self.agent.post(&url).send(query.to_string())?.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The figures of this moment. Their books balance, or this is an error.
    pub fn metrics(&self) -> Result<Metrics> {
        Metrics::parse(self.get("/metrics")?)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            // It is ours and has not been waited for; when it ended by itself there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What `/metrics` says.
#[derive(Clone)]
pub struct Metrics(String);

impl Metrics {
    fn parse(text: String) -> Result<Self> {
        let metrics = Self(text);
        let items = |name: &str| metrics.sum(&format!("quartile_items_{name}"));
        let (received, in_flight) = (items("received_total"), items("in_flight"));
        let outcomes = items("accepted_total") + items("rejected_total") + items("dropped_total");
        if received == outcomes + in_flight {
            Ok(metrics)
        } else {
            Err(format!("THE BOOKS DO NOT BALANCE: {received} received, {outcomes} outcomes, {in_flight} in flight")
                .into())
        }
    }

    /// The sum of all samples of a name.
    pub fn sum(&self, name: &str) -> u64 {
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<u64>().ok())?
        });
        values.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALANCED: &str = "quartile_items_received_total{site=\"a\"} 7\nquartile_items_accepted_total{site=\"a\"} 4\n\
         quartile_items_rejected_total{site=\"a\",code=\"x\"} 2\nquartile_items_in_flight{site=\"a\"} 1\n";

    #[test]
    fn books_that_do_not_balance_are_an_error() {
        assert_eq!(Metrics::parse(BALANCED.to_owned()).unwrap().sum("quartile_items_rejected_total"), 2);
        assert!(Metrics::parse(BALANCED.replace("} 7", "} 8")).is_err());
    }
}
