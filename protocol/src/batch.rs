//! The request body: what a page has to say about its views.
//!
//! Texts that are unknown are empty and left out of the encoding.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::clock::{Millis, Wall};
use crate::event::Event;
use crate::id::{SessionId, SiteId, ViewId};
use crate::names::names;
use crate::slice::Slice;

/// The version of the wire that this crate writes and reads.
pub const VERSION: u64 = 1;

names! {
    /// How a content is offered.
    pub enum Offer {
        /// On demand: it has a duration.
        Vod = "vod",
        /// Live.
        Live = "live",
    }
}

names! {
    /// What a content consists of.
    pub enum MediaKind {
        /// Pictures, usually with sound.
        Video = "video",
        /// Sound alone.
        Audio = "audio",
    }
}

names! {
    /// Why a sender gave something up, counted in [`Batch::discarded`].
    pub enum Discard {
        /// More was waiting than may be kept.
        QueueFull = "queue_full",
        /// The collector refused it for good.
        Refused = "refused",
    }
}

/// One request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose page it is.
    pub site: SiteId,
    /// The sender's clock when it was sent.
    pub sent_at: Wall,
    /// The sender's software and version.
    pub sdk: String,
    /// The session, unless the visitor asked not to be followed.
    pub session: Option<SessionId>,
    /// The viewer's stored id.
    pub viewer: String,
    /// The user that the site knows.
    pub user: String,
    /// The page. Context: see [`Batch::client`].
    pub page: Page,
    /// What the browser tells of the device. Where it is present, even empty, the batch *carries the context*: only
    /// then are device, geography and the daily viewer derived from the request.
    pub client: Option<Client>,
    /// The views.
    pub views: Vec<View>,
    /// What the sender gave up since it last said so.
    pub discarded: Vec<(Discard, u64)>,
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("Batch", 11)?;
        body.serialize_field("v", &VERSION)?;
        body.serialize_field("site", &self.site)?;
        body.serialize_field("sent_at", &self.sent_at)?;
        body.serialize_field("sdk", &self.sdk)?;
        if let Some(session) = self.session {
            body.serialize_field("session", &session)?;
        }
        if !self.viewer.is_empty() {
            body.serialize_field("viewer", &self.viewer)?;
        }
        if !self.user.is_empty() {
            body.serialize_field("user", &self.user)?;
        }
        if self.page != Page::default() {
            body.serialize_field("page", &self.page)?;
        }
        if let Some(client) = &self.client {
            body.serialize_field("client", client)?;
        }
        body.serialize_field("views", &self.views)?;
        if !self.discarded.is_empty() {
            body.serialize_field("discarded", &Pairs(&self.discarded))?;
        }
        body.end()
    }
}

/// Few pairs, written as an object; a map type would weigh more in a browser than all of them.
struct Pairs<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for Pairs<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

fn serialize_pairs<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    Pairs(pairs).serialize(serializer)
}

/// The page that a view happens in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Its address, by default without query and fragment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The address that led to it, by default without query and fragment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer: String,
    /// The browser's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The browser's IANA timezone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub timezone: String,
    /// The application that the site names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// Campaign source of the address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub utm_source: String,
    /// Campaign medium of the address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub utm_medium: String,
    /// Campaign name of the address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub utm_campaign: String,
}

/// What a browser tells of its device beside the user agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Client {
    /// User-agent client hint: the platform.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// User-agent client hint: the platform's version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub platform_version: String,
    /// User-agent client hint: the device's model.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// User-agent client hint: whether the browser prefers a mobile experience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<bool>,
    /// The connection's effective type.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub connection: String,
    /// Points that can touch the screen at once: tells a tablet that calls itself a desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touch_points: Option<u32>,
}

/// One attempt to watch one video in one player, as far as this batch tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// The view.
    pub id: ViewId,
    /// The video.
    pub video: Video,
    /// The player.
    #[serde(skip_serializing_if = "Player::is_unknown")]
    pub player: Player,
    /// The site's custom dimensions by name.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "serialize_pairs")]
    pub dims: Vec<(String, String)>,
    /// States of slices that have grown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<Slice>,
    /// Events that were not yet acknowledged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

/// What is being watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Video {
    /// The site's id of it; empty while unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Its duration, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<Millis>,
    /// How it is offered, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Offer>,
    /// What it consists of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaKind>,
    /// The series that it belongs to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub series: String,
    /// Its category.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub category: String,
}

/// What plays it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Player {
    /// The player's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The streaming engine and its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub engine: String,
    /// `hls`, `dash`, `progressive` or `other`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// The content delivery network of the media.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cdn: String,
    /// Whether playback is to start by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoplay: Option<bool>,
    /// Whether playback started without sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_start: Option<bool>,
}

impl Player {
    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}
