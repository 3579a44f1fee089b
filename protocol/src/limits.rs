//! Every bound of the wire, in one place. Each is tested at its value and one past it.

use crate::clock::{DAY_MS, Millis};

/// The largest body that the SDK makes: browsers share a quota of 64 KiB among all keep-alive requests of a page.
pub const SDK_BODY_BYTES: usize = 48_000;

/// The largest body that a collector accepts, before and after decompression.
pub const BODY_BYTES: usize = 512 * 1024;

/// Characters in a site's key.
pub const SITE_CHARS: usize = 64;

/// Bytes of UTF-8 in an id chosen by a site: video, viewer, user.
pub const ID_BYTES: usize = 200;

/// Bytes in an address: page, referrer.
pub const URL_BYTES: usize = 2_000;

/// Bytes in a title or in an error's message.
pub const TITLE_BYTES: usize = 500;

/// Bytes in a short word: a version, a language, a platform, the name of a dimension.
pub const WORD_BYTES: usize = 100;

/// Views in one batch.
pub const VIEWS: usize = 200;

/// Slices of one view in one batch: a day of five-minute slices, and as many changes of dimension.
pub const SLICES: usize = 600;

/// Events of one view in one batch.
pub const EVENTS: usize = 1_000;

/// Rejections that a reply lists; all are counted.
pub const REJECTIONS_LISTED: usize = 1_000;

/// Custom dimensions of a site.
pub const CUSTOM_DIMENSIONS: usize = 10;

/// Names of custom dimensions that one view may carry; the collector keeps those that its site has named.
pub const CUSTOM_NAMES: usize = 20;

/// The largest slice number and event number.
pub const NUMBER: u64 = 100_000;

/// The largest number among the details of an event: a duration, a size in pixels, a bitrate.
pub const DETAIL_NUMBER: u64 = 1_000_000_000;

/// The largest ratio among the details of an event: a speed, a loudness.
pub const RATIO: f64 = 100.0;

/// The longest slice: five minutes, or the wait for a first frame that began in it.
pub const SPAN_MS: Millis = 600_000;

/// What a time counted in a slice may exceed its span by: clocks are read one after the other.
pub const SPAN_SLACK_MS: Millis = 2_000;

/// How much faster than real time content can pass: sixteen times, and a little.
pub const CONTENT_RATE: u64 = 17;

/// The longest duration of a video and the furthest position, in milliseconds; live streams may count from the epoch.
pub const MEDIA_MS: u64 = 9_007_199_254_740_991;

/// The latest date: the end of the year 9999.
pub const WALL_MS: i64 = 253_402_300_799_999;

/// How old a view may be when it is sent, by the sender's own clock.
pub const VIEW_AGE_MS: i64 = 30 * DAY_MS;

/// How far in the future a view may lie when it is sent, by the sender's own clock.
pub const VIEW_AHEAD_MS: i64 = DAY_MS;
