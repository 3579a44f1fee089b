//! Files of every layout, written here: no data of any maker is in this repository.

use super::*;
use serde_json::{Value, json};

#[track_caller]
fn check(entry: Value, expect: [&str; 4]) {
    let text = entry.to_string();
    let place = serde_json::from_str::<Entry<'_>>(&text).unwrap().place();
    assert_eq!([place.country, place.region, place.city, place.isp], expect);
}

#[test]
fn both_layouts_are_read() {
    check(
        json!({
            "country": { "iso_code": "FR", "geoname_id": 3, "names": { "de": "Frankreich", "en": "France" } },
            "subdivisions": [{ "iso_code": "ARA", "names": { "en": "Auvergne-Rhone-Alpes" } }],
            "city": { "names": { "en": "Lyon" } },
            "traits": { "isp": "Orange" },
            "location": { "latitude": 45.7 },
        }),
        ["FR", "Auvergne-Rhone-Alpes", "Lyon", "Orange"],
    );
    check(
        json!({ "country_code": "DE", "state1": "Hesse", "city": "Kassel", "latitude": 51.3 }),
        ["DE", "Hesse", "Kassel", ""],
    );
    check(
        json!({
            "country_code": "US", "country": "United States", "region": "California", "city": "San Jose",
            "asn": "AS64496", "as_name": "Example Networks, Inc.", "as_domain": "example.org", "continent_code": "NA",
        }),
        ["US", "California", "San Jose", "Example Networks, Inc."],
    );
    check(json!({ "country": "IT" }), ["IT", "", "", ""]);
    check(json!({}), ["", "", "", ""]);
}

#[test]
fn networks_are_read() {
    let maxmind = json!({ "autonomous_system_number": 64496, "autonomous_system_organization": "Example Net" });
    check(maxmind, ["", "", "", "Example Net"]);
    check(json!({ "autonomous_system_number": 64496 }), ["", "", "", "AS64496"]);
    check(json!({ "asn": "AS64496", "as_name": "" }), ["", "", "", "AS64496"]);
}

/// Writes an MMDB file of one tree node: `low` for addresses up to 127.255.255.255, `high` for those above.
/// <https://maxmind.github.io/MaxMind-DB/>
pub(in crate::enrich) fn mmdb(low: &Value, high: &Value) -> Vec<u8> {
    const NODES: usize = 1;
    let metadata = json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 0, "database_type": "Test",
        "description": {}, "ip_version": 4, "languages": [], "node_count": NODES, "record_size": 24,
    });
    let (low, high) = (encoded(low), encoded(high));
    let mut file = Vec::new();
    for offset in [0, low.len()] {
        // A record beyond the nodes points into the data, which lies behind 16 bytes of nothing.
        file.extend_from_slice(&(NODES + 16 + offset).to_be_bytes()[5..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend(low.into_iter().chain(high));
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    file.extend(encoded(&metadata));
    file
}

/// A value of the data section; short texts, small numbers, lists and maps only.
fn encoded(value: &Value) -> Vec<u8> {
    let head = |kind: u8, length: usize| kind << 5 | u8::try_from(length).unwrap();
    match value {
        // From 29 on the length stands in a byte of its own.
        Value::String(text) if text.len() >= 29 => {
            [&[head(2, 29), u8::try_from(text.len() - 29).unwrap()], text.as_bytes()].concat()
        }
        Value::String(text) => [&[head(2, text.len())], text.as_bytes()].concat(),
        // The narrowest number, of 16 bits; the metadata have two wider ones.
        Value::Number(number) => {
            [&[head(5, 2)], &u16::try_from(number.as_u64().unwrap()).unwrap().to_be_bytes()[..]].concat()
        }
        Value::Array(list) => {
            [vec![head(0, list.len()), 4]].into_iter().chain(list.iter().map(encoded)).flatten().collect()
        }
        Value::Object(members) => {
            let wide = |name: &str, value| match name {
                "node_count" | "autonomous_system_number" => {
                    let number = u32::try_from(Value::as_u64(value).unwrap()).unwrap();
                    [&[head(6, 4)], &number.to_be_bytes()[..]].concat()
                }
                "build_epoch" => vec![head(0, 0), 2],
                _ => encoded(value),
            };
            let pairs = members.iter().flat_map(|(name, value)| [encoded(&json!(name)), wide(name, value)]);
            [vec![head(7, members.len())]].into_iter().chain(pairs).flatten().collect()
        }
        other => panic!("{other} is not needed here"),
    }
}

fn told(places: &Places, address: &str) -> String {
    let place = places.of(address.parse().unwrap());
    [place.country, place.region, place.city, place.isp].join("|")
}

fn nested(country: &str, city: &str) -> Value {
    json!({ "country": { "iso_code": country }, "city": { "names": { "en": city } } })
}

#[test]
fn cities_and_networks_come_from_two_files() {
    let dir = tempfile::tempdir().unwrap();
    let [cities, networks] = ["cities.mmdb", "networks.mmdb"].map(|name| dir.path().join(name));
    let entry = json!({ "autonomous_system_number": 64496, "autonomous_system_organization": "Example Net" });
    fs::write(&cities, mmdb(&nested("FR", "Lyon"), &nested("DE", "Kassel"))).unwrap();
    fs::write(&networks, mmdb(&entry, &json!({ "asn": "AS64497", "as_name": "Flat Net" }))).unwrap();
    let places = Places::open([cities, networks]).unwrap();
    assert_eq!(told(&places, "1.2.3.4"), "FR||Lyon|Example Net");
    assert_eq!(told(&places, "203.0.113.9"), "DE||Kassel|Flat Net");
    assert_eq!(told(&places, "2001:db8::7"), "|||", "files of the other family");
}

#[test]
fn what_headers_tell_is_completed_and_never_contradicted() {
    let place = |texts: [&str; 4]| {
        let [country, region, city, isp] = texts.map(str::to_owned);
        Place { country, region, city, isp }
    };
    let file = || place(["FR", "Normandie", "Caen", "Orange"]);
    for (told, expect) in [
        (["", "", "", ""], ["FR", "Normandie", "Caen", "Orange"]),
        (["FR", "", "", ""], ["FR", "Normandie", "Caen", "Orange"]),
        (["FR", "", "Lyon", ""], ["FR", "", "Lyon", "Orange"]),
        (["DE", "", "", ""], ["DE", "", "", "Orange"]),
        (["", "", "", "Free"], ["FR", "Normandie", "Caen", "Free"]),
    ] {
        assert_eq!(place(told).completed(file), place(expect));
    }
    let known = place(["FR", "a", "b", "c"]);
    assert_eq!(known.clone().completed(|| panic!("nobody is asked for what is known")), known);
}

#[test]
fn a_file_is_read_again_when_it_changes_and_a_damaged_one_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    let whole = mmdb(&nested("FR", "Lyon"), &json!({ "country_code": "DE", "city": "Kassel" }));
    fs::write(&path, &whole).unwrap();
    let places = Places::open([path.clone()]).unwrap();
    assert_eq!((told(&places, "1.2.3.4"), told(&places, "203.0.113.9")), ("FR||Lyon|".into(), "DE||Kassel|".into()));
    assert!(!places.0[0].reload().unwrap(), "nothing changed");

    let replace = |content: &[u8]| {
        // As it should be done: a new file in the place of the old one.
        fs::write(dir.path().join("new"), content).unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
    };
    let mut pointless = whole.clone();
    pointless[0] = 0x7f;
    for damaged in [&b"nonsense"[..], &whole[..whole.len() / 2], &pointless, b""] {
        replace(damaged);
        assert!(matches!(places.0[0].reload(), Err(PlaceError::Format { .. })));
        places.reload();
        assert_eq!(told(&places, "1.2.3.4"), "FR||Lyon|", "the one before serves on");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(places.0[0].reload(), Err(PlaceError::Io { .. })));
    replace(&mmdb(&json!({ "country_code": "IT" }), &nested("DE", "Kassel")));
    places.reload();
    assert_eq!(told(&places, "1.2.3.4"), "IT|||");
}

#[test]
fn a_file_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    assert!(matches!(Places::open([path.clone()]), Err(PlaceError::Io { .. })));
    fs::write(&path, "nonsense").unwrap();
    let error = Places::open([path]).err().unwrap().to_string();
    assert!(error.contains("places.mmdb is no sound MMDB file"), "{error}");
    assert_eq!(Places::default().of("203.0.113.9".parse().unwrap()), Place::default());
}
