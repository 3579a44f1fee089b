//! Requests as simulated viewers make them: real slices, events and contexts of the tracker, with exactly as many events
//! as wanted. Each is sent many times, every time as another view: its digits are overwritten in place.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use quartile_protocol::batch::Batch;
use quartile_protocol::clock::Wall;
use quartile_protocol::id::SiteId;
use quartile_simulator::audience::Viewer;
use quartile_tracker::Answer;

use super::Result;

/// Viewers of whom requests are taken: enough for every device and place of the audience.
const VIEWERS: u64 = 200;

/// The last digits of a view's id, which are random.
const DIGITS: usize = 12;

/// A request with a view that can be made another.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
    digits: usize,
}

impl Request {
    /// The request as that of view `number`.
    pub fn of_view(&mut self, number: u64) -> &[u8] {
        let digits = format!("{:0DIGITS$x}", number & 0xffff_ffff_ffff);
        self.bytes[self.digits..self.digits + DIGITS].copy_from_slice(digits.as_bytes());
        &self.bytes
    }
}

/// Requests of an audience that watches now.
pub fn requests(to: SocketAddr, events: usize) -> Result<Vec<Request>> {
    let site = SiteId::new("demo")?;
    let mut requests = Vec::new();
    for number in 0..VIEWERS {
        let viewer = Viewer::new(1, number);
        let Some(batch) = fullest_batch(&site, viewer.clone()) else { continue };
        requests.extend(request(to, &viewer, &with_events(batch, events)));
    }
    if requests.is_empty() { Err("no simulated viewer played anything".into()) } else { Ok(requests) }
}

/// The batch of a viewing with the most events, if it says whose it is.
fn fullest_batch(site: &SiteId, mut viewer: Viewer) -> Option<Batch> {
    let sent = Arc::new(Mutex::new(Vec::<Batch>::new()));
    let network = Arc::clone(&sent);
    let opened = now().shifted(-(Viewer::longest() as i64));
    viewer.watch(
        site,
        opened,
        Box::new(move |batch: &Batch, _| {
            network.lock().unwrap_or_else(PoisonError::into_inner).push(batch.clone());
            Some((20, Answer::ACKNOWLEDGED))
        }),
    );
    let sent = std::mem::take(&mut *sent.lock().unwrap_or_else(PoisonError::into_inner));
    let good = sent.into_iter().filter(|batch| {
        let played = batch.views.iter().any(|view| !view.slices.is_empty() && !view.events.is_empty());
        batch.client.is_some() && played
    });
    good.max_by_key(|batch| batch.views.iter().map(|view| view.events.len()).sum::<usize>())
}

/// The batch with one view and its events repeated up to `count`, each with a number of its own.
fn with_events(mut batch: Batch, count: usize) -> Batch {
    batch.views.retain(|view| !view.slices.is_empty() && !view.events.is_empty());
    batch.views.truncate(1);
    for view in &mut batch.views {
        view.slices.truncate(1);
        let slice = view.slices[0].n;
        let repeated: Vec<_> = view.events.iter().cycle().take(count).cloned().collect();
        view.events = repeated;
        for (event, seq) in view.events.iter_mut().zip(0..) {
            event.seq = seq;
            event.n = slice;
        }
    }
    Batch { sent_at: now(), ..batch }
}

fn request(to: SocketAddr, viewer: &Viewer, batch: &Batch) -> Option<Request> {
    let body = batch.to_json();
    let mut bytes = format!(
        "POST /v1/collect HTTP/1.1\r\nHost: {to}\r\nContent-Type: text/plain\r\nUser-Agent: {}\r\nCF-Connecting-IP: {}\r\n\
         CF-IPCountry: {}\r\nCF-Region: {}\r\nContent-Length: {}\r\n\r\n",
        viewer.user_agent,
        viewer.address,
        viewer.country,
        viewer.region,
        body.len()
    )
    .into_bytes();
    let id = body.find(r#""views":[{"id":""#)? + r#""views":[{"id":""#.len();
    let digits = bytes.len() + id + 36 - DIGITS;
    bytes.extend_from_slice(body.as_bytes());
    Some(Request { bytes, digits })
}

fn now() -> Wall {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall::from_ms(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
