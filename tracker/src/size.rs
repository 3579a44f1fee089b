//! How long a thing will be when written as JSON, at most: a body must fit the browsers' quota before it is written.

use quartile_protocol::batch::{Client, Page};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::slice::Slice;

use crate::view::Subject;

/// What is left of a body. The first item always fits: a body that is too long has a better chance than none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    left: usize,
    fresh: bool,
}

impl Room {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self { left: bytes, fresh: true }
    }

    /// Takes `bytes` of what is left, if they fit.
    pub(crate) fn fits(&mut self, bytes: usize) -> bool {
        let fits = self.fresh || bytes <= self.left;
        if fits {
            self.left = self.left.saturating_sub(bytes);
            self.fresh = false;
        }
        fits
    }

    /// Takes `bytes` without being asked.
    pub(crate) const fn reserve(mut self, bytes: usize) -> Self {
        self.left = self.left.saturating_sub(bytes);
        self
    }
}

/// A fixed part, and a name and a number for each field.
pub(crate) fn of_slice(slice: &Slice) -> usize {
    250 + of_text(&slice.error_code) + slice.fields.set().map(|(field, _)| field.name().len() + 20).sum::<usize>()
}

pub(crate) fn of_event(event: &Event) -> usize {
    let texts = match &event.kind {
        EventKind::Error { code, message, .. } => of_text(code.as_str()) + of_text(message.as_str()),
        EventKind::Interaction { feature, name, value } => {
            of_text(feature.as_str()) + of_text(name.as_str()) + of_text(value.as_str())
        }
        EventKind::Captions { language, .. } | EventKind::AudioTrack { language } => of_text(language.as_str()),
        _ => 0,
    };
    200 + texts
}

/// A view without its slices and events.
pub(crate) fn of_subject(Subject { video, player, dims, .. }: &Subject) -> usize {
    let texts = [&video.id, &video.title, &video.series, &video.category];
    let more = [&player.name, &player.version, &player.engine, &player.protocol, &player.cdn];
    let dims: usize = dims.iter().map(|(name, value)| of_text(name) + of_text(value) + 6).sum();
    500 + dims + texts.into_iter().chain(more).map(|text| of_text(text)).sum::<usize>()
}

/// A body without its views.
pub(crate) fn of_context(page: &Page, client: &Client, viewer: &str, user: &str) -> usize {
    let page = [&page.url, &page.referrer, &page.language, &page.timezone, &page.application];
    let client = [&client.platform, &client.platform_version, &client.model, &client.connection];
    let texts = page.into_iter().chain(client).map(|text| of_text(text)).sum::<usize>();
    1_000 + texts + of_text(viewer) + of_text(user)
}

fn of_text(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}
