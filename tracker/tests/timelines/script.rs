//! The words of the scripts, and how the answer is written.

use std::collections::BTreeMap;
use std::fmt::Write;

use quartile_protocol::batch::{Client, Page as PageContext, Player, Video};
use quartile_protocol::clock::{Media, Wall};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::slice::Slice;
use quartile_simulator::page::{Network, Page, good_network};
use quartile_tracker::{Config, Length, PageSignal};

/// A moment just after a five-minute mark, so that marks are where scripts expect them: at 300 s, 600 s, …
const OPENED: Wall = Wall::from_ms(1_790_000_100_000);

pub fn config() -> Config {
    Config {
        site: SiteId::new("demo").unwrap(),
        sdk: "test/0".into(),
        viewer: String::new(),
        user: String::new(),
        page: PageContext::default(),
        client: Client::default(),
        session: true,
        seed: *b"0123456789abcdef",
    }
}

pub fn open(network: Network) -> Page {
    let video = Video { id: "film".into(), ..Video::default() };
    Page::open(config(), Player::default(), video, "", OPENED, network)
}

/// Plays a script; the page is watched for a minute after its last line.
pub fn play(script: &str) -> String {
    let mut page = open(good_network());
    run(&mut page, script);
    page.wait(60_000);
    report(&page)
}

/// Plays the lines of a script.
pub fn run(page: &mut Page, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let at = ms(words[0]);
        page.wait(at.checked_sub(page.now().mono.as_ms()).unwrap_or_else(|| panic!("`{line}` lies in the past")));
        act(page, line, words[1], &words[2..]);
    }
}

fn act(page: &mut Page, line: &str, action: &str, words: &[&str]) {
    match (action, words) {
        ("source", []) => page.show(""),
        ("source", [address]) => page.show(address),
        ("load", ["live"]) => page.load(Length::Endless),
        ("load", ["unknown"]) => page.load(Length::Unknown),
        ("load", [duration]) => page.load(Length::Finite(ms(duration))),
        ("loop", []) => page.set_looping(true),
        ("play", []) => page.play(0),
        ("play", [wait]) => page.play(ms(wait)),
        ("pause", []) => page.pause(),
        ("seek", [to, took]) => page.seek(Media::from_ms(ms(to) as i64), ms(took)),
        ("stall", [lasts]) => page.stall(ms(lasts)),
        ("rate", [rate]) => page.set_rate(ms(rate) as u32),
        ("fail", [code]) => page.fail(leak(code), true),
        ("warn", [code]) => page.fail(leak(code), false),
        ("hide", []) => page.page(PageSignal::Hidden),
        ("show", []) => page.page(PageSignal::Visible),
        ("leave", []) => page.page(PageSignal::Left),
        ("return", []) => page.page(PageSignal::Restored),
        ("look", []) => {}
        _ => panic!("no such action: `{line}`"),
    }
}

/// Codes are few and live as long as the test.
fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn ms(seconds: &str) -> u64 {
    let seconds: f64 = seconds.parse().unwrap_or_else(|_| panic!("`{seconds}` is no number of seconds"));
    (seconds * 1000.0).round() as u64
}

/// What a collector that got these requests knows.
#[derive(Default)]
pub struct Known {
    /// In the order in which the views began.
    views: Vec<ViewId>,
    slices: BTreeMap<(usize, u32), Slice>,
    events: BTreeMap<(usize, u32), Event>,
}

impl Known {
    pub fn of(page: &Page) -> Self {
        let mut known = Self::default();
        for view in page.sent().iter().flat_map(|sent| &sent.batch.views) {
            let index = known.views.iter().position(|&id| id == view.id).unwrap_or_else(|| {
                known.views.push(view.id);
                known.views.len() - 1
            });
            for slice in &view.slices {
                let kept = known.slices.entry((index, slice.n)).or_insert_with(|| slice.clone());
                join(kept, slice);
            }
            for event in &view.events {
                known.events.insert((index, event.seq), event.clone());
            }
        }
        known
    }
}

fn join(kept: &mut Slice, slice: &Slice) {
    assert_eq!(kept.at, slice.at, "the beginning of a slice never moves");
    kept.span_ms = kept.span_ms.max(slice.span_ms);
    kept.fields.join(&slice.fields);
    kept.watched = kept.watched.union(slice.watched);
    kept.rewatched = kept.rewatched.union(slice.rewatched);
    kept.active = kept.active.union(slice.active);
    kept.stop_reason = kept.stop_reason.max(slice.stop_reason);
    kept.error_code = kept.error_code.clone().max(slice.error_code.clone());
    kept.error_phase = kept.error_phase.max(slice.error_phase);
}

/// What the collector knows, as text.
pub fn report(page: &Page) -> String {
    write(&Known::of(page), page.opened())
}

pub fn write(known: &Known, opened: Wall) -> String {
    let seconds = |at: Wall| at.since(opened) as f64 / 1000.0;
    let mut text = String::new();
    for view in 0..known.views.len() {
        if view > 0 {
            text.push_str("--- another view\n");
        }
        for ((_, _), event) in known.events.range((view, 0)..=(view, u32::MAX)) {
            let pos = event.pos.map_or(String::new(), |pos| format!(" @{}", pos.as_ms() as f64 / 1000.0));
            writeln!(text, "{:>8.3} {}{}{pos}", seconds(event.at), event.kind.name(), details(&event.kind)).unwrap();
        }
        for slice in known.slices.range((view, 0)..=(view, u32::MAX)).map(|(_, slice)| slice) {
            write_slice(&mut text, slice, seconds(slice.at));
        }
    }
    text
}

fn details(kind: &EventKind) -> String {
    match kind {
        EventKind::Quartile { ladder, percent } => format!(" {} {percent}", ladder.as_str()),
        EventKind::Stop { reason } => format!(" {}", reason.as_str()),
        EventKind::Error { code, fatal, phase, .. } => format!(" {code} {} fatal={fatal}", phase.as_str()),
        _ => String::new(),
    }
}

fn write_slice(text: &mut String, slice: &Slice, at: f64) {
    write!(text, "slice {} at {at:.3} for {:.3}:", slice.n, slice.span_ms as f64 / 1000.0).unwrap();
    for (field, value) in slice.fields.set() {
        write!(text, " {}={value}", field.name()).unwrap();
    }
    for (name, bits) in [("watched", slice.watched.len()), ("rewatched", slice.rewatched.len())] {
        if bits > 0 {
            write!(text, " {name}={bits}%").unwrap();
        }
    }
    if !slice.active.is_empty() {
        write!(text, " active={:b}", slice.active.bits()).unwrap();
    }
    if let Some(reason) = slice.stop_reason {
        write!(text, " stop_reason={}", reason.as_str()).unwrap();
    }
    if let Some(phase) = slice.error_phase {
        write!(text, " error={}/{}", slice.error_code, phase.as_str()).unwrap();
    }
    text.push('\n');
}
