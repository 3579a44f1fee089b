//! The one table of named reports: saved queries, of which dashboards are made. A new report is one entry.

use jiff::Unit;
use jiff::tz::TimeZone;
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::Dimension;
use serde::Serialize;
use serde_json::{Value, json};

use super::bucket::zoned;
use super::dimension::{Attribute, Names};
use super::error::{Code, Refusal, ReportError};
use super::query::Request;
use super::special::{self, Asked, Funnel, Realtime, Retention};
use super::{Answer, answer, resolve};
use crate::store::Store;
use crate::store::cancel::Cancel;

/// A report with a name.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// What it tells, in a sentence.
    pub doc: &'static str,
    /// What it is made of.
    pub parts: &'static [Part],
}

/// A part of a report.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The name within the report.
    pub name: &'static str,
    /// What is asked.
    pub ask: Ask,
}

/// What a part asks.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// A query.
    Table {
        /// The metrics; the rows come by the first one.
        metrics: &'static [&'static str],
        /// The dimensions; `time` is the grain that suits the range.
        dimensions: &'static [&'static str],
        /// The only value of a dimension that counts.
        only: Option<(&'static str, &'static str)>,
    },
    /// The same by each of the site's own dimensions.
    EachOwn(&'static [&'static str]),
    /// [`special::funnel`].
    Funnel,
    /// [`special::retention`].
    Retention,
    /// [`special::realtime`].
    Realtime,
}

const fn part(name: &'static str, metrics: &'static [&'static str], dimensions: &'static [&'static str]) -> Part {
    Part { name, ask: Ask::Table { metrics, dimensions, only: None } }
}

const fn live(name: &'static str, metrics: &'static [&'static str], dimensions: &'static [&'static str]) -> Part {
    Part { name, ask: Ask::Table { metrics, dimensions, only: Some(("kind", "live")) } }
}

/// How much is watched.
const WATCHED: &[&str] = &["plays", "unique_viewers", "minutes_viewed", "avg_view_minutes", "impressions", "play_rate"];
/// How much, where uniques in every row would say little.
const VOLUME: &[&str] = &["plays", "minutes_viewed", "avg_view_minutes", "impressions", "play_rate"];
/// How much of the content.
const ENGAGEMENT: &[&str] =
    &["plays", "completion_rate", "avg_percent_watched", "drop_off", "engaged_rate", "minutes_viewed"];
/// How well it plays.
const QUALITY: &[&str] = &[
    "plays",
    "startup_ms_p50",
    "startup_ms_p95",
    "rebuffer_ratio",
    "rebuffers_per_hour",
    "views_with_rebuffer_rate",
    "exits_before_start_rate",
    "start_failures_rate",
    "playback_failures_rate",
    "error_rate",
    "avg_bitrate_kbps",
    "dropped_frame_ratio",
];
const FAILURES: &[&str] = &["errors", "fatal_errors", "start_failures", "playback_failures"];
const LIVE: &[&str] = &["peak_concurrent_views", "avg_live_latency_ms", "plays", "minutes_viewed", "rebuffer_ratio"];

/// Every report.
pub const ALL: &[Named] = &[
    Named {
        name: "overview",
        doc: "How the site is doing: totals, their course, and who watches on what and where.",
        parts: &[
            part(
                "totals",
                &[
                    "views",
                    "impressions",
                    "plays",
                    "unique_viewers",
                    "sessions",
                    "minutes_viewed",
                    "avg_view_minutes",
                    "play_rate",
                    "completion_rate",
                    "avg_percent_watched",
                    "rebuffer_ratio",
                    "error_rate",
                    "lost",
                    "gigabytes_delivered",
                ],
                &[],
            ),
            part("over_time", &["plays", "unique_viewers", "minutes_viewed"], &["time"]),
            part("device_country", VOLUME, &["device", "country"]),
        ],
    },
    Named {
        name: "top_videos",
        doc: "What is watched most, and how much of it.",
        parts: &[
            part(
                "videos",
                &["plays", "unique_viewers", "minutes_viewed", "avg_percent_watched", "completion_rate"],
                &["video", "video_title"],
            ),
            part("series", VOLUME, &["series"]),
            part("categories", VOLUME, &["category"]),
        ],
    },
    Named {
        name: "audience_map",
        doc: "Where people watch: countries, regions, cities.",
        parts: &[
            part("countries", WATCHED, &["country"]),
            part("regions", VOLUME, &["country", "region"]),
            part("cities", VOLUME, &["country", "region", "city"]),
        ],
    },
    Named {
        name: "devices",
        doc: "What people watch on.",
        parts: &[
            part("devices", WATCHED, &["device"]),
            part("models", VOLUME, &["device", "device_vendor", "device_model"]),
            part("connections", VOLUME, &["connection"]),
        ],
    },
    Named {
        name: "systems",
        doc: "Operating systems and browsers.",
        parts: &[
            part("systems", WATCHED, &["os"]),
            part("system_versions", VOLUME, &["os", "os_version"]),
            part("browsers", WATCHED, &["browser"]),
            part("browser_versions", VOLUME, &["browser", "browser_version"]),
            part("system_browsers", VOLUME, &["os", "browser"]),
        ],
    },
    Named {
        name: "sources",
        doc: "Where plays come from: domains and their pages, referrers, campaigns.",
        parts: &[
            part("domains", WATCHED, &["domain"]),
            part("pages", VOLUME, &["domain", "page"]),
            part("referrers", VOLUME, &["referrer_domain"]),
            part("campaigns", VOLUME, &["utm_source", "utm_medium", "utm_campaign"]),
            part("applications", VOLUME, &["application"]),
        ],
    },
    Named {
        name: "engagement",
        doc: "How far people come, where they leave, and what they watch again.",
        parts: &[
            Part { name: "funnel", ask: Ask::Funnel },
            Part { name: "retention", ask: Ask::Retention },
            part("totals", ENGAGEMENT, &[]),
            part("over_time", ENGAGEMENT, &["time"]),
            part("videos", ENGAGEMENT, &["video", "video_title"]),
            part("actions", &["pauses", "seeks", "replays", "shares", "downloads", "interactions"], &[]),
        ],
    },
    Named {
        name: "realtime",
        doc: "Who is watching now, and the last half hour by the minute.",
        parts: &[Part { name: "realtime", ask: Ask::Realtime }],
    },
    Named {
        name: "quality",
        doc: "Startup, rebuffering, errors and bitrate, in their course and by what may explain them.",
        parts: &[
            part("totals", QUALITY, &[]),
            part("over_time", QUALITY, &["time"]),
            part("devices", QUALITY, &["device"]),
            part("countries", QUALITY, &["country"]),
            part("isps", QUALITY, &["isp"]),
            part("players", QUALITY, &["player", "engine"]),
            part("videos", QUALITY, &["video"]),
            part(
                "renditions",
                &[
                    "rendition_240",
                    "rendition_360",
                    "rendition_480",
                    "rendition_720",
                    "rendition_1080",
                    "rendition_1440",
                    "rendition_2160",
                    "rendition_other",
                ],
                &[],
            ),
        ],
    },
    Named {
        name: "errors",
        doc: "What fails, when it strikes, and how views end.",
        parts: &[
            part("totals", &["errors", "fatal_errors", "start_failures", "playback_failures", "error_rate"], &[]),
            part("codes", FAILURES, &["error_code", "error_phase"]),
            part("over_time", &["errors", "error_rate"], &["time"]),
            part("stops", &["stops"], &["stop_reason"]),
        ],
    },
    Named {
        name: "live",
        doc: "Concurrency and latency of live streams.",
        parts: &[
            live("totals", LIVE, &[]),
            live("over_time", LIVE, &["time"]),
            live("videos", LIVE, &["video", "video_title"]),
        ],
    },
    Named {
        name: "players",
        doc: "Players and streaming engines, and how well they play.",
        parts: &[
            part("players", QUALITY, &["player", "player_version"]),
            part("engines", QUALITY, &["player", "engine"]),
            part("protocols", QUALITY, &["protocol"]),
        ],
    },
    Named {
        name: "custom",
        doc: "The site's own dimensions, a table for each.",
        parts: &[Part { name: "own", ask: Ask::EachOwn(WATCHED) }],
    },
];

/// What is answered of a part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PartAnswer {
    /// A table.
    Table(Box<Answer>),
    /// How far people come.
    Funnel(Funnel),
    /// Which parts are watched.
    Retention(Retention),
    /// What goes on.
    Realtime(Realtime),
}

/// A part with its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// The name within the report.
    pub name: String,
    /// The answer.
    pub answer: PartAnswer,
}

/// A whole report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Its name.
    pub report: &'static str,
    /// Its parts, in order.
    pub parts: Vec<Answered>,
}

/// What a named report may be asked with.
pub const FIELDS: &[&str] = &["site", "date_range", "filters", "timezone", "limit", "comparison"];

/// Rows of a table of a named report, unless more are asked for.
pub const ROWS: usize = 100;

/// The report with this name.
///
/// # Errors
/// A refusal that names all.
pub fn find(name: &str) -> Result<&'static Named, Refusal> {
    ALL.iter().find(|report| report.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|report| report.name).collect();
        let message = format!("there is no report \"{}\"; allowed: {}", super::json::shortened(name), names.join(", "));
        Refusal { code: Code::UnknownReport, message, field: "report".into() }
    })
}

/// Answers a report, or one part of it.
///
/// # Errors
/// [`ReportError`].
pub fn report(
    store: &dyn Store,
    named: &'static Named,
    part: Option<&str>,
    asked: &Situation<'_>,
) -> Result<Report, ReportError> {
    let parts: Vec<_> = named.parts.iter().filter(|one| part.is_none_or(|name| one.name == name)).collect();
    if parts.is_empty() {
        let names: Vec<_> = named.parts.iter().map(|part| part.name).collect();
        let message = format!("{} has no such part; allowed: {}", named.name, names.join(", "));
        return Err(Refusal { code: Code::UnknownReport, message, field: "part".into() }.into());
    }
    let mut answers = Vec::new();
    for part in parts {
        asked.answer(store, part, &mut answers)?;
    }
    Ok(Report { report: named.name, parts: answers })
}

/// Who asks for what, and when.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The request.
    pub request: &'a Request,
    /// What the site calls its own dimensions.
    pub names: &'a Names,
    /// The site's timezone.
    pub timezone: &'a TimeZone,
    /// When it is asked.
    pub now: Wall,
    /// Whether it is still wanted.
    pub cancel: &'a Cancel,
}

impl Situation<'_> {
    fn answer(&self, store: &dyn Store, part: &Part, answers: &mut Vec<Answered>) -> Result<(), ReportError> {
        let special = || -> Result<Asked, ReportError> {
            let mut body = self.request.only(FIELDS)?.clone();
            if let Some(fields) = body.as_object_mut() {
                fields.retain(|name, _| special::FIELDS.contains(&name.as_str()));
            }
            let mut asked = Asked::new(&Request::new(body)?, self.names.clone())?;
            asked.in_timezone(self.timezone);
            Ok(asked)
        };
        let answer = match part.ask {
            Ask::Funnel => PartAnswer::Funnel(special::funnel(store, &special()?, self.now, self.cancel)?),
            Ask::Retention => PartAnswer::Retention(special::retention(store, &special()?, self.now, self.cancel)?),
            Ask::Realtime => PartAnswer::Realtime(special::realtime(store, &special()?, self.now, self.cancel)?),
            Ask::Table { metrics, dimensions, only } => self.table(store, metrics, dimensions, only)?,
            Ask::EachOwn(metrics) => {
                for (attribute, name) in self.names.all() {
                    if Dimension::CUSTOM.map(Attribute::Stored).contains(&attribute) {
                        let answer = self.table(store, metrics, &[name], None)?;
                        answers.push(Answered { name: name.into(), answer });
                    }
                }
                return Ok(());
            }
        };
        answers.push(Answered { name: part.name.into(), answer });
        Ok(())
    }

    fn table(
        &self,
        store: &dyn Store,
        metrics: &[&str],
        dimensions: &[&str],
        only: Option<(&str, &str)>,
    ) -> Result<PartAnswer, ReportError> {
        let given = self.request.only(FIELDS)?;
        let mut filters = given["filters"].as_array().cloned().unwrap_or_default();
        filters.extend(only.map(|(dimension, value)| json!(["is", dimension, [value]])));
        let mut body = json!({
            "site": given["site"], "metrics": metrics, "filters": filters, "timezone": given["timezone"],
            "date_range": given.get("date_range").filter(|range| !range.is_null()).unwrap_or(&json!("30d")),
            "pagination": { "limit": given.get("limit").unwrap_or(&json!(ROWS)) },
            "include": { "comparison": given["comparison"], "time_labels": dimensions.contains(&"time") },
        });
        if !given["filters"].is_null() && !given["filters"].is_array() {
            body["filters"] = given["filters"].clone();
        }
        let mut dimensions: Vec<_> = dimensions.to_vec();
        if let Some(time) = dimensions.iter_mut().find(|name| **name == "time") {
            *time = self.suiting_grain(store, &body)?;
            // A course has as many points as it takes.
            body["pagination"] = Value::Null;
        }
        body["dimensions"] = json!(dimensions);
        let mut query = Request::new(body)?.query(self.names.clone())?;
        query.timezone.get_or_insert_with(|| self.timezone.clone());
        Ok(PartAnswer::Table(Box::new(answer(store, &query, self.now, self.cancel)?)))
    }

    /// The grain that gives a course of some ten to some hundred points.
    fn suiting_grain(&self, store: &dyn Store, body: &Value) -> Result<&'static str, ReportError> {
        let mut query = Request::new(body.clone())?.query(self.names.clone())?;
        query.timezone.get_or_insert_with(|| self.timezone.clone());
        let range = resolve(store, &query, self.now)?;
        let length = zoned(range.end, query.zone())?.since(&zoned(range.start, query.zone())?)?;
        let hours = length.total((Unit::Hour, &zoned(range.start, query.zone())?))?;
        Ok(match hours {
            ..=3.0 => "time:minute",
            ..=72.0 => "time:hour",
            ..=2400.0 => "time:day",
            ..=18_000.0 => "time:week",
            _ => "time:month",
        })
    }
}

impl From<jiff::Error> for ReportError {
    fn from(_: jiff::Error) -> Self {
        super::bucket::BucketError::Calendar.into()
    }
}
