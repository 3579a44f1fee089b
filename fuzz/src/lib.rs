//! What must hold for any bytes whatever. The fuzzer runs these (`cargo xtask fuzz`), and the collector's tests run them
//! over the committed corpus and variations of it.
#![allow(clippy::unwrap_used, reason = "to panic is how a finding is told")]

mod memory;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};
use quartile_collector::enrich::address::Trust;
use quartile_collector::enrich::agent::Agents;
use quartile_collector::enrich::headers::HeaderNames;
use quartile_collector::enrich::place::Place;
use quartile_collector::ingest::{self, Facts, Record};
use quartile_collector::queue::{self, Config, Depth, Queue, SegmentAudit};
use quartile_protocol::batch::{Batch, Client};
use quartile_protocol::clock::Wall;
use quartile_protocol::decode::{Decoded, Envelope};

use self::memory::MemoryFs;

/// The longest text that is kept of an agent or a place.
const PART_BYTES: usize = 100;

/// A body: every item has one outcome; what is accepted is accepted again, unchanged, and survives the queue.
pub fn decode(data: &[u8]) {
    let Ok(decoded) = Envelope::read(data).and_then(Envelope::validate) else { return };
    let rejected: u64 = decoded.rejected.iter().map(|rejection| rejection.items).sum();
    assert_eq!(decoded.received, items(&decoded.batch) + rejected, "every item has one outcome");

    let again = Envelope::read(decoded.batch.to_json().as_bytes()).and_then(Envelope::validate).unwrap();
    let received = items(&decoded.batch);
    assert_eq!(again, Decoded { batch: decoded.batch.clone(), rejected: Vec::new(), received });

    let place = Place::default();
    let facts = Facts {
        received_at: Wall::from_ms(1_790_000_000_000),
        private: false,
        custom: &[],
        agent: quartile_collector::enrich::agent::Agent::default(),
        place: &place,
        daily_viewer: &|_| "0123456789abcdef".into(),
    };
    let record = ingest::record(decoded.batch, facts);
    let encoded = record.encode();
    assert_eq!(Record::count_items(&encoded), record.items());
    assert_eq!(Record::decode(&encoded).unwrap(), record);
}

fn items(batch: &Batch) -> u64 {
    batch.views.iter().map(|view| (view.slices.len() + view.events.len()) as u64).sum()
}

static AGENTS: LazyLock<Agents> = LazyLock::new(|| Agents::new().unwrap());

/// A user agent, and below it, a line each, what a page passes on: no part is longer than it may be, and remembering
/// changes nothing.
pub fn agents(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (user_agent, platform, platform_version) = (line(), line(), line());
    let mut model = line();
    model.truncate(model.floor_char_boundary(PART_BYTES));
    let touch_points = line().parse().ok();
    let client = Client {
        platform,
        platform_version,
        model,
        mobile: Some(data.len().is_multiple_of(2)),
        touch_points,
        ..Client::default()
    };
    let agent = AGENTS.read(&user_agent).with_hints(&client);
    assert_eq!(agent, AGENTS.read(&user_agent).with_hints(&client));
    for part in [&agent.vendor, &agent.model, &agent.browser, &agent.browser_version, &agent.bot] {
        assert!(part.len() <= PART_BYTES, "{part}");
    }
    // A page tells what system it is on, and not what kind of device.
    assert_eq!(agent.device.is_none(), user_agent.is_empty(), "{agent:?}");
}

/// Headers, a line each: nobody is believed who should not be, and a place is short, clean and of a country.
pub fn headers(data: &[u8]) {
    let mut map = HeaderMap::new();
    for line in data.split(|&byte| byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    let peer: IpAddr = "10.0.0.1".parse().unwrap();
    let trust = Trust { networks: vec!["10.0.0.0/8".parse().unwrap()], secret: None };
    assert!(trust.believes(peer, &map) && !Trust::default().believes(peer, &map));
    let generic = HeaderNames { address: Some(FORWARDED), ..HeaderNames::default() };
    let presets = HeaderNames::presets().filter_map(HeaderNames::preset);
    for names in presets.chain([HeaderNames::default(), generic]) {
        let address = trust.behind(peer, &map, &names);
        assert_eq!(address, address.to_canonical(), "one sender has one address");
        let place = names.place(&map);
        for part in [&place.country, &place.region, &place.city, &place.isp] {
            assert!(part.len() <= PART_BYTES && !part.contains(char::is_control), "{part:?}");
        }
        let is_country = place.country.len() == 2 && place.country.bytes().all(|byte| byte.is_ascii_uppercase());
        assert!(place.country.is_empty() || is_country, "{place:?}");
    }
}

const FOLDER: &str = "/queue";

/// A queue as the queue itself wrote it.
static WRITTEN: LazyLock<MemoryFs> = LazyLock::new(|| {
    let fs = MemoryFs::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (queue, _reader) = Queue::open(&Config::new(FOLDER), Arc::new(fs.clone())).unwrap();
        for number in 0_usize..8 {
            queue.append(vec![number as u8 + b'a'; 1 + 23 * number]).await.unwrap();
        }
        queue.close().await;
    });
    fs
});

/// Edits of a segment: pairs of a place and what is changed there, then a cut. Whatever is done to it, looking never
/// panics, repairing makes it sound, and no record appears that was not written. As a record, the bytes are read as well.
pub fn queue(data: &[u8]) {
    let _ = Record::decode(data);
    let _ = Record::count_items(data);

    let fs = WRITTEN.copied();
    let path = fs.names(Path::new(FOLDER)).into_iter().find(|name| name.ends_with(".seg")).unwrap();
    let path = Path::new(FOLDER).join(path);
    fs.change(&path, |bytes| edit(bytes, data));
    let before = queue::audit(&fs, Path::new(FOLDER), Depth::Records).unwrap();
    queue::mend(&fs, &Config::new(FOLDER)).unwrap();
    let after = queue::audit(&fs, Path::new(FOLDER), Depth::Records).unwrap();
    let is_whole =
        |segment: &SegmentAudit| segment.damage.is_empty() && segment.torn_bytes == 0 && segment.unreadable.is_none();
    assert!(after.segments.iter().all(is_whole), "{before:?} became {after:?}");
    let written: BTreeSet<Vec<u8>> = (0_usize..8).map(|number| vec![number as u8 + b'a'; 1 + 23 * number]).collect();
    for record in fs.records(FOLDER) {
        assert!(written.contains(&record), "a record that nobody wrote: {record:?}");
    }
}

fn edit(bytes: &mut Vec<u8>, data: &[u8]) {
    let (edits, rest) = data.as_chunks::<3>();
    for &[high, low, change] in edits {
        let place = usize::from(u16::from_be_bytes([high, low])) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= change;
        }
    }
    match rest {
        [cut] => bytes.truncate(bytes.len().saturating_sub(usize::from(*cut))),
        [cut, more] => bytes.extend_from_slice(&[*more; 40][..usize::from(*cut) % 40]),
        _ => {}
    }
}
