//! `POST /v1/collect`: from a body to records on disk, cheap refusals first.
//!
//! capped read → unfold → decode → site → origin → requests of the minute → validate → new views of the minute → enrich →
//! enqueue → answer. Between decode and enqueue nothing waits.
//!
//! Every answer can be read by the page that asked, a refusal too: it is no secret, and no cookie goes with it. What
//! keeps other pages out is the check of the origin, not what a browser makes of the headers.

use std::fmt::Display;
use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, StatusCode};
use hyper::body::Body;
use quartile_protocol::batch::{Batch, Discard};
use quartile_protocol::clock::Wall;
use quartile_protocol::decode::Envelope;
use quartile_protocol::limits::REJECTIONS_LISTED;
use quartile_protocol::reply::{BodyCode, Problem, Rejection, Reply};
use tokio::runtime::Handle;
use tracing::Instrument;

use super::body::{Permits, Taken};
use super::request_id::RequestId;
use super::{Peer, Services, Shared, answer, body, unfold};
use crate::config::{Consent, Site};
use crate::enrich::agent::Agent;
use crate::ingest::accounts::{Account, Pending};
use crate::ingest::quota::Exceeded;
use crate::ingest::{self, Facts};
use crate::queue::{self, QueueError};

/// Who sends a batch.
#[derive(Clone, Copy)]
struct Sender<'a> {
    peer: Peer,
    id: RequestId,
    headers: &'a HeaderMap,
}

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
pub(super) async fn take_in<B>(shared: &Arc<Shared>, peer: Peer, id: RequestId, request: http::Request<B>) -> Response
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let (head, body) = request.into_parts();
    let sender = Sender { peer, id, headers: &head.headers };
    let response = match receive(shared, sender, body).await {
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
    tracing::debug!(status = response.status().as_u16(), "answered");
    readable(response, head.headers.get(ORIGIN).cloned())
}

async fn receive<B>(shared: &Arc<Shared>, sender: Sender<'_>, body: B) -> Result<Reply, Refused>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let coding = unfold::coding(sender.headers);
    let taken = body::take(shared, sender.headers, body).await?;
    let coding = coding?;
    // From here until it is in the queue nothing waits, so that no page that is left takes its batch along.
    let work = || {
        let taken = taken.unfold(shared, coding)?;
        admit(&shared.services, sender, taken)
    };
    let admitted = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!(request = %sender.id, "a batch was not taken because of a bug");
        Err(answer::problem(BodyCode::Unavailable, "the collector failed; come back later").into())
    });
    Unabandoned(Some(admitted?)).await
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

/// A batch that was read.
struct Prepared {
    /// The record; `None` when nothing of the batch is good.
    record: Option<Vec<u8>>,
    pending: Pending,
    accepted: u64,
    rejected: Vec<Rejection>,
    discarded: Vec<(Discard, u64)>,
}

/// A batch on its way to the disk.
struct Admitted {
    /// `None` when nothing of the batch is good.
    kept: Option<queue::Admitted>,
    pending: Pending,
    account: Arc<Account>,
    reply: Reply,
    discarded: Vec<(Discard, u64)>,
    id: RequestId,
    /// It counts as at work until it is in the books.
    permits: Permits,
}

fn admit(services: &Services, sender: Sender<'_>, taken: Taken) -> Result<Admitted, Refused> {
    let envelope = Envelope::read(&taken.bytes)?;
    let sites = services.sites.load();
    let site = sites.get(&envelope.site).ok_or_else(|| {
        let message = format!("there is no site `{}` here", envelope.site);
        Problem { field: Some("site"), ..answer::problem(BodyCode::UnknownSite, message) }
    })?;
    let case = Case { services, site, account: services.books.of(&site.id), sender, received_at: services.clock.now() };
    match case.admit(envelope) {
        Ok((kept, prepared)) => Ok(prepared.admitted(case, kept, taken.permits)),
        Err(refused) => Err(Refused { account: Some(case.account), ..refused }),
    }
}

/// A batch of a site that there is, and what its request tells.
struct Case<'a> {
    services: &'a Services,
    site: &'a Site,
    account: Arc<Account>,
    sender: Sender<'a>,
    received_at: Wall,
}

impl Case<'_> {
    fn admit(&self, envelope: Envelope<'_>) -> Result<(Option<queue::Admitted>, Prepared), Refused> {
        check_origin(self.site, self.sender.headers)?;
        let in_quota = self.services.quotas.request(&self.site.id, self.site.quota, self.received_at);
        in_quota.map_err(|exceeded| over_quota(BodyCode::TooManyRequests, "requests", exceeded))?;
        let mut prepared = self.prepare(envelope)?;
        let Some(record) = prepared.record.take() else { return Ok((None, prepared)) };
        match self.services.queue.admit(record, prepared.accepted) {
            Ok(kept) => Ok((Some(kept), prepared)),
            Err(error) => {
                let problem = not_kept(&error, self.sender.id);
                prepared.pending.drop_as(problem.code);
                Err(problem.into())
            }
        }
    }

    fn prepare(&self, envelope: Envelope<'_>) -> Result<Prepared, Refused> {
        let mut decoded = envelope.validate()?;
        let mut pending = self.account.receive(decoded.received);
        pending.reject(&decoded.rejected);
        let views = decoded.batch.views.iter().map(|view| view.id);
        if let Err(exceeded) = self.services.quotas.views(&self.site.id, self.site.quota, views, self.received_at) {
            pending.drop_as(BodyCode::TooManyViews);
            return Err(over_quota(BodyCode::TooManyViews, "new views", exceeded));
        }
        let discarded = mem::take(&mut decoded.batch.discarded);
        let record = self.record(decoded.batch);
        let accepted = record.items();
        let record = (!record.views.is_empty()).then(|| record.encode());
        Ok(Prepared { record, pending, accepted, rejected: decoded.rejected, discarded })
    }

    /// The batch with what the request tells of its sender.
    fn record(&self, batch: Batch) -> ingest::Record {
        let (enricher, site, now) = (&self.services.enricher, self.site, self.received_at);
        let visitor = enricher.visitor(self.sender.peer.0, self.sender.headers);
        let client = batch.client.as_ref();
        let asked = visitor.private || client.is_some_and(|client| client.gpc == Some(true));
        // A batch without the context has neither device nor place.
        let place = client.map(|_| site.geo.of(enricher.place(&visitor, self.sender.headers))).unwrap_or_default();
        let facts = Facts {
            received_at: now,
            private: asked || site.consent == Consent::Denied,
            custom: &site.dimensions,
            agent: client.map_or_else(Agent::default, |client| enricher.agent(&visitor, client)),
            place: &place,
            daily_viewer: &|day| enricher.daily_viewer(&visitor, &site.id, day, now),
        };
        ingest::record(batch, facts)
    }
}

impl Prepared {
    fn admitted(mut self, case: Case<'_>, kept: Option<queue::Admitted>, permits: Permits) -> Admitted {
        self.rejected.truncate(REJECTIONS_LISTED);
        let reply = Reply {
            accepted: self.accepted,
            rejected: self.rejected,
            server_time: case.received_at,
            retry_after_ms: None,
        };
        Admitted {
            kept,
            pending: self.pending,
            account: case.account,
            reply,
            discarded: self.discarded,
            id: case.sender.id,
            permits,
        }
    }
}

impl Admitted {
    fn poll_kept(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), QueueError>> {
        self.kept.as_mut().map_or(Poll::Ready(Ok(())), |kept| Pin::new(kept).poll(cx))
    }

    /// Enters what became of it, and says so.
    fn settle(self, kept: Result<(), QueueError>) -> Result<Reply, Refused> {
        if let Err(error) = kept {
            let problem = not_kept(&error, self.id);
            self.pending.drop_as(problem.code);
            return Err(Refused { account: Some(self.account), ..problem.into() });
        }
        self.pending.accept(&self.discarded);
        drop(self.permits);
        Ok(self.reply)
    }
}

/// A batch that is waited for, and entered in the books also if that ends: a page that is being left does not wait for
/// the answer, and its batch is kept.
struct Unabandoned(Option<Admitted>);

impl Future for Unabandoned {
    type Output = Result<Reply, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(admitted) = &mut self.0 else { return Poll::Pending };
        let kept = ready!(admitted.poll_kept(cx));
        self.0.take().map_or(Poll::Pending, |admitted| Poll::Ready(admitted.settle(kept)))
    }
}

impl Drop for Unabandoned {
    fn drop(&mut self) {
        let (Some(mut admitted), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        let settling = async move {
            let kept = poll_fn(|cx| admitted.poll_kept(cx)).await;
            if let Err(refused) = admitted.settle(kept)
                && let Some(account) = &refused.account
            {
                account.refuse(refused.problem.code);
            }
        };
        drop(runtime.spawn(settling.in_current_span()));
    }
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

fn not_kept(error: &QueueError, id: RequestId) -> Problem {
    match error {
        QueueError::Full => answer::problem(BodyCode::QueueFull, "the queue is full; come back later"),
        QueueError::Io { .. } => {
            tracing::error!(request = %id, %error, source = ?std::error::Error::source(error), "a batch could not be kept");
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
