//! How it is watched: with sound or without, seen or not, in which rendition; and what happens beside the playing.

use quartile_protocol::clock::Millis;
use quartile_protocol::encode::Json;
use quartile_protocol::event::{AdMoment, EventType, Thousandths, cut};
use quartile_protocol::field::Field;
use quartile_protocol::limits;
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

#[derive(Debug)]
pub(crate) struct Scene {
    /// As the element was at the last look; `None` before the first.
    last: Option<Look>,
    fullscreen: bool,
    pip: bool,
    rendition: Numbers,
    ad: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    silent: bool,
    muted: bool,
    /// In thousandths.
    volume: u32,
    rate: u32,
}

impl Scene {
    /// Not looked at yet.
    pub(super) const UNSEEN: Self = Self { last: None, fullscreen: false, pip: false, rendition: [0; 3], ad: false };

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
            volume: Thousandths::nearest(seen.volume).get(),
            rate: Thousandths::nearest(seen.rate.abs()).get(),
        };
        let Some(last) = self.last.replace(look).filter(|last| playing && *last != look) else { return };
        if last.rate != look.rate {
            ledger.event_once(EventType::Rate, APART_MS).thousandths("rate", look.rate);
        }
        if (last.volume, last.muted) != (look.volume, look.muted) {
            let details = ledger.event_once(EventType::Volume, APART_MS);
            details.thousandths("volume", look.volume);
            details.truth("muted", Some(look.muted));
        }
    }

    /// Notes what a signal says of itself.
    pub(super) fn hear(&mut self, told: &Told<'_>, ledger: &mut Ledger) {
        let on = told.is_on();
        let [first, second, third] = told.texts;
        let (first, second) = (cut(first, limits::WORD_BYTES), cut(second, limits::WORD_BYTES));
        match told.what {
            What::Fullscreen if on != self.fullscreen => {
                self.fullscreen = on;
                switched(EventType::Fullscreen, on, ledger);
            }
            What::Pip if on != self.pip => {
                self.pip = on;
                switched(EventType::Pip, on, ledger);
            }
            What::AdBreak if on != self.ad => {
                self.ad = on;
                switched(EventType::AdBreak, on, ledger);
            }
            What::Cast => {
                switched(EventType::Cast, on, ledger);
            }
            What::Captions => {
                ledger.add(Field::CaptionsOn, u64::from(on));
                switched(EventType::Captions, on, ledger).text("language", first);
            }
            What::AudioTrack => ledger.event(EventType::AudioTrack).text("language", first),
            What::Rendition if self.switch([told.whole(0), told.whole(1), told.whole(2)], ledger) => {
                let details = ledger.event(EventType::Rendition);
                details.known_number("width", told.known(0));
                details.known_number("height", told.known(1));
                details.known_number("bitrate_kbps", told.known(2));
                details.truth("auto", (!first.is_empty()).then_some(first == "auto"));
            }
            What::Ad => {
                let moment = AdMoment::ALL[told.whole(0) as usize % AdMoment::ALL.len()];
                ledger.add(Field::Ads, u64::from(moment == AdMoment::Start));
                let details = ledger.event(EventType::Ad);
                details.word("moment", AdMoment::WORDS, moment as usize);
                details.known_number("percent", told.known(1));
            }
            What::Interaction => {
                ledger.count(Field::Interactions);
                ledger.add(Field::Shares, u64::from(second == "share"));
                ledger.add(Field::Downloads, u64::from(second == "download"));
                let details = ledger.event(EventType::Interaction);
                details.text("feature", first);
                details.text("name", second);
                details.text("value", cut(third, limits::TITLE_BYTES));
            }
            What::Frames => {
                ledger.add(Field::Frames, told.whole(0));
                ledger.add(Field::FramesDropped, told.whole(1));
            }
            What::Bytes => ledger.add(Field::Bytes, told.whole(0).min(MAX_BYTES)),
            What::Latency => {
                ledger.add(Field::LatencyMsSum, told.whole(0).min(MAX_LATENCY_MS));
                ledger.count(Field::LatencySamples);
            }
            _ => {}
        }
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
}

/// Notes that something was switched on or off.
fn switched(kind: EventType, on: bool, ledger: &mut Ledger) -> &mut Json {
    let details = ledger.event(kind);
    details.truth("on", Some(on));
    details
}

/// The tallest of each class of heights, in the order of their fields; the last field has all others.
const CLASSES: [u64; 7] = [240, 360, 480, 720, 1080, 1440, 2160];

/// The field that played time at this height goes to.
fn height_class(height: u64) -> Field {
    let class = if height == 0 { CLASSES.len() } else { CLASSES.iter().filter(|&&tallest| tallest < height).count() };
    Field::ALL[Field::PlayedMs240 as usize + class]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_have_their_fields() {
        let fields = [0, 1, 240, 241, 360, 480, 720, 1080, 1081, 1440, 2160, 2161].map(height_class);
        assert_eq!(
            fields.map(Field::name),
            [
                "played_ms_other",
                "played_ms_240",
                "played_ms_240",
                "played_ms_360",
                "played_ms_360",
                "played_ms_480",
                "played_ms_720",
                "played_ms_1080",
                "played_ms_1440",
                "played_ms_1440",
                "played_ms_2160",
                "played_ms_other",
            ]
        );
    }
}
