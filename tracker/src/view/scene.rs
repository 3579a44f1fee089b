//! How it is watched: with sound or without, seen or not, in which rendition; and what happens beside the playing.

use quartile_protocol::clock::{Media, Millis, Now};
use quartile_protocol::event::{AdMoment, EventKind, Text, Thousandths, Word};
use quartile_protocol::field::Field;
use quartile_protocol::slice::Slice;

use crate::ledger::Ledger;
use crate::signal::{Rendition, Signal, Snapshot};

/// Changes of a slider within so long are one.
const APART_MS: Millis = 2_000;

/// More bytes or a longer latency in one report are no measurement.
const MAX_BYTES: u64 = 10_000_000_000;
const MAX_LATENCY_MS: Millis = 86_400_000;

#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// As the element was at the last look; `None` before the first.
    last: Option<Look>,
    fullscreen: bool,
    pip: bool,
    rendition: Rendition,
    frames: Option<(u64, u64)>,
    ad: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    silent: bool,
    muted: bool,
    volume: Thousandths,
    rate: Thousandths,
}

impl Scene {
    pub(super) const fn in_ad(&self) -> bool {
        self.ad
    }

    /// Adds to a slice what the played time was like, as it was at the last look.
    pub(super) fn play(&self, slice: &mut Slice, played_ms: Millis, hidden: bool) {
        let silent = self.last.is_some_and(|look| look.silent);
        let mut add = |applies: bool, field: Field| {
            if applies {
                slice.fields[field] += played_ms;
            }
        };
        add(silent, Field::MutedMs);
        add(hidden, Field::HiddenMs);
        add(!silent && (!hidden || self.pip), Field::EngagedMs);
        add(self.fullscreen, Field::FullscreenMs);
        add(self.pip, Field::PipMs);
        add(true, height_class(self.rendition.height));
        if let Some(kbps) = self.rendition.bitrate_kbps {
            add(true, Field::RatedMs);
            slice.fields[Field::BitrateMs] += kbps * played_ms;
        }
    }

    /// Time passed in a break for advertisements.
    pub(super) fn spend_ad(&self, ms: Millis, running: bool, ledger: &mut Ledger, now: Now) {
        if self.ad && running && ms > 0 {
            ledger.slice(super::back(now, ms), now).fields[Field::AdMs] += ms;
        }
    }

    /// Looks for what changed on the element; told only once there is something to watch.
    pub(super) fn look(&mut self, seen: &Snapshot, playing: bool, ledger: &mut Ledger, now: Now) {
        let look = Look {
            silent: seen.is_silent(),
            muted: seen.muted,
            volume: Thousandths::nearest(seen.volume),
            rate: Thousandths::nearest(seen.rate.abs()),
        };
        let Some(last) = self.last.replace(look).filter(|last| playing && *last != look) else { return };
        if last.rate != look.rate {
            tell_once(EventKind::Rate { rate: look.rate }, seen.pos, ledger, now);
        }
        if (last.volume, last.muted) != (look.volume, look.muted) {
            tell_once(EventKind::Volume { volume: look.volume, muted: look.muted }, seen.pos, ledger, now);
        }
    }

    /// Notes what a signal says of itself.
    pub(super) fn hear(&mut self, signal: Signal<'_>, pos: Option<Media>, ledger: &mut Ledger, now: Now) {
        match signal {
            Signal::Fullscreen(on) if on != self.fullscreen => {
                self.fullscreen = on;
                ledger.event(EventKind::Fullscreen { on }, pos, now);
            }
            Signal::Pip(on) if on != self.pip => {
                self.pip = on;
                ledger.event(EventKind::Pip { on }, pos, now);
            }
            Signal::Cast(on) => ledger.event(EventKind::Cast { on }, pos, now),
            Signal::Captions(language) => {
                let on = language.is_some();
                ledger.slice(now, now).fields[Field::CaptionsOn] += u64::from(on);
                let language = Word::cut(language.unwrap_or_default());
                ledger.event(EventKind::Captions { on, language }, pos, now);
            }
            Signal::AudioTrack(language) => {
                ledger.event(EventKind::AudioTrack { language: Word::cut(language) }, pos, now);
            }
            Signal::Rendition(rendition) => self.switch(rendition, pos, ledger, now),
            Signal::Frames { total, dropped } => self.count_frames(total, dropped, ledger, now),
            Signal::Bytes(bytes) => ledger.slice(now, now).fields[Field::Bytes] += bytes.min(MAX_BYTES),
            Signal::Latency(ms) => {
                let slice = ledger.slice(now, now);
                slice.fields[Field::LatencyMsSum] += ms.min(MAX_LATENCY_MS);
                slice.fields[Field::LatencySamples] += 1;
            }
            Signal::AdBreak(on) if on != self.ad => {
                self.ad = on;
                ledger.event(EventKind::AdBreak { on }, pos, now);
            }
            Signal::Ad { moment, percent } => {
                ledger.slice(now, now).fields[Field::Ads] += u64::from(moment == AdMoment::Start);
                ledger.event(EventKind::Ad { moment, percent }, pos, now);
            }
            Signal::Interaction { feature, name, value } => {
                let (feature, name, value) = (Word::cut(feature), Word::cut(name), Text::cut(value));
                let slice = ledger.slice(now, now);
                slice.fields[Field::Interactions] += 1;
                slice.fields[Field::Shares] += u64::from(name.as_str() == "share");
                slice.fields[Field::Downloads] += u64::from(name.as_str() == "download");
                ledger.event(EventKind::Interaction { feature, name, value }, pos, now);
            }
            _ => {}
        }
    }

    /// Another rendition; better or worse by its bitrate, else by its height.
    fn switch(&mut self, rendition: Rendition, pos: Option<Media>, ledger: &mut Ledger, now: Now) {
        let before = std::mem::replace(&mut self.rendition, rendition);
        if before == rendition {
            return;
        }
        let better = |now: Option<u64>, then: Option<u64>| now.zip(then).map(|(now, then)| now.cmp(&then));
        let by_bitrate = better(rendition.bitrate_kbps, before.bitrate_kbps);
        match by_bitrate.or_else(|| better(rendition.height, before.height)) {
            Some(std::cmp::Ordering::Greater) => ledger.count(Field::RenditionUp, now),
            Some(std::cmp::Ordering::Less) => ledger.count(Field::RenditionDown, now),
            _ => {}
        }
        let Rendition { width, height, bitrate_kbps, auto } = rendition;
        ledger.event(EventKind::Rendition { width, height, bitrate_kbps, auto }, pos, now);
    }

    /// Browsers count since the element was made or since it was loaded: a counter that went back began anew.
    fn count_frames(&mut self, total: u64, dropped: u64, ledger: &mut Ledger, now: Now) {
        let (total_before, dropped_before) = self.frames.replace((total, dropped)).unwrap_or_default();
        let since = |count: u64, before: u64| count.checked_sub(before).unwrap_or(count);
        let began_anew = total < total_before;
        let frames = since(total, total_before);
        let drops = if began_anew { dropped } else { since(dropped, dropped_before) };
        if frames > 0 || drops > 0 {
            let slice = ledger.slice(now, now);
            slice.fields[Field::Frames] += frames;
            slice.fields[Field::FramesDropped] += drops;
        }
    }
}

fn tell_once(kind: EventKind, pos: Option<Media>, ledger: &mut Ledger, now: Now) {
    if !ledger.replace(&kind, APART_MS, now.wall) {
        ledger.event(kind, pos, now);
    }
}

/// The field that played time at this height goes to.
const fn height_class(height: Option<u64>) -> Field {
    match height {
        Some(1..=240) => Field::PlayedMs240,
        Some(241..=360) => Field::PlayedMs360,
        Some(361..=480) => Field::PlayedMs480,
        Some(481..=720) => Field::PlayedMs720,
        Some(721..=1080) => Field::PlayedMs1080,
        Some(1081..=1440) => Field::PlayedMs1440,
        Some(1441..=2160) => Field::PlayedMs2160,
        _ => Field::PlayedMsOther,
    }
}
