//! Lengths of texts: what a signal says is cut where it would be refused, and never within a character.

use quartile_protocol::event::EventKind;
use quartile_protocol::limits::{TITLE_BYTES, WORD_BYTES};
use quartile_simulator::network::good_network;
use quartile_tracker::{PageSignal, Signal};

use crate::known::{Known, watch_live};

/// A text of so many bytes, most of them in characters of two.
fn text(bytes: usize) -> &'static str {
    let odd = if bytes % 2 == 1 { "a" } else { "" };
    Box::leak(format!("{odd}{}", "é".repeat(bytes / 2)).into_boxed_str())
}

/// What a collector gets of a text in each place of a signal, in bytes: of words, and of texts for people.
fn told(bytes: usize) -> (Vec<usize>, Vec<usize>) {
    let mut page = watch_live(good_network());
    page.wait(500);
    let text = text(bytes);
    page.stir(Signal::Failed { code: text, message: text, fatal: false });
    page.stir(Signal::Captions(Some(text)));
    page.stir(Signal::AudioTrack(text));
    page.stir(Signal::Interaction { feature: text, name: text, value: text });
    page.page(PageSignal::Left);
    let known = Known::of(page.sent());
    let (mut words, mut texts) = (Vec::new(), Vec::new());
    for event in known.events.into_values() {
        match event.kind {
            EventKind::Error { code, message, .. } => {
                words.push(code.as_str().len());
                texts.push(message.as_str().len());
            }
            EventKind::Captions { language, .. } | EventKind::AudioTrack { language } => {
                words.push(language.as_str().len());
            }
            EventKind::Interaction { feature, name, value } => {
                words.extend([feature.as_str().len(), name.as_str().len()]);
                texts.push(value.as_str().len());
            }
            _ => {}
        }
    }
    let (slice, _) = known.slices.into_values().next().unwrap();
    words.push(slice.error_code.len());
    (words, texts)
}

#[test]
fn a_word_of_a_hundred_bytes_is_told_whole() {
    assert_eq!(told(WORD_BYTES), (vec![100; 6], vec![100; 2]));
}

#[test]
fn a_word_of_one_byte_more_loses_a_character() {
    assert_eq!(told(WORD_BYTES + 1), (vec![99; 6], vec![101; 2]));
}

#[test]
fn a_text_of_five_hundred_bytes_is_told_whole() {
    assert_eq!(told(TITLE_BYTES), (vec![100; 6], vec![500; 2]));
}

#[test]
fn a_text_of_one_byte_more_loses_a_character() {
    assert_eq!(told(TITLE_BYTES + 1), (vec![99; 6], vec![499; 2]));
}
