//! The words of the scripts, and how the answer is written.

use std::collections::BTreeMap;
use std::fmt::Write;

use quartile_protocol::batch::{Batch, Offer, Player, Video, View};
use quartile_protocol::clock::{Media, Wall};
use quartile_protocol::encode::Json;
use quartile_protocol::event::{AdMoment, Event, EventKind};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::slice::Slice;
use quartile_simulator::network::{Network, good_network};
use quartile_simulator::page::{Page, Sent};
use quartile_simulator::shell::Shell;
use quartile_tracker::{Length, PageSignal, Rendition, Signal, Subject, Tracker};

/// A moment just after a five-minute mark, so that marks are where scripts expect them: at 300 s, 600 s, …
const OPENED: Wall = Wall::from_ms(1_790_000_100_000);

fn shell() -> Shell {
    Shell::new(SiteId::new("demo").unwrap(), [1, 2])
}

pub fn open(network: Network) -> Page {
    let video = Video { id: "film".into(), ..Video::default() };
    Page::open(shell(), Player::default(), video, "", OPENED, network)
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
        ("load", [duration]) => page.load(Length::from_seconds(duration.parse().unwrap())),
        ("loop", []) => page.set_looping(true),
        ("autoplay", []) => page.set_autoplay(true),
        ("play", []) => page.play(0),
        ("play", [wait]) => page.play(ms(wait)),
        ("pause", []) => page.pause(),
        ("seek", [to, took]) => page.seek(Media::from_ms(ms(to) as i64), ms(took)),
        ("stall", [lasts]) => page.stall(ms(lasts)),
        ("starve", [lasts]) => page.stall_silently(ms(lasts)),
        ("rate", [rate]) => page.set_rate(ms(rate) as u32),
        ("step", [step]) => page.set_step(ms(step)),
        ("volume", [volume]) => page.set_sound(false, volume.parse().unwrap()),
        ("mute", []) => page.set_sound(true, 1.0),
        ("unmute", []) => page.set_sound(false, 1.0),
        ("fail", [code]) => page.fail(leak(code), true),
        ("warn", [code]) => page.fail(leak(code), false),
        ("sleep", [lasts]) => page.sleep(ms(lasts)),
        ("look", []) => {}
        ("hide" | "show" | "freeze" | "unfreeze" | "leave" | "return", []) => page.page(page_signal(action)),
        ("video", [id]) => describe(page, Video { id: (*id).into(), ..Video::default() }),
        ("title", [title]) => describe(page, Video { id: "film".into(), title: (*title).into(), ..Video::default() }),
        ("user", [user]) => page.say(|tracker, _, now| tracker.set_user(user, now)),
        ("engine", [engine]) => page.say(|tracker, id, now| {
            let player = Player { engine: (*engine).into(), ..Player::default() };
            let video = Video { id: "film".into(), ..Video::default() };
            tracker.describe(id, Subject::of(&video, &player, &[]), now);
        }),
        ("detach", []) => page.say(Tracker::detach),
        _ => page.stir(signal(action, words).unwrap_or_else(|| panic!("no such action: `{line}`"))),
    }
}

fn describe(page: &mut Page, video: Video) {
    let subject = Subject::of(&video, &Player::default(), &[]);
    page.say(|tracker, id, now| tracker.describe(id, subject, now));
}

fn page_signal(action: &str) -> PageSignal {
    match action {
        "hide" => PageSignal::Hidden,
        "show" => PageSignal::Visible,
        "freeze" => PageSignal::Frozen,
        "unfreeze" => PageSignal::Resumed,
        "leave" => PageSignal::Left,
        _ => PageSignal::Restored,
    }
}

/// What a player or an adapter says beside the element.
fn signal(action: &str, words: &[&str]) -> Option<Signal<'static>> {
    let on = words.first() == Some(&"on");
    let number = |index: usize| words.get(index).and_then(|word| word.parse().ok());
    Some(match (action, words) {
        ("seeking", []) => Signal::Seeking,
        ("stalled", []) => Signal::Observed,
        ("waiting", []) => Signal::Waiting,
        ("canplaythrough", []) => Signal::CanPlayThrough,
        ("blocked", []) => Signal::AutoplayBlocked,
        ("viewable", []) => Signal::Viewable,
        ("fullscreen", [_]) => Signal::Fullscreen(on),
        ("pip", [_]) => Signal::Pip(on),
        ("cast", [_]) => Signal::Cast(on),
        ("captions", ["off"]) => Signal::Captions(None),
        ("captions", [language]) => Signal::Captions(Some(leak(language))),
        ("audio", [language]) => Signal::AudioTrack(leak(language)),
        ("rendition", [_, _, by @ ..]) => Signal::Rendition(Rendition {
            height: number(0),
            bitrate_kbps: number(1),
            auto: by.first().map(|by| *by == "auto"),
            ..Rendition::default()
        }),
        ("frames", [_, _]) => Signal::Frames { total: number(0)?, dropped: number(1)? },
        ("bytes", [_]) => Signal::Bytes(number(0)?),
        ("latency", [latency]) => Signal::Latency(ms(latency)),
        ("live", ["yes"]) => Signal::Live(true),
        ("live", ["no"]) => Signal::Live(false),
        ("adbreak", [_]) => Signal::AdBreak(on),
        ("ad", [moment]) => Signal::Ad { moment: AdMoment::from_name(moment)?, percent: None },
        ("ad", [moment, _]) => Signal::Ad { moment: AdMoment::from_name(moment)?, percent: number(1) },
        ("interact", [feature, name]) => Signal::Interaction { feature: leak(feature), name: leak(name), value: "" },
        _ => return None,
    })
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
    /// What each slice was counted under, as far as it is not what every script has.
    dims: BTreeMap<(usize, u32), BTreeMap<&'static str, String>>,
    events: BTreeMap<(usize, u32), Event>,
}

impl Known {
    pub fn of<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> Self {
        let mut known = Self::default();
        let views = sent.into_iter().flat_map(|sent| sent.batch.views.iter().map(|view| (&sent.batch, view)));
        for (batch, view) in views {
            let index = known.views.iter().position(|&id| id == view.id).unwrap_or_else(|| {
                known.views.push(view.id);
                known.views.len() - 1
            });
            for slice in &view.slices {
                let kept = known.slices.entry((index, slice.n)).or_insert_with(|| slice.clone());
                join(kept, slice);
                let dims = known.dims.entry((index, slice.n)).or_default();
                dims.extend(unusual(batch, view));
            }
            for event in &view.events {
                known.events.insert((index, event.seq), event.clone());
            }
        }
        known
    }
}

/// The dimensions that not every script has.
fn unusual(batch: &Batch, view: &View) -> impl Iterator<Item = (&'static str, String)> {
    let live = view.video.kind.filter(|&kind| kind == Offer::Live).map_or("", Offer::as_str);
    let video = if view.video.id == "film" { "" } else { &view.video.id };
    let all = [
        ("video", video),
        ("title", &view.video.title),
        ("kind", live),
        ("engine", &view.player.engine),
        ("user", &batch.user),
    ];
    all.map(|(name, value)| (name, value.to_owned())).into_iter().filter(|(_, value)| !value.is_empty())
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
    write(&Known::of(page.sent()), page.opened())
}

pub fn write(known: &Known, opened: Wall) -> String {
    let seconds = |at: Wall| at.since(opened) as f64 / 1000.0;
    let mut text = String::new();
    for view in 0..known.views.len() {
        if view > 0 {
            text.push_str("--- another view\n");
        }
        // In the order in which it happened: a seek is told when nothing follows it any more.
        let mut events: Vec<_> = known.events.range((view, 0)..=(view, u32::MAX)).map(|(_, event)| event).collect();
        events.sort_by_key(|event| event.at);
        for event in events {
            let pos = event.pos.map_or(String::new(), |pos| format!(" @{}", pos.as_ms() as f64 / 1000.0));
            let slice = &known.slices[&(view, event.n)];
            let end = slice.at.shifted(slice.span_ms as i64);
            assert!((slice.at..=end).contains(&event.at), "{event:?} is not in {slice:?}");
            writeln!(text, "{:>8.3} {}{}{pos}", seconds(event.at), event.kind.name(), details(&event.kind)).unwrap();
        }
        for (key, slice) in known.slices.range((view, 0)..=(view, u32::MAX)) {
            write_slice(&mut text, slice, seconds(slice.at));
            known.dims[key].iter().for_each(|(name, value)| write!(text, " [{name}={value}]").unwrap());
            text.push('\n');
        }
    }
    text
}

/// The details of an event, all but what nobody needs to see twice.
fn details(kind: &EventKind) -> String {
    let details = Json::object_of(|json| kind.write(json));
    let details: serde_json::Value = serde_json::from_str(&details).unwrap();
    let words = details.as_object().unwrap().iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => format!(" {name}={text}"),
        _ => format!(" {name}={value}"),
    });
    words.collect()
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
}
