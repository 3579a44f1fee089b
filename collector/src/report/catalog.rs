//! What can be asked for, from the tables that the code runs on.

use serde_json::{Value, json};

use super::dimension::Names;
use super::filter::OPERATORS;
use super::metric::Metric;
use super::plan::UNKNOWN;
use super::query::{AxisName, limits};
use super::range::ALLOWED;

/// Every metric, dimension and operator, and every limit, of a site with these names.
#[must_use]
pub fn catalog(names: &Names) -> Value {
    let metrics: Vec<_> = Metric::all().iter().map(metric).collect();
    let dimensions: Vec<_> = AxisName::all(names).map(|(axis, name)| dimension(axis, name)).collect();
    let operators: Vec<_> = OPERATORS.iter().map(|(name, doc)| json!({ "name": name, "doc": doc })).collect();
    json!({
        "metrics": metrics,
        "dimensions": dimensions,
        "filters": operators,
        "unknown": UNKNOWN,
        "date_range": ALLOWED,
        "limits": {
            "rows": limits::ROWS,
            "metrics": limits::METRICS,
            "dimensions": limits::DIMENSIONS,
            "filters": limits::FILTERS,
            "filter_depth": limits::FILTER_DEPTH,
            "filter_values": limits::FILTER_VALUES,
            "groups": limits::GROUPS,
            "offset": limits::OFFSET,
        },
    })
}

fn metric(metric: &Metric) -> Value {
    json!({
        "name": metric.name,
        "unit": metric.unit.as_str(),
        "doc": metric.doc,
        "formula": metric.formula(),
        "inputs": metric.inputs(),
        "combines": metric.combines(),
        "with_outcomes": metric.counts_outcomes(),
        "by_minute_only": metric.needs_minutes(),
    })
}

fn dimension(axis: AxisName, name: &str) -> Value {
    let (kind, outcome) = match axis {
        AxisName::Time(_) => ("time", false),
        AxisName::Dimension(attribute) => ("text", attribute.is_outcome()),
    };
    json!({ "name": name, "kind": kind, "doc": axis.doc(), "outcome": outcome })
}
