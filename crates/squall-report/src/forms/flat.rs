//! The older log form: the keys of a text line in lower case, flat, with values
//! as they are.

use serde_json::{Map, Value};
use squall_types::Report;

use crate::event::Event;
use crate::text::line;
use crate::v1;

/// Keys whose values are numbers.
const NUMBERS: [&str; 3] = ["score", "size", "reasons_count"];

/// Returns an event: `time`, `hostname`, `ip`, `level`, then every key of a text
/// line; what has no value is left out.
pub(super) fn flat(report: &Report, index: usize, event: &Event<'_>) -> Value {
    let origin = &report.submission.origin;
    let mut object = Map::new();
    let mut put = |key: &str, value: &str| {
        let is_number = NUMBERS.contains(&key) || key.starts_with("subscore_");
        let number = value.parse::<i64>().ok().filter(|_| is_number);
        let value = number.map_or_else(|| Value::from(value), Value::from);
        object.insert(key.to_owned(), value);
    };
    put("time", &v1::time(report.scan.scanned_at_us));
    put("hostname", &origin.source);
    if !origin.remote_addr.is_empty() {
        put("ip", &origin.remote_addr);
    }
    put("level", event.level.name());
    for field in line::fields(report, event, index) {
        put(&field.key().to_lowercase(), field.value());
    }
    Value::Object(object)
}
