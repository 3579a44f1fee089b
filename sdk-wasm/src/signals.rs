//! The numbers of the loader, as what the tracker understands.
//!
//! | signal | | numbers, texts |
//! |---|---|---|
//! | 0 | look again | |
//! | 1, 2, 3, 4 | `pause`, `waiting`, `canplaythrough`, `seeking` | |
//! | 5 | the first frame was presented | |
//! | 6 | playback was under way before it was first seen | |
//! | 7 | what is shown | address |
//! | 8 | playback failed | a: fatal; code, message |
//! | 9, 10 | viewable, autoplay blocked | |
//! | 11, 12, 13 | full screen, picture-in-picture, cast | a: on |
//! | 14, 15 | captions, audio track | a: on; language |
//! | 16 | rendition | a: width, b: height, c: kbit/s |
//! | 17 | frames | a: due, b: dropped |
//! | 18, 19, 20 | bytes, latency, live | a |
//! | 21 | a break for advertisements | a: on |
//! | 22 | an advertisement | a: moment (start, quartile, complete, skip, click, error), b: percent |
//! | 23 | interaction | feature, name, value |
//!
//! Page signals: 0 hidden, 1 visible, 2 frozen, 3 resumed, 4 left, 5 restored, 6 online.

use quartile_protocol::clock::Media;
use quartile_protocol::event::AdMoment;
use quartile_tracker::{Length, PageSignal, Rendition, Signal, Snapshot};

/// A media element as the loader reads it; places in seconds, flags as bits.
pub(crate) struct Look {
    /// 1 paused, 2 ended, 4 seeking, 8 ready, 16 starved, 32 loop, 64 autoplay, 128 muted.
    pub flags: u32,
    pub pos: f64,
    pub duration: f64,
    pub rate: f64,
    pub volume: f64,
}

impl Look {
    pub(crate) fn snapshot(&self) -> Snapshot {
        let flag = |bit: u32| self.flags & bit != 0;
        Snapshot {
            pos: Media::from_seconds(self.pos),
            length: Length::from_seconds(self.duration),
            // Custom elements may lack what every media element has.
            rate: or_one(self.rate),
            paused: flag(1),
            ended: flag(2),
            seeking: flag(4),
            ready: flag(8),
            starved: flag(16),
            looping: flag(32),
            autoplay: flag(64),
            muted: flag(128),
            volume: or_one(self.volume),
        }
    }
}

const fn or_one(number: f64) -> f64 {
    if number.is_finite() { number } else { 1.0 }
}

pub(crate) fn signal(number: u8, [a, b, c]: [f64; 3], texts: &[String; 3]) -> Option<Signal<'_>> {
    let [first, second, third] = texts;
    let on = a != 0.0;
    Some(match number {
        0 => Signal::Observed,
        1 => Signal::Paused,
        2 => Signal::Waiting,
        3 => Signal::CanPlayThrough,
        4 => Signal::Seeking,
        5 => Signal::FirstFrame,
        6 => Signal::Joined,
        7 => Signal::Source(first),
        8 => Signal::Failed { code: first, message: second, fatal: on },
        9 => Signal::Viewable,
        10 => Signal::AutoplayBlocked,
        11 => Signal::Fullscreen(on),
        12 => Signal::Pip(on),
        13 => Signal::Cast(on),
        14 => Signal::Captions(on.then_some(first)),
        15 => Signal::AudioTrack(first),
        16 => Signal::Rendition(Rendition { width: known(a), height: known(b), bitrate_kbps: known(c), auto: None }),
        17 => Signal::Frames { total: a as u64, dropped: b as u64 },
        18 => Signal::Bytes(a as u64),
        19 => Signal::Latency(a as u64),
        20 => Signal::Live(on),
        21 => Signal::AdBreak(on),
        22 => Signal::Ad { moment: *AdMoment::ALL.get(a as usize)?, percent: known(b) },
        23 => Signal::Interaction { feature: first, name: second, value: third },
        _ => return None,
    })
}

fn known(number: f64) -> Option<u64> {
    (number > 0.0).then_some(number as u64)
}

pub(crate) fn page_signal(number: u8) -> Option<PageSignal> {
    const ALL: [PageSignal; 7] = [
        PageSignal::Hidden,
        PageSignal::Visible,
        PageSignal::Frozen,
        PageSignal::Resumed,
        PageSignal::Left,
        PageSignal::Restored,
        PageSignal::Online,
    ];
    ALL.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_that_lacks_rate_and_volume_plays_as_usual() {
        let seen = Look { flags: 8, pos: 1.5, duration: f64::NAN, rate: f64::NAN, volume: f64::NAN }.snapshot();
        assert_eq!((seen.rate, seen.volume, seen.length), (1.0, 1.0, Length::Unknown));
        assert_eq!(seen.pos, Some(Media::from_ms(1_500)));
    }
}
