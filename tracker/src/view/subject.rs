//! What a view is of, and how it is told: slices under the dimensions that they were counted under.

use quartile_protocol::batch::{Offer, Player, Video};
use quartile_protocol::clock::Millis;
use quartile_protocol::encode::Json;
use quartile_protocol::limits;

use super::View;
use crate::ledger::{Request, SubjectId};

/// Sets of dimensions that one view can have; what comes beyond keeps the last.
const MAX_SUBJECTS: usize = 50;

/// The names under which the site's id of the video and the user that it knows are kept; the latter is the first, and
/// said once for a whole request.
const ID: &str = "vid";
const USER: &str = "u";

/// What a player shows and what plays it: texts with names, of which any may be missing as long as it is not known. They
/// are kept in one piece, because they are compared and copied far more often than read.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Names and texts in turn, with a NUL after each; what a page says has none. A name begins with the initial of the
    /// object that it is in on the wire, as a capital if the text is `true` or `false`.
    texts: String,
    /// Whether it is live, if that is known.
    kind: Option<Offer>,
}

/// Takes the first of texts with a NUL after each.
#[inline(never)]
pub fn take_text<'a>(texts: &mut &'a str) -> &'a str {
    let end = texts.bytes().position(|byte| byte == 0).unwrap_or(texts.len());
    let (text, rest) = texts.split_at(end);
    *texts = rest.get(1..).unwrap_or_default();
    text
}

fn add(texts: &mut String, name: &str, text: &str) {
    for part in [name, text] {
        texts.push_str(part);
        texts.push('\0');
    }
}

impl Subject {
    /// Takes names and texts in turn, with a NUL after each: of the video `vid`, `vtitle`, `vseries`, `vcategory`, `vmedia`;
    /// of the player `pname`, `pversion`, `pengine`, `pprotocol`, `pcdn`, `Pautoplay`, `Pmuted_start`; of the site's own
    /// dimensions a `d` and the name. Empty texts are the same as missing ones.
    #[must_use]
    pub fn new(texts: &str, kind: Option<Offer>) -> Self {
        Self { texts: texts.into(), kind }
    }

    /// The same from what the wire says.
    #[must_use]
    pub fn of(video: &Video, player: &Player, dims: &[(String, String)]) -> Self {
        let truth = |truth: Option<bool>| truth.map_or("", |truth| if truth { "true" } else { "false" });
        let mut texts = String::new();
        for (name, text) in [
            (ID, &*video.id),
            ("vtitle", &video.title),
            ("vseries", &video.series),
            ("vcategory", &video.category),
            ("vmedia", video.media.map_or("", |media| media.as_str())),
            ("pname", &player.name),
            ("pversion", &player.version),
            ("pengine", &player.engine),
            ("pprotocol", &player.protocol),
            ("pcdn", &player.cdn),
            ("Pautoplay", truth(player.autoplay)),
            ("Pmuted_start", truth(player.muted_start)),
        ] {
            add(&mut texts, name, text);
        }
        for (name, text) in dims {
            add(&mut texts, &format!("d{name}"), text);
        }
        Self::new(&texts, video.kind)
    }

    /// The text of this name; empty while unknown.
    fn text(&self, name: &str) -> &str {
        let mut rest = &*self.texts;
        while !rest.is_empty() {
            let known = take_text(&mut rest);
            let text = take_text(&mut rest);
            if known == name && !text.is_empty() {
                return text;
            }
        }
        ""
    }

    /// The site's id of the video; empty while unknown.
    pub(crate) fn id(&self) -> &str {
        self.text(ID)
    }

    pub(crate) const fn kind(&self) -> Option<Offer> {
        self.kind
    }

    fn user(&self) -> &str {
        self.text(USER)
    }

    pub(crate) fn set_user(&mut self, user: &str) {
        let mut texts = String::new();
        add(&mut texts, USER, user);
        let mut rest = &*self.texts;
        if take_text(&mut rest) == USER {
            take_text(&mut rest);
        } else {
            rest = &*self.texts;
        }
        texts.push_str(rest);
        self.texts = texts;
    }

    /// Fills what is missing from `new`; gives whether anything was.
    fn fill(&mut self, new: &Self) -> bool {
        let before = self.texts.len();
        let mut rest = &*new.texts;
        while !rest.is_empty() {
            let name = take_text(&mut rest);
            let text = take_text(&mut rest);
            if !text.is_empty() && self.text(name).is_empty() {
                add(&mut self.texts, name, text);
            }
        }
        let learns_kind = self.kind.is_none() && new.kind.is_some();
        self.kind = self.kind.or(new.kind);
        learns_kind || self.texts.len() > before
    }

    /// Whether all that it says is also said by `other`.
    fn agrees(&self, other: &Self) -> bool {
        let mut rest = &*self.texts;
        let mut same = self.kind == other.kind;
        while !rest.is_empty() {
            let name = take_text(&mut rest);
            let text = take_text(&mut rest);
            same &= text.is_empty() || text == other.text(name);
        }
        same
    }

    /// Writes what belongs to a slice that is said whole.
    fn write(&self, duration: Millis, json: &mut Json) {
        json.object("video", |json| {
            self.write_texts(b'v', json);
            if let Some(kind) = self.kind {
                json.word("kind", Offer::WORDS, kind as usize);
            }
            if duration > 0 {
                json.number("duration_ms", duration as i64);
            }
        });
        json.object("player", |json| self.write_texts(b'p', json));
        json.object("dims", |json| self.write_texts(b'd', json));
    }

    /// Writes the texts whose names begin with this initial.
    fn write_texts(&self, initial: u8, json: &mut Json) {
        let (mut rest, mut left) = (&*self.texts, limits::CUSTOM_NAMES);
        while !rest.is_empty() && left > 0 {
            let name = take_text(&mut rest);
            let text = take_text(&mut rest);
            let Some((&first, _)) = name.as_bytes().split_first() else { continue };
            if first | 32 == initial && !text.is_empty() {
                left -= 1;
                if first == initial {
                    json.text(&name[1..], text);
                } else {
                    json.literal(&name[1..], text);
                }
            }
        }
    }
}

impl View {
    /// Other dimensions. What was empty and becomes known is filled into all slices; another value begins a new slice.
    pub(crate) fn describe(&mut self, mut subject: Subject) {
        self.progress.believe(subject.kind);
        // What the view itself learned stays, where the page says nothing of it.
        subject.kind = subject.kind.or(self.subject().kind);
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
        let known = self.subject();
        if !(subject.agrees(known) && known.agrees(&subject)) && self.subjects.len() < MAX_SUBJECTS {
            self.subjects.push(subject);
            self.ledger.set_subject((self.subjects.len() - 1) as SubjectId);
        }
    }

    /// Whether it is live became known, or is another thing than was believed.
    pub(super) fn describe_kind(&mut self, kind: Offer) {
        let mut subject = self.subject().clone();
        subject.kind = Some(kind);
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
            let user = request.user.get_or_insert_with(|| subject.user().into());
            if *user != subject.user() || request.full || request.views == limits::VIEWS {
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
    fn texts_are_taken_one_by_one() {
        let mut rest = "a\0b\0\0c";
        assert_eq!([(); 5].map(|()| take_text(&mut rest)), ["a", "b", "", "c", ""]);
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
        let filled = subject("a", "Film", &[("room", "1"), ("plan", "free")]);
        assert!(old.agrees(&filled) && filled.agrees(&old));
        assert!(!old.fill(&subject("c", "Other", &[("plan", "paid")])));
    }
}
