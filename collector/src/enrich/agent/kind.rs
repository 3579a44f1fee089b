//! Tables of what the patterns do not say: kinds of device, names that people know, versions that are frozen.

use super::Agent;

/// The kinds of device that reports know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A computer with a screen of its own.
    Desktop,
    /// A telephone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A television, or a box or stick behind one.
    Tv,
    /// A game console.
    Console,
    /// A watch or a headset.
    Wearable,
    /// Anything else.
    Other,
}

impl Device {
    /// The spelling in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Tv => "tv",
            Self::Console => "console",
            Self::Wearable => "wearable",
            Self::Other => "other",
        }
    }
}

/// What the patterns call the maker of a bot's "device".
pub(super) const SPIDER: &str = "Spider";

/// Which tokens of a user agent in small letters tell which kind of device: the first line with a hit decides.
///
/// Consoles and televisions come first because they also call themselves Windows, Linux, Android or mobile.
const DEVICES: &[(Device, &[&str])] = &[
    (Device::Console, &["playstation", "xbox", "nintendo"]),
    (
        Device::Tv,
        &[
            "smart-tv",
            "smarttv",
            "smart tv",
            "hbbtv",
            "web0s",
            "webostv",
            "netcast",
            "roku",
            "appletv",
            "apple tv",
            "tvos",
            "googletv",
            "google tv",
            "android tv",
            "androidtv",
            "crkey",
            "chromecast",
            "bravia",
            "viera",
            "aquos",
            "vizio",
            "philipstv",
            "nettv",
            "mi tv",
            "mitv",
            "mibox",
            "vidaa",
            "inettvbrowser",
            "opera tv",
            " tv safari",
            "; aft",
            "freebox",
            "dtv",
        ],
    ),
    (Device::Wearable, &["watchos", "apple watch", "wear os", "galaxy watch", "oculusbrowser"]),
    (Device::Desktop, &["windows nt"]),
    (Device::Tablet, &["ipad", "tablet", "playbook", "kindle", "; kf"]),
    (Device::Mobile, &["iphone", "ipod", "windows phone", "mobile"]),
    (Device::Tablet, &["android"]),
    (Device::Desktop, &["macintosh", "x11", "cros ", "linux x86", "linux aarch64", "linux i686"]),
];

/// Which kind of device a user agent in small letters belongs to.
pub(super) fn device(lower: &str) -> Device {
    let found = DEVICES.iter().find(|(_, tokens)| tokens.iter().any(|token| lower.contains(token)));
    found.map_or(Device::Other, |(device, _)| *device)
}

/// Tokens of known bots that the patterns take for browsers: automation and monitoring.
const BOTS: &[(&str, &str)] = &[
    ("headlesschrome", "HeadlessChrome"),
    ("phantomjs", "PhantomJS"),
    ("chrome-lighthouse", "Lighthouse"),
    ("pingdom", "Pingdom"),
    ("uptimerobot", "UptimeRobot"),
];

/// The name of the bot; empty for everybody else.
pub(super) fn bot<'a>(lower: &str, brand: &str, family: &'a str) -> &'a str {
    let known = BOTS.iter().find(|(token, _)| lower.contains(token));
    match known {
        Some((_, name)) => name,
        None if brand != SPIDER => "",
        None if family.is_empty() => "unnamed",
        None => family,
    }
}

/// Browsers that are told by a token rather than by the patterns: applications with a browser inside.
const INSIDE: &[(&str, &str)] = &[("musical_ly", "TikTok"), ("bytedancewebview", "TikTok"), ("trill_", "TikTok")];

/// The name of the browser under which people know it, and its version, if that is the version of what is named.
pub(super) fn browser<'a>(lower: &str, family: &'a str, major: &'a str) -> (&'a str, &'a str) {
    if let Some((_, name)) = INSIDE.iter().find(|(token, _)| lower.contains(token)) {
        return (name, "");
    }
    match known_as(family) {
        "" => ("", ""),
        name => (name, major),
    }
}

fn known_as(family: &str) -> &str {
    match family {
        "Chrome Mobile" | "Chrome Mobile iOS" => "Chrome",
        "Chrome Mobile WebView" => "Chrome WebView",
        "Mobile Safari" => "Safari",
        "Mobile Safari UI/WKWebView" => "Safari WebView",
        "Firefox Mobile" | "Firefox iOS" => "Firefox",
        "Edge Mobile" => "Edge",
        "Opera Mobile" => "Opera",
        "IE" | "IE Mobile" => "Internet Explorer",
        // Any WebKit without a browser's name, such as that of a console, is taken for a mail program.
        "Apple Mail" | "Other" => "",
        other => other,
    }
}

/// The name of the operating system under which people know it.
pub(super) fn os(family: &str) -> &str {
    match family {
        "Mac OS X" => "macOS",
        "Web0S" => "webOS",
        "ATV OS X" => "tvOS",
        "Roku" => "Roku OS",
        "Other" => "",
        other => other,
    }
}

/// The maker's own spelling.
pub(super) fn vendor(brand: &str) -> &str {
    match brand {
        "XiaoMi" => "Xiaomi",
        other => other,
    }
}

/// Whether a maker's name stands for not knowing.
pub(super) fn is_generic_brand(brand: &str) -> bool {
    brand.starts_with("Generic") || brand == SPIDER
}

/// Whether a model's name stands for not knowing. Chrome calls every Android device `K`.
pub(super) fn is_generic_model(model: &str) -> bool {
    matches!(model, "K" | "Smartphone" | "Tablet" | "Feature Phone" | "Desktop" | "SMART-TV" | "Web0S SmartTV")
}

/// Makers, models and systems by token, for what the patterns leave empty: (token, maker, model, system).
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("xbox series x", "Microsoft", "Xbox Series X", ""),
    ("xbox one", "Microsoft", "Xbox One", ""),
    ("xbox", "Microsoft", "Xbox", ""),
    ("playstation", "Sony", "PlayStation", "PlayStation OS"),
    ("nintendo switch", "Nintendo", "Switch", "Nintendo OS"),
    ("nintendo", "Nintendo", "", "Nintendo OS"),
    ("roku", "Roku", "Roku", "Roku OS"),
    ("netcast", "LG", "", "NetCast"),
    ("web0s", "LG", "", "webOS"),
    ("vizio", "Vizio", "", "SmartCast"),
    ("; aft", "Amazon", "", "Fire OS"),
    ("; kf", "Amazon", "", "Fire OS"),
    ("bravia", "Sony", "", ""),
    ("crkey", "Google", "Chromecast", ""),
    ("; philips;", "Philips", "", ""),
];

/// Systems that the patterns give for what is really another one.
const UNDERNEATH: &[&str] = &["", "Linux"];

/// Fills what the patterns left empty.
pub(super) fn fill_in(lower: &str, agent: &mut Agent) {
    let Some(&(_, vendor, model, os)) = KNOWN.iter().find(|(token, ..)| lower.contains(token)) else { return };
    if agent.vendor.is_empty() {
        agent.vendor = vendor.into();
    }
    if agent.model.is_empty() && agent.vendor == vendor {
        agent.model = model.into();
    }
    let android_is_fire = os == "Fire OS" && agent.os == "Android";
    if !os.is_empty() && (UNDERNEATH.contains(&agent.os.as_str()) || android_is_fire) {
        agent.os = os.into();
        agent.os_version.clear();
    }
}

/// Forgets versions that browsers state whatever the truth is, and a Windows that may be either of two.
pub(super) fn forget_frozen(user_agent: &str, agent: &mut Agent) {
    let frozen_mac = ["Mac OS X 10_15_7", "Mac OS X 10.15;"].iter().any(|token| user_agent.contains(token));
    let frozen_android = user_agent.contains("Android 10; K)");
    if (agent.os == "macOS" && frozen_mac) || (agent.os == "Android" && frozen_android) {
        agent.os_version.clear();
    }
    if agent.os == "Windows" && agent.os_version == "10" {
        agent.os_version = "10+".into();
    }
}
