//! What a view is of, and how it is told: slices under the dimensions that they were counted under.

use quartile_protocol::batch::{Offer, Player, Video};
use quartile_protocol::encode::Json;
use quartile_protocol::limits;

use super::View;
use crate::ledger::{Request, SubjectId};
use crate::signal::Length;

/// Sets of dimensions that one view can have; what comes beyond keeps the last.
const MAX_SUBJECTS: usize = 50;

/// The texts of a subject, by their names on the wire: first those of the video …
const VIDEO: [&str; 6] = ["id", "title", "series", "category", "kind", "media"];

/// … then those of the player; the last two are `true` or `false`.
const PLAYER: [&str; 7] = ["name", "version", "engine", "protocol", "cdn", "autoplay", "muted_start"];

const TEXTS: usize = VIDEO.len() + PLAYER.len();
const ID: usize = 0;
const KIND: usize = 4;
const MEDIA: usize = 5;
const FLAGS: usize = TEXTS - 2;

/// What a player shows and what plays it: texts, of which any may be empty as long as it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Those of the video and of the player, then names and values of the site's own dimensions in turn.
    texts: Vec<String>,
    /// The user that the site knows; said once for a whole request.
    user: String,
}

impl Default for Subject {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Subject {
    /// Takes six texts of the video (id, title, series, category, kind, media), seven of the player (name, version,
    /// engine, protocol, cdn, autoplay, muted start), and names and values of the site's own dimensions in turn; what is
    /// missing at the end is empty.
    #[must_use]
    pub fn new(mut texts: Vec<String>) -> Self {
        while texts.len() < TEXTS {
            texts.push(String::new());
        }
        texts.truncate(TEXTS + 2 * limits::CUSTOM_NAMES);
        Self { texts, user: String::new() }
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
        let texts = video.into_iter().chain(player).chain(flags).chain(dims);
        Self::new(texts.map(str::to_owned).collect())
    }

    /// The site's id of the video; empty while unknown.
    pub(crate) fn id(&self) -> &str {
        &self.texts[ID]
    }

    pub(crate) fn set_user(&mut self, user: &str) {
        self.user = user.into();
    }

    pub(crate) fn kind(&self) -> &str {
        &self.texts[KIND]
    }

    /// Fills what is empty from `new`; gives whether anything was.
    fn fill(&mut self, new: &Self) -> bool {
        let mut filled = fill(&mut self.user, &new.user);
        for index in 0..TEXTS {
            filled |= fill(&mut self.texts[index], &new.texts[index]);
        }
        for pair in new.texts[TEXTS..].chunks_exact(2) {
            if !self.texts[TEXTS..].chunks_exact(2).any(|known| known[0] == pair[0]) {
                self.texts.push(pair[0].clone());
                self.texts.push(pair[1].clone());
                filled = true;
            }
        }
        filled
    }

    /// Writes what belongs to a slice that is said whole.
    fn write(&self, length: Length, json: &mut Json) {
        json.object("video", |json| {
            self.write_texts(&VIDEO, 0, json);
            if let Length::Finite(duration) = length {
                json.number("duration_ms", duration as i64);
            }
        });
        json.object("player", |json| self.write_texts(&PLAYER, VIDEO.len(), json));
        json.object("dims", |json| {
            for pair in self.texts[TEXTS..].chunks_exact(2) {
                json.text(&pair[0], &pair[1]);
            }
        });
    }

    fn write_texts(&self, names: &[&str], first: usize, json: &mut Json) {
        for (index, name) in names.iter().enumerate() {
            let text = &self.texts[first + index];
            if first + index < FLAGS {
                json.text(name, text);
            } else if !text.is_empty() {
                json.literal(name, text);
            }
        }
    }
}

fn fill(old: &mut String, new: &str) -> bool {
    let empty = old.is_empty() && !new.is_empty();
    if empty {
        *old = new.into();
    }
    empty
}

impl View {
    /// Other dimensions. What was empty and becomes known is filled into all slices; another value begins a new slice.
    pub(crate) fn describe(&mut self, mut subject: Subject) {
        self.progress.believe(subject.kind());
        // What the view itself learned of its video stays, where the page says nothing of it.
        for index in [KIND, MEDIA] {
            fill(&mut subject.texts[index], &self.subject().texts[index]);
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
        subject.texts[KIND] = kind.as_str().into();
        self.describe_as(subject);
    }

    /// The dimensions of now.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subjects[self.subjects.len() - 1]
    }

    /// Writes what waits, as far as it fits and is of the request's user: one view of the wire for each set of dimensions.
    pub(crate) fn say(&mut self, json: &mut Json, request: &mut Request) {
        let length = self.length();
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
                    subject.write(length, json);
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
