//! What a view is of, and how it is told: slices under the dimensions that they were counted under.

use quartile_protocol::batch::{Offer, Player, Video};
use quartile_protocol::clock::Millis;
use quartile_protocol::encode::Json;
use quartile_protocol::limits;

use super::View;
use crate::ledger::{Request, SubjectId};

/// Sets of dimensions that one view can have; what comes beyond keeps the last.
const MAX_SUBJECTS: usize = 50;

/// The texts of a subject, by their names on the wire: first those of the video …
const VIDEO: [&str; 6] = ["id", "title", "series", "category", "kind", "media"];

/// … then those of the player; the last two are `true` or `false`.
const PLAYER: [&str; 7] = ["name", "version", "engine", "protocol", "cdn", "autoplay", "muted_start"];

const TEXTS: usize = VIDEO.len() + PLAYER.len();
const ALL: usize = TEXTS + 2 * limits::CUSTOM_NAMES;
const ID: usize = 0;
const KIND: usize = 4;
const FLAGS: usize = TEXTS - 2;

/// Stands between two texts; what a page says has none.
const SEPARATOR: u8 = 0;

/// What a player shows and what plays it: texts, of which any may be empty as long as it is not known. They are kept in one
/// piece, because they are compared and copied far more often than read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Those of the video and of the player, then names and values of the site's own dimensions in turn; a NUL after each.
    texts: String,
    /// The user that the site knows; said once for a whole request.
    user: String,
}

/// The text at `index` of texts with a [`SEPARATOR`] after each; empty if there are not so many.
#[must_use]
pub fn text_at(texts: &str, index: usize) -> &str {
    let (mut from, mut left) = (0, index);
    for (at, &byte) in texts.as_bytes().iter().enumerate() {
        if byte == SEPARATOR {
            if left == 0 {
                return texts.get(from..at).unwrap_or_default();
            }
            (from, left) = (at + 1, left - 1);
        }
    }
    ""
}

fn add(texts: &mut String, text: &str) {
    texts.push_str(text);
    texts.push('\0');
}

impl Subject {
    /// Takes six texts of the video (id, title, series, category, kind, media), seven of the player (name, version,
    /// engine, protocol, cdn, autoplay, muted start), and names and values of the site's own dimensions in turn, with a
    /// NUL after each; what is missing at the end is empty.
    #[must_use]
    pub fn new(texts: &str) -> Self {
        Self { texts: texts.into(), user: String::new() }
    }

    /// The same from what the wire says.
    #[must_use]
    pub fn of(video: &Video, player: &Player, dims: &[(String, String)]) -> Self {
        let truth = |truth: Option<bool>| truth.map_or("", |truth| if truth { "true" } else { "false" });
        let kind = video.kind.map_or("", Offer::as_str);
        let media = video.media.map_or("", |media| media.as_str());
        let video = [&*video.id, &video.title, &video.series, &video.category, kind, media];
        let flags = [truth(player.autoplay), truth(player.muted_start)];
        let player = [&*player.name, &player.version, &player.engine, &player.protocol, &player.cdn];
        let dims = dims.iter().flat_map(|(name, value)| [&**name, value]);
        let mut texts = String::new();
        video.into_iter().chain(player).chain(flags).chain(dims).for_each(|text| add(&mut texts, text));
        Self::new(&texts)
    }

    fn text(&self, index: usize) -> &str {
        text_at(&self.texts, index)
    }

    /// The site's id of the video; empty while unknown.
    pub(crate) fn id(&self) -> &str {
        self.text(ID)
    }

    pub(crate) fn kind(&self) -> &str {
        self.text(KIND)
    }

    pub(crate) fn set_user(&mut self, user: &str) {
        self.user = user.into();
    }

    fn set_kind(&mut self, kind: &str) {
        let mut texts = String::new();
        for index in 0..TEXTS {
            add(&mut texts, if index == KIND { kind } else { self.text(index) });
        }
        self.add_dims(&mut texts, "");
        self.texts = texts;
    }

    /// Adds the site's own dimensions that are not `known` texts already.
    fn add_dims(&self, texts: &mut String, known: &str) {
        for index in (TEXTS..ALL).step_by(2) {
            let name = self.text(index);
            let is_known = (TEXTS..ALL).step_by(2).any(|index| text_at(known, index) == name);
            if !name.is_empty() && !is_known {
                add(texts, name);
                add(texts, self.text(index + 1));
            }
        }
    }

    /// Fills what is empty from `new`; gives whether anything was.
    fn fill(&mut self, new: &Self) -> bool {
        let mut texts = String::new();
        for index in 0..TEXTS {
            let known = self.text(index);
            add(&mut texts, if known.is_empty() { new.text(index) } else { known });
        }
        self.add_dims(&mut texts, "");
        new.add_dims(&mut texts, &self.texts);
        let is_named = self.user.is_empty() && !new.user.is_empty();
        if is_named {
            self.user.clone_from(&new.user);
        }
        let is_filled = self.texts != texts;
        self.texts = texts;
        is_filled || is_named
    }

    /// Writes what belongs to a slice that is said whole.
    fn write(&self, duration: Millis, json: &mut Json) {
        json.object("video", |json| {
            self.write_texts(&VIDEO, 0, json);
            if duration > 0 {
                json.number("duration_ms", duration as i64);
            }
        });
        json.object("player", |json| self.write_texts(&PLAYER, VIDEO.len(), json));
        json.object("dims", |json| {
            for index in (TEXTS..ALL).step_by(2) {
                json.text(self.text(index), self.text(index + 1));
            }
        });
    }

    fn write_texts(&self, names: &[&str], first: usize, json: &mut Json) {
        for (index, name) in names.iter().enumerate() {
            let text = self.text(first + index);
            if first + index < FLAGS {
                json.text(name, text);
            } else if !text.is_empty() {
                json.literal(name, text);
            }
        }
    }
}

impl View {
    /// Other dimensions. What was empty and becomes known is filled into all slices; another value begins a new slice.
    pub(crate) fn describe(&mut self, mut subject: Subject) {
        self.progress.believe(subject.kind());
        // What the view itself learned stays, where the page says nothing of it.
        if subject.kind().is_empty() {
            subject.set_kind(self.subject().kind());
        }
        self.describe_as(subject);
    }

    fn describe_as(&mut self, subject: Subject) {
        let mut filled = false;
        for old in &mut self.subjects {
            filled |= old.fill(&subject);
        }
        if filled {
            self.ledger.say_again();
        }
        if subject != *self.subject() && self.subjects.len() < MAX_SUBJECTS {
            self.subjects.push(subject);
            self.ledger.set_subject((self.subjects.len() - 1) as SubjectId);
        }
    }

    /// Whether it is live became known, or is another thing than was believed.
    pub(super) fn describe_kind(&mut self, kind: Offer) {
        let mut subject = self.subject().clone();
        subject.set_kind(kind.as_str());
        self.describe_as(subject);
    }

    /// The dimensions of now.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subjects[self.subjects.len() - 1]
    }

    /// Writes what waits, as far as it fits and is of the request's user: one view of the wire for each set of dimensions.
    pub(crate) fn say(&mut self, json: &mut Json, request: &mut Request) {
        let duration = self.progress.duration();
        for (index, subject) in self.subjects.iter().enumerate() {
            let Some(whole) = self.ledger.news_of(index as SubjectId) else { continue };
            let user = request.user.get_or_insert_with(|| subject.user.clone());
            if *user != subject.user || request.full || request.views == limits::VIEWS {
                continue;
            }
            let (before, items) = (json.len(), request.items);
            json.item(|json| {
                json.uuid("id", self.id.bits());
                // What is not said whole is said with as little around it as tells what it belongs to.
                if whole {
                    subject.write(duration, json);
                } else {
                    json.object("video", |json| json.text("id", subject.id()));
                }
                self.ledger.say(index as SubjectId, json, request);
            });
            if request.items == items {
                json.truncate(before);
            } else {
                (request.views, request.whole) = (request.views + 1, request.whole | whole);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_their_place() {
        assert_eq!(
            ["a\0b\0\0c\0"; 5].iter().enumerate().map(|(at, texts)| text_at(texts, at)).collect::<Vec<_>>(),
            ["a", "b", "", "c", ""]
        );
    }

    #[test]
    fn only_what_is_empty_is_filled() {
        let subject = |id: &str, title: &str, dims: &[(&str, &str)]| {
            let video = Video { id: id.into(), title: title.into(), ..Video::default() };
            let dims: Vec<_> = dims.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            Subject::of(&video, &Player::default(), &dims)
        };
        let mut old = subject("a", "", &[("plan", "free")]);
        assert!(old.fill(&subject("b", "Film", &[("room", "1"), ("plan", "paid")])));
        assert_eq!(old, subject("a", "Film", &[("plan", "free"), ("room", "1")]));
        assert!(!old.fill(&subject("c", "Other", &[("plan", "paid")])));
    }
}
