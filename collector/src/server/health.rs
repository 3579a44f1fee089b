//! For who runs the collector: is it there, can it work, what has it done.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use quartile_protocol::reply::BodyCode;
use serde_json::json;

use super::{Shared, access, answer};
use crate::ingest::accounts::Samples;
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

/// `GET /metrics`: counters as Prometheus reads them. They tell of sites and volumes, so it takes a reader's token.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = access::refusal(&shared.services.access, &headers) {
        return refusal;
    }
    let mut samples = Samples::default();
    for (&code, count) in BodyCode::ALL.iter().zip(&shared.refused) {
        let labels = [("code", code.as_str())];
        samples.add_if_any("quartile_batches_refused_total", &labels, count.load(Ordering::Relaxed));
    }
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
