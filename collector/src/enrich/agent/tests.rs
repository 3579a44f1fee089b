//! Real user agents, and what a report says of each.

use std::sync::LazyLock;

use quartile_protocol::batch::Client;

use super::*;

/// `kind | vendor | model | system version | browser version | bot`.
fn told(agent: &Agent) -> String {
    let pair = |name: &str, version: &str| format!("{name} {version}").trim().to_owned();
    let parts = [
        agent.device.map_or("", Device::as_str).to_owned(),
        agent.vendor.clone(),
        agent.model.clone(),
        pair(&agent.os, &agent.os_version),
        pair(&agent.browser, &agent.browser_version),
        agent.bot.clone(),
    ];
    parts.join(" | ")
}

/// Compiled once: it takes a development build seconds.
static AGENTS: LazyLock<Agents> = LazyLock::new(|| Agents::new().unwrap());

/// User agents of real senders with what a report says of each; the file names their sources and licences.
const TABLE: &str = include_str!("../../../fixtures/user-agents.tsv");

#[test]
fn real_user_agents() {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut read, mut wrong) = (0, String::new());
    for line in lines {
        let (expect, user_agent) = line.split_once('\t').unwrap();
        // Twice, because the second time it is remembered.
        for found in [told(&AGENTS.read(user_agent)), told(&AGENTS.read(user_agent))] {
            if found != expect {
                wrong.push_str(&format!("\nexpected {expect}\nfound    {found}\n         {user_agent}"));
            }
        }
        read += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(read >= 200, "the table has {read} user agents");
    assert_eq!(told(&AGENTS.read("")), " |  |  |  |  | ", "nothing is known without one");
}

#[test]
fn what_is_remembered_has_a_bound() {
    let small = Agents { remembered: Cache::new(10), ..Agents::new().unwrap() };
    (0..100).for_each(|number| drop(small.read(&format!("unheard-of/{number}"))));
    let remembered = (0..100).filter(|number| small.remembers(&format!("unheard-of/{number}"))).count();
    assert!((1..=10).contains(&remembered), "{remembered}");
}

#[track_caller]
fn check_hints(user_agent: &str, client: Client, expect: &str) {
    assert_eq!(told(&AGENTS.read(user_agent).with_hints(&client)), expect);
}

#[test]
fn an_ipad_that_calls_itself_a_mac_is_a_tablet() {
    let touch = |points| Client { touch_points: Some(points), ..Client::default() };
    check_hints(MAC_SAFARI, touch(5), "tablet | Apple | iPad | iOS | Safari 18 | ");
    check_hints(
        &MAC_SAFARI.replace("Version/18.5", "Version/26.5"),
        touch(5),
        "tablet | Apple | iPad | iOS 26 | Safari 26 | ",
    );
    check_hints(MAC_SAFARI, touch(1), "desktop | Apple | Mac | macOS | Safari 18 | ");
    check_hints(MAC_SAFARI, touch(0), "desktop | Apple | Mac | macOS | Safari 18 | ");
    check_hints(WINDOWS_CHROME, touch(10), "desktop |  |  | Windows 10+ | Chrome 140 | ");
}

#[test]
fn hints_are_better_than_a_frozen_user_agent() {
    let hints = |platform: &str, version: &str, model: &str, mobile| Client {
        platform: platform.into(),
        platform_version: version.into(),
        model: model.into(),
        mobile: Some(mobile),
        ..Client::default()
    };
    check_hints(
        ANDROID_K,
        hints("Android", "15.0.0", "Pixel 9", true),
        "mobile | Google | Pixel 9 | Android 15 | Chrome 140 | ",
    );
    check_hints(
        ANDROID_K,
        hints("Android", "14", "SM-X910", false),
        "tablet | Samsung | SM-X910 | Android 14 | Chrome 140 | ",
    );
    check_hints(WINDOWS_CHROME, hints("Windows", "15.0.0", "", false), "desktop |  |  | Windows 11 | Chrome 140 | ");
    check_hints(WINDOWS_CHROME, hints("Windows", "10.0.0", "", false), "desktop |  |  | Windows 10 | Chrome 140 | ");
    check_hints(WINDOWS_CHROME, hints("Windows", "0.3.0", "", false), "desktop |  |  | Windows 10+ | Chrome 140 | ");
    check_hints(MAC_SAFARI, hints("macOS", "14.5.0", "", false), "desktop | Apple | Mac | macOS 14.5 | Safari 18 | ");
    check_hints(MAC_SAFARI, hints("Unknown", "", "", false), "desktop | Apple | Mac | macOS | Safari 18 | ");
    check_hints(WEBOS, hints("Linux", "5.4", "", false), "tv | LG |  | webOS | Chrome 94 | ");
}

#[test]
fn a_long_part_is_cut() {
    let agent = AGENTS.parse(&format!("{}/1.0 CFNetwork/1", "x".repeat(150)));
    assert!(agent.browser.len() <= PART_BYTES, "{}", agent.browser);
}

const MAC_SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
const WINDOWS_CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const ANDROID_K: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const WEBOS: &str = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager";
