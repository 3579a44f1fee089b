//! The numbers of the loader, as what the tracker understands. Signals have the numbers of [`What`]; page signals are 0
//! hidden, 1 visible, 2 frozen, 3 resumed, 4 left, 5 restored, 6 online.

use quartile_protocol::batch::Offer;
use quartile_protocol::clock::Media;
use quartile_tracker::{Length, PageSignal, Snapshot, Told, What, take_text};

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

/// A signal of this number, if there is one.
pub(crate) fn signal(number: u32, numbers: [f64; 3], mut texts: &str) -> Option<Told<'_>> {
    let what = *What::ALL.get(number as usize)?;
    Some(Told { what, numbers, texts: [(); 3].map(|()| take_text(&mut texts)) })
}

/// Whether something is live, as far as it is known: 0 unknown, 1 on demand, 2 live.
pub(crate) const fn offer(number: u32) -> Option<Offer> {
    match number {
        1 => Some(Offer::Vod),
        2 => Some(Offer::Live),
        _ => None,
    }
}

pub(crate) fn page_signal(number: u32) -> Option<PageSignal> {
    const ALL: [PageSignal; 7] = [
        PageSignal::Hidden,
        PageSignal::Visible,
        PageSignal::Frozen,
        PageSignal::Resumed,
        PageSignal::Left,
        PageSignal::Restored,
        PageSignal::Online,
    ];
    ALL.get(number as usize).copied()
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
