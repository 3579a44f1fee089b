//! What can be measured: the one table of the metrics, and the text that Prometheus reads.
//!
//! A metric that is not in the table cannot be told: that is a bug, which tests meet. `docs/operating.md` holds the same
//! table, and a test holds both together.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Every metric: its name, its labels, what it counts. Names that end in `_total` are counters, others gauges.
#[rustfmt::skip]
pub const METRICS: &[(&str, &str, &str)] = &[
    ("quartile_batches_refused_total", "site, code", "Batches that were refused as a whole; `site` is empty where it was not known yet"),
    ("quartile_batches_taken_total", "site", "Batches that were answered with 200"),
    ("quartile_body_bytes_in_flight", "", "Bytes that are held for bodies at work"),
    ("quartile_build_info", "version", "1"),
    ("quartile_connections", "", "Connections that are open"),
    ("quartile_forward_dead_letters_lost_total", "", "Rows that could be neither stored nor kept as dead letters"),
    ("quartile_forward_dead_letters_total", "", "Rows that the store can never take, kept as dead letters"),
    ("quartile_forward_events_total", "", "Events given to the store"),
    ("quartile_forward_failures_total", "", "Attempts at the store that failed and were repeated"),
    ("quartile_forward_lag_bytes", "", "Bytes of the queue that the store does not have yet"),
    ("quartile_forward_lag_rows", "", "Slices and events of the queue that the store does not have yet"),
    ("quartile_forward_lag_seconds", "", "Age of the oldest record that the store does not have yet"),
    ("quartile_forward_records_total", "", "Records given to the store"),
    ("quartile_forward_rows_total", "", "Slices given to the store"),
    ("quartile_items_accepted_total", "site", "Slices and events that were on disk before the answer"),
    ("quartile_items_discarded_by_sender_total", "site, reason", "Slices and events that senders say they gave up"),
    ("quartile_items_dropped_total", "site, reason", "Slices and events that were right and could not be kept; their sender was told to come again"),
    ("quartile_items_in_flight", "site", "Slices and events without an outcome yet"),
    ("quartile_items_received_total", "site", "Slices and events that arrived: accepted + rejected + dropped + in flight"),
    ("quartile_items_rejected_total", "site, code", "Slices and events that were wrong"),
    ("quartile_queue_appended_records_total", "", "Records written to the queue"),
    ("quartile_queue_bytes", "", "Bytes of the queue's segments"),
    ("quartile_queue_damaged_segments_total", "", "Segments that were found damaged and set aside"),
    ("quartile_queue_dropped_records_total", "", "Records that were dropped because the queue ended before they were written"),
    ("quartile_queue_failed_records_total", "", "Records that could not be written"),
    ("quartile_queue_failing", "", "1 while the disk cannot be written"),
    ("quartile_queue_groups_total", "", "Groups of records that were made durable together"),
    ("quartile_queue_lost_records_total", "", "Records that damage took"),
    ("quartile_queue_max_bytes", "", "The bound of the queue"),
    ("quartile_queue_records", "", "Records that wait for the store"),
    ("quartile_queue_refused_full_total", "", "Records that were refused because the queue was full"),
    ("quartile_queue_torn_bytes_total", "", "Bytes cut from the end of the queue after a crash"),
    ("quartile_queue_waiting_bytes", "", "Bytes that wait for the disk"),
    ("quartile_refill_segments_left", "", "Segments that are still to be filled into a store that was found damaged"),
    ("quartile_reloads_failed_total", "", "Times that sites and tokens were to be read again and stayed as they were, because of a mistake"),
    ("quartile_reloads_total", "", "Times that sites and tokens were read again"),
    ("quartile_requests_in_flight", "", "Requests at work"),
    ("quartile_sink_dropped_records_total", "sink", "Records that a sink misses because its queue was full"),
    ("quartile_sink_failures_total", "sink", "Attempts at a sink that failed and were repeated"),
    ("quartile_sink_lag_records", "sink", "Records that wait for a sink"),
    ("quartile_sink_lines_total", "sink", "Lines that a sink has taken"),
    ("quartile_sink_lost_records_total", "sink", "Records that damage took from a sink's queue"),
    ("quartile_sink_posts_total", "sink", "Posts that a sink has taken"),
    ("quartile_sink_queue_bytes", "sink", "Bytes of a sink's queue"),
];

/// Samples of the Prometheus text format, grouped by name as the format wants it.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<&'static str, String>);

impl Samples {
    /// Adds a sample.
    pub fn add(&mut self, name: &'static str, labels: &[(&str, &str)], value: u64) {
        debug_assert!(is_listed(name, labels), "{name} with {labels:?} is not in the table of metrics");
        let lines = self.0.entry(name).or_default();
        lines.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let open = if index == 0 { '{' } else { ',' };
            // Writing to a String cannot fail.
            let _ = write!(lines, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(lines, "{close} {value}");
    }

    /// Adds a sample unless it is 0.
    pub fn add_if_any(&mut self, name: &'static str, labels: &[(&str, &str)], value: u64) {
        if value > 0 {
            self.add(name, labels, value);
        }
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        let kind = |name: &str| if name.ends_with("_total") { "counter" } else { "gauge" };
        let help = |name: &str| METRICS.iter().find(|(listed, ..)| *listed == name).map_or("", |(_, _, help)| help);
        let told = |(name, lines)| format!("# HELP {name} {}\n# TYPE {name} {}\n{lines}", help(name), kind(name));
        self.0.into_iter().map(told).collect()
    }
}

fn is_listed(name: &str, labels: &[(&str, &str)]) -> bool {
    let names: Vec<_> = labels.iter().map(|(label, _)| *label).collect();
    METRICS.iter().any(|(listed, labels, _)| *listed == name && *labels == names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_grouped_and_escaped() {
        let mut samples = Samples::default();
        samples.add("quartile_items_in_flight", &[("site", "a\"b")], 1);
        samples.add("quartile_connections", &[], 2);
        samples.add("quartile_items_in_flight", &[("site", "c\\d\n")], 3);
        samples.add_if_any("quartile_queue_records", &[], 0);
        insta::assert_snapshot!(samples.into_text(), @r#"
        # HELP quartile_connections Connections that are open
        # TYPE quartile_connections gauge
        quartile_connections 2
        # HELP quartile_items_in_flight Slices and events without an outcome yet
        # TYPE quartile_items_in_flight gauge
        quartile_items_in_flight{site="a\"b"} 1
        quartile_items_in_flight{site="c\\d\n"} 3
        "#);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "not in the table")]
    fn what_is_not_in_the_table_cannot_be_told() {
        Samples::default().add("quartile_surprises_total", &[], 1);
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let document = include_str!("../../docs/operating.md");
        let (_, document) = document.split_once("\n## Metrics\n").unwrap();
        let told: Vec<_> = document.lines().filter(|line| line.starts_with("| `quartile_")).collect();
        let row = |(name, labels, help): &(&str, &str, &str)| format!("| `{name}` | {labels} | {help} |");
        let expected: Vec<_> = METRICS.iter().map(row).collect();
        assert_eq!(told, expected, "the table in docs/operating.md must be:\n{}\n", expected.join("\n"));
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(METRICS.is_sorted_by(|(one, ..), (other, ..)| one < other));
    }
}
