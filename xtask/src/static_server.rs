//! A small HTTP server for the example pages: the files of one folder, on this machine only.
//!
//! It answers `GET` and `HEAD`, with single byte ranges (video elements ask for them), and closes every connection
//! after its answer. A path never leads out of the folder, not by `..` and not through a link.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Doing, Error, Result};

/// The most bytes of a request's head that are read.
const MAX_HEAD: u64 = 16 * 1024;

/// How long a browser may take to ask, or stop reading while it has enough video.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is served.
#[derive(Debug)]
struct Site {
    root: PathBuf,
    /// A text that pages contain, and what is sent instead of it.
    replacement: Option<(String, String)>,
}

/// Begins to serve the files of `root` on a port of 127.0.0.1 (0: any free one) for as long as this process lives, and
/// returns the address. In pages, the first text of `replacement` is replaced by the second.
pub fn start(root: &Path, port: u16, replacement: Option<(String, String)>) -> Result<SocketAddr> {
    let root = root.canonicalize().doing(|| format!("finding {}", root.display()))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|cause| Error::new(format!("serving the example page on port {port}: {cause}")))?;
    let address = listener.local_addr().doing(|| "finding the address of the example page".into())?;
    let site = Arc::new(Site { root, replacement });
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let site = Arc::clone(&site);
            // A browser that stops reading or goes away is no error of ours.
            std::thread::spawn(move || drop(answer(&site, stream)));
        }
    });
    Ok(address)
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    path: String,
    range: Option<String>,
}

/// Reads one request and answers it.
fn answer(site: &Site, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(request) = read_request(&mut stream) else {
        return plain(&mut stream, "400 Bad Request", "");
    };
    if request.method != "GET" && request.method != "HEAD" {
        return plain(&mut stream, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
    }
    match resolve(&site.root, &request.path) {
        Resolved::Nothing => plain(&mut stream, "404 Not Found", ""),
        Resolved::Folder => {
            plain(&mut stream, "308 Permanent Redirect", &format!("Location: {}/\r\n", header_safe(&request.path)))
        }
        Resolved::File(path) => send_file(site, &mut stream, &request, &path),
    }
}

/// The head of a request; nothing when it is not one.
fn read_request(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream.take(MAX_HEAD));
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    words.next()?.strip_prefix("HTTP/1.")?;
    let path = target.split(['?', '#']).next().unwrap_or("").to_owned();
    let mut range = None;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).ok()? == 0 {
            return None;
        }
        if header.trim().is_empty() {
            return Some(Request { method, path, range });
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            range = Some(value.trim().to_owned());
        }
    }
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
enum Resolved {
    File(PathBuf),
    /// A folder asked for without its closing slash.
    Folder,
    Nothing,
}

/// Finds the file that a path asks for; a folder stands for its `index.html`. `root` is canonical.
fn resolve(root: &Path, path: &str) -> Resolved {
    let Some(decoded) = percent_decoded(path) else {
        return Resolved::Nothing;
    };
    let forbidden = |part: &str| part == ".." || part == "." || part.contains(['\\', '\0']);
    if !decoded.starts_with('/') || decoded.split('/').any(forbidden) {
        return Resolved::Nothing;
    }
    let Ok(mut file) = root.join(decoded.trim_matches('/')).canonicalize() else {
        return Resolved::Nothing;
    };
    if file.is_dir() {
        if !decoded.ends_with('/') {
            return Resolved::Folder;
        }
        let Ok(index) = file.join("index.html").canonicalize() else {
            return Resolved::Nothing;
        };
        file = index;
    }
    if file.starts_with(root) && file.is_file() { Resolved::File(file) } else { Resolved::Nothing }
}

/// The text behind `%xx`; nothing when it is not UTF-8 or an escape is broken.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let digits = [*rest.next()?, *rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A path as it may stand in a header: one that begins with two slashes would name another host.
fn header_safe(path: &str) -> String {
    let visible: String = path.chars().filter(char::is_ascii_graphic).collect();
    format!("/{}", visible.trim_matches('/'))
}

/// The bytes to send of a file.
#[derive(Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    /// The first and the last byte.
    Part(u64, u64),
    /// A range that the file has not.
    Unsatisfiable,
}

/// What a `Range` header asks for of a file of `length` bytes. Several ranges, and what is not understood, get the
/// whole file, as the standard allows.
fn extent(range: Option<&str>, length: u64) -> Extent {
    let Some((first, last)) =
        range.and_then(|range| range.strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Extent::Whole;
    };
    let end = length.saturating_sub(1);
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first < length => Extent::Part(first, last.min(end)),
        (Ok(first), Ok(last)) if first <= last => Extent::Unsatisfiable,
        (Ok(first), Err(_)) if last.is_empty() && first < length => Extent::Part(first, end),
        (Ok(_), Err(_)) if last.is_empty() => Extent::Unsatisfiable,
        (Err(_), Ok(count)) if first.is_empty() && count > 0 && length > 0 => {
            Extent::Part(length.saturating_sub(count), end)
        }
        (Err(_), Ok(_)) if first.is_empty() => Extent::Unsatisfiable,
        _ => Extent::Whole,
    }
}

/// Sends a file or a part of it.
fn send_file(site: &Site, stream: &mut TcpStream, request: &Request, path: &Path) -> std::io::Result<()> {
    let kind = content_type(path);
    if let (Some((from, to)), true) = (&site.replacement, kind.starts_with("text/html")) {
        let page = std::fs::read_to_string(path)?.replace(from, to);
        return send(stream, request, "200 OK", kind, "", page.len() as u64, page.as_bytes());
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    match extent(request.range.as_deref(), length) {
        Extent::Whole => send(stream, request, "200 OK", kind, "", length, file),
        Extent::Part(first, last) => {
            file.seek(SeekFrom::Start(first))?;
            let header = format!("Content-Range: bytes {first}-{last}/{length}\r\n");
            send(stream, request, "206 Partial Content", kind, &header, last - first + 1, file)
        }
        Extent::Unsatisfiable => {
            plain(stream, "416 Range Not Satisfiable", &format!("Content-Range: bytes */{length}\r\n"))
        }
    }
}

/// Sends an answer whose body is the first `length` bytes of `body`.
fn send(
    stream: &mut TcpStream,
    request: &Request,
    status: &str,
    kind: &str,
    headers: &str,
    length: u64,
    body: impl Read,
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{headers}Accept-Ranges: bytes\r\n\
         Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    if request.method == "GET" {
        std::io::copy(&mut body.take(length), stream)?;
    }
    Ok(())
}

/// Sends an answer that consists of its status.
fn plain(stream: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    let length = status.len();
    let kind = "text/plain; charset=utf-8";
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{status}"
    )
}

/// The type of a file by the end of its name.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "vtt" => "text/vtt; charset=utf-8",
        "wasm" => "application/wasm",
        "mp4" | "m4s" => "video/mp4",
        "webm" => "video/webm",
        "ts" => "video/mp2t",
        "m3u8" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "md" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a page and a ten-byte video, beside a secret; removed with the value.
    struct Sample(PathBuf);

    impl Sample {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("xtask-static-{name}-{}", std::process::id()));
            std::fs::create_dir_all(folder.join("site/plain")).unwrap();
            std::fs::write(folder.join("secret.txt"), "secret").unwrap();
            std::fs::write(folder.join("site/plain/index.html"), "<p>http://old</p>").unwrap();
            std::fs::write(folder.join("site/a b.mp4"), "0123456789").unwrap();
            std::os::unix::fs::symlink(folder.join("secret.txt"), folder.join("site/link.txt")).unwrap();
            Self(folder)
        }

        fn root(&self) -> PathBuf {
            self.0.join("site").canonicalize().unwrap()
        }
    }

    impl Drop for Sample {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Sends a request as raw bytes and returns the whole answer.
    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_path_never_leads_out_of_the_folder() {
        let sample = Sample::new("traversal");
        let root = sample.root();
        for path in [
            "/../secret.txt",
            "/plain/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/%2e%2e%2fsecret.txt",
            "/plain/..",
            "/./plain/index.html",
            "/..\\secret.txt",
            "/link.txt",
            "secret.txt",
            "/%",
            "/%ff",
            "/a%00b",
            "/missing",
        ] {
            assert_eq!(resolve(&root, path), Resolved::Nothing, "{path}");
        }
    }

    #[test]
    fn files_and_folders_are_found() {
        let sample = Sample::new("found");
        let root = sample.root();
        let index = root.join("plain/index.html");
        assert_eq!(resolve(&root, "/plain/index.html"), Resolved::File(index.clone()));
        assert_eq!(resolve(&root, "/plain/"), Resolved::File(index));
        assert_eq!(resolve(&root, "/plain"), Resolved::Folder);
        assert_eq!(resolve(&root, "/a%20b.mp4"), Resolved::File(root.join("a b.mp4")));
        assert_eq!(resolve(&root, "/"), Resolved::Nothing);
    }

    #[test]
    fn ranges_follow_the_standard() {
        let check = |range: &str, expected: Extent| {
            assert_eq!(extent(Some(range), 10), expected, "{range}");
        };
        check("bytes=0-", Extent::Part(0, 9));
        check("bytes=2-5", Extent::Part(2, 5));
        check("bytes=2-500", Extent::Part(2, 9));
        check("bytes=-3", Extent::Part(7, 9));
        check("bytes=-30", Extent::Part(0, 9));
        check("bytes=10-", Extent::Unsatisfiable);
        check("bytes=10-20", Extent::Unsatisfiable);
        check("bytes=-0", Extent::Unsatisfiable);
        check("bytes=5-2", Extent::Whole);
        check("bytes=0-1,3-4", Extent::Whole);
        check("lines=0-1", Extent::Whole);
        check("bytes=", Extent::Whole);
        assert_eq!(extent(None, 10), Extent::Whole);
        assert_eq!(extent(Some("bytes=0-"), 0), Extent::Unsatisfiable);
    }

    #[test]
    fn a_browser_gets_what_it_asks_for() {
        let sample = Sample::new("server");
        let replacement = Some(("http://old".to_owned(), "http://new".to_owned()));
        let address = start(&sample.root(), 0, replacement).unwrap();
        let check = |request: &str, begin: &str, contained: &str, end: &str| {
            let answer = ask(address, request);
            assert!(answer.starts_with(begin) && answer.contains(contained) && answer.ends_with(end), "{answer}");
        };
        check("GET /plain/?x=1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", "text/html", "\r\n\r\n<p>http://new</p>");
        check("GET /plain HTTP/1.1\r\n\r\n", "HTTP/1.1 308 ", "Location: /plain/\r\n", "");
        check("GET /a%20b.mp4 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", "Accept-Ranges: bytes", "\r\n\r\n0123456789");
        check(
            "GET /a%20b.mp4 HTTP/1.1\r\nHost: x\r\nRANGE: bytes=2-4\r\n\r\n",
            "HTTP/1.1 206 ",
            "Content-Range: bytes 2-4/10\r\n",
            "\r\n\r\n234",
        );
        check("GET /a%20b.mp4 HTTP/1.1\r\nRange: bytes=99-\r\n\r\n", "HTTP/1.1 416 ", "bytes */10", "");
        check("HEAD /a%20b.mp4 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", "Content-Length: 10\r\n", "\r\n\r\n");
        check("POST /plain/ HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ", "Allow: GET, HEAD", "");
        check("GET /link.txt HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", "", "404 Not Found");
        check("nonsense\r\n\r\n", "HTTP/1.1 400 ", "", "");
    }

    #[test]
    fn a_redirect_stays_on_this_host() {
        assert_eq!(header_safe("//evil.example"), "/evil.example");
        assert_eq!(header_safe("/plain\r\nX: y"), "/plainX:y");
    }

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = start(&std::env::temp_dir(), port, None).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port}")), "{error}");
    }
}
