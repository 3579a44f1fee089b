//! How it is watched: with sound or without, seen or not, in which rendition; and what happens beside the playing.

use quartile_protocol::clock::Millis;
use quartile_protocol::event::{AdMoment, EventKind, Text, Thousandths, Word};
use quartile_protocol::field::Field;
use quartile_protocol::slice::Slice;

use crate::ledger::Ledger;
use crate::signal::{Snapshot, Told, What};

/// Changes of a slider within so long are one.
const APART_MS: Millis = 2_000;

/// More bytes or a longer latency in one report are no measurement.
const MAX_BYTES: u64 = 10_000_000_000;
const MAX_LATENCY_MS: Millis = 86_400_000;

/// Width and height in pixels and kbit/s of a rendition; 0 = unknown.
type Numbers = [u64; 3];
const HEIGHT: usize = 1;
const KBPS: usize = 2;

#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// As the element was at the last look; `None` before the first.
    last: Option<Look>,
    fullscreen: bool,
    pip: bool,
    rendition: Numbers,
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
        add(true, height_class(self.rendition[HEIGHT]));
        add(self.rendition[KBPS] > 0, Field::RatedMs);
        slice.fields[Field::BitrateMs] += self.rendition[KBPS] * played_ms;
    }

    /// Time passed in a break for advertisements.
    pub(super) fn spend_ad(&self, ms: Millis, running: bool, ledger: &mut Ledger) {
        if self.ad && running && ms > 0 {
            ledger.add_time(Field::AdMs, ms);
        }
    }

    /// Looks for what changed on the element; told only once there is something to watch.
    pub(super) fn look(&mut self, seen: &Snapshot, playing: bool, ledger: &mut Ledger) {
        let look = Look {
            silent: seen.is_silent(),
            muted: seen.muted,
            volume: Thousandths::nearest(seen.volume),
            rate: Thousandths::nearest(seen.rate.abs()),
        };
        let Some(last) = self.last.replace(look).filter(|last| playing && *last != look) else { return };
        if last.rate != look.rate {
            ledger.event_once(EventKind::Rate { rate: look.rate }, APART_MS);
        }
        if (last.volume, last.muted) != (look.volume, look.muted) {
            let kind = EventKind::Volume { volume: look.volume, muted: look.muted };
            ledger.event_once(kind, APART_MS);
        }
    }

    /// Notes what a signal says of itself.
    pub(super) fn hear(&mut self, told: &Told<'_>, ledger: &mut Ledger) {
        let on = told.is_on();
        let [first, second, third] = told.texts;
        let kind = match told.what {
            What::Fullscreen if on != self.fullscreen => {
                self.fullscreen = on;
                EventKind::Fullscreen { on }
            }
            What::Pip if on != self.pip => {
                self.pip = on;
                EventKind::Pip { on }
            }
            What::AdBreak if on != self.ad => {
                self.ad = on;
                EventKind::AdBreak { on }
            }
            What::Cast => EventKind::Cast { on },
            What::Captions => {
                ledger.add(Field::CaptionsOn, u64::from(on));
                EventKind::Captions { on, language: Word::of(first) }
            }
            What::AudioTrack => EventKind::AudioTrack { language: Word::of(first) },
            What::Rendition => {
                let rendition = [told.whole(0), told.whole(1), told.whole(2)];
                if !self.switch(rendition, ledger) {
                    return;
                }
                let auto = (!first.is_empty()).then_some(first == "auto");
                let [width, height, bitrate_kbps] = [told.known(0), told.known(1), told.known(2)];
                EventKind::Rendition { width, height, bitrate_kbps, auto }
            }
            What::Ad => {
                let moment = AdMoment::ALL[told.whole(0) as usize % AdMoment::ALL.len()];
                ledger.add(Field::Ads, u64::from(moment == AdMoment::Start));
                EventKind::Ad { moment, percent: told.known(1) }
            }
            What::Interaction => {
                ledger.add(Field::Interactions, 1);
                ledger.add(Field::Shares, u64::from(second == "share"));
                ledger.add(Field::Downloads, u64::from(second == "download"));
                EventKind::Interaction { feature: Word::of(first), name: Word::of(second), value: Text::of(third) }
            }
            What::Frames => return self.count_frames(told.whole(0), told.whole(1), ledger),
            What::Bytes => return ledger.add(Field::Bytes, told.whole(0).min(MAX_BYTES)),
            What::Latency => {
                ledger.add(Field::LatencyMsSum, told.whole(0).min(MAX_LATENCY_MS));
                return ledger.add(Field::LatencySamples, 1);
            }
            _ => return,
        };
        ledger.event(kind);
    }

    /// Another rendition; better or worse by its bitrate, else by its height. Gives whether it is another one.
    fn switch(&mut self, rendition: Numbers, ledger: &mut Ledger) -> bool {
        let before = std::mem::replace(&mut self.rendition, rendition);
        let by = if before[KBPS] > 0 && rendition[KBPS] > 0 { KBPS } else { HEIGHT };
        if before[by] > 0 && rendition[by] > before[by] {
            ledger.count(Field::RenditionUp);
        } else if rendition[by] > 0 && rendition[by] < before[by] {
            ledger.count(Field::RenditionDown);
        }
        before != rendition
    }

    /// Browsers count since the element was made or since it was loaded: a counter that went back began anew.
    fn count_frames(&mut self, total: u64, dropped: u64, ledger: &mut Ledger) {
        let (total_before, dropped_before) = self.frames.replace((total, dropped)).unwrap_or_default();
        let since = |count: u64, before: u64| count.checked_sub(before).unwrap_or(count);
        let began_anew = total < total_before;
        let frames = since(total, total_before);
        let drops = if began_anew { dropped } else { since(dropped, dropped_before) };
        ledger.add(Field::Frames, frames);
        ledger.add(Field::FramesDropped, drops);
    }
}

/// The field that played time at this height goes to.
const fn height_class(height: u64) -> Field {
    match height {
        1..=240 => Field::PlayedMs240,
        241..=360 => Field::PlayedMs360,
        361..=480 => Field::PlayedMs480,
        481..=720 => Field::PlayedMs720,
        721..=1080 => Field::PlayedMs1080,
        1081..=1440 => Field::PlayedMs1440,
        1441..=2160 => Field::PlayedMs2160,
        _ => Field::PlayedMsOther,
    }
}
