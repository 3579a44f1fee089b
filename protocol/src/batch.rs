//! The request body: what a page has to say about its views.
//!
//! Texts that are unknown are empty and left out of the encoding.

use crate::clock::{Millis, Wall};
use crate::encode::Json;
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

impl Batch {
    /// The body, as it travels.
    #[must_use]
    pub fn to_json(&self) -> String {
        Json::object_of(|json| {
            self.write_without_context(json);
            json.object("page", |json| self.page.write(json));
            if let Some(client) = &self.client {
                // Said even when it is empty: where it is present, the batch carries the context.
                json.always_object("client", |json| client.write(json));
            }
        })
    }

    /// The body without page and client, for a sender that adds them by itself.
    #[must_use]
    pub fn to_json_without_context(&self) -> String {
        Json::object_of(|json| self.write_without_context(json))
    }

    fn write_without_context(&self, json: &mut Json) {
        json.number("v", VERSION as i64);
        json.text("site", self.site.as_str());
        json.number("sent_at", self.sent_at.as_ms());
        json.text("sdk", &self.sdk);
        if let Some(session) = self.session {
            json.uuid("session", session.bits());
        }
        json.text("viewer", &self.viewer);
        json.text("user", &self.user);
        json.list("views", self.views.len(), |json, index| self.views[index].write(json));
        json.object("discarded", |json| {
            for &(reason, count) in &self.discarded {
                json.count(Discard::WORDS, reason as usize, count);
            }
        });
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
    fn write(&self, json: &mut Json) {
        json.text("url", &self.url);
        json.text("referrer", &self.referrer);
        json.text("language", &self.language);
        json.text("timezone", &self.timezone);
        json.text("application", &self.application);
        json.text("utm_source", &self.utm_source);
        json.text("utm_medium", &self.utm_medium);
        json.text("utm_campaign", &self.utm_campaign);
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
    /// Whether the visitor asked not to be recognised (Global Privacy Control), as the browser tells the page. Some
    /// browsers and extensions tell only the page, and send no `Sec-GPC`.
    pub gpc: Option<bool>,
}

impl Client {
    fn write(&self, json: &mut Json) {
        json.text("platform", &self.platform);
        json.text("platform_version", &self.platform_version);
        json.text("model", &self.model);
        json.truth("mobile", self.mobile);
        json.text("connection", &self.connection);
        json.known_number("touch_points", self.touch_points.map(u64::from));
        json.truth("gpc", self.gpc);
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
    fn write(&self, json: &mut Json) {
        json.uuid("id", self.id.bits());
        json.object("video", |json| self.video.write(json));
        json.object("player", |json| self.player.write(json));
        json.object("dims", |json| self.dims.iter().for_each(|(name, value)| json.text(name, value)));
        json.list("slices", self.slices.len(), |json, index| self.slices[index].write(json));
        json.list("events", self.events.len(), |json, index| self.events[index].write(json));
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
    fn write(&self, json: &mut Json) {
        json.text("id", &self.id);
        json.text("title", &self.title);
        json.known_number("duration_ms", self.duration_ms);
        json.text("kind", self.kind.map_or("", Offer::as_str));
        json.text("media", self.media.map_or("", MediaKind::as_str));
        json.text("series", &self.series);
        json.text("category", &self.category);
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
    fn write(&self, json: &mut Json) {
        json.text("name", &self.name);
        json.text("version", &self.version);
        json.text("engine", &self.engine);
        json.text("protocol", &self.protocol);
        json.text("cdn", &self.cdn);
        json.truth("autoplay", self.autoplay);
        json.truth("muted_start", self.muted_start);
    }
}

impl Player {
    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}
