//! What the demo takes for granted about the collector, the simulated audience and the example page. Nothing else in
//! these tools knows their names.

use serde_json::{Value, json};

/// The collector's port unless another is asked for. The example page names it in its script tag.
pub const DEFAULT_PORT: u16 = 4600;

/// How the example page names the collector; the demo's server replaces it when the port is another.
pub const COLLECTOR_IN_PAGE: &str = "http://127.0.0.1:4600";

/// The folder that is served, in the workspace: the page and the clips it shows.
pub const EXAMPLES: &str = "examples";

/// The example page, inside the served folder. Its first video is the clip of `CLIP`.
pub const PAGE: &str = "/plain/";

/// The id that the example page gives its video of eight seconds.
pub const CLIP: &str = "clip-8s";

/// The collector answers this with 200 once it runs.
pub const HEALTH: &str = "/healthz";

/// Where reports are asked for.
pub const QUERY: &str = "/v1/reports/query";

/// The package of the simulated audience.
pub const AUDIENCE_PACKAGE: &str = "quartile-simulator";

/// The site that the demo knows.
const SITE: &str = "demo";

/// How many viewers are simulated.
const VIEWERS: u32 = 300;

/// What the collector reads from its environment: where to listen and where to keep its data. Without a configuration
/// file it is the demo: site `demo`, pages of any origin, reports without a token.
pub fn collector_environment(listen: &str, data: &str) -> Vec<(&'static str, String)> {
    vec![("QUARTILE_LISTEN", listen.into()), ("QUARTILE_DATA_DIR", data.into())]
}

/// The arguments of the simulated audience.
pub fn audience_arguments(collector: &str) -> Vec<String> {
    ["--collector", collector, "--site", SITE, "--viewers", &VIEWERS.to_string()].map(str::to_owned).to_vec()
}

/// Plays of the last days by device and country.
pub fn plays_query() -> Value {
    query(&["plays"], &["device", "country"])
}

/// How often each video was played, and watched to its end.
pub fn videos_query() -> Value {
    query(&["plays", "reached_100"], &["video"])
}

fn query(metrics: &[&str], dimensions: &[&str]) -> Value {
    json!({ "site": SITE, "metrics": metrics, "date_range": "7d", "dimensions": dimensions })
}
