//! Real user agents, and what a report says of each.

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

#[test]
fn real_user_agents() {
    let agents = Agents::new().unwrap();
    for (user_agent, expect) in TABLE {
        assert_eq!(told(&agents.read(user_agent)), *expect, "{user_agent}");
        assert_eq!(told(&agents.read(user_agent)), *expect, "the second time: {user_agent}");
    }
}

#[track_caller]
fn check_hints(user_agent: &str, client: Client, expect: &str) {
    assert_eq!(told(&Agents::new().unwrap().read(user_agent).with_hints(&client)), expect);
}

#[test]
fn an_ipad_that_calls_itself_a_mac_is_a_tablet() {
    let touch = |points| Client { touch_points: Some(points), ..Client::default() };
    check_hints(MAC_SAFARI, touch(5), "tablet | Apple | iPad | iOS | Safari 18 | ");
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
        "mobile |  | Pixel 9 | Android 15 | Chrome 140 | ",
    );
    check_hints(
        ANDROID_K,
        hints("Android", "14", "SM-X910", false),
        "tablet |  | SM-X910 | Android 14 | Chrome 140 | ",
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
    let agent = Agents::new().unwrap().parse(&format!("{}/1.0 CFNetwork/1", "x".repeat(150)));
    assert!(agent.browser.len() <= PART_BYTES, "{}", agent.browser);
}

const MAC_SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
const WINDOWS_CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const ANDROID_K: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const WEBOS: &str = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager";

const TABLE: &[(&str, &str)] = &[
    ("", " |  |  |  |  | "),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "desktop |  |  | Windows 10+ | Chrome 140 | ",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "desktop |  |  | Windows 10+ | Firefox 143 | ",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
        "desktop |  |  | Windows 10+ | Edge 140 | ",
    ),
    (
        "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "desktop |  |  | Windows 7 | Internet Explorer 11 | ",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
        "desktop | Apple | Mac | macOS | Safari 18 | ",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "desktop | Apple | Mac | macOS | Chrome 140 | ",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0",
        "desktop | Apple | Mac | macOS | Firefox 143 | ",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "desktop |  |  | Linux | Chrome 140 | ",
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "desktop |  |  | Ubuntu | Firefox 143 | ",
    ),
    (
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
        "desktop |  |  | Chrome OS 14541 | Chrome 139 | ",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
        "mobile | Apple | iPhone | iOS 18.5 | Safari 18 | ",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.88 Mobile/15E148 Safari/604.1",
        "mobile | Apple | iPhone | iOS 17.4 | Chrome 124 | ",
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
        "tablet | Apple | iPad | iOS 16.6 | Safari 16 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
        "mobile |  |  | Android | Chrome 140 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "tablet |  |  | Android | Chrome 140 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
        "mobile | Samsung | SM-S911B | Android 13 | Samsung Internet 23 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
        "mobile | Google | Pixel 8 Pro | Android 14 | Chrome 125 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 12; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        "tablet | Samsung | SM-X906C | Android 12 | Chrome 120 | ",
    ),
    (
        "Mozilla/5.0 (Android 14; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
        "mobile |  |  | Android 14 | Firefox 143 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; M2101K6G Build/TKQ1.221013.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.144 Mobile Safari/537.36 Instagram 313.0.0.26.328 Android (33/13; 440dpi; 1080x2179; Xiaomi/Redmi; M2101K6G; sweet; qcom; de_DE; 554218345)",
        "mobile |  | M2101K6G | Android 13 | Instagram 313 | ",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/445.0.0.30.113;FBBV/550000000;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.2.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5;FBRV/552000000]",
        "mobile | Apple | iPhone14,5 | iOS 17.2 | Facebook 445 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 12; CPH2219 Build/SKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.6045.193 Mobile Safari/537.36 musical_ly_2023205030 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly app_version/32.5.3 ByteLocale/en",
        "mobile | Oppo | CPH2219 | Android 12 | TikTok | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/108.4.6 like Chrome/108.0.5359.220 Safari/537.36",
        "tablet | Amazon | Kindle | Fire OS | Amazon Silk 108 | ",
    ),
    (
        "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager",
        "tv | LG |  | webOS | Chrome 94 | ",
    ),
    (
        "Mozilla/5.0 (Linux; NetCast; U) AppleWebKit/537.31 (KHTML, like Gecko) Chrome/38.0.2125.122 Safari/537.31 SmartTV/7.0",
        "tv | LG |  | NetCast | Chrome 38 | ",
    ),
    (
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
        "tv | Samsung |  | Tizen 6 | Safari | ",
    ),
    (
        "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager DMOST/2.0.0 (; LGE; webOSTV; WEBOS6.2.0 03.33.85; W6_lm21a;)",
        "tv | LG |  | webOS | Chrome 79 | ",
    ),
    ("Roku/DVP-12.5 (12.5.0.4178-88)", "tv | Roku | Roku | Roku OS 12.5 | Roku 12 | "),
    (
        "Mozilla/5.0 (Roku; Linux; Streaming Player) AppleWebKit/537.36 (KHTML, like Gecko) Roku/DVP-14.0 Safari/537.36",
        "tv | Roku | Roku | Roku OS | Safari | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7633.3445N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/98.0.4758.101 Mobile Safari/537.36",
        "tv | Amazon | AFTMM | Fire OS | Chrome WebView 98 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 12; BRAVIA 4K UR2 Build/STT2.230203.001) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0.5481.154 Safari/537.36",
        "tv | Sony | BRAVIA 4K UR2 | Android 12 | Chrome 110 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 12; Chromecast HD Build/STTE.230319.008) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.5615.136 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV",
        "tv | Google | Chromecast HD | Android 12 | Chrome 112 | ",
    ),
    (
        "Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.225 Safari/537.36 CrKey/1.56.500000",
        "tv | Google | Chromecast | Chromecast 1.56 | Chrome 90 | ",
    ),
    ("AppleTV11,1/11.1", "tv | Apple | AppleTV | tvOS |  | "),
    (
        "Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0.4324.150 Safari/537.36 VIZIO SmartTV(Conjure/SX7A-6.0.24.0 FW/10.0.24.0 Model/V505-J09)",
        "tv | Vizio |  | SmartCast | Chrome 88 | ",
    ),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15",
        "console | Sony | PlayStation 5 | PlayStation OS | Safari 15 | ",
    ),
    (
        "Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        "console | Sony | PlayStation 4 | PlayStation OS |  | ",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edge/44.18363.8131",
        "console | Microsoft | Xbox Series X | Windows 10+ | Edge 44 | ",
    ),
    (
        "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.3.23.5 NintendoBrowser/5.1.0.27188",
        "console | Nintendo | Switch | Nintendo OS |  | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 11; SM-R875F Build/R; Wear OS) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/17.0 Chrome/96.0 Mobile Safari/537.36",
        "wearable | Samsung | SM-R875F | Android 11 | Samsung Internet 17 | ",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/34.0.0.0 SamsungBrowser/4.0 Chrome/126.0.0.0 VR Safari/537.36",
        "wearable | Meta | Quest | Android | Oculus Browser 34 | ",
    ),
    (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "other |  |  |  | Googlebot 2 | Googlebot",
    ),
    (
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "mobile |  |  | Android 6 | Googlebot 2 | Googlebot",
    ),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "other |  |  |  | bingbot 2 | bingbot"),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "other |  |  |  | GPTBot 1 | GPTBot",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
        "desktop |  |  | Linux | HeadlessChrome 140 | HeadlessChrome",
    ),
    ("curl/8.5.0", "other |  |  |  | curl 8 | "),
    ("python-requests/2.32.3", "other |  |  |  | Python Requests 2 | "),
    (
        "Mozilla/5.0 (Linux; U; Android 13; de-de; CUBOT_X30 Build/RP1A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0 Mobile Safari/537.36",
        "mobile |  |  | Android 13 | Chrome 100 | ",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15 MiniBrowser/2.50",
        "desktop |  |  | Linux | Safari 17 | ",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/122.0.0.0",
        "desktop |  |  | Windows 10+ | Opera 122 | ",
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; 23078PND5G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
        "mobile |  | 23078PND5G | Android 14 | Chrome 125 | ",
    ),
];
