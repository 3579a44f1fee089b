//! The registers in which texts wait for the call that takes them.

use std::cell::RefCell;

use quartile_protocol::batch::{MediaKind, Offer, Player, Video};

/// Which text it is; the numbers are those of the loader.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Key {
    First = 0,
    Second = 1,
    Third = 2,
    VideoId = 10,
    VideoTitle = 11,
    Series = 12,
    Category = 13,
    Kind = 14,
    Media = 15,
    PlayerName = 20,
    PlayerVersion = 21,
    Engine = 22,
    Protocol = 23,
    Cdn = 24,
    Autoplay = 25,
    MutedStart = 26,
    Site = 40,
    Sdk = 41,
    Viewer = 42,
    User = 43,
}

struct Registers {
    texts: Vec<(u8, String)>,
    dims: Vec<(String, String)>,
}

thread_local! {
    static REGISTERS: RefCell<Registers> = const { RefCell::new(Registers { texts: Vec::new(), dims: Vec::new() }) };
}

pub(crate) fn put(key: u8, text: String) {
    REGISTERS.with_borrow_mut(|registers| registers.texts.push((key, text)));
}

pub(crate) fn put_dim(name: String, value: String) {
    REGISTERS.with_borrow_mut(|registers| registers.dims.push((name, value)));
}

/// Takes a text; empty if none was put.
pub(crate) fn take(key: Key) -> String {
    REGISTERS.with_borrow_mut(|registers| {
        let index = registers.texts.iter().position(|(of, _)| *of == key as u8);
        index.map(|index| registers.texts.swap_remove(index).1).unwrap_or_default()
    })
}

pub(crate) fn take_dims() -> Vec<(String, String)> {
    REGISTERS.with_borrow_mut(|registers| std::mem::take(&mut registers.dims))
}

pub(crate) fn video() -> Video {
    Video {
        id: take(Key::VideoId),
        title: take(Key::VideoTitle),
        duration_ms: None,
        kind: Offer::from_name(&take(Key::Kind)),
        media: MediaKind::from_name(&take(Key::Media)),
        series: take(Key::Series),
        category: take(Key::Category),
    }
}

pub(crate) fn player() -> Player {
    Player {
        name: take(Key::PlayerName),
        version: take(Key::PlayerVersion),
        engine: take(Key::Engine),
        protocol: take(Key::Protocol),
        cdn: take(Key::Cdn),
        autoplay: truth(&take(Key::Autoplay)),
        muted_start: truth(&take(Key::MutedStart)),
    }
}

fn truth(text: &str) -> Option<bool> {
    (!text.is_empty()).then_some(text == "true")
}
