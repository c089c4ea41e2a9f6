//! Findings counted: minute by minute, and of a rule.

use squall_api::v1::LevelCounts;
use squall_types::Level;

use crate::support::{Made, Store};

const MINUTE_US: i64 = 60_000_000;
/// 2026-11-24 08:30:20, UTC.
const NOW_US: i64 = 1_795_509_020_000_000;

fn counts(alert: u64, warning: u64, notice: u64) -> LevelCounts {
    LevelCounts {
        alert,
        warning,
        notice,
    }
}

#[test]
fn each_minute_has_its_levels() {
    let store = Store::with(|config| config.age_max = None);
    let start = NOW_US - 20_000_000;
    let mut number = 0;
    let mut made = |time_us, level| {
        number += 1;
        let mut made = Made::new(number);
        (made.time_us, made.level) = (time_us, level);
        made.report()
    };
    store.feed(&[
        made(start - 2 * MINUTE_US - 1_000, Level::Alert),
        made(start - 2 * MINUTE_US, Level::Warning),
        made(start - MINUTE_US - 1_000, Level::Warning),
        made(start, Level::Alert),
        made(start + 1_000, Level::Notice),
    ]);
    let minutes = store.findings.minutes(NOW_US, 3).unwrap();
    let times: Vec<_> = minutes.iter().map(|minute| minute.time.as_str()).collect();
    assert_eq!(
        times,
        [
            "2026-11-24T08:28:00Z",
            "2026-11-24T08:29:00Z",
            "2026-11-24T08:30:00Z"
        ]
    );
    let found: Vec<_> = minutes.iter().map(|minute| minute.findings).collect();
    assert_eq!(found, [counts(0, 2, 0), counts(0, 0, 0), counts(1, 0, 1)]);
    assert_eq!(store.findings.minutes(NOW_US, 1).unwrap().len(), 1);
    assert_eq!(
        store.findings.minutes(NOW_US, 4).unwrap()[0].findings,
        counts(1, 0, 0)
    );
}

#[test]
fn the_hits_of_a_rule_are_counted() {
    let store = Store::new();
    let mut other = Made::new(2);
    other.rules = vec!["Evil_Rule".to_owned(), "Other".to_owned()];
    store.feed(&[Made::new(1).report(), other.report()]);
    let rules = ["Other", "Evil_Rule", "None"].map(str::to_owned);
    assert_eq!(store.findings.rule_hits(&rules).unwrap(), [1, 2, 0]);
}
