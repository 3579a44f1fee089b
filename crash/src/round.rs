//! One round: viewers post, the collector suffers, and in the end everything is counted.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use fastrand::Rng;
use quartile_collector::app;
use quartile_collector::clock::Clock;
use quartile_collector::config::Config;
use quartile_collector::forward::letters::DeadLetters;
use quartile_collector::forward::replay;
use quartile_collector::rebuild;
use quartile_collector::store::Store;
use quartile_collector::store::duckdb::{DuckDb, Options};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::collector::{Mode, settings};
use crate::receiver::Receiver;
use crate::state::Notes;
use crate::subject::{Metrics, Subject};
use crate::verdict::{Contents, Exempt, dead_letters};
use crate::{Failure, Result, clock, damage};

/// Processes of viewers, and viewers in each.
const PROCESSES: u64 = 2;
const VIEWERS: u64 = 3;

/// How long viewers may take to have their last states acknowledged once all is well.
const VIEWERS_END: Duration = Duration::from_secs(12);

/// How long the store may take to have everything once all is well.
const SETTLING: Duration = Duration::from_secs(15);

/// What is done to the collector.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    KillAndTear,
    KillAndFlip,
    KillAndRuinStore,
    Restart,
    Pause,
    FillDisk,
    Store(Mode),
    JumpClock,
}

const FAULTS: &[Fault] = &[
    Fault::Kill,
    Fault::Kill,
    Fault::KillAndTear,
    Fault::KillAndTear,
    Fault::KillAndFlip,
    Fault::KillAndFlip,
    Fault::KillAndRuinStore,
    Fault::KillAndRuinStore,
    Fault::Restart,
    Fault::Pause,
    Fault::FillDisk,
    Fault::FillDisk,
    Fault::Store(Mode::Fails),
    Fault::Store(Mode::Hangs),
    Fault::Store(Mode::Refuses),
    Fault::Store(Mode::Refuses),
    Fault::Store(Mode::Breaks),
    Fault::Store(Mode::Panics),
    Fault::JumpClock,
];

/// Runs the round of a seed. Says what happened; after a failure, where its files are.
pub fn run(seed: u64, verbose: bool) -> std::result::Result<String, (Failure, Option<PathBuf>)> {
    let folder = match tempfile::Builder::new().prefix(&format!("quartile-crash-{seed}-")).tempdir() {
        Ok(folder) => folder,
        Err(error) => return Err((error.into(), None)),
    };
    match Round::run(&folder, seed, verbose) {
        Ok(told) => Ok(told),
        Err(error) => Err((error, Some(folder.keep()))),
    }
}

struct Round {
    subject: Subject,
    receiver: Receiver,
    config: Config,
    random: Rng,
    verbose: bool,
    seed: u64,
    clock_jumped: bool,
    /// What was destroyed by flipped bytes.
    exempt: Exempt,
    flipped: BTreeSet<u64>,
    /// How many of those the collector that runs now has to have counted.
    lost: u64,
    done: Vec<String>,
}

impl Round {
    fn run(folder: &TempDir, seed: u64, verbose: bool) -> Result<String> {
        let mut random = Rng::with_seed(seed);
        let delay_ms = random.u64(1..60);
        let receiver = Receiver::start(seed)?;
        let mut subject = Subject::new(folder.path(), receiver.address, delay_ms)?;
        let config = settings(subject.data.clone(), subject.address, receiver.address, delay_ms)?;
        subject.start()?;
        let viewers: Vec<_> = (0..PROCESSES)
            .map(|number| Viewers::start(folder.path(), &subject, seed, number))
            .collect::<Result<_>>()?;
        let exempt = Exempt::default();
        let mut round = Self {
            subject,
            receiver,
            config,
            random,
            verbose,
            seed,
            clock_jumped: false,
            exempt,
            flipped: BTreeSet::new(),
            lost: 0,
            done: Vec::new(),
        };
        let faults = round.random.usize(3..6);
        for _ in 0..faults {
            round.rest(100, 500)?;
            let fault = FAULTS[round.random.usize(..FAULTS.len())];
            round.suffer(fault).map_err(|error| format!("{fault:?}: {error}; before: {}", round.done.join(", ")))?;
            round.done.push(format!("{fault:?}"));
        }
        let done = round.done.join(", ");
        round.finish(viewers).map_err(|error| format!("{error}; after {done}").into())
    }

    fn say(&self, what: &str) {
        if self.verbose {
            println!("seed {}: {what}", self.seed);
        }
    }

    /// Lets time pass, looking at the books meanwhile.
    fn rest(&mut self, least_ms: u64, most_ms: u64) -> Result<()> {
        let (began, rest) = (clock(), Duration::from_millis(self.random.u64(least_ms..most_ms)));
        while began.elapsed() < rest {
            // Whatever else goes wrong with a scrape now is part of the game.
            if let Err(error) = self.subject.metrics()
                && error.to_string().starts_with("THE BOOKS")
            {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn suffer(&mut self, fault: Fault) -> Result<()> {
        self.say(&format!("{fault:?}"));
        match fault {
            Fault::Kill => {
                self.kill()?;
                self.start()
            }
            Fault::KillAndTear => self.tear(),
            Fault::KillAndFlip => self.flip(),
            Fault::KillAndRuinStore => {
                self.kill()?;
                let how = damage::ruin_store(&self.subject.data, &mut self.random)?;
                self.say(how);
                self.done.push(how.to_owned());
                self.start()
            }
            Fault::Restart => {
                self.check_lost()?;
                self.subject.stop()?;
                self.start()
            }
            Fault::Pause => {
                self.subject.signal(Signal::STOP)?;
                // Nobody answers now, so nobody is asked.
                std::thread::sleep(Duration::from_millis(self.random.u64(50..1_200)));
                self.subject.signal(Signal::CONT)
            }
            Fault::FillDisk => {
                // Nothing at all, the log included; or what lies beyond some size.
                let bytes = if self.random.bool() { 0 } else { self.random.u64(0..200_000) };
                self.subject.limit_files(Some(bytes))?;
                self.rest(200, 800)?;
                self.subject.limit_files(None)
            }
            Fault::Store(mode) => {
                self.subject.set_mode(mode)?;
                self.rest(100, 700)?;
                self.subject.set_mode(Mode::Works)
            }
            Fault::JumpClock => {
                self.clock_jumped = true;
                let hours = self.random.i64(-90..90);
                self.subject.set(Mode::Works, hours * 3_600_000)
            }
        }
    }

    fn kill(&mut self) -> Result<()> {
        self.check_lost()?;
        self.subject.kill()
    }

    fn start(&mut self) -> Result<()> {
        self.lost = 0;
        self.subject.start()
    }

    /// The records that the collector counts as lost are those that were destroyed, and no others.
    fn check_lost(&self) -> Result<()> {
        let Ok(metrics) = self.subject.metrics() else { return Ok(()) };
        let lost = metrics.sum("quartile_queue_lost_records_total");
        if lost == self.lost {
            Ok(())
        } else {
            Err(format!("{lost} records are counted as lost, and {} were destroyed", self.lost).into())
        }
    }

    fn tear(&mut self) -> Result<()> {
        self.kill()?;
        let torn = damage::tear(&self.subject.data, &mut self.random)?;
        self.start()?;
        let counted = self.subject.metrics()?.sum("quartile_queue_torn_bytes_total");
        // The kill may have torn something as well.
        if counted >= torn { Ok(()) } else { Err(format!("{torn} bytes were torn and {counted} counted").into()) }
    }

    fn flip(&mut self) -> Result<()> {
        // Something has to wait in the queue.
        self.subject.set_mode(if self.random.bool() { Mode::Fails } else { Mode::Hangs })?;
        self.rest(200, 500)?;
        self.kill()?;
        let count = self.random.usize(1..4);
        let lost = damage::flip(&self.subject.data, count, &mut self.random, &mut self.flipped)?;
        self.subject.set_mode(Mode::Works)?;
        self.start()?;
        self.lost = lost.len() as u64;
        let last = lost.iter().map(|lost| lost.position).max();
        for destroyed in lost {
            self.exempt.slices.extend(destroyed.slices);
            self.exempt.events.extend(destroyed.events);
        }
        let Some(last) = last else { return Ok(()) };
        let began = clock();
        while damage::cursor(&self.config.queue.dir)? <= last {
            if began.elapsed() > SETTLING {
                return Err("the collector does not get past damage".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.check_lost()
    }

    fn finish(mut self, viewers: Vec<Viewers>) -> Result<String> {
        self.subject.set_mode(Mode::Works)?;
        let mut notes = Notes::default();
        for one in viewers.into_iter().map(Viewers::tell_to_finish).collect::<Vec<_>>() {
            notes.add(one?.finish()?);
        }
        let metrics = self.settle()?;
        self.check_lost()?;
        let reported = self.report()?;
        self.subject.stop()?;
        let contents = self.read()?;
        let (dead, letters) = dead_letters(&self.subject.data)?;
        let mut exempt = dead;
        exempt.slices.extend(self.exempt.slices.iter().cloned());
        exempt.events.extend(self.exempt.events.iter().cloned());
        contents.check(&notes, &exempt)?;
        contents.check_sent_on(&self.receiver.slices()?, &exempt)?;
        // A clock that was ahead made viewings of the future, which are in no report yet.
        if !self.clock_jumped && reported["rows"][0][0].as_u64() != Some(contents.plays()) {
            return Err(format!("the report says {reported}, the store has {} plays", contents.plays()).into());
        }
        self.replay_and_rebuild(&notes)?;
        Ok(format!(
            "{} batches acknowledged, {} not; {} slices, {} records destroyed, {letters} dead letters, {} scraped; {}",
            notes.acknowledged,
            notes.unacknowledged,
            contents.rows.len(),
            self.flipped.len(),
            metrics.sum("quartile_items_received_total"),
            self.done.join(", "),
        ))
    }

    /// A report, from a store that has everything. Asking may find damage; then the collector makes up for it.
    fn report(&self) -> Result<Value> {
        let query = json!({ "site": "demo", "metrics": ["plays"], "date_range": "all" });
        for _ in 0..3 {
            let reported = self.subject.query(&query)?;
            if reported["error"]["code"] != "store_unavailable" {
                return Ok(reported);
            }
            self.say("damage of the store was found by a report");
            // The next one who asks opens it again.
            let _ = self.subject.query(&query)?;
            self.settle()?;
        }
        Err("no report is given".into())
    }

    /// Waits until the store has everything, and the books say that nothing is on its way.
    fn settle(&self) -> Result<Metrics> {
        let began = clock();
        let marker = rebuild::marker(&self.config.store_path());
        loop {
            let metrics = self.subject.metrics()?;
            let open = [
                "quartile_queue_records",
                "quartile_items_in_flight",
                "quartile_refill_segments_left",
                "quartile_forward_lag_rows",
                "quartile_sink_lag_records",
            ];
            let open = open.map(|name| (name, metrics.sum(name)));
            if open.iter().all(|(_, value)| *value == 0) && !marker.exists() {
                return Ok(metrics);
            }
            if began.elapsed() > SETTLING {
                return Err(format!("the collector does not come to rest: {open:?}, marker {}", marker.exists()).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the store holds. Damage that shows only when a part of the file is read may be found now; then a start of the
    /// collector has to make up for it.
    fn read(&mut self) -> Result<Contents> {
        for _ in 0..3 {
            let read = read_store(&self.config);
            let broke = read.as_ref().is_err_and(|error| error.to_string() == "the store broke");
            if !broke && !rebuild::marker(&self.config.store_path()).exists() {
                return read;
            }
            self.say("damage of the store was found late");
            self.start()?;
            self.settle()?;
            self.subject.stop()?;
        }
        Err("the store is damaged again and again".into())
    }

    /// Dead letters can be forwarded again, and then nothing is missing; and from the archive comes the same store.
    fn replay_and_rebuild(&self, notes: &Notes) -> Result<()> {
        let store = app::open_store(&self.config, &Clock::system())?;
        let letters = DeadLetters::new(self.config.dead_letters());
        let replayed = replay::dead_letters(&letters, &*store)?;
        store.close()?;
        drop(store);
        if !replayed.refused.is_empty() {
            return Err(format!("dead letters are refused by a store that works: {:?}", replayed.refused).into());
        }
        let contents = read_store(&self.config)?;
        contents.check(notes, &self.exempt)?;
        rebuild::offline(&self.config, Clock::system().now(), &mut |_| ())?;
        contents.check_rebuilt(&read_store(&self.config)?, &self.exempt)
    }
}

fn read_store(config: &Config) -> Result<Contents> {
    let store = DuckDb::open(&Options::new(config.store_path()), Clock::system().now())?;
    let contents = Contents::read(&store);
    store.close()?;
    contents
}

/// A process of viewers.
struct Viewers {
    child: Child,
    input: Option<ChildStdin>,
    notes: PathBuf,
}

impl Viewers {
    fn start(folder: &Path, subject: &Subject, seed: u64, number: u64) -> Result<Self> {
        let notes = folder.join(format!("notes-{number}.json"));
        let mut child = Command::new(std::env::current_exe()?)
            .args(["viewer", "--address", &subject.address.to_string(), "--threads", &VIEWERS.to_string()])
            .args(["--seed", &(seed * 1_000 + number).to_string()])
            .arg("--notes")
            .arg(&notes)
            .stdin(Stdio::piped())
            .spawn()?;
        Ok(Self { input: child.stdin.take(), child, notes })
    }

    fn tell_to_finish(mut self) -> Result<Self> {
        if let Some(mut input) = self.input.take() {
            input.write_all(b"finish\n")?;
        }
        Ok(self)
    }

    fn finish(mut self) -> Result<Notes> {
        let began = clock();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > VIEWERS_END {
                return Err("the viewers do not come to their end".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if !self.child.wait()?.success() {
            return Err("the viewers were not content".into());
        }
        Ok(serde_json::from_slice(&fs::read(&self.notes)?)?)
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        // It is ours and has not been waited for; when it has ended there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
