//! The servers that are measured: processes of their own, pinned to a core, killed when they are let go of.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::{Doing, Error, Result};
use crate::http;
use crate::process::shown;

/// How long a server may take to start.
const STARTING: Duration = Duration::from_secs(20);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// What the kernel counts processor time in: 1/100 s on every Linux there is.
const TICK_MICROS: u64 = 10_000;

/// Which cores a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The first alone: the server's.
    First,
    /// The second alone: the generator's.
    Second,
    /// Both.
    Both,
}

impl Cores {
    /// `command` on these cores.
    pub fn pin(self, command: &Command) -> Command {
        let list = match self {
            Self::First => "0",
            Self::Second => "1",
            Self::Both => "0,1",
        };
        let mut pinned = Command::new("taskset");
        pinned.args(["--cpu-list", list]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => pinned.env(key, value),
                None => pinned.env_remove(key),
            };
        }
        pinned
    }
}

/// A server at work.
pub struct Subject {
    child: Child,
    folder: Option<PathBuf>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Subject {
    /// A server that prints its address.
    pub fn printing(command: &Command, cores: Cores) -> Result<Self> {
        let mut pinned = cores.pin(command);
        let mut child = pinned.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().doing(|| shown(command))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
        let address = line.trim().parse();
        let subject = |address| Self { child, folder: None, address };
        match (read, address) {
            (Some(Ok(_)), Ok(address)) => Ok(subject(address)),
            _ => {
                drop(subject(SocketAddr::from(([127, 0, 0, 1], 0))));
                Err(Error::new(format!(
                    "`{}` printed `{}` where its address was expected",
                    shown(command),
                    line.trim()
                )))
            }
        }
    }

    /// A server that is told its address, and answers when it has started; `folder` is removed when it ends.
    pub fn listening(
        make: impl FnOnce(SocketAddr) -> Result<Command>,
        cores: Cores,
        folder: Option<PathBuf>,
    ) -> Result<Self> {
        let address = free_address()?;
        let command = make(address)?;
        let mut pinned = cores.pin(&command);
        let child = pinned.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let subject = Self { child: child.doing(|| shown(&command))?, folder, address };
        for _ in 0..STARTING.as_millis() / LOOK.as_millis() {
            if http::get(address, "/healthz").is_ok_and(|answer| answer.status < 500) {
                return Ok(subject);
            }
            std::thread::sleep(LOOK);
        }
        Err(Error::new(format!("`{}` does not answer on {address}", shown(&command))))
    }

    /// The processor time that it used so far, in microseconds.
    pub fn cpu_micros(&self) -> Result<u64> {
        let stat = self.proc("stat")?;
        // The name stands in parentheses and may have spaces; user and system time are the 12th and 13th behind it.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * TICK_MICROS)
    }

    /// Its resident memory, in kB.
    pub fn resident_kb(&self) -> Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().doing(|| "reading the resident memory".into())
    }

    /// The value of one of its metrics without labels.
    pub fn metric(&self, name: &str) -> Result<u64> {
        let answer = http::get(self.address, "/metrics")?;
        let mut lines = answer.body.lines().filter_map(|line| line.strip_prefix(name));
        let value = lines.find_map(|rest| rest.trim().parse().ok());
        value.ok_or_else(|| Error::new(format!("/metrics has no {name} ({})", answer.status)))
    }

    fn proc(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.child.id());
        std::fs::read_to_string(&path).doing(|| format!("reading {path}"))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // What it has not finished is of no interest. It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").doing(|| "looking for a free port".into())?;
    listener.local_addr().doing(|| "looking for a free port".into())
}

/// nginx that answers 204 to everything, with its files in `folder`.
pub fn nginx(folder: &Path, address: SocketAddr) -> Result<Command> {
    let config = format!(
        "worker_processes 1;\nmaster_process off;\ndaemon off;\npid {0}/pid;\nerror_log {0}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {0}/body; client_body_buffer_size 1m;\n\
         server {{ listen {address} reuseport; return 204; }} }}\n",
        folder.display()
    );
    std::fs::create_dir_all(folder).doing(|| "making nginx's folder".into())?;
    let path = folder.join("nginx.conf");
    std::fs::write(&path, config).doing(|| "configuring nginx".into())?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(path).arg("-e").arg(folder.join("error.log"));
    Ok(command)
}
