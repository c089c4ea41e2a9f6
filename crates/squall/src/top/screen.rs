//! What is known of the service, laid out for a screen of any size.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use squall_api::v1::{FindingRow, Overview, SourceRow};

use super::ask::State;
use super::line::{Line, Style};
use super::view::{Rates, View};
use crate::human;

/// Columns of the names of figures.
const NAME_COLUMNS: usize = 10;
/// Columns of the bar that shows how many threads scan.
const BAR_COLUMNS: u64 = 20;
/// The smallest part of the screen for sources, in lines.
const SOURCES_MIN: usize = 3;
/// Columns of a source's name.
const SOURCE_COLUMNS: usize = 24;

/// Returns the lines of the screen, as many as it has rows at most.
pub(super) fn lines(view: &View, columns: usize, rows: usize) -> Vec<Line> {
    let Some(state) = &view.state else {
        let waiting = format!("asking {} …", view.url);
        return vec![Line::default().and(Style::Faint, &waiting)];
    };
    let mut lines = vec![head(view, state)];
    lines.extend(troubles(state));
    lines.push(Line::default());
    match &state.overview {
        Ok(overview) => lines.extend(figures(overview, view.rates())),
        // If nobody is there the head says so.
        Err(error) if state.readiness.is_ok() => {
            lines.push(Line::default().and(Style::Faint, &format!("it tells no more: {error}")));
        }
        Err(_) => {}
    }
    let foot = Line::default().and(Style::Faint, "q quits");
    let left = rows.saturating_sub(lines.len() + 1);
    if state.readiness.is_ok() {
        lines.extend(lists(state, columns, left));
    }
    lines.truncate(rows.saturating_sub(1));
    lines.resize(rows.saturating_sub(1), Line::default());
    lines.push(foot);
    lines
}

fn head(view: &View, state: &State) -> Line {
    let line = Line::default();
    match &state.readiness {
        Err(error) => line
            .and(Style::Bad, "UNREACHABLE ")
            .and(Style::Plain, error),
        Ok(readiness) => {
            let (style, word) = if readiness.ready {
                (Style::Good, "ready")
            } else {
                (Style::Bad, "NOT READY")
            };
            let uptime = state.overview.as_ref().ok().and_then(uptime);
            line.and(Style::Bold, &format!("Squall {}", readiness.version))
                .and(Style::Plain, &format!(" at {}  ", view.url))
                .and(style, word)
                .and(Style::Plain, &uptime.unwrap_or_default())
        }
    }
}

fn uptime(overview: &Overview) -> Option<String> {
    let started: Timestamp = overview.started_at.parse().ok()?;
    let now: Timestamp = overview.time.parse().ok()?;
    let seconds = now.duration_since(started).as_secs_f64();
    Some(format!("  up {}", human::seconds(seconds)))
}

/// Why it is not ready.
fn troubles(state: &State) -> Vec<Line> {
    let Ok(readiness) = &state.readiness else {
        return Vec::new();
    };
    let checks = readiness.checks.named();
    let failed = checks.iter().filter(|(_, check)| !check.ok);
    failed
        .map(|(name, check)| {
            let reason = check.reason.as_deref().unwrap_or_default();
            Line::default().and(Style::Bad, &format!("  {name}: {reason}"))
        })
        .collect()
}

fn figures(overview: &Overview, rates: Option<Rates>) -> Vec<Line> {
    let named = |name: &str| Line::default().column(Style::Bold, name, NAME_COLUMNS);
    let samples = &overview.samples;
    let rate = |of: fn(Rates) -> f64| {
        rates.map_or("   -".to_owned(), |rates| format!("{:>6.1}", of(rates)))
    };
    let refused = rates.is_some_and(|rates| rates.denied > 0.0);
    let per_second = named("per second")
        .and(Style::Plain, &format!("{} accepted ", rate(|r| r.accepted)))
        .and(Style::Plain, &format!("{} scanned ", rate(|r| r.scanned)))
        .and(
            if refused { Style::Bad } else { Style::Plain },
            &format!("{} refused", rate(|r| r.denied)),
        );
    let total = named("samples").and(
        Style::Plain,
        &format!(
            "{} scanned, {} failed, {} refused",
            samples.scanned, samples.failed, samples.denied
        ),
    );
    let oldest = samples.oldest_waiting_seconds;
    let oldest = oldest.map(|seconds| format!(", the oldest for {}", human::seconds(seconds)));
    let queue = named("queue").and(
        Style::Plain,
        &format!(
            "{} wait ({}){}, {} checks wait",
            samples.queued,
            human::bytes(overview.storage.queue_bytes),
            oldest.unwrap_or_default(),
            samples.checks_waiting
        ),
    );
    vec![
        per_second,
        total,
        queue,
        threads(named("threads"), overview),
        disk(named("disk"), overview),
        signatures(named("signatures"), overview),
    ]
}

fn threads(named: Line, overview: &Overview) -> Line {
    let (busy, all) = (overview.workers_busy, overview.workers.max(1));
    let full = (busy * BAR_COLUMNS).div_ceil(all).min(BAR_COLUMNS);
    let bar = |count: u64, with: &str| with.repeat(usize::try_from(count).unwrap_or_default());
    let times = &overview.scan_time;
    let p95 = times.p95_milliseconds.map(human::milliseconds);
    let p95 = p95.map(|time| format!(", 95 % of scans within {time}"));
    named
        .and(Style::Plain, "[")
        .and(Style::Good, &bar(full, "|"))
        .and(Style::Plain, &bar(BAR_COLUMNS - full, " "))
        .and(
            Style::Plain,
            &format!("] {busy} of {all} scan{}", p95.unwrap_or_default()),
        )
}

fn disk(named: Line, overview: &Overview) -> Line {
    let storage = &overview.storage;
    let free = storage.free_bytes.map_or("?".to_owned(), human::bytes);
    let spool = human::bytes(storage.spool_bytes);
    let line = named.and(Style::Plain, &format!("{free} free, {spool} in the spool"));
    if storage.ok {
        line
    } else {
        line.and(Style::Bad, "  IT REFUSES")
    }
}

fn signatures(named: Line, overview: &Overview) -> Line {
    let Some(set) = &overview.signatures else {
        return named.and(Style::Notable, "being loaded");
    };
    named.and(
        Style::Plain,
        &format!("{} rules, {} IOCs, {}", set.rules, set.iocs, set.version),
    )
}

/// The sources and the findings, in so many rows. Findings get what sources do
/// not need.
fn lists(state: &State, columns: usize, rows: usize) -> Vec<Line> {
    // A blank line and a heading each.
    let left = rows.saturating_sub(4);
    let sources = rows_of(&state.sources, source_line);
    let findings = rows_of(&state.findings, |finding| finding_line(finding, columns));
    let for_sources = sources
        .len()
        .min(SOURCES_MIN.max(left.saturating_sub(findings.len())))
        .min(left);
    let for_findings = left.saturating_sub(for_sources);
    let heading = |text: &str| Line::default().and(Style::Bold, text);
    let mut lines = vec![Line::default()];
    lines.push(
        Line::default()
            .column(Style::Bold, "SOURCES", SOURCE_COLUMNS)
            .and(
                Style::Bold,
                "   samples      size  alerts warnings notices  last",
            ),
    );
    lines.extend(sources.into_iter().take(for_sources));
    lines.push(Line::default());
    lines.push(heading("LATEST FINDINGS"));
    lines.extend(findings.into_iter().take(for_findings));
    lines
}

fn rows_of<T>(rows: &Result<Vec<T>, String>, line: impl Fn(&T) -> Line) -> Vec<Line> {
    match rows {
        Ok(rows) if rows.is_empty() => vec![Line::default().and(Style::Faint, "none yet")],
        Ok(rows) => rows.iter().map(line).collect(),
        Err(error) => vec![Line::default().and(Style::Faint, error)],
    }
}

fn source_line(source: &SourceRow) -> Line {
    let found = &source.findings;
    let figures = format!(
        "{:>10} {:>9} {:>7} {:>8} {:>7}  ",
        source.samples,
        human::bytes(source.bytes),
        found.alert,
        found.warning,
        found.notice
    );
    Line::default()
        .column(Style::Plain, &source.source, SOURCE_COLUMNS)
        .and(Style::Plain, &figures)
        .and(Style::Faint, &local_time(&source.last_seen))
}

fn finding_line(finding: &FindingRow, columns: usize) -> Line {
    let style = match finding.level.as_str() {
        "Alert" => Style::Bad,
        "Warning" => Style::Notable,
        _ => Style::Plain,
    };
    let rule = finding.rules.first().map_or("", |rule| rule.name.as_str());
    // What is left for the name and the rule, behind time, level, score and source.
    let left = columns.saturating_sub(8 + 1 + 7 + 1 + 3 + 1 + 16 + 1);
    let name = left / 2;
    Line::default()
        .column(Style::Faint, &local_time(&finding.time), 8)
        .column(style, &finding.level, 7)
        .column(Style::Plain, &format!("{:>3}", finding.score), 3)
        .column(Style::Plain, &finding.source, 16)
        .column(Style::Plain, &end_of(&finding.name, name), name)
        .and(Style::Plain, rule)
}

/// Returns the end of a path, which tells more than its beginning.
fn end_of(path: &str, chars: usize) -> String {
    let len = path.chars().count();
    if len <= chars {
        return path.to_owned();
    }
    let end = path.chars().skip(len - chars.saturating_sub(1));
    std::iter::once('…').chain(end).collect()
}

/// Returns the time of day of an RFC 3339 time, here.
fn local_time(time: &str) -> String {
    time.parse::<Timestamp>().map_or_else(
        |_| "?".to_owned(),
        |time| {
            let here = TimeZone::system().to_datetime(time);
            here.strftime("%H:%M:%S").to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use squall_api::v1::{HealthCheck, Readiness, ReadinessChecks, ReviewState, RuleScore};

    use super::*;

    fn source() -> SourceRow {
        SourceRow {
            source: "web\u{1b}[2J-with-a-name-that-is-too-long".to_owned(),
            first_seen: "2026-11-24T08:30:00Z".to_owned(),
            last_seen: "2026-11-24T08:30:00Z".to_owned(),
            samples: 12,
            bytes: 4096,
            agent: String::new(),
            findings: squall_api::v1::LevelCounts::default(),
        }
    }

    fn finding() -> FindingRow {
        FindingRow {
            event_id: String::new(),
            time: "nonsense".to_owned(),
            sample_id: None,
            level: "Alert".to_owned(),
            score: 94,
            source: "web-01".to_owned(),
            scan_id: String::new(),
            name: "/var/www/html/a/long/path/to/shell.php".to_owned(),
            depth: 0,
            file_type: String::new(),
            size: 0,
            md5: None,
            sha1: None,
            sha256: None,
            rules: vec![RuleScore {
                name: "WEBSHELL_Rule".to_owned(),
                score: 75,
            }],
            reason_count: 1,
            tags: Vec::new(),
            has_issues: false,
            review: ReviewState::Open,
        }
    }

    fn view(ready: bool) -> View {
        let check = |ok: bool| HealthCheck {
            ok,
            reason: (!ok).then(|| "the disk refuses".to_owned()),
            passed_seconds_ago: None,
        };
        let mut view = View::new("http://127.0.0.1:8080");
        view.update(State {
            at: Instant::now(),
            readiness: Ok(Readiness {
                ready,
                version: "1.2.3".to_owned(),
                checks: ReadinessChecks {
                    running: check(true),
                    signatures: check(true),
                    queue: check(ready),
                    scan: check(true),
                },
            }),
            overview: Ok(Overview::default()),
            sources: Ok(vec![source(); 30]),
            findings: Ok(vec![finding(); 30]),
        });
        view
    }

    #[test]
    fn every_size_of_screen_is_filled_and_not_exceeded() {
        for (columns, rows) in [(80, 24), (200, 60), (40, 10), (10, 3), (1, 1)] {
            for ready in [true, false] {
                let lines = lines(&view(ready), columns, rows);
                assert_eq!(lines.len(), rows);
                assert_eq!(lines[rows - 1].text(), "q quits");
            }
        }
    }

    #[test]
    fn on_a_usual_screen_everything_has_its_place() {
        let lines = lines(&view(true), 80, 24);
        let text: Vec<String> = lines.iter().map(Line::text).collect();
        let text = text.join("\n");
        for part in [
            "Squall 1.2.3 at http://127.0.0.1:8080  ready",
            "queue      0 wait (0 B), 0 checks wait",
            "web\\x1b[2J-with-a-name-t         12    4.0 KB",
            "?        Alert    94 web-01           …ng/path/to/shell.php WEBSHELL_Rule",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let alerts = text.matches("Alert ").count();
        assert!(alerts >= 5, "{alerts} in\n{text}");
        assert_eq!(text.matches("4.0 KB").count(), SOURCES_MIN);
    }

    #[test]
    fn it_says_why_it_is_not_ready() {
        let lines = lines(&view(false), 80, 24);
        assert!(lines[0].text().contains("NOT READY"));
        assert_eq!(lines[1].text(), "  queue: the disk refuses");
    }
}
