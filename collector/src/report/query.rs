//! The request: read, validated, and every refusal said with where, what and what is allowed.

use jiff::tz::TimeZone;
use quartile_protocol::id::SiteId;
use serde_json::Value;

use super::bucket::Grain;
use super::cursor::Cursor;
use super::dimension::{Attribute, Names};
use super::error::{Code, Refusal};
use super::filter;
use super::json::{At, Object, shortened};
use super::metric::Metric;
use super::plan::Filter;
use super::range::{ALLOWED, Bound, DateRange};

/// Every bound of a request.
pub mod limits {
    /// Bytes of a body.
    pub const BODY_BYTES: usize = 64 * 1024;
    /// Metrics of a query.
    pub const METRICS: usize = 50;
    /// Dimensions of a query.
    pub const DIMENSIONS: usize = 6;
    /// Rows of an answer.
    pub const ROWS: usize = 10_000;
    /// Rows left out before an answer.
    pub const OFFSET: usize = 1_000_000;
    /// Combinations of values of the dimensions, on all pages together.
    pub const GROUPS: usize = 1_000_000;
    /// Filters within one another.
    pub const FILTER_DEPTH: usize = 8;
    /// Filters of a query.
    pub const FILTERS: usize = 100;
    /// Values of one filter.
    pub const FILTER_VALUES: usize = 200;
    /// Bytes of a value in a filter.
    pub const VALUE_BYTES: usize = 2_000;
    /// Bytes of a cursor.
    pub const CURSOR_BYTES: usize = 24 * 1024;
    /// Bytes of any other text.
    pub const TEXT_BYTES: usize = 200;
}

/// What rows can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisName {
    /// Buckets of time.
    Time(Grain),
    /// A dimension.
    Dimension(Attribute),
}

impl AxisName {
    /// Every axis of a site with its name, times first.
    pub fn all(names: &Names) -> impl Iterator<Item = (Self, &str)> {
        let times = Grain::ALL.iter().map(|&grain| (Self::Time(grain), grain.name()));
        times.chain(names.all().map(|(attribute, name)| (Self::Dimension(attribute), name)))
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Time(grain) => grain.doc(),
            Self::Dimension(attribute) => attribute.doc(),
        }
    }
}

/// A valid request.
#[derive(Clone, Debug)]
pub struct Query {
    /// The site.
    pub site: SiteId,
    /// What the site calls its own dimensions.
    pub names: Names,
    /// What is counted.
    pub metrics: Vec<&'static Metric>,
    /// When.
    pub range: DateRange,
    /// What rows are grouped by.
    pub axes: Vec<AxisName>,
    /// Which rows count.
    pub filter: Filter,
    /// The filters as they were written.
    pub filters: Value,
    /// The order that was asked for: a column of the answer, and whether the largest comes first.
    pub order: Vec<(usize, bool)>,
    /// How many rows at most.
    pub limit: usize,
    /// How many rows are left out before that.
    pub offset: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// In which timezone days and hours are; that of the site where none is asked for.
    pub timezone: Option<TimeZone>,
    /// What is to be in the answer beside the rows.
    pub include: Include,
    /// What tells this query from others, whatever page of it is asked for.
    pub fingerprint: u64,
}

/// What may be in an answer beside its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Include {
    /// Every bucket of time, also those without rows.
    pub time_labels: bool,
    /// The metrics over all rows of all pages.
    pub totals: bool,
    /// How many rows all pages have.
    pub total_rows: bool,
    /// The same in another period.
    pub comparison: Option<Comparison>,
}

/// With which other period an answer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// As many days just before; of a range that is not of whole days, as much time.
    PreviousPeriod,
    /// The same dates a year before.
    YearBefore,
    /// From one bound to another.
    Between(Bound, Bound),
}

/// The fields of a body.
pub const FIELDS: &[&str] =
    &["site", "metrics", "date_range", "dimensions", "filters", "order_by", "pagination", "timezone", "include"];

/// The fields of `pagination`.
pub const PAGINATION: &[&str] = &["limit", "offset", "cursor"];

/// The fields of `include`.
pub const INCLUDE: &[&str] = &["time_labels", "totals", "total_rows", "comparison"];

/// A request body whose site is known, and nothing else.
#[derive(Clone, Debug)]
pub struct Request {
    /// The site, which has to be known before the names of its dimensions are.
    pub site: SiteId,
    body: Value,
}

impl Request {
    /// Reads a request body.
    ///
    /// # Errors
    /// A refusal.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let whole = |code, message: String| Refusal { code, message, field: String::new() };
        if body.len() > limits::BODY_BYTES {
            let message = format!("the body must have at most {} bytes", limits::BODY_BYTES);
            return Err(whole(Code::BodyTooLarge, message));
        }
        let body = serde_json::from_slice(body)
            .map_err(|error| whole(Code::InvalidJson, format!("the body is no JSON: {error}")))?;
        Self::new(body)
    }

    /// Takes a body that is JSON already.
    ///
    /// # Errors
    /// A refusal.
    pub fn new(body: Value) -> Result<Self, Refusal> {
        let site = site(&At::root(&body).any_object()?)?;
        Ok(Self { site, body })
    }

    /// Whether all rows are wanted: no page was asked for.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        let pagination = self.body.get("pagination");
        pagination.is_none_or(|pagination| ["limit", "cursor"].iter().all(|name| pagination[name].is_null()))
    }

    /// The same query from a cursor on.
    ///
    /// # Errors
    /// A refusal.
    pub fn at(&self, cursor: &str) -> Result<Self, Refusal> {
        let mut body = self.body.clone();
        body["pagination"] = serde_json::json!({ "cursor": cursor });
        Self::new(body)
    }

    /// The body, which has no fields but these.
    ///
    /// # Errors
    /// A refusal.
    pub fn only(&self, fields: &[&str]) -> Result<&Value, Refusal> {
        At::root(&self.body).object(fields)?;
        Ok(&self.body)
    }

    /// The query, where the site's own dimensions have these names.
    ///
    /// # Errors
    /// A refusal.
    pub fn query(&self, names: Names) -> Result<Query, Refusal> {
        Query::read(&At::root(&self.body).object(FIELDS)?, self.site.clone(), names, fingerprint(&self.body))
    }
}

/// Bodies are alike when they differ in nothing but the page.
fn fingerprint(body: &Value) -> u64 {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("pagination");
    }
    siphasher::sip::SipHasher13::new().hash(body.to_string().as_bytes())
}

impl Query {
    fn read(body: &Object<'_>, site: SiteId, names: Names, fingerprint: u64) -> Result<Self, Refusal> {
        let (metrics, axes) = (metrics(body)?, axes(body, &names)?);
        let (filter, filters) = match body.optional("filters") {
            Some(filters) => (filter::parse(&filters, &names)?, filters.value.clone()),
            None => (Filter::All(Vec::new()), Value::Array(Vec::new())),
        };
        let (limit, offset, cursor) = pagination(body, fingerprint)?;
        let query = Self {
            site,
            range: date_range(body)?,
            order: order(body, &axes, &metrics, &names)?,
            timezone: timezone(body)?,
            include: include(body)?,
            names,
            metrics,
            axes,
            filter,
            filters,
            limit,
            offset,
            cursor,
            fingerprint,
        };
        query.check_outcomes()?;
        query.check_minutes()?;
        Ok(query)
    }

    /// The timezone of the answer.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        static UTC: TimeZone = TimeZone::UTC;
        self.timezone.as_ref().unwrap_or(&UTC)
    }

    /// The name of an axis.
    #[must_use]
    pub fn name_of(&self, axis: AxisName) -> &str {
        match axis {
            AxisName::Time(grain) => grain.name(),
            AxisName::Dimension(attribute) => self.names.of(attribute),
        }
    }

    /// The names of the columns: dimensions, then metrics.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let metrics = self.metrics.iter().map(|metric| metric.name);
        self.axes.iter().map(|axis| self.name_of(*axis)).chain(metrics)
    }

    /// Refuses other counts beside dimensions that only one slice of a view has.
    fn check_outcomes(&self) -> Result<(), Refusal> {
        let grouped = self.axes.iter().find_map(|axis| match axis {
            AxisName::Dimension(attribute) if attribute.is_outcome() => Some(*attribute),
            _ => None,
        });
        let used = grouped.or_else(|| self.filter.attributes().into_iter().find(|attribute| attribute.is_outcome()));
        let other = self.metrics.iter().position(|metric| !metric.counts_outcomes());
        let (Some(attribute), Some(index)) = (used, other) else { return Ok(()) };
        let allowed: Vec<_> = Metric::all().iter().filter(|metric| metric.counts_outcomes()).map(|m| m.name).collect();
        Err(Refusal {
            code: Code::NotTogether,
            message: format!(
                "{} cannot be divided by {}, which is known in one slice of a view only; allowed with it: {}",
                self.metrics[index].name,
                attribute.name(),
                allowed.join(", ")
            ),
            field: format!("metrics[{index}]"),
        })
    }

    /// Refuses what only a minute has where there are none.
    fn check_minutes(&self) -> Result<(), Refusal> {
        if self.axes.contains(&AxisName::Time(Grain::Minute)) {
            return Ok(());
        }
        let Some(index) = self.metrics.iter().position(|metric| metric.needs_minutes()) else { return Ok(()) };
        let name = self.metrics[index].name;
        Err(Refusal {
            code: Code::NotTogether,
            message: format!("{name} is of one minute; ask by time:minute, or for peak_{name}"),
            field: format!("metrics[{index}]"),
        })
    }
}

/// Refuses a name that its list has twice.
fn once<T: PartialEq>(list: &[T], entry: &T, at: &At<'_>) -> Result<(), Refusal> {
    if list.contains(entry) { Err(at.refuse(Code::InvalidValue, "is named twice")) } else { Ok(()) }
}

fn site(body: &Object<'_>) -> Result<SiteId, Refusal> {
    let at = body.required("site")?;
    SiteId::new(at.text(limits::TEXT_BYTES)?).map_err(|error| at.refuse(Code::InvalidValue, error.to_string()))
}

fn metrics(body: &Object<'_>) -> Result<Vec<&'static Metric>, Refusal> {
    let mut metrics = Vec::new();
    for at in body.required("metrics")?.list(1, limits::METRICS)? {
        let name = at.text(limits::TEXT_BYTES)?;
        let metric = Metric::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Metric::all().iter().map(|metric| metric.name).collect();
            let message = format!("there is no metric \"{}\"; allowed: {}", shortened(name), names.join(", "));
            at.refuse(Code::UnknownMetric, message)
        })?;
        once(&metrics, &metric, &at)?;
        metrics.push(metric);
    }
    Ok(metrics)
}

fn axes(body: &Object<'_>, names: &Names) -> Result<Vec<AxisName>, Refusal> {
    let Some(list) = body.optional("dimensions") else { return Ok(Vec::new()) };
    let mut axes = Vec::new();
    for at in list.list(0, limits::DIMENSIONS)? {
        let name = at.text(limits::TEXT_BYTES)?;
        let found = AxisName::all(names).find(|(_, known)| *known == name).map(|(axis, _)| axis);
        let axis = found.ok_or_else(|| {
            let known: Vec<_> = AxisName::all(names).map(|(_, name)| name).collect();
            let message = format!("there is no dimension \"{}\"; allowed: {}", shortened(name), known.join(", "));
            at.refuse(Code::UnknownDimension, message)
        })?;
        once(&axes, &axis, &at)?;
        let time = |axis: &AxisName| matches!(axis, AxisName::Time(_));
        if time(&axis) && axes.iter().any(time) {
            return Err(at.refuse(Code::NotTogether, "only one dimension of time is allowed"));
        }
        axes.push(axis);
    }
    Ok(axes)
}

fn date_range(body: &Object<'_>) -> Result<DateRange, Refusal> {
    let at = body.required("date_range")?;
    let invalid = |at: &At<'_>| at.refuse(Code::InvalidDateRange, format!("must be {ALLOWED}"));
    match at.value {
        Value::String(_) => DateRange::parse(at.text(limits::TEXT_BYTES)?).ok_or_else(|| invalid(&at)),
        Value::Array(list) if list.len() == 2 => {
            let [from, to] = bounds(&at, ALLOWED)?;
            Ok(DateRange::Between(from, to))
        }
        _ => Err(invalid(&at)),
    }
}

/// Two dates or times.
fn bounds(at: &At<'_>, allowed: &str) -> Result<[Bound; 2], Refusal> {
    let bound = |at: &At<'_>| {
        let bound = Bound::parse(at.text(limits::TEXT_BYTES)?);
        bound.ok_or_else(|| at.refuse(Code::InvalidDateRange, format!("must be {allowed}")))
    };
    let pair = at.list(2, 2)?;
    Ok([bound(&pair[0])?, bound(&pair[1])?])
}

fn order(
    body: &Object<'_>,
    axes: &[AxisName],
    metrics: &[&Metric],
    names: &Names,
) -> Result<Vec<(usize, bool)>, Refusal> {
    let Some(list) = body.optional("order_by") else { return Ok(Vec::new()) };
    let axis = |axis: &AxisName| match axis {
        AxisName::Time(grain) => grain.name(),
        AxisName::Dimension(attribute) => names.of(*attribute),
    };
    let columns: Vec<_> = axes.iter().map(axis).chain(metrics.iter().map(|metric| metric.name)).collect();
    let mut order: Vec<(usize, bool)> = Vec::new();
    for at in list.list(0, columns.len())? {
        let pair = at.list(2, 2)?;
        let name = pair[0].text(limits::TEXT_BYTES)?;
        let column = columns.iter().position(|column| *column == name).ok_or_else(|| {
            let message = format!(
                "\"{}\" is not asked for; allowed: the query's own dimensions and metrics: {}",
                shortened(name),
                columns.join(", ")
            );
            pair[0].refuse(Code::InvalidValue, message)
        })?;
        let descending = match pair[1].text(limits::TEXT_BYTES)? {
            "asc" => false,
            "desc" => true,
            _ => return Err(pair[1].refuse(Code::InvalidValue, "must be \"asc\" or \"desc\"")),
        };
        once(&order.iter().map(|&(column, _)| column).collect::<Vec<_>>(), &column, &pair[0])?;
        order.push((column, descending));
    }
    Ok(order)
}

fn pagination(body: &Object<'_>, fingerprint: u64) -> Result<(usize, usize, Option<Cursor>), Refusal> {
    let Some(at) = body.optional("pagination") else { return Ok((limits::ROWS, 0, None)) };
    let pagination = at.object(PAGINATION)?;
    let limit = pagination.optional("limit").map_or(Ok(limits::ROWS), |at| at.number(limits::ROWS))?;
    let offset = pagination.optional("offset").map_or(Ok(0), |at| at.number(limits::OFFSET))?;
    let Some(at) = pagination.optional("cursor") else { return Ok((limit, offset, None)) };
    let Some(cursor) = Cursor::parse(at.text(limits::CURSOR_BYTES)?) else {
        return Err(at.refuse(Code::InvalidCursor, "must be the next_cursor of an answer, unchanged"));
    };
    if cursor.fingerprint != fingerprint {
        return Err(at.refuse(Code::InvalidCursor, "is of another query: change nothing but the pagination"));
    }
    if offset > 0 {
        return Err(at.refuse(Code::NotTogether, "goes on where a page ended; leave out the offset"));
    }
    Ok((limit, 0, Some(cursor)))
}

fn timezone(body: &Object<'_>) -> Result<Option<TimeZone>, Refusal> {
    let Some(at) = body.optional("timezone") else { return Ok(None) };
    let name = at.text(limits::TEXT_BYTES)?;
    TimeZone::get(name).map(Some).map_err(|_| {
        let message = format!("there is no timezone \"{}\"; allowed: IANA names like Europe/Paris", shortened(name));
        at.refuse(Code::UnknownTimezone, message)
    })
}

fn include(body: &Object<'_>) -> Result<Include, Refusal> {
    let Some(at) = body.optional("include") else { return Ok(Include::default()) };
    let include = at.object(INCLUDE)?;
    let truth = |name: &str| include.optional(name).map_or(Ok(false), |at| at.truth());
    Ok(Include {
        time_labels: truth("time_labels")?,
        totals: truth("totals")?,
        total_rows: truth("total_rows")?,
        comparison: include.optional("comparison").map(|at| comparison(&at)).transpose()?,
    })
}

const COMPARISONS: &str = "\"previous_period\", \"year_before\", or two dates such as [\"2026-11-01\", \"2026-11-23\"]";

fn comparison(at: &At<'_>) -> Result<Comparison, Refusal> {
    match at.value {
        Value::String(text) if text == "previous_period" => Ok(Comparison::PreviousPeriod),
        Value::String(text) if text == "year_before" => Ok(Comparison::YearBefore),
        Value::Array(list) if list.len() == 2 => {
            let [from, to] = bounds(at, COMPARISONS)?;
            Ok(Comparison::Between(from, to))
        }
        _ => Err(at.refuse(Code::InvalidValue, format!("must be {COMPARISONS}"))),
    }
}
