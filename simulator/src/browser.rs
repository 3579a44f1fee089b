//! How browsers tell what a media element does: which events, in which order, how late.
//!
//! The HTML standard leaves much of it open, and the engines differ. What is written here was recorded from Chromium
//! 156 with an MP4 file, or is what the sources of the engines and their bug trackers say; each quirk names its source.
//! A tracker must come to the same numbers with all of them.

use fastrand::Rng;
use quartile_protocol::clock::Millis;
use quartile_tracker::Signal;

/// An engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Browser {
    /// Says everything once and at once: for stories that are told by the second.
    #[default]
    Plain,
    /// Blink. `waiting` follows every `seeking` while playing; a loop and a replay are seeks to the beginning.
    Chromium,
    /// Gecko. A loop is seamless: `seeking` and `seeked` come together, and the element never says that it seeks.
    Firefox,
    /// A `seeking` is often delivered when the seek is over; `timeupdate` runs ahead of it, and lags behind `ended`.
    WebKit,
}

/// An event of a media element, or the callback that tells of a presented frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// `loadedmetadata`
    LoadedMetadata,
    /// `durationchange`
    DurationChange,
    /// `canplay`
    CanPlay,
    /// `canplaythrough`
    CanPlayThrough,
    /// `play`
    Play,
    /// `playing`
    Playing,
    /// `requestVideoFrameCallback` called back.
    Frame,
    /// `timeupdate`
    TimeUpdate,
    /// `waiting`
    Waiting,
    /// `stalled`
    Stalled,
    /// `suspend`
    Suspend,
    /// `seeking`
    Seeking,
    /// `seeked`
    Seeked,
    /// `ratechange`
    RateChange,
    /// `volumechange`
    VolumeChange,
    /// `pause`
    Pause,
    /// `ended`
    Ended,
}

impl MediaEvent {
    /// What the SDK's shell makes of it; `None` if it does not listen.
    #[must_use]
    pub const fn signal(self) -> Option<Signal<'static>> {
        Some(match self {
            Self::Stalled => return None,
            Self::Pause => Signal::Paused,
            Self::Waiting => Signal::Waiting,
            Self::CanPlayThrough => Signal::CanPlayThrough,
            Self::Seeking => Signal::Seeking,
            Self::Frame => Signal::FirstFrame,
            _ => Signal::Observed,
        })
    }
}

/// Something that happens in an element, of which the browser then tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The metadata is there.
    Loaded,
    /// The duration is another one.
    Length,
    /// Playback is asked for, and there is something to play.
    Play,
    /// Playback is asked for, and the data is missing.
    PlayStarved,
    /// Playback is asked for after the end.
    Replay,
    /// The data runs out while playing.
    Starved,
    /// The data runs out while playing, and the browser does not say so.
    StarvedSilently,
    /// The data is there, and playback goes on.
    Fed,
    /// The data is there, and the element is paused.
    FedPaused,
    /// The playhead is put elsewhere while playing.
    Seek,
    /// The playhead is put elsewhere while paused.
    SeekPaused,
    /// The new place is shown, and playback goes on.
    Sought,
    /// The new place is shown, and the element is paused.
    SoughtPaused,
    /// The new place is shown, and the data that follows it is missing.
    SoughtStarved,
    /// A repeating element begins again.
    Loop,
    /// The end is reached.
    End,
    /// Paused by the viewer.
    Pause,
    /// Another speed.
    Rate,
    /// Another loudness.
    Sound,
    /// The time of a periodic `timeupdate`.
    Tick,
}

use MediaEvent as E;

impl Browser {
    /// All that are real.
    pub const REAL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// The events that a moment makes, in their order.
    #[must_use]
    pub const fn tells(self, moment: Moment) -> &'static [MediaEvent] {
        match self {
            Self::Plain => plain(moment),
            Self::Chromium => common(moment),
            Self::Firefox => firefox(moment),
            Self::WebKit => webkit(moment),
        }
    }

    /// How late an event is delivered, at most: it is a task among others, and the element has moved on by then (which
    /// web-platform-tests had to learn, wpt#3561).
    #[must_use]
    pub const fn lateness_ms(self) -> Millis {
        match self {
            Self::Plain => 0,
            Self::Chromium => 5,
            Self::Firefox => 12,
            Self::WebKit => 20,
        }
    }

    /// How late this event is delivered: nearly always at once.
    pub(crate) fn delay(self, random: &mut Rng) -> Millis {
        match self.lateness_ms() {
            0 => 0,
            most if random.u8(0..4) == 0 => random.u64(0..=most),
            _ => random.u64(0..2),
        }
    }

    /// How much longer than asked for the interval between two `timeupdate`s may be. Chromium's timer of 250 ms was
    /// recorded to ring every 265 ms; Gecko asks at every frame whether 250 ms are over; WebKit's timer is as good as
    /// its run loop.
    #[must_use]
    pub const fn tick_jitter_ms(self) -> Millis {
        match self {
            Self::Plain => 0,
            Self::Chromium => 20,
            Self::Firefox => 42,
            Self::WebKit => 30,
        }
    }

    /// How long going back to the beginning takes, at a loop or a replay: a seek in Chromium (recorded: 2 to 4 ms) and
    /// WebKit. Gecko's loops are seamless.
    #[must_use]
    pub(crate) const fn restart_ms(self, looping: bool) -> Millis {
        match self {
            Self::Plain => 0,
            Self::Firefox if looping => 0,
            Self::Chromium | Self::Firefox => 3,
            Self::WebKit => 8,
        }
    }

    /// Whether `stalled` comes while playback is fine: Chromium says it after three seconds in which a loading network
    /// brought nothing; Safari between the segments of HLS (bluesky-social/social-app#5364).
    #[must_use]
    pub const fn stalls_idly(self) -> bool {
        matches!(self, Self::Chromium | Self::WebKit)
    }
}

/// One event for each thing that happens.
const fn plain(moment: Moment) -> &'static [MediaEvent] {
    match moment {
        Moment::Loaded => &[E::LoadedMetadata],
        Moment::Length => &[E::DurationChange],
        Moment::Play | Moment::Replay => &[E::Play],
        Moment::PlayStarved | Moment::Starved => &[E::Waiting],
        Moment::StarvedSilently => &[],
        Moment::Fed | Moment::FedPaused => &[E::Frame],
        Moment::Seek | Moment::SeekPaused | Moment::Loop => &[E::Seeking],
        Moment::Sought | Moment::SoughtPaused | Moment::SoughtStarved => &[E::Seeked],
        Moment::End | Moment::Pause => &[E::Pause],
        Moment::Rate => &[E::RateChange],
        Moment::Sound => &[E::VolumeChange],
        Moment::Tick => &[E::TimeUpdate],
    }
}

/// As recorded from Chromium 156; the others follow the standard's order just so where nothing else is said of them.
const fn common(moment: Moment) -> &'static [MediaEvent] {
    match moment {
        Moment::Loaded => &[E::DurationChange, E::LoadedMetadata, E::CanPlay, E::CanPlayThrough, E::Suspend],
        Moment::Length => &[E::DurationChange],
        Moment::Play => &[E::Play, E::Playing],
        Moment::PlayStarved => &[E::Play, E::Waiting],
        // The seek to the beginning is begun before the wish to play is told.
        Moment::Replay => &[E::Seeking, E::Play, E::Waiting],
        Moment::Starved => &[E::TimeUpdate, E::Waiting],
        Moment::StarvedSilently => &[E::Stalled],
        Moment::Fed => &[E::CanPlay, E::Playing, E::CanPlayThrough],
        Moment::FedPaused => &[E::CanPlay, E::CanPlayThrough],
        Moment::Seek | Moment::Loop => &[E::Seeking, E::Waiting],
        Moment::SeekPaused => &[E::Seeking],
        Moment::Sought => &[E::TimeUpdate, E::Seeked, E::CanPlay, E::Playing, E::CanPlayThrough],
        Moment::SoughtPaused => &[E::TimeUpdate, E::Seeked, E::CanPlay, E::CanPlayThrough],
        Moment::SoughtStarved => &[E::TimeUpdate, E::Seeked],
        Moment::End => &[E::TimeUpdate, E::Pause, E::Ended],
        Moment::Pause => &[E::TimeUpdate, E::Pause],
        Moment::Rate => &[E::RateChange],
        Moment::Sound => &[E::VolumeChange],
        Moment::Tick => &[E::TimeUpdate],
    }
}

const fn firefox(moment: Moment) -> &'static [MediaEvent] {
    match moment {
        // `HTMLMediaElement::PlaybackEnded` says `timeupdate` and pauses, which says it again.
        Moment::End => &[E::TimeUpdate, E::TimeUpdate, E::Pause, E::Ended],
        // Gapless looping (bug 654787): the decoder goes on at the beginning, and both events are only told.
        Moment::Loop => &[E::Seeking, E::Seeked],
        _ => common(moment),
    }
}

const fn webkit(moment: Moment) -> &'static [MediaEvent] {
    match moment {
        // A `timeupdate` may overtake `seeking` (WebKit bugs 314624, 314792); seeking within what is buffered does not
        // make the element wait.
        Moment::Seek | Moment::SeekPaused => &[E::TimeUpdate, E::Seeking],
        Moment::Loop => &[E::TimeUpdate, E::Seeking],
        Moment::Replay => &[E::Play, E::Seeking],
        Moment::Sought => &[E::TimeUpdate, E::Seeked, E::Playing],
        Moment::SoughtPaused => &[E::TimeUpdate, E::Seeked],
        // The last `timeupdate` fires after `ended` (WebKit bug 119285).
        Moment::End => &[E::Pause, E::Ended, E::TimeUpdate],
        _ => common(moment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_browser_pauses_before_it_says_that_it_ended() {
        for browser in Browser::REAL {
            let told = browser.tells(Moment::End);
            let at = |event| told.iter().position(|&other| other == event);
            assert!(at(E::Pause) < at(E::Ended), "{browser:?}");
        }
    }

    #[test]
    fn a_loop_never_ends() {
        for browser in Browser::REAL {
            assert!(!browser.tells(Moment::Loop).contains(&E::Ended), "{browser:?}");
        }
    }
}
