//! What can be asked for, from the tables that the code runs on.

use serde_json::{Value, json};

use super::filter::OPERATORS;
use super::metric::Metric;
use super::plan::UNKNOWN;
use super::query::{AxisName, limits};
use super::range::ALLOWED;

/// Every metric, dimension and operator, and every limit.
#[must_use]
pub fn catalog() -> Value {
    let metrics: Vec<_> = Metric::all()
        .iter()
        .map(|metric| json!({ "name": metric.name, "unit": metric.unit.as_str(), "doc": metric.doc }))
        .collect();
    let dimensions: Vec<_> = AxisName::all()
        .map(|axis| {
            let kind = if matches!(axis, AxisName::Time(_)) { "time" } else { "text" };
            json!({ "name": axis.name(), "kind": kind, "doc": axis.doc() })
        })
        .collect();
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
        },
    })
}
