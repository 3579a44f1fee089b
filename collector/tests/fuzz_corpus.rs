//! The fuzz targets over their committed corpus and over variations of it: the same properties, without the fuzzer's
//! instrumentation. `cargo xtask fuzz` searches for more; what it finds goes into the corpus under a name that says what
//! it broke.
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

use fastrand::Rng;

/// Variations of each input.
const VARIATIONS: usize = 100;

fn run_corpus(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 4, "{} has a corpus", folder.display());
    let contents: Vec<_> = inputs.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut random = Rng::with_seed(7);
    for (path, content) in inputs.iter().zip(&contents) {
        // Named first, so that the output of a failure ends with the input that caused it.
        println!("{}", path.display());
        target(content);
        for _ in 0..VARIATIONS {
            let varied = vary(content, &contents, &mut random);
            println!("{:?}", String::from_utf8_lossy(&varied));
            target(&varied);
        }
    }
}

/// One to four changes of the kinds that find the most: a bit, a byte, a piece doubled, dropped or taken from elsewhere.
fn vary(content: &[u8], others: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut bytes = content.to_vec();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(0..=bytes.len());
        let to = random.usize(at..=bytes.len().min(at + 32));
        match random.u8(0..5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            1 if at < bytes.len() => bytes[at] = random.u8(..),
            2 => {
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => drop(bytes.drain(at..to)),
            _ => {
                let other = &others[random.usize(0..others.len())];
                let from = random.usize(0..=other.len());
                bytes.splice(at..to, other[from..other.len().min(from + 32)].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn bodies() {
    run_corpus("decode", targets::decode);
}

#[test]
fn user_agents() {
    run_corpus("agents", targets::agents);
}

#[test]
fn request_headers() {
    run_corpus("headers", targets::headers);
}

#[test]
fn queue_records() {
    run_corpus("queue", targets::queue);
}
