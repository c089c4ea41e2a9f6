//! Exports: whole, and harmless.

use std::time::Duration;

use squall_findings::{Export, ExportFormat, Exported, Filter};

use crate::support::{Made, Store};

fn text(mut export: Export) -> String {
    let mut bytes = Vec::new();
    while let Some(piece) = export.next_piece().unwrap() {
        bytes.extend(piece);
    }
    String::from_utf8(bytes).unwrap()
}

fn exported(format: ExportFormat) -> Exported {
    Exported {
        filter: Filter::default(),
        format,
        limit: None,
    }
}

#[test]
fn json_lines_are_the_lines_of_the_log() {
    let store = Store::new();
    let reports: Vec<_> = (0..600).map(|n| Made::new(n).report()).collect();
    store.feed(&reports);
    let mut log = Vec::new();
    for report in reports.iter().rev() {
        squall_report::json::write_lines(report, &mut log).unwrap();
    }
    let whole = text(store.findings.export(exported(ExportFormat::JsonLines)));
    assert_eq!(whole, String::from_utf8(log).unwrap());
    let some = text(store.findings.export(Exported {
        limit: Some(300),
        ..exported(ExportFormat::JsonLines)
    }));
    assert_eq!(some.lines().count(), 300);
    assert!(whole.starts_with(&some));
}

#[test]
fn what_is_hostile_stays_text() {
    let store = Store::new();
    let mut made = Made::new(1);
    made.name = "=cmd()|'\"><img src=x onerror=alert(1)>\u{202e}\r\n,;x".to_owned();
    made.source = "@SUM(A1:A9)".to_owned();
    store.feed(&[made.report()]);
    let csv = text(store.findings.export(exported(ExportFormat::Csv)));
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let row = rows.records().next().unwrap().unwrap();
    assert_eq!(&row[3], "'@SUM(A1:A9)");
    assert!(row[4].starts_with("'=cmd()|'\"><img"), "{}", &row[4]);
    assert!(
        row.iter()
            .all(|cell| !cell.contains(['\u{202e}', '\r', '\n']))
    );
    assert_eq!(csv.lines().count(), 2);
    let html = text(store.findings.export(exported(ExportFormat::Html)));
    assert!(
        html.contains("=cmd()|&#39;&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"),
        "{html}"
    );
    assert!(!html.contains("<img") && !html.contains("<script") && html.ends_with("</html>\n"));
}

#[test]
fn a_file_is_exported_beside_the_service_that_uses_it() {
    let store = Store::new();
    store.feed(&[Made::new(1).report()]);
    let export = |path: &std::path::Path| {
        Export::of_file(
            path,
            exported(ExportFormat::JsonLines),
            Duration::from_secs(5),
        )
    };
    assert_eq!(text(export(&store.config.path).unwrap()).lines().count(), 1);
    let error = export(&store.path("missing.db")).unwrap_err();
    assert!(error.to_string().contains("missing.db"), "{error}");
}
