//! Figures as a person reads them.

use std::time::Duration;

/// Returns bytes with a unit; as in settings, the next one is 1024 times as much.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];
    let mut unit = 0;
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit_name = UNITS[unit];
    if unit == 0 || value >= 99.95 {
        format!("{value:.0} {unit_name}")
    } else {
        format!("{value:.1} {unit_name}")
    }
}

/// Returns a time in its largest unit, and the next one where it tells more.
pub(crate) fn seconds(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let whole = time.as_secs();
    match whole {
        0..=9 => format!("{:.1} s", time.as_secs_f64()),
        10..=119 => format!("{whole} s"),
        120..=7199 => format!("{} min", whole / 60),
        7200..=172_799 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// Returns milliseconds as a time.
pub(crate) fn milliseconds(milliseconds: f64) -> String {
    if milliseconds < 10_000.0 {
        let digits = if milliseconds < 10.0 { 1 } else { 0 };
        format!("{milliseconds:.digits$} ms")
    } else {
        seconds(milliseconds / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KB"),
            (10_000_000, "9.5 MB"),
            (200 << 30, "200 GB"),
            (u64::MAX, "16384 PB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        for (time, text) in [
            (-1.0, "0.0 s"),
            (0.26, "0.3 s"),
            (59.9, "59 s"),
            (150.0, "2 min"),
            (7260.0, "2 h 1 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(seconds(time), text);
        }
        assert_eq!(milliseconds(1.27), "1.3 ms");
        assert_eq!(milliseconds(1234.0), "1234 ms");
        assert_eq!(milliseconds(12_340.0), "12 s");
    }
}
