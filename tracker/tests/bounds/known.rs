//! Pages on bad networks, and what a collector knows of them.

use std::collections::BTreeMap;

use quartile_protocol::batch::{Player, Video, View};
use quartile_protocol::clock::Wall;
use quartile_protocol::event::Event;
use quartile_protocol::field::Field;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::slice::Slice;
use quartile_simulator::network::Network;
use quartile_simulator::page::{Page, Sent};
use quartile_simulator::shell::Shell;
use quartile_tracker::{Answer, Length};

/// A moment just after a five-minute mark.
pub const OPENED: Wall = Wall::from_ms(1_790_000_100_000);

pub const FIVE_MINUTES_MS: u64 = 300_000;

pub fn shell() -> Shell {
    Shell::new(SiteId::new("demo").unwrap(), [1, 2])
}

/// A collector that is full for now, however often it is asked.
pub fn full_collector() -> Network {
    Box::new(|_, _| Some((10, Answer::LATER)))
}

/// A collector that is full for a while.
pub fn full_collector_between(from_ms: u64, until_ms: u64) -> Network {
    Box::new(move |_, now| {
        let full = (from_ms..until_ms).contains(&now.as_ms());
        Some((10, if full { Answer::LATER } else { Answer::ACKNOWLEDGED }))
    })
}

/// Somebody watches live, which has no quartiles: there are no events but those that a test asks for.
pub fn watch_live(network: Network) -> Page {
    let video = Video { id: "film".into(), ..Video::default() };
    let mut page = Page::open(shell(), Player::default(), video, "/live.m3u8", OPENED, network);
    page.load(Length::Endless);
    page.play(0);
    page
}

/// What a collector knows that got some requests.
#[derive(Default)]
pub struct Known {
    /// The last copy of each slice, and the view of the wire that it came in.
    pub slices: BTreeMap<(ViewId, u32), (Slice, View)>,
    pub events: BTreeMap<(ViewId, u32), Event>,
    /// How much was given up, as the last of them says that says so.
    pub discarded: u64,
}

impl Known {
    pub fn of<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> Self {
        let mut known = Self::default();
        for Sent { batch, .. } in sent {
            for view in &batch.views {
                for slice in &view.slices {
                    let (kept, _) = known.slices.entry((view.id, slice.n)).or_insert((slice.clone(), view.clone()));
                    kept.fields.join(&slice.fields);
                }
                let events = view.events.iter().map(|event| ((view.id, event.seq), event.clone()));
                known.events.extend(events);
            }
            if !batch.discarded.is_empty() {
                known.discarded = batch.discarded.iter().map(|(_, count)| count).sum();
            }
        }
        known
    }

    /// What the last flush of a page says: all that no collector acknowledged before.
    pub fn of_last_flush(page: &Page) -> Self {
        let last = page.sent().last().unwrap().at;
        Self::of(page.sent().iter().filter(|sent| sent.urgent && sent.at == last))
    }

    pub fn slice_numbers(&self) -> Vec<u32> {
        self.slices.keys().map(|&(_, n)| n).collect()
    }

    pub fn event_numbers(&self) -> Vec<u32> {
        self.events.keys().map(|&(_, seq)| seq).collect()
    }

    pub fn total(&self, field: Field) -> u64 {
        self.slices.values().map(|(slice, _)| slice.fields[field]).sum()
    }
}
