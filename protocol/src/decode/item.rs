//! Views, slices and events out of JSON: each is read and checked by itself, so that a bad one costs no other.

use super::json::{Json, Object};
use super::read::{Defect, Read, list, media, number, object, required, text, truth, wall, whole, word};
use crate::batch::{Client, MediaKind, Offer, Page, Player, Video, View};
use crate::bitmap::{BitmapError, Minutes, Percents};
use crate::clock::{DAY_MS, Wall};
use crate::event::{ErrorPhase, Event, EventKind, StopReason};
use crate::field::{Field, Fields};
use crate::id::{IdError, ViewId};
use crate::limits;
use crate::reply::{Item, RejectCode, Rejection};
use crate::slice::Slice;

/// A view with those of its items that are good, and what was wrong with the others.
pub(super) struct ReadView {
    pub view: Option<View>,
    pub rejected: Vec<Rejection>,
}

/// Reads one view, its index in the batch being `index`.
pub(super) fn view(json: Json<'_>, index: u32, sent_at: Wall) -> ReadView {
    let reject =
        |defect: Defect, item, items| Rejection { view: index, item, code: defect.code, field: defect.field, items };
    let whole_view = |defect, items| ReadView { view: None, rejected: vec![reject(defect, Item::View, items)] };

    let mut members = match object(json, "views") {
        Ok(Some(members)) => members,
        Ok(None) => return whole_view(Defect::at(RejectCode::Malformed, "views"), 0),
        Err(defect) => return whole_view(defect, 0),
    };
    let (slices, events) = match (list(members.take("slices"), "slices"), list(members.take("events"), "events")) {
        (Ok(slices), Ok(events)) => (slices, events),
        (Err(defect), _) | (_, Err(defect)) => return whole_view(defect, 0),
    };
    let mut view = match view_itself(members, sent_at) {
        Ok(view) => view,
        Err(defect) => return whole_view(defect, (slices.len() + events.len()) as u64),
    };

    let mut rejected = Vec::new();
    for (at, json) in slices.into_iter().enumerate() {
        match bounded(at, limits::SLICES).and_then(|()| slice(json, sent_at)) {
            Ok(slice) => view.slices.push(slice),
            Err(defect) => rejected.push(reject(defect, Item::Slice(at as u32), 1)),
        }
    }
    for (at, json) in events.into_iter().enumerate() {
        match bounded(at, limits::EVENTS).and_then(|()| event(json, sent_at)) {
            Ok(event) => view.events.push(event),
            Err(defect) => rejected.push(reject(defect, Item::Event(at as u32), 1)),
        }
    }
    ReadView { view: Some(view), rejected }
}

/// How many slices and events a view holds that is not read at all.
pub(super) fn count(view: &Json<'_>) -> u64 {
    let Json::Object(members) = view else { return 0 };
    let lists = members.0.iter().filter(|(name, _)| matches!(&**name, "slices" | "events"));
    lists.map(|(_, json)| if let Json::List(list) = json { list.len() as u64 } else { 0 }).sum()
}

/// Refuses what lies beyond the number of items that one batch may carry.
fn bounded(index: usize, max: usize) -> Read<()> {
    if index < max { Ok(()) } else { Err(Defect::of(RejectCode::TooMany)) }
}

/// A view without its items.
fn view_itself(mut members: Object<'_>, sent_at: Wall) -> Read<View> {
    Ok(View {
        id: view_id(members.take("id"), sent_at)?,
        video: video(object(members.take("video"), "video")?.unwrap_or_default())?,
        player: player(object(members.take("player"), "player")?.unwrap_or_default())?,
        dims: custom_dimensions(object(members.take("dims"), "dims")?.unwrap_or_default())?,
        slices: Vec::new(),
        events: Vec::new(),
    })
}

fn view_id(json: Json<'_>, sent_at: Wall) -> Read<ViewId> {
    let Json::Text(text) = json else { return Err(Defect::at(RejectCode::Malformed, "id")) };
    let id = ViewId::parse(&text).map_err(|_: IdError| Defect::at(RejectCode::BadViewId, "id"))?;
    // Both dates are of the sender's own clock, which may be decades off: only their distance counts.
    let age = sent_at.since(id.time());
    if age > limits::VIEW_AGE_MS {
        return Err(Defect::at(RejectCode::ViewTooOld, "id"));
    }
    if age < -limits::VIEW_AHEAD_MS {
        return Err(Defect::at(RejectCode::ViewFromFuture, "id"));
    }
    Ok(id)
}

fn video(mut members: Object<'_>) -> Read<Video> {
    Ok(Video {
        id: text(members.take("id"), "video.id", limits::ID_BYTES)?,
        title: text(members.take("title"), "video.title", limits::TITLE_BYTES)?,
        duration_ms: whole(&members.take("duration_ms"), "video.duration_ms", limits::MEDIA_MS)?,
        kind: word(&members.take("kind"), "video.kind", Offer::from_name)?,
        media: word(&members.take("media"), "video.media", MediaKind::from_name)?,
        series: text(members.take("series"), "video.series", limits::TITLE_BYTES)?,
        category: text(members.take("category"), "video.category", limits::TITLE_BYTES)?,
    })
}

fn player(mut members: Object<'_>) -> Read<Player> {
    Ok(Player {
        name: text(members.take("name"), "player.name", limits::WORD_BYTES)?,
        version: text(members.take("version"), "player.version", limits::WORD_BYTES)?,
        engine: text(members.take("engine"), "player.engine", limits::WORD_BYTES)?,
        protocol: text(members.take("protocol"), "player.protocol", limits::WORD_BYTES)?,
        cdn: text(members.take("cdn"), "player.cdn", limits::ID_BYTES)?,
        autoplay: truth(&members.take("autoplay"), "player.autoplay")?,
        muted_start: truth(&members.take("muted_start"), "player.muted_start")?,
    })
}

fn custom_dimensions(members: Object<'_>) -> Read<Vec<(String, String)>> {
    if members.0.len() > limits::CUSTOM_NAMES {
        return Err(Defect::at(RejectCode::TooMany, "dims"));
    }
    let mut dims = Vec::new();
    for (name, value) in members.0 {
        if name.len() > limits::WORD_BYTES {
            return Err(Defect::at(RejectCode::TooLong, "dims"));
        }
        dims.push((name.into_owned(), text(value, "dims", limits::ID_BYTES)?));
    }
    Ok(dims)
}

/// The page of a batch.
pub(super) fn page(mut members: Object<'_>) -> Read<Page> {
    Ok(Page {
        url: text(members.take("url"), "page.url", limits::URL_BYTES)?,
        referrer: text(members.take("referrer"), "page.referrer", limits::URL_BYTES)?,
        language: text(members.take("language"), "page.language", limits::WORD_BYTES)?,
        timezone: text(members.take("timezone"), "page.timezone", limits::WORD_BYTES)?,
        application: text(members.take("application"), "page.application", limits::ID_BYTES)?,
        utm_source: text(members.take("utm_source"), "page.utm_source", limits::ID_BYTES)?,
        utm_medium: text(members.take("utm_medium"), "page.utm_medium", limits::ID_BYTES)?,
        utm_campaign: text(members.take("utm_campaign"), "page.utm_campaign", limits::ID_BYTES)?,
    })
}

/// What a batch tells of the device.
pub(super) fn client(mut members: Object<'_>) -> Read<Client> {
    Ok(Client {
        platform: text(members.take("platform"), "client.platform", limits::WORD_BYTES)?,
        platform_version: text(members.take("platform_version"), "client.platform_version", limits::WORD_BYTES)?,
        model: text(members.take("model"), "client.model", limits::WORD_BYTES)?,
        mobile: truth(&members.take("mobile"), "client.mobile")?,
        connection: text(members.take("connection"), "client.connection", limits::WORD_BYTES)?,
        touch_points: whole(&members.take("touch_points"), "client.touch_points", 255)?.map(|n| n as u32),
        gpc: truth(&members.take("gpc"), "client.gpc")?,
    })
}

fn slice(json: Json<'_>, sent_at: Wall) -> Read<Slice> {
    let slice = any_slice(json)?;
    believable(slice.at, sent_at)?;
    plausible(&slice)?;
    Ok(slice)
}

/// A slice of any date and any numbers.
pub(super) fn any_slice(json: Json<'_>) -> Read<Slice> {
    let mut members = required(object(json, "slices")?, "slices")?;
    Ok(Slice {
        n: number(&members.take("n"), "n")?,
        at: wall(&members.take("at"), "at")?,
        span_ms: whole(&members.take("span_ms"), "span_ms", u64::MAX)?.unwrap_or(0),
        watched: bitmap(members.take("watched"), "watched", Percents::parse)?,
        rewatched: bitmap(members.take("rewatched"), "rewatched", Percents::parse)?,
        active: bitmap(members.take("active"), "active", Minutes::parse)?,
        stop_reason: word(&members.take("stop_reason"), "stop_reason", StopReason::from_name)?,
        error_code: text(members.take("error_code"), "error_code", limits::WORD_BYTES)?,
        error_phase: word(&members.take("error_phase"), "error_phase", ErrorPhase::from_name)?,
        fields: fields(&members)?,
    })
}

fn fields(members: &Object<'_>) -> Read<Fields> {
    let mut fields = Fields::default();
    for (name, json) in &members.0 {
        if let Some(field) = Field::from_name(name) {
            fields[field] = whole(json, field.name(), limits::MEDIA_MS)?.unwrap_or(0);
        }
    }
    Ok(fields)
}

/// A maximum can never be taken back: what cannot be true is refused before it merges.
fn plausible(slice: &Slice) -> Read<()> {
    if slice.span_ms > limits::SPAN_MS {
        return Err(Defect::at(RejectCode::Implausible, "span_ms"));
    }
    match slice.fields.implausible(slice.span_ms) {
        Some(field) => Err(Defect::at(RejectCode::Implausible, field.name())),
        None => Ok(()),
    }
}

/// The date of a slice or an event lies within the life of a view that may be sent at all, give or take a day.
fn believable(at: Wall, sent_at: Wall) -> Read<()> {
    let age = sent_at.since(at);
    if !(-limits::VIEW_AHEAD_MS..=limits::VIEW_AGE_MS + DAY_MS).contains(&age) {
        return Err(Defect::at(RejectCode::Implausible, "at"));
    }
    Ok(())
}

fn bitmap<T: Default>(json: Json<'_>, field: &'static str, parse: fn(&str) -> Result<T, BitmapError>) -> Read<T> {
    match json {
        Json::Null => Ok(T::default()),
        Json::Text(text) => parse(&text).map_err(|_| Defect::at(RejectCode::BadNumber, field)),
        _ => Err(Defect::at(RejectCode::Malformed, field)),
    }
}

fn event(json: Json<'_>, sent_at: Wall) -> Read<Event> {
    let event = any_event(json)?;
    believable(event.at, sent_at)?;
    Ok(event)
}

/// An event of any date.
pub(super) fn any_event(json: Json<'_>) -> Read<Event> {
    let mut members = required(object(json, "events")?, "events")?;
    let Json::Text(name) = members.take("type") else { return Err(Defect::at(RejectCode::Malformed, "type")) };
    Ok(Event {
        seq: number(&members.take("seq"), "seq")?,
        n: number(&members.take("n"), "n")?,
        at: wall(&members.take("at"), "at")?,
        pos: media(&members.take("pos_ms"), "pos_ms")?,
        kind: EventKind::read(&name, &mut members)?.ok_or(Defect::at(RejectCode::UnknownEventType, "type"))?,
    })
}
