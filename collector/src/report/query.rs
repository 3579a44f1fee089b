//! The request: read, validated, and every refusal said with where, what and what is allowed.

use jiff::tz::TimeZone;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::id::SiteId;
use serde_json::Value;

use super::bucket::Grain;
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
    /// Filters within one another.
    pub const FILTER_DEPTH: usize = 8;
    /// Filters of a query.
    pub const FILTERS: usize = 100;
    /// Values of one filter.
    pub const FILTER_VALUES: usize = 200;
    /// Bytes of a value in a filter.
    pub const VALUE_BYTES: usize = 2_000;
    /// Bytes of any other text.
    pub const TEXT_BYTES: usize = 200;
}

/// What rows can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisName {
    /// Buckets of time.
    Time(Grain),
    /// A dimension.
    Dimension(Dimension),
}

impl AxisName {
    /// Every axis, times first.
    pub fn all() -> impl Iterator<Item = Self> {
        Grain::ALL.iter().map(|&grain| Self::Time(grain)).chain(dimensions().map(Self::Dimension))
    }

    /// The name in queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time(grain) => grain.name(),
            Self::Dimension(dimension) => dimension.name(),
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Time(grain) => grain.doc(),
            Self::Dimension(dimension) => dimension.doc(),
        }
    }
}

/// The dimensions that reports know. The ids of viewers and sessions are for counting them only; a site's own
/// dimensions are known by the names that the site gave them, which are not ours to know here.
pub fn dimensions() -> impl Iterator<Item = Dimension> {
    use Dimension as D;
    Dimension::ALL.iter().copied().filter(|dimension| {
        let id = matches!(dimension, D::Viewer | D::DailyViewer | D::Session);
        let custom = matches!(
            dimension,
            D::Custom1
                | D::Custom2
                | D::Custom3
                | D::Custom4
                | D::Custom5
                | D::Custom6
                | D::Custom7
                | D::Custom8
                | D::Custom9
                | D::Custom10
        );
        !id && !custom
    })
}

/// Whether the dimension says how a view ended or failed; see [`Metric::counts_outcomes`].
#[must_use]
pub const fn is_outcome(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::StopReason | Dimension::ErrorCode | Dimension::ErrorPhase)
}

/// A valid request.
#[derive(Clone, Debug)]
pub struct Query {
    /// The site.
    pub site: SiteId,
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
    /// In which timezone days and hours are; that of the site where none is asked for.
    pub timezone: Option<TimeZone>,
    /// Whether the answer names every bucket of time, also those without rows.
    pub time_labels: bool,
}

const FIELDS: &[&str] =
    &["site", "metrics", "date_range", "dimensions", "filters", "order_by", "pagination", "timezone", "include"];

impl Query {
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
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| whole(Code::InvalidJson, format!("the body is no JSON: {error}")))?;
        let body = At { value: &value, path: String::new() };
        Self::read(&body.object(FIELDS)?)
    }

    fn read(body: &Object<'_>) -> Result<Self, Refusal> {
        let (metrics, axes) = (metrics(body)?, axes(body)?);
        let (filter, filters) = match body.optional("filters") {
            Some(filters) => (filter::parse(&filters)?, filters.value.clone()),
            None => (Filter::All(Vec::new()), Value::Array(Vec::new())),
        };
        let (limit, offset) = pagination(body)?;
        let query = Self {
            site: site(body)?,
            range: date_range(body)?,
            order: order(body, &axes, &metrics)?,
            timezone: timezone(body)?,
            time_labels: time_labels(body)?,
            metrics,
            axes,
            filter,
            filters,
            limit,
            offset,
        };
        query.check_outcomes()?;
        Ok(query)
    }

    /// The timezone of the answer.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        static UTC: TimeZone = TimeZone::UTC;
        self.timezone.as_ref().unwrap_or(&UTC)
    }

    /// Refuses other counts beside dimensions that only one slice of a view has.
    fn check_outcomes(&self) -> Result<(), Refusal> {
        let grouped = self.axes.iter().find_map(|axis| match axis {
            AxisName::Dimension(dimension) if is_outcome(*dimension) => Some(*dimension),
            _ => None,
        });
        let used = grouped.or_else(|| self.filter.dimensions().into_iter().find(|&dimension| is_outcome(dimension)));
        let other = self.metrics.iter().position(|metric| !metric.counts_outcomes());
        let (Some(dimension), Some(index)) = (used, other) else { return Ok(()) };
        let allowed: Vec<_> = Metric::all().iter().filter(|metric| metric.counts_outcomes()).map(|m| m.name).collect();
        Err(Refusal {
            code: Code::NotTogether,
            message: format!(
                "{} cannot be divided by {}, which is known in one slice of a view only; allowed with it: {}",
                self.metrics[index].name,
                dimension.name(),
                allowed.join(", ")
            ),
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

fn axes(body: &Object<'_>) -> Result<Vec<AxisName>, Refusal> {
    let Some(list) = body.optional("dimensions") else { return Ok(Vec::new()) };
    let mut axes = Vec::new();
    for at in list.list(0, limits::DIMENSIONS)? {
        let name = at.text(limits::TEXT_BYTES)?;
        let axis = AxisName::all().find(|axis| axis.name() == name).ok_or_else(|| {
            let names: Vec<_> = AxisName::all().map(AxisName::name).collect();
            let message = format!("there is no dimension \"{}\"; allowed: {}", shortened(name), names.join(", "));
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
            let bound = |at: &At<'_>| Bound::parse(at.text(limits::TEXT_BYTES)?).ok_or_else(|| invalid(at));
            let bounds = at.list(2, 2)?;
            Ok(DateRange::Between(bound(&bounds[0])?, bound(&bounds[1])?))
        }
        _ => Err(invalid(&at)),
    }
}

fn order(body: &Object<'_>, axes: &[AxisName], metrics: &[&Metric]) -> Result<Vec<(usize, bool)>, Refusal> {
    let Some(list) = body.optional("order_by") else { return Ok(Vec::new()) };
    let columns: Vec<_> = axes.iter().map(|axis| axis.name()).chain(metrics.iter().map(|metric| metric.name)).collect();
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

fn pagination(body: &Object<'_>) -> Result<(usize, usize), Refusal> {
    let Some(at) = body.optional("pagination") else { return Ok((limits::ROWS, 0)) };
    let pagination = at.object(&["limit", "offset"])?;
    let limit = pagination.optional("limit").map_or(Ok(limits::ROWS), |at| at.number(limits::ROWS))?;
    let offset = pagination.optional("offset").map_or(Ok(0), |at| at.number(limits::OFFSET))?;
    Ok((limit, offset))
}

fn timezone(body: &Object<'_>) -> Result<Option<TimeZone>, Refusal> {
    let Some(at) = body.optional("timezone") else { return Ok(None) };
    let name = at.text(limits::TEXT_BYTES)?;
    TimeZone::get(name).map(Some).map_err(|_| {
        let message = format!("there is no timezone \"{}\"; allowed: IANA names like Europe/Paris", shortened(name));
        at.refuse(Code::UnknownTimezone, message)
    })
}

fn time_labels(body: &Object<'_>) -> Result<bool, Refusal> {
    let Some(at) = body.optional("include") else { return Ok(false) };
    at.object(&["time_labels"])?.optional("time_labels").map_or(Ok(false), |at| at.truth())
}
