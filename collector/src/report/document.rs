//! What docs/metrics.md says of reports, written from the tables. With `QUARTILE_WRITE_DOCS` set, the test writes it.

use std::fmt::Write;
use std::path::Path;

use super::dimension::Names;
use super::metric::Metric;
use super::named::{ALL, Ask, Named};
use super::query::AxisName;

const BEGIN: &str = "<!-- From here to the end it is written from the tables in collector/src/report. -->\n";

fn written() -> String {
    let mut text = String::from(BEGIN);
    text.push_str("\n### Metrics\n\n| metric | unit | is | |\n|---|---|---|---|\n");
    for metric in Metric::all() {
        let formula = metric.formula();
        writeln!(text, "| `{}` | {} | {formula} | {} |", metric.name, metric.unit.as_str(), metric.doc).unwrap();
    }
    text.push_str("\n### Dimensions\n\n| dimension | |\n|---|---|\n");
    for (axis, name) in AxisName::all(&Names::default()) {
        writeln!(text, "| `{name}` | {} |", axis.doc()).unwrap();
    }
    text.push_str("| the site's own | by the names that its configuration gives them |\n");
    text.push_str("\n### Named reports\n\n| report | | parts |\n|---|---|---|\n");
    for report in ALL {
        writeln!(text, "| `{}` | {} | {} |", report.name, report.doc, parts(report)).unwrap();
    }
    text
}

fn parts(report: &Named) -> String {
    let part = |name: &str, ask: &Ask| match ask {
        Ask::Table { dimensions: [], .. } => format!("`{name}`"),
        Ask::Table { dimensions, .. } => format!("`{name}` (by {})", dimensions.join(" × ")),
        Ask::EachOwn(_) => "one for each of the site's own dimensions".into(),
        Ask::Funnel | Ask::Retention | Ask::Realtime => format!("`{name}`"),
    };
    report.parts.iter().map(|one| part(one.name, &one.ask)).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_document_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let hand_written = document.find(BEGIN).expect("docs/metrics.md lacks the mark");
    if std::env::var_os("QUARTILE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{}{}", &document[..hand_written], written())).unwrap();
        return;
    }
    assert_eq!(&document[hand_written..], written(), "write it again: QUARTILE_WRITE_DOCS=1 cargo test document");
}
