//! A small HTTP/1.1 client for servers on this machine: one request per connection, everything bounded.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{Doing, Error, Result};

/// The largest answer that is read.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// How long a connection may take to be made, and how long it may stay silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, after any transfer coding.
    pub body: String,
}

/// Asks for `path`.
pub fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    exchange(address, &format!("GET {path} HTTP/1.1\r\n{}\r\n", common_headers(address)))
}

/// Posts JSON to `path`.
pub fn post_json(address: SocketAddr, path: &str, body: &str) -> Result<Answer> {
    let headers = common_headers(address);
    let length = body.len();
    exchange(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

fn common_headers(address: SocketAddr) -> String {
    format!("Host: {address}\r\nAccept: application/json, */*\r\nUser-Agent: quartile-xtask\r\nConnection: close\r\n")
}

/// Sends a request and reads the whole answer.
fn exchange(address: SocketAddr, request: &str) -> Result<Answer> {
    let doing = || format!("talking to {address}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).doing(doing)?;
    stream.set_read_timeout(Some(PATIENCE)).doing(doing)?;
    stream.set_write_timeout(Some(PATIENCE)).doing(doing)?;
    stream.write_all(request.as_bytes()).doing(doing)?;
    let mut bytes = Vec::new();
    stream.take(MAX_ANSWER + 1).read_to_end(&mut bytes).doing(doing)?;
    if bytes.len() as u64 > MAX_ANSWER {
        return Err(Error::new(format!("{address} answered with more than {MAX_ANSWER} bytes")));
    }
    parse(&bytes)
        .ok_or_else(|| Error::new(format!("{address} answered with something that is not HTTP, or was cut off")))
}

/// An answer from all its bytes; nothing when they are not a whole answer.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        let matching = |line: &&str| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        head.split("\r\n").skip(1).find(matching).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    };
    let body = if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        unchunked(rest)?
    } else if let Some(length) = header("content-length") {
        rest.get(..length.parse().ok()?)?.to_vec()
    } else {
        rest.to_vec()
    };
    Some(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// The content of a chunked body; nothing when it is cut off.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        let chunk = rest.get(end + 2..)?;
        body.extend_from_slice(chunk.get(..length)?);
        rest = chunk.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    fn check(raw: &str, expected: Option<(u16, &str)>) {
        let expected = expected.map(|(status, body)| Answer { status, body: body.to_owned() });
        assert_eq!(parse(raw.as_bytes()), expected, "{raw}");
    }

    #[test]
    fn answers_of_each_framing_are_read() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhello", Some((200, "he")));
        check("HTTP/1.1 503 Busy\r\n\r\nto the end", Some((503, "to the end")));
        check("HTTP/1.1 204 No Content\r\n\r\n", Some((204, "")));
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n6;x=y\r\npedia.\r\n0\r\n\r\n",
            Some((200, "wikipedia.")),
        );
    }

    #[test]
    fn broken_answers_are_refused() {
        check("", None);
        check("HTTP/1.1 200 OK\r\nContent-Le", None);
        check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", None);
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort\r\n", None);
        check("SSH-2.0-server\r\n\r\n", None);
    }

    /// Answers one request and returns the lines of its head and its body.
    fn one_answer(answer: &'static str) -> (SocketAddr, JoinHandle<(Vec<String>, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line == "\r\n" {
                    break;
                }
                head.push(line.trim_end().to_owned());
            }
            let length = head
                .iter()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            (head, String::from_utf8(body).unwrap())
        });
        (address, server)
    }

    #[test]
    fn a_post_carries_its_body() {
        let (address, server) = one_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        let answer = post_json(address, "/v1/reports/query", "{\"site\":\"demo\"}").unwrap();
        assert_eq!(answer, Answer { status: 200, body: "{}".into() });
        let (head, body) = server.join().unwrap();
        assert_eq!(head[0], "POST /v1/reports/query HTTP/1.1");
        assert!(head.contains(&format!("Host: {address}")));
        assert_eq!(body, "{\"site\":\"demo\"}");
    }

    #[test]
    fn a_get_has_no_body() {
        let (address, server) = one_answer("HTTP/1.1 404 Not Found\r\n\r\n");
        assert_eq!(get(address, "/healthz").unwrap().status, 404);
        assert_eq!(server.join().unwrap().0[0], "GET /healthz HTTP/1.1");
    }

    #[test]
    fn nobody_listening_is_an_error() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(get(free, "/").unwrap_err().to_string().starts_with("talking to 127.0.0.1:"));
    }
}
