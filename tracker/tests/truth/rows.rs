//! What a collector knows that got some requests, in some order: rows, merged by the one rule.

use std::collections::BTreeMap;

use quartile_protocol::batch::{Batch, View};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::event::{ErrorPhase, Event, StopReason};
use quartile_protocol::id::ViewId;
use quartile_protocol::row::{Row, RowKey};
use quartile_protocol::slice::Slice;
use quartile_simulator::page::Sent;

/// Rows and events by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub rows: BTreeMap<RowKey, Row>,
    pub events: BTreeMap<(ViewId, u32), Event>,
}

impl Known {
    /// What is known from these requests.
    pub fn of<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> Self {
        let mut known = Self::default();
        for sent in sent {
            known.learn(&sent.batch);
        }
        known
    }

    fn learn(&mut self, batch: &Batch) {
        for view in &batch.views {
            for slice in &view.slices {
                let row = row(batch, view, slice);
                match self.rows.get_mut(&row.key) {
                    Some(kept) => kept.join(&row),
                    None => drop(self.rows.insert(row.key.clone(), row)),
                }
            }
            for event in &view.events {
                let kept = self.events.entry((view.id, event.seq)).or_insert_with(|| event.clone());
                assert_eq!(kept, event, "copies of one event are equal");
            }
        }
    }

    /// Their numbers alone, view by view.
    pub fn into_views(self) -> Vec<Vec<Slice>> {
        let mut views: BTreeMap<ViewId, Vec<Slice>> = BTreeMap::new();
        for (key, row) in self.rows {
            views.entry(key.view).or_default().push(Slice {
                n: key.n,
                at: row.started_at,
                span_ms: row.span_ms,
                fields: row.fields,
                watched: row.watched,
                rewatched: row.rewatched,
                active: row.active,
                ..Slice::default()
            });
        }
        views.into_values().collect()
    }
}

/// As a collector makes it of one slice. What it derives from the request stands in for device, place and viewer: it is
/// filled in only where the batch carries the context.
fn row(batch: &Batch, view: &View, slice: &Slice) -> Row {
    let mut dimensions = Dimensions::default();
    let truth = |known: Option<bool>| known.map_or(String::new(), |known| known.to_string());
    let said = [
        (Dimension::Video, view.video.id.clone()),
        (Dimension::VideoTitle, view.video.title.clone()),
        (Dimension::Series, view.video.series.clone()),
        (Dimension::Kind, view.video.kind.map_or(String::new(), |kind| kind.as_str().to_owned())),
        (Dimension::Engine, view.player.engine.clone()),
        (Dimension::Autoplay, truth(view.player.autoplay)),
        (Dimension::User, batch.user.clone()),
        (Dimension::Session, batch.session.map_or(String::new(), |session| session.to_string())),
        (Dimension::Device, batch.client.as_ref().map_or("", |_| "desktop").to_owned()),
        (Dimension::StopReason, slice.stop_reason.map_or("", StopReason::as_str).to_owned()),
        (Dimension::ErrorCode, slice.error_code.clone()),
        (Dimension::ErrorPhase, slice.error_phase.map_or("", ErrorPhase::as_str).to_owned()),
    ];
    for (dimension, value) in said {
        dimensions.set(dimension, value);
    }
    Row {
        key: RowKey { site: batch.site.clone(), view: view.id, n: slice.n },
        started_at: slice.at,
        span_ms: slice.span_ms,
        fields: slice.fields,
        watched: slice.watched,
        rewatched: slice.rewatched,
        active: slice.active,
        dimensions,
    }
}
