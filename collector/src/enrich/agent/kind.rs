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
    (Device::Other, &["crkey/1.56.500000 devicetype/smartspeaker", "(fuchsia)", "qtcarbrowser", " tesla/"]),
    (Device::Console, &["playstation", "xbox", "nintendo", "ouya"]),
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
    (
        Device::Wearable,
        &["watchos", "apple watch", "wear os", "galaxy watch", "oculusbrowser", "smartwatch", "; glass 1"],
    ),
    (Device::Desktop, &["windows nt"]),
    (Device::Tablet, &["ipad", "tablet", "playbook", "kindle", "; kf", "nook ", "nexus 7", "nexus 9", "nexus 10"]),
    (Device::Mobile, &["iphone", "ipod", "windows phone", "mobile"]),
    (Device::Desktop, &["macintosh", "x11", "cros ", "linux x86", "linux aarch64", "linux i686"]),
];

/// Which kind of device a user agent in small letters belongs to.
pub(super) fn device(lower: &str) -> Device {
    let found = DEVICES.iter().find(|(_, tokens)| tokens.iter().any(|token| lower.contains(token)));
    match found {
        Some((device, _)) => *device,
        None if !lower.contains("android") => Device::Other,
        // A browser that is not mobile is on a tablet. An application does not say, and most are on telephones.
        None if lower.contains("webkit") || lower.contains("gecko") => Device::Tablet,
        None => Device::Mobile,
    }
}

/// Tokens of known bots that the patterns take for browsers, or know by no good name: automation, monitoring, and those
/// that read for language models.
const BOTS: &[(&str, &str)] = &[
    ("headlesschrome", "HeadlessChrome"),
    ("phantomjs", "PhantomJS"),
    ("chrome-lighthouse", "Lighthouse"),
    ("pingdom", "Pingdom"),
    ("uptimerobot", "UptimeRobot"),
    ("statuscake", "StatusCake"),
    ("datadog", "Datadog"),
    ("siteimprove", "Siteimprove"),
    ("google-inspectiontool", "Google-InspectionTool"),
    ("googleother", "GoogleOther"),
    ("storebot-google", "Storebot-Google"),
    ("bytespider", "Bytespider"),
    ("chatgpt-user", "ChatGPT-User"),
    ("meta-externalagent", "Meta-ExternalAgent"),
    ("meta-externalads", "Meta-ExternalAds"),
    ("meta-externalfetcher", "Meta-ExternalFetcher"),
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

/// The name of the operating system under which people know it.
pub(super) fn os(family: &str) -> &str {
    match family {
        "Mac OS X" => "macOS",
        "Web0S" => "webOS",
        "ATV OS X" => "tvOS",
        "Roku" => "Roku OS",
        "WatchOS" => "watchOS",
        // The maker's name with a year is what the patterns make of a television's HbbTV.
        "Other" | "LG" | "Samsung" | "Philips" | "Panasonic" | "Sony" | "FireHbbTV" => "",
        other => other,
    }
}

/// The maker's own spelling.
pub(super) fn vendor(brand: &str) -> &str {
    match brand {
        "XiaoMi" => "Xiaomi",
        "Xbox" => "Microsoft",
        "TOSHIBA" => "Toshiba",
        "BANGOLUFSEN" => "Bang & Olufsen",
        other => other,
    }
}

/// Whether a maker's name stands for not knowing.
pub(super) fn is_generic_brand(brand: &str) -> bool {
    brand.starts_with("Generic") || brand == SPIDER
}

/// Whether a model's name stands for not knowing. Chrome calls every Android device `K`.
pub(super) fn is_generic_model(model: &str) -> bool {
    const GENERIC: &[&str] = &[
        "K",
        "Smartphone",
        "Tablet",
        "Feature Phone",
        "Desktop",
        "SMART-TV",
        "SAMSUNG-SMART-TV",
        "smartTV",
        "Web0S SmartTV",
        "HbbTV",
        "GoogleTV",
        "Browser",
        "Kindle",
    ];
    GENERIC.contains(&model)
}

/// The model that a browser on Android puts behind the version: `(Linux; Android 11; KFTRWI Build/…)`.
pub(super) fn android_model(user_agent: &str) -> &str {
    let behind = user_agent.split_once("; Android ").and_then(|(_, rest)| rest.split_once("; "));
    let part = behind.map_or("", |(_, rest)| rest.split([';', ')']).next().unwrap_or_default());
    let model = part.split(" Build/").next().unwrap_or_default().trim();
    let is_language = model.len() == 5 && model.as_bytes()[2] == b'-';
    let is_none = is_language || model.starts_with("Build/") || is_generic_model(model);
    if is_none { "" } else { model }
}

/// Makers by how their models begin, in small letters: hints and new devices have a model and no maker.
const MAKERS: &[(&str, &str)] = &[
    ("sm-", "Samsung"),
    ("pixel ", "Google"),
    ("chromecast", "Google"),
    ("cph", "Oppo"),
    ("moto ", "Motorola"),
    ("motorola", "Motorola"),
    ("rmx", "Realme"),
    ("oneplus", "OnePlus"),
    ("xq-", "Sony"),
    ("bravia", "Sony"),
    ("lm-", "LG"),
    ("redmi", "Xiaomi"),
    ("xiaomi", "Xiaomi"),
    ("mitv", "Xiaomi"),
    ("nokia", "Nokia"),
    ("lenovo", "Lenovo"),
    ("vivo", "vivo"),
    ("huawei", "Huawei"),
    ("shield", "Nvidia"),
    ("ouya", "OUYA"),
    ("venue ", "Dell"),
    ("surface", "Microsoft"),
    ("aft", "Amazon"),
    ("kf", "Amazon"),
];

/// Who makes a model; empty when its name does not tell.
pub(super) fn maker(model: &str) -> &'static str {
    let begins = |prefix: &str| model.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    MAKERS.iter().find(|(prefix, _)| begins(prefix)).map_or("", |(_, maker)| maker)
}

/// Makers, models and systems by token, for what the patterns leave empty: (token, maker, model, system).
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("xbox series x", "Microsoft", "Xbox Series X", ""),
    ("xbox one", "Microsoft", "Xbox One", ""),
    ("xbox", "Microsoft", "Xbox", ""),
    ("playstation 5", "Sony", "PlayStation 5", "PlayStation OS"),
    ("playstation", "Sony", "PlayStation", "PlayStation OS"),
    ("nintendo switch", "Nintendo", "Switch", "Nintendo OS"),
    ("new nintendo 3ds", "Nintendo", "New 3DS", "Nintendo OS"),
    ("nintendo", "Nintendo", "", "Nintendo OS"),
    ("roku", "Roku", "Roku", "Roku OS"),
    ("netcast", "LG", "", "NetCast"),
    ("web0s", "LG", "", "webOS"),
    ("smarttv201", "Samsung", "", ""),
    ("apple watch", "Apple", "Apple Watch", "watchOS"),
    ("vizio", "Vizio", "", "SmartCast"),
    ("; aft", "Amazon", "", "Fire OS"),
    ("; kf", "Amazon", "", "Fire OS"),
    ("bravia", "Sony", "", ""),
    ("sonydtv", "Sony", "", ""),
    ("(fuchsia)", "Google", "Nest Hub", "Fuchsia"),
    ("devicetype/smartspeaker", "Google", "Nest Hub", "Chromecast"),
    ("crkey", "Google", "Chromecast", ""),
    ("; philips;", "Philips", "", ""),
];

/// Devices that pass for another: what the table says of them is right, whatever the patterns say.
const DISGUISED: &[&str] =
    &["(fuchsia)", "devicetype/smartspeaker", "new nintendo 3ds", "apple watch", "playstation 5"];

/// Systems that the patterns give for what is really another one.
const UNDERNEATH: &[&str] = &["", "Linux"];

/// Fills what the patterns left empty.
pub(super) fn fill_in(lower: &str, agent: &mut Agent) {
    let Some(&(token, vendor, model, os)) = KNOWN.iter().find(|(token, ..)| lower.contains(token)) else { return };
    let disguised = DISGUISED.contains(&token);
    if agent.vendor.is_empty() || disguised {
        agent.vendor = vendor.into();
    }
    if disguised || (agent.model.is_empty() && agent.vendor == vendor) {
        agent.model = model.into();
    }
    let android_is_fire = os == "Fire OS" && agent.os == "Android";
    let is_underneath = UNDERNEATH.contains(&agent.os.as_str()) || android_is_fire || disguised;
    if !os.is_empty() && is_underneath && agent.os != os {
        // The watch counts its system as what it passes for does.
        if os != "watchOS" {
            agent.os_version.clear();
        }
        agent.os = os.into();
    }
}

/// Safari's version from which on it counts like its system, while it calls that 18.6 or 18.7 for ever.
const IOS_FROZEN_SINCE: u32 = 26;

/// Forgets versions that browsers state whatever the truth is, and a system that may be either of two.
pub(super) fn forget_frozen(user_agent: &str, agent: &mut Agent) {
    let frozen_mac = ["Mac OS X 10_15_7", "Mac OS X 10.15;"].iter().any(|token| user_agent.contains(token));
    let frozen_android = user_agent.contains("Android 10; K)");
    let frozen_chrome_os = user_agent.contains("CrOS x86_64 14541.0.0");
    if (agent.os == "macOS" && frozen_mac) || (agent.os == "Android" && frozen_android) || frozen_chrome_os {
        agent.os_version.clear();
    }
    if agent.os == "Windows" && agent.os_version == "10" {
        agent.os_version = "10+".into();
    }
    if agent.os == "iOS" && matches!(agent.os_version.as_str(), "18.6" | "18.7") {
        thaw_ios(user_agent, agent);
    }
}

/// The version of iOS that a version of Safari comes with; empty where they count apart.
pub(super) fn ios_of_safari<'a>(browser: &str, version: &'a str) -> &'a str {
    let counts_alike = version.parse::<u32>().is_ok_and(|major| major >= IOS_FROZEN_SINCE);
    if browser == "Safari" && counts_alike { version } else { "" }
}

/// Safari's own version is the system's, from 26 on. A browser that does not state it leaves both possible.
fn thaw_ios(user_agent: &str, agent: &mut Agent) {
    let stated = user_agent.split_once("Version/").map(|(_, rest)| rest.split(' ').next().unwrap_or_default());
    let mut numbers = stated.unwrap_or_default().split('.');
    let major = numbers.next().filter(|major| !major.is_empty());
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(IOS_FROZEN_SINCE..) => agent.os_version = super::version(major, numbers.next()),
        Some(_) => {}
        None => agent.os_version = "18+".into(),
    }
}
