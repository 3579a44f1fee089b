//! For who runs the collector: is it there, can it work, what has it done.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{Shared, access, answer};
use crate::access::Scope;
use crate::metrics::Samples;
use crate::queue::Stats;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> Response {
    answer::json(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /readyz`: the queue can keep and the store can answer.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let queue = !shared.services.queue.stats().failing;
    let worker = Arc::clone(&shared);
    let asked = tokio::task::spawn_blocking(move || worker.services.store.ready()).await;
    let store = matches!(asked, Ok(Ok(())));
    let word = |works| if works { "ok" } else { "failing" };
    let status = if queue && store { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer::json(status, &json!({ "status": word(queue && store), "queue": word(queue), "store": word(store) }))
}

/// `GET /metrics`: counters as Prometheus reads them. They tell of all sites and their volumes, so it takes a token for
/// everything.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let reader = access::reader(&shared.services.access.load(), &headers);
    let refusal = reader.map_or_else(Some, |reader| access::refusal(&reader, Scope::Admin, None));
    if let Some(refusal) = refusal {
        return refusal;
    }
    let mut samples = Samples::default();
    samples.add("quartile_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    samples.add("quartile_connections", &[], shared.open_connections.load(Ordering::Relaxed));
    let [requests, bytes] = shared.in_flight();
    samples.add("quartile_requests_in_flight", &[], requests);
    samples.add("quartile_body_bytes_in_flight", &[], bytes);
    let reloads = &shared.services.reloads;
    samples.add("quartile_reloads_total", &[], reloads.done.load(Ordering::Relaxed));
    samples.add("quartile_reloads_failed_total", &[], reloads.failed.load(Ordering::Relaxed));
    shared.services.books.write_metrics(&mut samples);
    let stats = shared.services.queue.stats();
    shared.services.progress.write_metrics(&mut samples, &stats, shared.services.clock.now());
    samples.add("quartile_refill_segments_left", &[], shared.services.refill.left());
    shared.services.sinks.iter().for_each(|sink| sink.write_metrics(&mut samples));
    queue_metrics(&stats, &mut samples);
    answer::text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", samples.into_text())
}

fn queue_metrics(stats: &Stats, samples: &mut Samples) {
    for (name, value) in [
        ("quartile_queue_records", stats.records),
        ("quartile_queue_bytes", stats.bytes),
        ("quartile_queue_max_bytes", stats.max_bytes),
        ("quartile_queue_waiting_bytes", stats.waiting_bytes),
        ("quartile_queue_failing", u64::from(stats.failing)),
        ("quartile_queue_appended_records_total", stats.appended_records),
        ("quartile_queue_groups_total", stats.groups),
        ("quartile_queue_failed_records_total", stats.failed_records),
        ("quartile_queue_dropped_records_total", stats.dropped_records),
        ("quartile_queue_refused_full_total", stats.refused_full),
        ("quartile_queue_lost_records_total", stats.lost_records),
        ("quartile_queue_damaged_segments_total", stats.damaged_segments),
        ("quartile_queue_torn_bytes_total", stats.torn_bytes),
    ] {
        samples.add(name, &[], value);
    }
}
