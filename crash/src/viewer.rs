//! The process that posts what several viewers saw, and notes what was acknowledged.
//!
//! It goes on until its standard input says something or closes, then makes sure that the last state of every view that
//! was not abandoned is acknowledged, writes its notes and ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use fastrand::Rng;
use serde_json::{Value, json};
use ureq::Agent;

use crate::state::{Key, Notes, POISON, State};
use crate::{Result, clock, now_ms};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How long the last states may take to be acknowledged once all is well again.
const LAST: Duration = Duration::from_secs(8);

/// Views that a viewer keeps going at once.
const VIEWS: usize = 5;

/// How it is started.
#[derive(Args)]
pub struct Options {
    /// The collector's address
    #[arg(long)]
    address: SocketAddr,
    /// The same seed does the same, but for what the network and the clock do
    #[arg(long)]
    seed: u64,
    /// How many post at once
    #[arg(long)]
    threads: u64,
    /// Where the notes are written
    #[arg(long)]
    notes: PathBuf,
}

/// Posts until told to finish.
pub fn run(options: &Options) -> Result<()> {
    let finish = AtomicBool::new(false);
    let mut all = Notes::default();
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..options.threads)
            .map(|number| {
                let finish = &finish;
                scope.spawn(move || Viewer::new(options.address, options.seed * 31 + number).watch(finish))
            })
            .collect();
        // Whatever comes, or the end, means the same.
        let _ = std::io::stdin().read(&mut [0; 1]);
        finish.store(true, Ordering::SeqCst);
        for thread in threads {
            all.add(thread.join().map_err(|_| "a viewer panicked")??);
        }
        Ok(())
    })?;
    fs::write(&options.notes, serde_json::to_vec(&all)?)?;
    Ok(())
}

struct Viewer {
    address: SocketAddr,
    agent: Agent,
    random: Rng,
    views: Vec<View>,
    done: Vec<View>,
    acknowledged: u64,
    unacknowledged: u64,
}

struct View {
    id: String,
    began: u64,
    poisoned: bool,
    /// It is never finished: a tab that was closed.
    abandoned: bool,
    slices: BTreeMap<u32, Slice>,
    events: BTreeMap<u32, bool>,
}

#[derive(Default)]
struct Slice {
    now: State,
    sent: Option<State>,
    acknowledged: Option<State>,
    /// A state from before, which is sold as new now and then: a copy that was under way for long.
    old: State,
}

impl Viewer {
    fn new(address: SocketAddr, seed: u64) -> Self {
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self {
            address,
            agent: config.build().into(),
            random: Rng::with_seed(seed),
            views: Vec::new(),
            done: Vec::new(),
            acknowledged: 0,
            unacknowledged: 0,
        }
    }

    fn watch(mut self, finish: &AtomicBool) -> Result<Notes> {
        while !finish.load(Ordering::SeqCst) {
            while self.views.len() < VIEWS {
                let view = View::begin(&mut self.random);
                self.views.push(view);
            }
            let at = self.random.usize(..self.views.len());
            let mut view = self.views.swap_remove(at);
            view.grow(&mut self.random);
            self.tell(&mut view, false)?;
            let over = view.slices.len() > 3 && self.random.u8(..) < 60;
            let place = if over { &mut self.done } else { &mut self.views };
            place.push(view);
            std::thread::sleep(Duration::from_millis(self.random.u64(0..12)));
        }
        self.finish()
    }

    fn finish(mut self) -> Result<Notes> {
        let began = clock();
        let mut views: Vec<_> = self.views.drain(..).chain(std::mem::take(&mut self.done)).collect();
        for view in views.iter_mut().filter(|view| !view.abandoned) {
            while !view.is_acknowledged() {
                if began.elapsed() > LAST {
                    return Err(format!("{} is not acknowledged although all is well", view.id).into());
                }
                if !self.tell(view, true)? {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        let mut notes =
            Notes { acknowledged: self.acknowledged, unacknowledged: self.unacknowledged, ..Notes::default() };
        views.iter().for_each(|view| view.note(&mut notes));
        Ok(notes)
    }

    /// Posts what of a view is not acknowledged; tells whether it is now.
    fn tell(&mut self, view: &mut View, plainly: bool) -> Result<bool> {
        let old_too = !plainly && self.random.u8(..) < 40;
        let (body, items) = view.body(old_too);
        view.mark_sent();
        if !plainly && self.random.u8(..) < 16 {
            self.break_off(&body);
            self.unacknowledged += 1;
            return Ok(false);
        }
        let url = format!("http://{}/v1/collect", self.address);
        let answered = self.agent.post(&url).header("Content-Type", "text/plain").send(body.as_bytes());
        let reply = answered.ok().and_then(|mut answer| {
            let text = answer.body_mut().read_to_string().ok()?;
            Some((answer.status().as_u16(), serde_json::from_str::<Value>(&text).ok()?))
        });
        match reply {
            Some((200, reply)) if reply["accepted"] == json!(items) => {
                view.mark_acknowledged();
                self.acknowledged += 1;
                Ok(true)
            }
            Some((200, reply)) => Err(format!("{items} items were sent and answered with {reply}: {body}").into()),
            Some((status @ 400..500, reply)) => Err(format!("{body} was answered with {status} {reply}").into()),
            _ => {
                self.unacknowledged += 1;
                // Not all at once when it comes back.
                std::thread::sleep(Duration::from_millis(self.random.u64(5..40)));
                Ok(false)
            }
        }
    }

    /// Sends a part of a request and hangs up. Whatever comes of it: it is not acknowledged.
    fn break_off(&mut self, body: &str) {
        let Ok(mut stream) = TcpStream::connect_timeout(&self.address, PATIENCE) else { return };
        let head = format!("POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        let part = self.random.usize(..=body.len());
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body.as_bytes()[..part]));
    }
}

impl View {
    fn begin(random: &mut Rng) -> Self {
        let began = now_ms();
        let (high, low) = (random.u16(..) & 0x0fff | 0x7000, random.u64(..) >> 2 | 1 << 63);
        let (time, low) = (format!("{began:012x}"), format!("{low:016x}"));
        let id = format!("{}-{}-{high:04x}-{}-{}", &time[..8], &time[8..], &low[..4], &low[4..]);
        let (poisoned, abandoned) = (random.u8(..) < 26, random.u8(..) < 60);
        let mut view = Self { id, began, poisoned, abandoned, slices: BTreeMap::new(), events: BTreeMap::new() };
        view.slices.insert(0, Slice { now: State { plays: 1, ..State::default() }, ..Slice::default() });
        view.events.insert(0, false);
        view
    }

    fn grow(&mut self, random: &mut Rng) {
        if random.u8(..) < 50 {
            self.slices.insert(self.slices.len() as u32, Slice::default());
        }
        if random.u8(..) < 80 {
            self.events.insert(self.events.len() as u32, false);
        }
        if let Some(mut last) = self.slices.last_entry() {
            let slice = last.get_mut();
            if random.bool() {
                slice.old = slice.now;
            }
            slice.now.grow(random.u64(1..4_000), random.u64(..2), random.u32(..64));
        }
    }

    /// A batch of what is not acknowledged, and how many items are in it.
    fn body(&self, old_too: bool) -> (String, usize) {
        let open = self.slices.iter().filter(|(_, slice)| slice.acknowledged != Some(slice.now));
        let mut slices: Vec<_> = open.map(|(&n, slice)| slice.now.to_json(n, self.began)).collect();
        if old_too && let Some((&n, slice)) = self.slices.last_key_value() {
            slices.push(slice.old.to_json(n, self.began));
        }
        let open = self.events.iter().filter(|(_, acknowledged)| !**acknowledged);
        let events: Vec<_> =
            open.map(|(seq, _)| json!({ "seq": seq, "n": 0, "at": self.began, "type": "play" })).collect();
        let items = slices.len() + events.len();
        let video = if self.poisoned { POISON } else { "film" };
        let view = json!({ "id": self.id, "video": { "id": video }, "slices": slices, "events": events });
        let body = json!({ "v": 1, "site": "demo", "sent_at": now_ms(), "sdk": "quartile-crash/0", "views": [view] });
        (body.to_string(), items)
    }

    fn mark_sent(&mut self) {
        self.slices.values_mut().for_each(|slice| slice.sent = Some(slice.now));
    }

    fn mark_acknowledged(&mut self) {
        self.slices.values_mut().for_each(|slice| slice.acknowledged = Some(slice.now));
        self.events.values_mut().for_each(|acknowledged| *acknowledged = true);
    }

    fn is_acknowledged(&self) -> bool {
        self.slices.values().all(|slice| slice.acknowledged == Some(slice.now))
            && self.events.values().all(|event| *event)
    }

    fn note(&self, notes: &mut Notes) {
        let key = |number: u32| -> Key { (self.id.clone(), number) };
        let sent = self.slices.iter().filter_map(|(&n, slice)| Some((key(n), slice.sent?, slice.acknowledged)));
        notes.slices.extend(sent);
        notes.events.extend(self.events.iter().map(|(&seq, &acknowledged)| (key(seq), acknowledged)));
        if self.poisoned {
            notes.poisoned.push(self.id.clone());
        }
    }
}
