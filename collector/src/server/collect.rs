//! `POST /v1/collect`: from a body to records on disk, cheap refusals first.
//!
//! capped read → unfold → decode → site → origin → requests of the minute → validate → new views of the minute → enrich →
//! enqueue → answer. Between decode and enqueue nothing waits.
//!
//! Every answer can be read by the page that asked, a refusal too: it is no secret, and no cookie goes with it. What
//! keeps other pages out is the check of the origin, not what a browser makes of the headers.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, StatusCode};
use quartile_protocol::batch::Discard;
use quartile_protocol::decode::Envelope;
use quartile_protocol::limits::REJECTIONS_LISTED;
use quartile_protocol::reply::{BodyCode, Problem, Rejection, Reply};
use tracing::Instrument;

use super::{Peer, Services, Shared, answer, body, unfold};
use crate::config::{Consent, Site};
use crate::enrich::agent::Agent;
use crate::ingest::accounts::{Account, Pending};
use crate::ingest::quota::Exceeded;
use crate::ingest::{self, Facts};
use crate::queue::QueueError;

/// A batch that was refused as a whole.
pub(super) struct Refused {
    pub problem: Problem,
    /// Seconds after which its sender may come back, where the code does not say it.
    pub retry_after: Option<u16>,
    /// Whose it is, once that is known.
    account: Option<Arc<Account>>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None, account: None }
    }
}

/// Takes in a batch.
pub(super) async fn take(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let origin = head.headers.get(ORIGIN).cloned();
    let response = match receive(&shared, peer, head.headers, body).await {
        Ok(reply) => answer::json(StatusCode::OK, &reply),
        Err(refused) => {
            match &refused.account {
                Some(account) => account.refuse(refused.problem.code),
                None => shared.services.books.refuse(refused.problem.code),
            }
            tracing::debug!(code = refused.problem.code.as_str(), "a batch was refused");
            answer::refusal(refused.problem, refused.retry_after)
        }
    };
    readable(response, origin)
}

async fn receive(shared: &Arc<Shared>, peer: Peer, headers: HeaderMap, body: Body) -> Result<Reply, Refused> {
    let coding = unfold::coding(&headers);
    let taken = body::take(shared, &headers, body).await?;
    let (shared, coding) = (Arc::clone(shared), coding?);
    let work = async move {
        let taken = taken.unfold(&shared, coding)?;
        let kept = keep(&shared.services, peer, &headers, &taken.bytes).await;
        drop(taken);
        kept
    };
    // A task of its own: a page that is being left does not wait for the answer, and its batch is kept.
    tokio::spawn(work.in_current_span()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a batch was not taken because of a bug");
        Err(answer::problem(BodyCode::Unavailable, "the collector failed; come back later").into())
    })
}

/// Answers what a browser asks before it sends something else than plain text.
pub(super) async fn preflight(headers: HeaderMap) -> Response {
    let mut response = answer::text(StatusCode::NO_CONTENT, "text/plain", "");
    let fields = response.headers_mut();
    fields.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, content-encoding"));
    fields.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    readable(response, headers.get(ORIGIN).cloned())
}

/// Lets the page that asked read the answer.
fn readable(mut response: Response, origin: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    response
}

/// A batch on its way to the queue.
struct Prepared {
    /// The record; `None` when nothing of the batch is good.
    record: Option<Vec<u8>>,
    pending: Pending,
    accepted: u64,
    rejected: Vec<Rejection>,
    discarded: Vec<(Discard, u64)>,
}

async fn keep(services: &Services, peer: Peer, headers: &HeaderMap, bytes: &[u8]) -> Result<Reply, Refused> {
    let envelope = Envelope::read(bytes)?;
    let site = services.sites.load().get(&envelope.site).cloned().ok_or_else(|| {
        let message = format!("there is no site `{}` here", envelope.site);
        Problem { field: Some("site"), ..answer::problem(BodyCode::UnknownSite, message) }
    })?;
    let account = services.books.of(&site.id);
    let kept = keep_for(services, &site, &account, peer, headers, envelope).await;
    kept.map_err(|refused| Refused { account: Some(account), ..refused })
}

/// Keeps a batch of a site that there is.
async fn keep_for(
    services: &Services,
    site: &Site,
    account: &Arc<Account>,
    peer: Peer,
    headers: &HeaderMap,
    envelope: Envelope<'_>,
) -> Result<Reply, Refused> {
    check_origin(site, headers)?;
    let now = services.clock.now();
    let in_quota = services.quotas.request(&site.id, site.quota, now);
    in_quota.map_err(|exceeded| over_quota(BodyCode::TooManyRequests, "requests", exceeded))?;
    let mut prepared = prepare(services, site, account, peer, headers, envelope)?;
    if let Some(record) = prepared.record.take()
        && let Err(error) = services.queue.append_counted(record, prepared.accepted).await
    {
        let problem = not_kept(&error);
        prepared.pending.drop_as(problem.code);
        return Err(problem.into());
    }
    prepared.pending.accept();
    account.took();
    for &(reason, count) in &prepared.discarded {
        account.sender_discarded(reason, count);
    }
    prepared.rejected.truncate(REJECTIONS_LISTED);
    Ok(Reply {
        accepted: prepared.accepted,
        rejected: prepared.rejected,
        server_time: services.clock.now(),
        retry_after_ms: None,
    })
}

fn prepare(
    services: &Services,
    site: &Site,
    account: &Arc<Account>,
    peer: Peer,
    headers: &HeaderMap,
    envelope: Envelope<'_>,
) -> Result<Prepared, Refused> {
    let decoded = envelope.validate()?;
    let mut pending = account.receive(decoded.received);
    pending.reject(&decoded.rejected);
    let received_at = services.clock.now();
    let views = decoded.batch.views.iter().map(|view| view.id);
    if let Err(exceeded) = services.quotas.views(&site.id, site.quota, views, received_at) {
        pending.drop_as(BodyCode::TooManyViews);
        return Err(over_quota(BodyCode::TooManyViews, "new views", exceeded));
    }
    let visitor = services.enricher.visitor(peer.0, headers);
    let client = decoded.batch.client.as_ref();
    let asked = visitor.private || client.is_some_and(|client| client.gpc == Some(true));
    let facts = Facts {
        received_at,
        private: asked || site.consent == Consent::Denied,
        custom: &site.dimensions,
        agent: client.map_or_else(Agent::default, |client| services.enricher.agent(&visitor, client)),
        place: &site.geo.of(visitor.place()),
        daily_viewer: &|day| services.enricher.daily_viewer(&visitor, &site.id, day, received_at),
    };
    let discarded = decoded.batch.discarded.clone();
    let record = ingest::record(decoded.batch, &facts);
    let accepted = record.items();
    let record = (!record.views.is_empty()).then(|| record.encode());
    Ok(Prepared { record, pending, accepted, rejected: decoded.rejected, discarded })
}

fn over_quota(code: BodyCode, of_what: &str, exceeded: Exceeded) -> Refused {
    let seconds = exceeded.retry_after_seconds;
    let message = format!("the site has used up its quota of {of_what} a minute; come back in {seconds} seconds");
    Refused { retry_after: Some(seconds), ..answer::problem(code, message).into() }
}

/// A request without an origin comes from no page: a server, or a player outside a browser.
fn check_origin(site: &Site, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    if site.origins.allow(origin) {
        return Ok(());
    }
    let message = format!("the site `{}` takes nothing from pages of `{origin}`: add it to its origins", site.id);
    Err(answer::problem(BodyCode::ForbiddenOrigin, message))
}

fn not_kept(error: &QueueError) -> Problem {
    match error {
        QueueError::Full => answer::problem(BodyCode::QueueFull, "the queue is full; come back later"),
        QueueError::Io { .. } => {
            tracing::error!(error = %error, source = ?std::error::Error::source(error), "a batch could not be kept");
            answer::problem(BodyCode::QueueFull, "the queue cannot write; come back later")
        }
        QueueError::RecordSize { .. } => {
            answer::problem(BodyCode::TooLarge, "the batch is too large to be kept; send fewer views at once")
        }
        QueueError::Closed | QueueError::NotRead { .. } => {
            answer::problem(BodyCode::Unavailable, "the collector is going down; come back later")
        }
    }
}
