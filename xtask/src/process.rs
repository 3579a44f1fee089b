//! Running other programs: streamed for people to follow, watched line by line, or kept in the background.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::{Doing, Error, Result};
use crate::progress::{Sink, now};

/// How long output may stay silent after its program has ended: a grandchild that was left behind holds the pipe open.
const SILENCE_AFTER_END: Duration = Duration::from_secs(2);

/// How often a waiting loop looks again.
pub const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A command as one would type it, for messages.
pub fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Runs a program to its end, its output shown as it comes; an error unless it succeeds.
pub fn run(command: &mut Command, sink: Sink) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).stdout(sink.stdio()).status().doing(|| format!("starting {}", shown(command)))?;
    succeeded(command, status)
}

/// Runs a program to its end and returns what it printed; its errors are shown as they come.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .doing(|| format!("starting {}", shown(command)))?;
    succeeded(command, output.status)?;
    String::from_utf8(output.stdout).doing(|| format!("reading the output of {}", shown(command)))
}

/// An error that names the command, unless it succeeded.
fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { Err(Error::new(format!("`{}` ended with {status}", shown(command)))) }
}

/// Runs a program to its end, gives every line of its standard output to `line`, and returns how it ended.
pub fn watch(command: &mut Command, mut line: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().doing(|| format!("starting {}", shown(command)))?;
    let lines = child.stdout.take().map(lines_of);
    let mut ended = None;
    while let Some(lines) = &lines {
        match lines.recv_timeout(LOOK_AGAIN) {
            Ok(text) => line(&text),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if child.try_wait().doing(|| "waiting for a program".into())?.is_some() {
                    let since = *ended.get_or_insert_with(now);
                    if since.elapsed() > SILENCE_AFTER_END {
                        break;
                    }
                }
            }
        }
    }
    child.wait().doing(|| format!("waiting for {}", shown(command)))
}

/// Reads lines on a thread of their own, so that the reader can give up waiting.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
            if sender.send(text).is_err() {
                break;
            }
            bytes.clear();
        }
    });
    receiver
}

/// Asks the process `$1` to end, then insists, once the line that `read` waits for can no longer come.
const GUARD: &str = r#"
read -r _ && exit 0
kill -TERM "$1" 2>/dev/null || exit 0
tries=0
while [ "$tries" -lt 100 ]; do
  sleep 0.1
  kill -0 "$1" 2>/dev/null || exit 0
  tries=$((tries + 1))
done
kill -KILL "$1" 2>/dev/null
"#;

/// A program in the background that never outlives this one.
///
/// A small shell waits on a pipe from this process. When the pipe closes, because we are done with the program or
/// because this process was ended in whatever way, the shell asks the program to end and after ten seconds insists.
/// That needs no signal handler, which std has not.
#[derive(Debug)]
pub struct Background {
    name: String,
    child: Child,
    guard: Child,
    lifeline: Option<ChildStdin>,
}

impl Background {
    /// Starts `command` in a process group of its own: Ctrl-C reaches this tool, and the guard ends the program in order.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = shown(command);
        let mut child = command.stdin(Stdio::null()).process_group(0).spawn().doing(|| format!("starting {name}"))?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match guard {
            Ok(mut guard) => Ok(Self { name, child, lifeline: guard.stdin.take(), guard }),
            Err(cause) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(Error::new(format!("starting the guard of {name}: {cause}")))
            }
        }
    }

    /// How the program ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait().doing(|| format!("looking after {}", self.name))?;
        if status.is_some() {
            self.dismiss_guard();
        }
        Ok(status)
    }

    /// Waits for the program to succeed, at most `limit`.
    pub fn finish(mut self, limit: Duration) -> Result<()> {
        let begun = now();
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    return Err(Error::new(format!("`{}` ended with {status}", self.name)));
                }
                None if begun.elapsed() > limit => {
                    return Err(Error::new(format!("`{}` took longer than {} s", self.name, limit.as_secs())));
                }
                None => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }

    /// Tells the guard that the program is gone, so that it ends without touching any process.
    fn dismiss_guard(&mut self) {
        if let Some(mut lifeline) = self.lifeline.take() {
            let _ = lifeline.write_all(b"done\n");
            drop(lifeline);
            let _ = self.guard.wait();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if matches!(self.ended(), Ok(Some(_))) {
            return;
        }
        drop(self.lifeline.take());
        let _ = self.child.wait();
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_arrive_in_order_with_the_exit_status() {
        let mut lines = Vec::new();
        let status = watch(&mut shell("echo one; printf 'two'; exit 3"), |line| {
            lines.push(line.to_owned());
        });
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_open_does_not_hold_us_up() {
        let begun = now();
        watch(&mut shell("sleep 30 & echo started"), |_| ()).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_failing_program_is_named() {
        let error = run(&mut shell("exit 7"), Sink::Nowhere).unwrap_err().to_string();
        assert_eq!(error, "`sh -c exit 7` ended with exit status: 7");
    }

    #[test]
    fn a_background_program_ends_in_order_when_it_is_dropped() {
        let file = std::env::temp_dir().join(format!("xtask-background-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let script = format!(
            "trap 'echo drained > {0}; exit 0' TERM; echo ready > {0}; while :; do sleep 0.05; done",
            file.display()
        );
        let background = Background::start(&mut shell(&script)).unwrap();
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("ready")) {
            std::thread::sleep(LOOK_AGAIN);
        }
        drop(background);
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "drained");
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_background_program_that_ends_by_itself_is_noticed() {
        Background::start(&mut shell("exit 0")).unwrap().finish(Duration::from_secs(10)).unwrap();
        let error = Background::start(&mut shell("exit 4")).unwrap().finish(Duration::from_secs(10)).unwrap_err();
        assert!(error.to_string().ends_with("ended with exit status: 4"), "{error}");
    }

    #[test]
    fn a_background_program_that_never_ends_is_given_up() {
        let background = Background::start(&mut shell("exec sleep 30")).unwrap();
        let error = background.finish(Duration::from_millis(300)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
    }
}
