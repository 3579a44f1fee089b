//! Undoes what a body was compressed with. What it unfolds to is bounded like what was sent, and so is the memory that
//! it takes on the way: a bomb is cut at the bound.

use std::io::{self, Read};

use brotli_decompressor::reader::Decompressor;
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use quartile_protocol::limits::BODY_BYTES;
use quartile_protocol::reply::{BodyCode, Problem};

use super::{answer, body};

/// The first bytes of gzip (RFC 1952). They are what tells it: a header would cost pages a preflight.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The most that zstd may look back, as a power of two: 8 MiB, what every decoder must be able to (RFC 8878, 3.1.1.1.2).
const ZSTD_WINDOW_LOG: u32 = 23;

/// The lower seven bits of brotli with windows of up to a gigabyte: an extension that no browser uses. RFC 7932 (9.1)
/// has them mean nothing.
const LARGE_WINDOW: u8 = 0b001_0001;

/// How much brotli reads at once.
const BROTLI_BUFFER: usize = 4_096;

/// What a body is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Nothing, or gzip if it begins like that.
    Unsaid,
    Gzip,
    Brotli,
    Zstd,
}

/// What the headers say that the body is compressed with.
pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let mut said = headers.get_all(CONTENT_ENCODING).iter();
    let Some(value) = said.next() else { return Ok(Coding::Unsaid) };
    let value = value.to_str().unwrap_or("?").trim();
    let coding = match &*value.to_ascii_lowercase() {
        "" | "identity" => Some(Coding::Unsaid),
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "br" => Some(Coding::Brotli),
        "zstd" => Some(Coding::Zstd),
        _ => None,
    };
    coding.filter(|_| said.next().is_none()).ok_or_else(|| {
        let message = "Content-Encoding must be one of gzip, br and zstd, or be left out";
        answer::problem(BodyCode::UnsupportedEncoding, message)
    })
}

/// The body as it was before it was compressed.
pub(super) fn bytes(coding: Coding, bytes: Bytes) -> Result<Bytes, Problem> {
    match coding {
        Coding::Unsaid if !bytes.starts_with(&GZIP) => Ok(bytes),
        Coding::Unsaid | Coding::Gzip => bounded("gzip", GzDecoder::new(&*bytes)),
        Coding::Brotli if bytes.first().is_some_and(|first| first & 0x7f == LARGE_WINDOW) => {
            Err(answer::problem(BodyCode::Unreadable, "the body is brotli with a large window, which is not taken"))
        }
        Coding::Brotli => bounded("brotli", Decompressor::new(&*bytes, BROTLI_BUFFER)),
        Coding::Zstd => bounded("zstd", zstd(&bytes).map_err(|error| broken("zstd", &error))?),
    }
}

fn zstd(bytes: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::Decoder::with_buffer(bytes)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

fn bounded(name: &str, decoder: impl Read) -> Result<Bytes, Problem> {
    let mut unfolded = Vec::new();
    let read = decoder.take(BODY_BYTES as u64 + 1).read_to_end(&mut unfolded);
    read.map_err(|error| broken(name, &error))?;
    if unfolded.len() > BODY_BYTES { Err(body::too_large()) } else { Ok(unfolded.into()) }
}

fn broken(name: &str, error: &io::Error) -> Problem {
    answer::problem(BodyCode::Unreadable, format!("the body is broken {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use brotli::enc::BrotliEncoderParams;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotlied(mut bytes: &[u8], settings: &BrotliEncoderParams) -> Vec<u8> {
        let mut compressed = Vec::new();
        ::brotli::BrotliCompress(&mut bytes, &mut compressed, settings).unwrap();
        compressed
    }

    fn quick() -> BrotliEncoderParams {
        BrotliEncoderParams { quality: 5, ..BrotliEncoderParams::default() }
    }

    /// What comes back, or the code of the refusal.
    fn unfolded(coding: Coding, body: Vec<u8>) -> Result<Bytes, BodyCode> {
        bytes(coding, body.into()).map_err(|problem| problem.code)
    }

    #[test]
    fn each_coding_is_undone_up_to_the_bound_and_not_beyond() {
        for coding in [Coding::Unsaid, Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let compress = |bytes: &[u8]| match coding {
                Coding::Unsaid | Coding::Gzip => gzipped(bytes),
                Coding::Brotli => brotlied(bytes, &quick()),
                Coding::Zstd => ::zstd::encode_all(bytes, 3).unwrap(),
            };
            assert_eq!(unfolded(coding, compress(b"{}")).unwrap(), &b"{}"[..], "{coding:?}");
            let at_bound = vec![b' '; BODY_BYTES];
            assert_eq!(unfolded(coding, compress(&at_bound)).unwrap().len(), BODY_BYTES, "{coding:?}");
            assert_eq!(unfolded(coding, compress(&vec![b' '; BODY_BYTES + 1])), Err(BodyCode::TooLarge), "{coding:?}");
            assert_eq!(unfolded(coding, compress(&vec![b' '; 64 << 20])), Err(BodyCode::TooLarge), "{coding:?}");
            let whole = compress(b"a body that breaks off in the middle of what it was compressed to");
            let half = whole[..whole.len() / 2].to_vec();
            assert_eq!(unfolded(coding, half), Err(BodyCode::Unreadable), "{coding:?}");
            assert_eq!(unfolded(coding, GZIP.to_vec()), Err(BodyCode::Unreadable), "{coding:?}");
        }
        assert_eq!(unfolded(Coding::Unsaid, b"{}".to_vec()).unwrap(), &b"{}"[..]);
    }

    #[test]
    fn windows_that_would_take_more_memory_than_a_body_is_worth_are_refused() {
        let large = BrotliEncoderParams { large_window: true, lgwin: 28, ..quick() };
        assert_eq!(unfolded(Coding::Brotli, brotlied(&[b'x'; 1_000], &large)), Err(BodyCode::Unreadable));
        for (log, expected) in [(ZSTD_WINDOW_LOG, Ok(())), (ZSTD_WINDOW_LOG + 1, Err(BodyCode::Unreadable))] {
            let mut encoder = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
            encoder.window_log(log).unwrap();
            encoder.write_all(&[b'x'; 1_000]).unwrap();
            let body = encoder.finish().unwrap();
            assert_eq!(unfolded(Coding::Zstd, body).map(|_| ()), expected, "window of 2^{log}");
        }
    }

    #[test]
    fn what_cannot_be_undone_is_told_before_the_body_is_looked_at() {
        let coding_of = |values: &[&'static str]| {
            let headers = values.iter().map(|&value| (CONTENT_ENCODING, value.parse().unwrap())).collect();
            coding(&headers).map_err(|problem| problem.code)
        };
        assert_eq!(coding_of(&[]), Ok(Coding::Unsaid));
        assert_eq!(coding_of(&["identity"]), Ok(Coding::Unsaid));
        assert_eq!(coding_of(&["GZip"]), Ok(Coding::Gzip));
        assert_eq!(coding_of(&["br"]), Ok(Coding::Brotli));
        assert_eq!(coding_of(&[" zstd "]), Ok(Coding::Zstd));
        for unsupported in [&["deflate"][..], &["gzip, br"], &["gzip", "gzip"], &["compress"]] {
            assert_eq!(coding_of(unsupported), Err(BodyCode::UnsupportedEncoding), "{unsupported:?}");
        }
    }
}
