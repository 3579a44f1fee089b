//! Whole configurations, good and bad.

use std::num::NonZeroU32;

use super::*;
use crate::ingest::quota::Quota;

fn no_env(_: &str) -> Option<String> {
    None
}

/// Reads a file under an environment and gives what is wrong with it, field by field.
#[track_caller]
fn mistakes(text: Option<&str>, env: &[(&str, &str)]) -> Vec<String> {
    let env = |name: &str| env.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
    let read = match text {
        Some(text) => parse(text, &env),
        None => load(None, &env),
    };
    match read {
        Ok(_) => Vec::new(),
        Err(ConfigError::Mistakes(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_example_is_sound_and_says_what_holds_anyway() {
    let config = parse(EXAMPLE, &no_env).unwrap();
    let least = Config::least();
    assert_eq!(config.listen, least.listen);
    assert_eq!(config.data_dir, least.data_dir);
    assert_eq!(config.queue.dir, PathBuf::from("quartile-data/queue"));
    assert_eq!(config.queue.max_bytes, least.queue.max_bytes);
    assert_eq!(config.queue.segment_bytes, least.queue.segment_bytes);
    assert_eq!(config.forward_delay, least.forward_delay);
    assert_eq!(config.access, least.access);
    assert_eq!(config.bounds, least.bounds);
    assert_eq!(config.sites.iter().count(), 1);
    assert!(!config.demo);
}

#[test]
fn what_is_commented_out_in_the_example_is_sound_too() {
    // A key and its value, or the head of a section; the file of places is the only one that has to exist.
    let is_setting = |line: &str| {
        let rest = line.strip_prefix("# ").filter(|rest| !rest.starts_with("mmdb"));
        let key = rest.and_then(|rest| rest.split_once(" = ")).map_or("", |(key, _)| key);
        rest.is_some_and(|rest| rest.starts_with('['))
            || !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let uncommented: Vec<_> = EXAMPLE.lines().map(|line| if is_setting(line) { &line[2..] } else { line }).collect();
    let config = parse(&uncommented.join("\n"), &no_env).unwrap();
    let archive = config.archive.unwrap();
    assert_eq!(config.queue.archive.as_ref(), Some(&archive.dir));
    assert_eq!(archive.dir, PathBuf::from("quartile-data/archive"));
    assert_eq!(archive.retention, Retention { days: KEEP_DAYS, max_bytes: ARCHIVE_BYTES });
    let [sink] = &config.sinks[..] else { panic!("{:?}", config.sinks) };
    assert_eq!((&*sink.name, sink.max_bytes), ("warehouse", 1 << 30));
    assert_eq!(sink.when, crate::sink::When::Settled(Duration::from_secs(600)));
    assert_eq!(config.bounds, Bounds::default(), "what is commented out is what holds anyway");
    let site = config.sites.iter().next().unwrap();
    assert_eq!(site.quota, Quota { requests: NonZeroU32::new(6_000), views: NonZeroU32::new(600) });
    assert_eq!((site.retention_days, site.geo, site.consent), (Some(400), GeoPrecision::City, Consent::Granted));
    assert_eq!(site.timezone.iana_name(), Some("Europe/Paris"));
}

#[test]
fn the_example_of_a_deployment_is_sound() {
    let config = parse(include_str!("../../../examples/deploy/quartile.toml"), &no_env).unwrap();
    let compose = include_str!("../../../examples/deploy/compose.yaml");
    assert!(compose.contains(&format!("subnet: {}", config.trust.networks[0])), "the two name one network");
}

#[test]
fn every_setting_is_in_the_guide_for_operators() {
    let guide = include_str!("../../../docs/operating.md");
    let keys = EXAMPLE.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let keys = keys.map(|(key, _)| key).filter(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    let missing: Vec<_> = keys.filter(|key| !guide.contains(&format!("`{key}`"))).collect();
    assert_eq!(missing, [""; 0]);
    for variable in
        EXAMPLE.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|word| word.starts_with("QUARTILE_"))
    {
        assert!(guide.contains(variable), "{variable}");
    }
}

#[test]
fn settings_of_a_site_are_taken_at_their_bounds_and_refused_one_past_them() {
    let with = |line: &str| format!("[[sites]]\nid = \"a\"\norigins = [\"*\"]\n{line}");
    for good in [
        "requests_per_minute = 1",
        "views_per_minute = 1000000",
        "retention_days = 36500",
        "geo = \"none\"",
        "consent = \"denied\"",
        "timezone = \"Asia/Kathmandu\"",
    ] {
        assert_eq!(mistakes(Some(&with(good)), &[]), [""; 0], "{good}");
    }
    for (wrong, expected) in [
        ("requests_per_minute = 0", "line 4: sites[0].requests_per_minute: must be a whole number from 1 to 1000000"),
        ("views_per_minute = 1000001", "line 4: sites[0].views_per_minute: must be a whole number from 1 to 1000000"),
        ("retention_days = 36501", "line 4: sites[0].retention_days: must be a whole number from 1 to 36500"),
        ("geo = \"street\"", "line 4: sites[0].geo: must be one of `none`, `country`, `region`, `city`"),
        ("consent = true", "line 4: sites[0].consent: must be one of `granted`, `denied`"),
        (
            "timezone = \"Europe/Atlantis\"",
            "line 4: sites[0].timezone: must be the IANA name of a timezone, such as Europe/Paris",
        ),
    ] {
        assert_eq!(mistakes(Some(&with(wrong)), &[]), [expected]);
    }
}

#[test]
fn bounds_of_the_server_are_taken_at_their_bounds_and_refused_one_past_them() {
    let with = |line: &str| format!("[[sites]]\nid = \"a\"\norigins = [\"*\"]\n[server]\n{line}");
    let read = |line: &str| parse(&with(line), &no_env).unwrap().bounds;
    assert_eq!(read("connections = 1").connections, 1);
    assert_eq!(read("requests = 1000000").requests, 1_000_000);
    assert_eq!(read("in_flight_bytes = \"1 MiB\"").in_flight_bytes, 1 << 20);
    assert_eq!(read("in_flight_bytes = 4294967295").in_flight_bytes, u32::MAX);
    assert_eq!(read("head_seconds = 600").head_time, Duration::from_secs(600));
    assert_eq!(read("drain_seconds = 3600").drain_time, Duration::from_secs(3_600));
    for wrong in [
        "connections = 0",
        "requests = 1000001",
        "in_flight_bytes = 1048575",
        "in_flight_bytes = \"4 GiB\"",
        "head_seconds = 0",
        "body_seconds = 601",
        "write_seconds = \"1s\"",
        "finish_seconds = 3601",
        "patience = 1",
    ] {
        let found = mistakes(Some(&with(wrong)), &[]);
        let key = wrong.split(' ').next().unwrap();
        assert!(found.len() == 1 && found[0].starts_with(&format!("line 5: server.{key}: ")), "{found:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once_with_its_field_and_cure() {
    let text = r#"
        listen = "everywhere"
        colour = "blue"
        trusted_proxies = ["10.0.0.0/8", "office"]
        [[sites]]
        geo = "street"
        id = "no spaces"
        origins = ["example.org"]
        dimensions = ["plan", "plan", "country"]
        [[sites]]
        orgins = ["*"]
        [queue]
        durability = "perhaps"
        max_bytes = "lots"
        segment_bytes = 5
        [archive]
        keep_days = 0
        [geo]
        headers = "netscape"
        mmdb = "/nowhere/at/all.mmdb"
        [auth]
        tokens = ["secret"]
        [forward]
        delay_ms = -1
        [log]
        format = "xml"
        [[sinks]]
        kind = "smtp"
        name = "../up"
        url = "warehouse"
        secret_env = "NOT_SET"
        rows = "sorted"
    "#;
    let found = mistakes(
        Some(text),
        &[
            ("QUARTILE_DURABILITY", "no"),
            ("QUARTILE_TOKEN", "short"),
            ("QUARTILE_LOG_FORMAT", "xml"),
            ("QUARTILE_TRUSTED_PROXIES", "::1, office"),
        ],
    )
    .join("\n");
    insta::assert_snapshot!(found, @r#"
    line 9: sites[0].dimensions[1]: `plan` is there twice
    line 9: sites[0].dimensions[2]: `country` is a dimension of its own already: take another name
    line 8: sites[0].origins[0]: must be an origin such as https://example.org, without a path; https://*.example.org for its subdomains; or * for any page
    line 6: sites[0].geo: must be one of `none`, `country`, `region`, `city`
    line 7: sites[0].id: may have only letters, digits, '.', '_' and '-'
    line 10: sites[1].origins: are missing: the pages that may send, such as ["https://example.org"], or ["*"]
    line 10: sites[1].id: is missing: the key that pages name in data-site
    line 11: sites[1].orgins: is unknown here; known are dimensions, origins, requests_per_minute, views_per_minute, retention_days, geo, consent, timezone, id
    line 32: sinks[0].rows: must be `settled` or `as_received`
    line 31: sinks[0].secret_env: names NOT_SET, which is not set in the environment
    line 29: sinks[0].name: must be 1 to 32 small letters, digits and hyphens: metrics and a folder have this name
    line 30: sinks[0].url: must be where to post to, such as https://warehouse.example.org/quartile
    line 28: sinks[0].kind: must be `http`
    line 2: listen: must be an address and a port, such as 0.0.0.0:8787
    line 13: queue.durability: must be `fsync` (survives a power cut), `os` (survives a crash of the collector) or `memory`
    line 14: queue.max_bytes: must be a number of bytes, such as "64 MiB" or "4 GiB"
    line 15: queue.segment_bytes: must be at least 1 MiB
    line 17: archive.keep_days: must be a whole number from 1 to 36500
    line 4: trusted_proxies[1]: must be an address or a network, such as 10.0.0.0/8
    line 20: geo.mmdb: names /nowhere/at/all.mmdb, which is no file: put an MMDB file there, or leave this out
    line 19: geo.headers: must be one of cloudflare, cloudfront, fastly, akamai, vercel, or a table of header names
    line 22: auth.tokens[0]: must be the SHA-256 of a token, 64 hexadecimal digits: printf %s TOKEN | sha256sum prints it
    line 24: forward.delay_ms: must be a whole number from 0 to 60000
    line 26: log.format: must be one of `text`, `json`
    line 3: colour: is unknown here; known are sites, sinks, listen, data_dir, queue, archive, trusted_proxies, proxy_secret, geo, auth, server, forward, log
    QUARTILE_DURABILITY: must be `fsync` (survives a power cut), `os` (survives a crash of the collector) or `memory`
    QUARTILE_LOG_FORMAT: must be `text` or `json`
    QUARTILE_TRUSTED_PROXIES: `office` must be an address or a network, such as 10.0.0.0/8
    QUARTILE_TOKEN: must have at least 16 characters: `quartile token create` makes one
    "#);
}

#[test]
fn a_broken_file_is_told_by_its_line() {
    assert!(parse("listen = ", &no_env).unwrap_err().to_string().contains("line 1"));
    let missing = load(Some(Path::new("/nowhere/quartile.toml")), &no_env).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/quartile.toml"), "{missing}");
}

#[test]
fn the_environment_is_stronger_than_the_file() {
    let env = |name: &str| match name {
        "QUARTILE_LISTEN" => Some("0.0.0.0:9000".to_owned()),
        "QUARTILE_DATA_DIR" => Some("/data".to_owned()),
        "QUARTILE_DURABILITY" => Some("memory".to_owned()),
        "QUARTILE_TOKEN" => Some("a-long-enough-token".to_owned()),
        "QUARTILE_FORWARD_DELAY_MS" => Some("5".to_owned()),
        "QUARTILE_LOG_FORMAT" => Some("json".to_owned()),
        "QUARTILE_TRUSTED_PROXIES" => Some("10.1.0.0/16, ::1".to_owned()),
        _ => None,
    };
    let config = parse(EXAMPLE, &env).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(config.queue.dir, PathBuf::from("/data/queue"));
    assert_eq!(config.queue.durability, Durability::Memory);
    assert_eq!(config.forward_delay, Duration::from_millis(5));
    assert_eq!(config.log, LogFormat::Json);
    assert_eq!(config.trust.networks, ["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
    assert_eq!(config.access, Access::Tokens(vec![Grant::everything(token_hash("a-long-enough-token"))]));
}

#[test]
fn the_demo_is_open_and_stays_on_this_machine() {
    let config = load(None, &no_env).unwrap();
    assert!(config.demo && config.listen.ip().is_loopback());
    assert_eq!(config.access, Access::Open);
    assert!(config.sites.iter().next().unwrap().origins.allow("null"));
    let refused = mistakes(None, &[("QUARTILE_LISTEN", "0.0.0.0:8787")]);
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("--config"), "{refused:?}");
    assert_eq!(mistakes(None, &[("QUARTILE_LISTEN", "[::1]:1")]), [""; 0]);
}

#[test]
fn headers_without_a_trusted_proxy_are_a_mistake() {
    let site = "[[sites]]\nid = \"a\"\norigins = [\"*\"]\n[geo]\nheaders = { country = \"X-Country\" }";
    assert!(mistakes(Some(site), &[])[0].starts_with("line 5: geo.headers: "));
    assert_eq!(mistakes(Some(&format!("trusted_proxies = [\"::1\"]\n{site}")), &[]), [""; 0]);
    assert_eq!(mistakes(Some(site), &[("QUARTILE_TRUSTED_PROXIES", "10.0.0.0/8")]), [""; 0]);
}

#[test]
fn a_proxy_without_a_fixed_address_shows_a_secret() {
    let text = |section: &str| {
        format!("[[sites]]\nid = \"a\"\norigins = [\"*\"]\n[geo]\nheaders = \"fastly\"\n[proxy_secret]\n{section}")
    };
    let good = text("header = \"X-Edge\"\nsecret = \"0123456789abcdef\"");
    let secret = parse(&good, &no_env).unwrap().trust.secret.unwrap();
    assert_eq!((secret.header.as_str(), &*secret.secret), ("x-edge", "0123456789abcdef"));
    let named = text("header = \"X-Edge\"\nsecret_env = \"EDGE\"");
    assert_eq!(mistakes(Some(&named), &[("EDGE", "0123456789abcdef")]), [""; 0]);
    insta::assert_snapshot!(mistakes(Some(&named), &[("EDGE", "0123456789abcde")]).join("\n"), @"line 6: proxy_secret.secret: must have at least 16 characters, here or in the variable that `secret_env` names");
    let wrong = mistakes(Some(&text("header = \"X Edge\"\nsecrt = 1")), &[]).join("\n");
    insta::assert_snapshot!(wrong, @r"
    line 7: proxy_secret.header: must be the name of the header that your proxy puts the secret into
    line 6: proxy_secret.secret: must have at least 16 characters, here or in the variable that `secret_env` names
    line 8: proxy_secret.secrt: is unknown here; known are header, secret, secret_env
    line 5: geo.headers: are believed from nobody: name your proxies in `trusted_proxies`, or a secret in `proxy_secret`
    ");
}

#[test]
fn files_of_places_are_one_or_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mmdb");
    fs::write(&path, "").unwrap();
    let with = |value: &str| format!("[[sites]]\nid = \"a\"\norigins = [\"*\"]\n[geo]\nmmdb = {value}");
    let path = path.to_str().unwrap();
    for (count, value) in [(1, format!("\"{path}\"")), (4, format!("{:?}", [path; 4]))] {
        assert_eq!(parse(&with(&value), &no_env).unwrap().mmdb.len(), count);
    }
    let mistakes = |value: &str| mistakes(Some(&with(value)), &[]);
    assert_eq!(mistakes(&format!("{:?}", [path; 5])), ["line 5: geo.mmdb: may name at most 4 files"]);
    let missing = mistakes(&format!("[\"{path}\", \"/nowhere.mmdb\"]"));
    assert!(missing[0].starts_with("line 5: geo.mmdb[1]: names /nowhere.mmdb, which is no file"), "{missing:?}");
}

#[test]
fn the_generic_mapping_names_every_header() {
    let text = "trusted_proxies = [\"::1\"]\n[[sites]]\nid = \"a\"\norigins = [\"*\"]\n[geo.headers]\naddress = \"Forwarded\"\n\
                country = \"X-C\"\nregion = \"X-R\"\ncity = \"X-Y\"\nisp = \"X-I\"\nasn = \"X-N\"\npercent_encoded = true";
    let headers = parse(text, &no_env).unwrap().headers;
    assert_eq!(headers.address, Some(http::header::FORWARDED));
    assert!(headers.encoded && headers.asn.is_some() && headers.composite.is_none());
}

#[test]
fn reports_are_open_only_on_request() {
    let site = "[[sites]]\nid = \"a\"\norigins = [\"*\"]\n";
    assert_eq!(parse(site, &no_env).unwrap().access, Access::Tokens(Vec::new()));
    assert_eq!(parse(&format!("auth = \"none\"\n{site}"), &no_env).unwrap().access, Access::Open);
    let hash = hex(&token_hash("a-long-enough-token"));
    let tokens = parse(&format!("{site}[auth]\ntokens = [\"{hash}\"]"), &no_env).unwrap();
    assert_eq!(tokens.access, Access::Tokens(vec![Grant::everything(token_hash("a-long-enough-token"))]));
    assert!(mistakes(Some(&format!("auth = \"open\"\n{site}")), &[])[0].starts_with("line 1: auth: "));
}
