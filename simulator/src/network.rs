//! What becomes of requests on the way to a collector and back.

use fastrand::Rng;
use quartile_protocol::batch::Batch;
use quartile_protocol::clock::{Millis, Mono};
use quartile_tracker::Answer;

/// What the network does with a request: the page hears of it after a while, or never.
pub type Network = Box<dyn FnMut(&Batch, Mono) -> Option<(Millis, Answer)>>;

/// The collector has it.
const TAKEN: Answer = Answer::ACKNOWLEDGED;

/// A page takes a request for lost after 30 s.
const TOO_LATE_MS: Millis = 30_000;

/// A network that takes everything and answers after 50 ms.
#[must_use]
pub fn good_network() -> Network {
    Box::new(|_, _| Some((50, TAKEN)))
}

/// A network and a collector that lose, delay and refuse for now: only some requests are acknowledged in time. What
/// the collector got, the page often does not learn: then requests come twice, and in any order.
#[must_use]
pub fn lossy_network(seed: u64) -> Network {
    let mut random = Rng::with_seed(seed);
    Box::new(move |_, _| lossy_answer(&mut random))
}

/// The same, with a collector that refuses some requests for good.
#[must_use]
pub fn refusing_network(seed: u64) -> Network {
    let mut random = Rng::with_seed(seed);
    Box::new(move |_, _| match random.u8(0..8) {
        0 => Some((40, Answer::REFUSED)),
        _ => lossy_answer(&mut random),
    })
}

fn lossy_answer(random: &mut Rng) -> Option<(Millis, Answer)> {
    match random.u8(0..20) {
        // Lost on the way there, or on the way back.
        0..3 => None,
        // The connection broke: the page hears of it at once.
        3..5 => Some((random.u64(1..300), Answer::LATER)),
        // 503 with `Retry-After`.
        5..7 => Some((40, Answer::later(random.u64(1..20) * 1000))),
        // A proxy's 200 whose JSON has no `accepted`, which the shell takes for none.
        7 => Some((15, Answer::LATER)),
        // Answered when the page has long taken it for lost.
        8 => Some((TOO_LATE_MS + random.u64(1..20_000), TAKEN)),
        // Slow, so that the next one may overtake it.
        9..12 => Some((random.u64(2_000..TOO_LATE_MS), TAKEN)),
        _ => Some((random.u64(20..200), TAKEN)),
    }
}
