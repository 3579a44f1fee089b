//! A media element: which of its events mean what, and how it is right now.
//!
//! An event says little more than *look again*. Nothing is ever concluded from its name alone where the element can be
//! asked, because between an event and its delivery the element may have moved on.

use js_sys::Array;
use quartile_protocol::batch::{MediaKind, Player, Video};
use quartile_protocol::clock::Media;
use quartile_protocol::limits;
use quartile_tracker::{Length, Snapshot};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlMediaElement;

use crate::value::{call, get, is_true, text};

/// What an event of an element asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Only to look.
    State,
    /// To look at what is shown, too.
    Source,
    /// To be told of the next video frame, too.
    Play,
    /// The element was paused.
    Pause,
    /// The playhead was moved.
    Seek,
    /// Playback failed.
    Failure,
}

/// The events that are listened to.
pub(crate) const EVENTS: [(&str, Look); 18] = [
    ("loadstart", Look::Source),
    ("emptied", Look::Source),
    ("loadedmetadata", Look::Source),
    ("play", Look::Play),
    ("seeking", Look::Seek),
    ("error", Look::Failure),
    ("playing", Look::State),
    ("pause", Look::Pause),
    ("seeked", Look::State),
    ("timeupdate", Look::State),
    ("ratechange", Look::State),
    ("durationchange", Look::State),
    ("canplay", Look::State),
    ("canplaythrough", Look::State),
    ("waiting", Look::State),
    ("suspend", Look::State),
    ("ended", Look::State),
    ("volumechange", Look::State),
];

/// What the event of this name asks for.
pub(crate) fn look_for(event: &str) -> Look {
    EVENTS.iter().find(|(name, _)| *name == event).map_or(Look::State, |&(_, look)| look)
}

/// `HTMLMediaElement.NETWORK_IDLE`.
const NETWORK_IDLE: u16 = 1;

/// `HTMLMediaElement.HAVE_METADATA`.
const HAVE_METADATA: u16 = 1;

/// How the element is.
pub(crate) fn snapshot(element: &HtmlMediaElement) -> Snapshot {
    let waits_to_be_asked = || element.network_state() == NETWORK_IDLE && element.preload() == "none";
    Snapshot {
        pos: Media::from_seconds(element.current_time()),
        length: Length::from_seconds(element.duration()),
        rate: element.playback_rate(),
        paused: element.paused(),
        ended: element.ended(),
        seeking: element.seeking(),
        ready: element.ready_state() >= HAVE_METADATA || waits_to_be_asked(),
    }
}

/// The address of what the element shows; `mediastream:` when it is an object, empty when there is nothing.
pub(crate) fn address(element: &HtmlMediaElement) -> String {
    if is_true(element, "srcObject") { "mediastream:".into() } else { element.current_src() }
}

/// Why the element cannot play: the name of its error's code, and the browser's words. Nothing when the page itself
/// took the source away.
pub(crate) fn failure(element: &HtmlMediaElement) -> Option<(&'static str, String)> {
    let error = element.error()?;
    let code = match error.code() {
        2 => "MEDIA_ERR_NETWORK",
        3 => "MEDIA_ERR_DECODE",
        4 => "MEDIA_ERR_SRC_NOT_SUPPORTED",
        _ => return None,
    };
    let mut message = text(&error, "message");
    message.truncate(message.floor_char_boundary(limits::TITLE_BYTES));
    Some((code, message))
}

/// What is said of the video at `address`.
pub(crate) fn video(said: &JsValue, address: &str) -> Video {
    let video = call(said, "video", &address.into()).unwrap_or_default();
    Video {
        id: text(&video, "id"),
        title: text(&video, "title"),
        series: text(&video, "series"),
        category: text(&video, "category"),
        media: Some(if is_true(&video, "audio") { MediaKind::Audio } else { MediaKind::Video }),
        ..Video::default()
    }
}

/// What is said of the player.
pub(crate) fn player(element: &HtmlMediaElement, said: &JsValue) -> Player {
    let player = get(said, "player");
    Player {
        name: text(&player, "name"),
        version: text(&player, "version"),
        engine: text(&player, "engine"),
        protocol: text(&player, "protocol"),
        cdn: text(&player, "cdn"),
        autoplay: Some(element.autoplay()),
        muted_start: None,
    }
}

/// The site's own dimensions.
pub(crate) fn dims(said: &JsValue) -> Vec<(String, String)> {
    let list: Array = get(said, "dims").unchecked_into();
    let at = |index| list.get(index).as_string().unwrap_or_default();
    (0..list.length() / 2).map(|pair| (at(pair * 2), at(pair * 2 + 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_asks_for_what_the_table_says() {
        assert_eq!(look_for("emptied"), Look::Source);
        assert_eq!(look_for("timeupdate"), Look::State);
        assert_eq!(look_for("something new"), Look::State);
    }
}
