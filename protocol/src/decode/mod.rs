//! Reading a body that came from outside.
//!
//! In two steps, so that the cheap refusals come first: [`Envelope::read`] takes the JSON apart and tells whose batch
//! it is; [`Envelope::validate`] checks every view, slice and event by itself. A bad item is a value, a
//! [`Rejection`] with a stable code, and never fails its neighbours. Unknown fields are ignored.

mod detail;
mod item;
mod json;
mod read;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use self::detail::ReadDetail;
use self::json::Json;
pub(crate) use self::json::Object;
use self::read::Defect;
pub(crate) use self::read::Read;
use crate::batch::{Batch, Discard, VERSION};
use crate::clock::Wall;
use crate::id::{IdError, SessionId, SiteId};
use crate::limits;
use crate::reply::{BodyCode, Item, Problem, RejectCode, Rejection};

/// A body whose JSON is sound and whose sender is known, before its views are checked.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Whose batch it is.
    pub site: SiteId,
    /// The sender's clock when it was sent.
    pub sent_at: Wall,
    rest: Object<'a>,
}

/// What a body held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// All that is good.
    pub batch: Batch,
    /// All that is not, in the order of the body.
    pub rejected: Vec<Rejection>,
    /// Slices and events in the body: those in `batch`, and those in `rejected`.
    pub received: u64,
}

impl<'a> Envelope<'a> {
    /// Takes a body apart.
    ///
    /// # Errors
    /// [`BodyCode::Unreadable`], [`BodyCode::UnsupportedVersion`], or [`BodyCode::BadField`] for `site` and `sent_at`.
    pub fn read(body: &'a [u8]) -> Result<Self, Problem> {
        let unreadable = |message: String| Problem { code: BodyCode::Unreadable, message, field: None };
        // Once for the whole, and not again for every text in it.
        let text = std::str::from_utf8(body).map_err(|error| unreadable(format!("the body is not UTF-8: {error}")))?;
        let json: Json<'a> =
            serde_json::from_str(text).map_err(|error| unreadable(format!("the body is not JSON: {error}")))?;
        let Json::Object(mut rest) = json else {
            return Err(unreadable("the body must be a JSON object".into()));
        };
        check_version(&rest.take("v"))?;
        let site = site(&rest.take("site"))?;
        let sent_at = read::wall(&rest.take("sent_at"), "sent_at").map_err(bad_field)?;
        Ok(Self { site, sent_at, rest })
    }

    /// Checks everything in it.
    ///
    /// # Errors
    /// [`BodyCode::BadField`] where a field of the batch itself is of a wrong type or beyond its bound.
    pub fn validate(mut self) -> Result<Decoded, Problem> {
        let views = read::list(self.rest.take("views"), "views").map_err(bad_field)?;
        let mut batch = self.batch_itself().map_err(bad_field)?;
        let mut rejected = Vec::new();
        let beyond = views.get(limits::VIEWS..).unwrap_or_default();
        let too_many = (!beyond.is_empty()).then(|| too_many_views(beyond));
        for (index, json) in views.into_iter().take(limits::VIEWS).enumerate() {
            let read = item::view(json, index as u32, batch.sent_at);
            batch.views.extend(read.view);
            rejected.extend(read.rejected);
        }
        rejected.extend(too_many);
        let accepted: usize = batch.views.iter().map(|view| view.slices.len() + view.events.len()).sum();
        let refused: u64 = rejected.iter().map(|rejection| rejection.items).sum();
        Ok(Decoded { batch, rejected, received: accepted as u64 + refused })
    }

    /// The batch without its views.
    fn batch_itself(mut self) -> Read<Batch> {
        let rest = &mut self.rest;
        Ok(Batch {
            sdk: read::text(rest.take("sdk"), "sdk", limits::WORD_BYTES)?,
            session: session(&rest.take("session"))?,
            viewer: read::text(rest.take("viewer"), "viewer", limits::ID_BYTES)?,
            user: read::text(rest.take("user"), "user", limits::ID_BYTES)?,
            page: item::page(read::object(rest.take("page"), "page")?.unwrap_or_default())?,
            client: read::object(rest.take("client"), "client")?.map(item::client).transpose()?,
            views: Vec::new(),
            discarded: discarded(&read::object(rest.take("discarded"), "discarded")?.unwrap_or_default())?,
            site: self.site,
            sent_at: self.sent_at,
        })
    }
}

fn check_version(json: &Json<'_>) -> Result<(), Problem> {
    if *json == Json::Whole(VERSION) {
        return Ok(());
    }
    Err(Problem {
        code: BodyCode::UnsupportedVersion,
        message: format!("`v` must be {VERSION}, the version of the wire"),
        field: Some("v"),
    })
}

fn site(json: &Json<'_>) -> Result<SiteId, Problem> {
    let problem = |message: String| Problem { code: BodyCode::BadField, message, field: Some("site") };
    match json {
        Json::Text(text) => SiteId::new(text).map_err(|error| problem(format!("`site` {error}"))),
        _ => Err(problem("`site` must be the site's key, a text".into())),
    }
}

fn session(json: &Json<'_>) -> Read<Option<SessionId>> {
    match json {
        Json::Null => Ok(None),
        Json::Text(text) => {
            SessionId::parse(text).map(Some).map_err(|_: IdError| Defect::at(RejectCode::Malformed, "session"))
        }
        _ => Err(Defect::at(RejectCode::Malformed, "session")),
    }
}

/// The sender's count of what it gave up; reasons that this version does not know are left out.
fn discarded(members: &Object<'_>) -> Read<Vec<(Discard, u64)>> {
    let mut discarded = Vec::new();
    for (name, json) in &members.0 {
        if let Some(reason) = Discard::from_name(name) {
            let count = read::whole(json, "discarded", limits::MEDIA_MS)?.unwrap_or(0);
            discarded.push((reason, count));
        }
    }
    Ok(discarded)
}

/// One entry for all views beyond the bound.
fn too_many_views(beyond: &[Json<'_>]) -> Rejection {
    Rejection {
        view: limits::VIEWS as u32,
        item: Item::View,
        code: RejectCode::TooMany,
        field: Some("views"),
        items: beyond.iter().map(item::count).sum(),
    }
}

fn bad_field(defect: Defect) -> Problem {
    let field = defect.field.unwrap_or("body");
    let message = match defect.code {
        RejectCode::TooLong => format!("`{field}` is too long"),
        RejectCode::BadNumber => format!("`{field}` must be a whole number that is not negative, within its bound"),
        RejectCode::UnknownValue => format!("`{field}` has a word that is not allowed there"),
        RejectCode::TooMany => format!("`{field}` has too many members"),
        _ => format!("`{field}` is missing or of another type than the wire has there"),
    };
    Problem { code: BodyCode::BadField, message, field: defect.field }
}
