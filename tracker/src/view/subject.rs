//! What a view is of, and how it is told: slices under the dimensions that they were counted under.

use quartile_protocol::batch::{self, Player, Video};
use quartile_protocol::event::Event;

use super::View;
use crate::ledger::{DeliveryId, Said, SaidSlice, SubjectId};
use crate::size::{self, Room};

/// Sets of dimensions that one view can have; what comes beyond keeps the last.
const MAX_SUBJECTS: usize = 50;

/// What a view is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub video: Video,
    pub player: Player,
    pub dims: Vec<(String, String)>,
    /// The user that the site knows; said once for a whole request.
    pub user: String,
}

/// A request to the collector that is being put together.
#[derive(Debug)]
pub(crate) struct Request {
    pub delivery: DeliveryId,
    /// What is left of the body.
    pub room: Room,
    /// Whose viewing it tells of; `None` as long as nothing is in it.
    pub user: Option<String>,
    /// Whether anything in it is said whole, and so needs its context.
    pub whole: bool,
}

impl View {
    /// Other dimensions. What was empty and becomes known is filled into all slices; another value begins a new slice.
    pub(crate) fn describe(&mut self, subject: Subject) {
        let kept = Subject { video: keep_learned(subject.video, &self.subject().video), ..subject };
        if kept == *self.subject() {
            return;
        }
        let mut filled = self.subjects.clone();
        filled.iter_mut().for_each(|old| fill(old, &kept));
        if filled != self.subjects {
            self.subjects = filled;
            self.ledger.say_again();
        }
        if kept != *self.subject() && self.subjects.len() < MAX_SUBJECTS {
            self.subjects.push(kept);
            self.ledger.set_subject((self.subjects.len() - 1) as u16);
        }
    }

    /// The dimensions of now.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subjects[self.subjects.len() - 1]
    }

    pub(super) fn now_subject(&mut self) -> &mut Subject {
        let last = self.subjects.len() - 1;
        &mut self.subjects[last]
    }

    /// Takes what `wanted` asks for into the request, as long as there is room and it is of the request's user.
    pub(crate) fn say(&mut self, request: &mut Request, wanted: impl Fn(Said) -> bool) -> Vec<batch::View> {
        let first =
            self.ledger.first_subject(&wanted).map_or(self.subject(), |index| &self.subjects[usize::from(index)]);
        let user = request.user.get_or_insert_with(|| first.user.clone());
        let heads = self.subjects.iter().map(size::of_subject).max().unwrap_or(0);
        let mut room = request.room.reserve(heads * self.subjects.len().min(2));
        let subjects = &self.subjects;
        let under = |index: SubjectId| subjects[usize::from(index)].user == *user;
        let (said, events) = self.ledger.say(request.delivery, wanted, under, &mut room);
        if said.is_empty() && events.is_empty() {
            return Vec::new();
        }
        request.room = room;
        self.views_of(said, events, &mut request.whole)
    }

    /// One view of the wire for each set of dimensions; the events go with the last.
    fn views_of(&self, said: Vec<SaidSlice>, events: Vec<Event>, whole: &mut bool) -> Vec<batch::View> {
        let mut views: Vec<(SubjectId, batch::View)> = Vec::new();
        for SaidSlice { slice, subject, whole: is_whole } in said {
            *whole |= is_whole;
            let known = views.iter_mut().find(|(index, _)| *index == subject);
            let view = match known {
                Some((_, view)) => view,
                None => {
                    views.push((subject, self.head(subject, is_whole)));
                    let last = views.len() - 1;
                    &mut views[last].1
                }
            };
            if is_whole && view.player.is_unknown() {
                let head = self.head(subject, true);
                (view.video, view.player, view.dims) = (head.video, head.player, head.dims);
            }
            view.slices.push(slice);
        }
        if views.is_empty() {
            let current = (self.subjects.len() - 1) as SubjectId;
            views.push((current, self.head(current, false)));
        }
        let mut views: Vec<_> = views.into_iter().map(|(_, view)| view).collect();
        let last = views.len() - 1;
        views[last].events = events;
        views
    }

    /// What is not said whole is said with as little around it as tells what it belongs to.
    fn head(&self, index: SubjectId, whole: bool) -> batch::View {
        let Subject { video, player, dims, .. } = self.subjects[usize::from(index)].clone();
        let (slices, events) = (Vec::new(), Vec::new());
        if whole {
            return batch::View { id: self.id, video, player, dims, slices, events };
        }
        let video = Video { id: video.id, ..Video::default() };
        batch::View { id: self.id, video, player: Player::default(), dims: Vec::new(), slices, events }
    }
}

/// What the view itself learned of its video stays, where the page says nothing of it.
fn keep_learned(video: Video, before: &Video) -> Video {
    Video {
        duration_ms: video.duration_ms.or(before.duration_ms),
        kind: video.kind.or(before.kind),
        media: video.media.or(before.media),
        ..video
    }
}

/// Fills what is empty in `old` from `new`.
fn fill(old: &mut Subject, new: &Subject) {
    let text = |old: &mut String, new: &String| {
        if old.is_empty() {
            old.clone_from(new);
        }
    };
    text(&mut old.user, &new.user);
    text(&mut old.video.id, &new.video.id);
    text(&mut old.video.title, &new.video.title);
    text(&mut old.video.series, &new.video.series);
    text(&mut old.video.category, &new.video.category);
    old.video.kind = old.video.kind.or(new.video.kind);
    old.video.media = old.video.media.or(new.video.media);
    old.video.duration_ms = old.video.duration_ms.or(new.video.duration_ms);
    text(&mut old.player.name, &new.player.name);
    text(&mut old.player.version, &new.player.version);
    text(&mut old.player.engine, &new.player.engine);
    text(&mut old.player.protocol, &new.player.protocol);
    text(&mut old.player.cdn, &new.player.cdn);
    old.player.autoplay = old.player.autoplay.or(new.player.autoplay);
    old.player.muted_start = old.player.muted_start.or(new.player.muted_start);
    for (name, value) in &new.dims {
        if !old.dims.iter().any(|(known, _)| known == name) {
            old.dims.push((name.clone(), value.clone()));
        }
    }
}
