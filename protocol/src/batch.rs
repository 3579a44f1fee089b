//! The request body: what a page has to say about its views.
//!
//! Texts that are unknown are empty and left out of the encoding.

use serde::{Serialize, Serializer};

use crate::clock::{Millis, Wall};
use crate::encode::Value;
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
        let discarded = self.discarded.iter().map(|&(reason, count)| (reason.as_str(), count.into())).collect();
        Value::Object(vec![
            ("v", VERSION.into()),
            ("site", Value::Text(self.site.as_str())),
            ("sent_at", self.sent_at.as_ms().into()),
            ("sdk", Value::Text(&self.sdk)),
            ("session", self.session.map_or(Value::Absent, |id| Value::Owned(id.to_text()))),
            ("viewer", Value::known(&self.viewer)),
            ("user", Value::known(&self.user)),
            ("page", Value::some_object(self.page.members())),
            ("client", self.client.as_ref().map_or(Value::Absent, |client| Value::Object(client.members()))),
            ("views", Value::List(self.views.iter().map(View::value).collect())),
            ("discarded", Value::some_object(discarded)),
        ])
        .serialize(serializer)
    }
}

/// The page that a view happens in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its address, by default without query and fragment.
    pub url: String,
    /// The address that led to it, by default without query and fragment.
    pub referrer: String,
    /// The browser's language.
    pub language: String,
    /// The browser's IANA timezone.
    pub timezone: String,
    /// The application that the site names.
    pub application: String,
    /// Campaign source of the address.
    pub utm_source: String,
    /// Campaign medium of the address.
    pub utm_medium: String,
    /// Campaign name of the address.
    pub utm_campaign: String,
}

impl Page {
    fn members(&self) -> Vec<(&str, Value<'_>)> {
        vec![
            ("url", Value::known(&self.url)),
            ("referrer", Value::known(&self.referrer)),
            ("language", Value::known(&self.language)),
            ("timezone", Value::known(&self.timezone)),
            ("application", Value::known(&self.application)),
            ("utm_source", Value::known(&self.utm_source)),
            ("utm_medium", Value::known(&self.utm_medium)),
            ("utm_campaign", Value::known(&self.utm_campaign)),
        ]
    }
}

/// What a browser tells of its device beside the user agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// User-agent client hint: the platform.
    pub platform: String,
    /// User-agent client hint: the platform's version.
    pub platform_version: String,
    /// User-agent client hint: the device's model.
    pub model: String,
    /// User-agent client hint: whether the browser prefers a mobile experience.
    pub mobile: Option<bool>,
    /// The connection's effective type.
    pub connection: String,
    /// Points that can touch the screen at once: tells a tablet that calls itself a desktop.
    pub touch_points: Option<u32>,
}

impl Client {
    fn members(&self) -> Vec<(&str, Value<'_>)> {
        vec![
            ("platform", Value::known(&self.platform)),
            ("platform_version", Value::known(&self.platform_version)),
            ("model", Value::known(&self.model)),
            ("mobile", self.mobile.into()),
            ("connection", Value::known(&self.connection)),
            ("touch_points", self.touch_points.into()),
        ]
    }
}

/// One attempt to watch one video in one player, as far as this batch tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The view.
    pub id: ViewId,
    /// The video.
    pub video: Video,
    /// The player.
    pub player: Player,
    /// The site's custom dimensions by name.
    pub dims: Vec<(String, String)>,
    /// States of slices that have grown.
    pub slices: Vec<Slice>,
    /// Events that were not yet acknowledged.
    pub events: Vec<Event>,
}

impl View {
    fn value(&self) -> Value<'_> {
        let dims = self.dims.iter().map(|(name, value)| (name.as_str(), Value::Text(value))).collect();
        Value::Object(vec![
            ("id", Value::Owned(self.id.to_text())),
            ("video", Value::Object(self.video.members())),
            ("player", Value::some_object(self.player.members())),
            ("dims", Value::some_object(dims)),
            ("slices", Value::some_list(&self.slices, Slice::value)),
            ("events", Value::some_list(&self.events, Event::value)),
        ])
    }
}

/// What is being watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Video {
    /// The site's id of it; empty while unknown.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its duration, if it has one.
    pub duration_ms: Option<Millis>,
    /// How it is offered, once known.
    pub kind: Option<Offer>,
    /// What it consists of.
    pub media: Option<MediaKind>,
    /// The series that it belongs to.
    pub series: String,
    /// Its category.
    pub category: String,
}

impl Video {
    fn members(&self) -> Vec<(&str, Value<'_>)> {
        vec![
            ("id", Value::known(&self.id)),
            ("title", Value::known(&self.title)),
            ("duration_ms", self.duration_ms.into()),
            ("kind", self.kind.map(Offer::as_str).into()),
            ("media", self.media.map(MediaKind::as_str).into()),
            ("series", Value::known(&self.series)),
            ("category", Value::known(&self.category)),
        ]
    }
}

/// What plays it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Player {
    /// The player's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The streaming engine and its version.
    pub engine: String,
    /// `hls`, `dash`, `progressive` or `other`.
    pub protocol: String,
    /// The content delivery network of the media.
    pub cdn: String,
    /// Whether playback is to start by itself.
    pub autoplay: Option<bool>,
    /// Whether playback started without sound.
    pub muted_start: Option<bool>,
}

impl Player {
    fn members(&self) -> Vec<(&str, Value<'_>)> {
        vec![
            ("name", Value::known(&self.name)),
            ("version", Value::known(&self.version)),
            ("engine", Value::known(&self.engine)),
            ("protocol", Value::known(&self.protocol)),
            ("cdn", Value::known(&self.cdn)),
            ("autoplay", self.autoplay.into()),
            ("muted_start", self.muted_start.into()),
        ]
    }
}

impl Player {
    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}
