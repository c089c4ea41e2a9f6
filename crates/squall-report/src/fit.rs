//! JSON that must not be longer than its receiver takes, cut so that it stays
//! what it is: an object with the same keys, shorter lists and shorter texts.

use serde::Serialize;
use serde_json::Value;

use crate::json;

/// What is left at each step: bytes of a text, escaped, and elements of a list.
/// The bytes are even, so that hexadecimal digits stay pairs, and enough for a
/// SHA-256 and an event id.
const STEPS: [(usize, usize); 8] = [
    (4096, 100),
    (1024, 30),
    (512, 10),
    (256, 5),
    (128, 3),
    (72, 2),
    (72, 1),
    (72, 0),
];

/// Returns a value as one line of JSON, of at most `bytes_max` bytes if it can
/// be cut to that. `mark` is called on what was cut, to say so there.
pub(crate) fn json(value: &impl Serialize, bytes_max: usize, mark: impl Fn(&mut Value)) -> Vec<u8> {
    let mut line = json::one_line(value);
    if line.len() <= bytes_max {
        return line;
    }
    let Ok(whole) = serde_json::to_value(value) else {
        return line;
    };
    for (text_bytes, elements) in STEPS {
        let mut cut = whole.clone();
        shrink(&mut cut, text_bytes, elements);
        mark(&mut cut);
        line = json::one_line(&cut);
        if line.len() <= bytes_max {
            break;
        }
    }
    line
}

/// Cuts every text and every list of a value.
fn shrink(value: &mut Value, text_bytes: usize, elements: usize) {
    match value {
        Value::String(text) => cut_text(text, text_bytes),
        Value::Array(list) => {
            list.truncate(elements);
            for element in list {
                shrink(element, text_bytes, elements);
            }
        }
        Value::Object(object) => {
            for (_, value) in object.iter_mut() {
                shrink(value, text_bytes, elements);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Cuts a text to as many characters as have `bytes_max` bytes when escaped.
fn cut_text(text: &mut String, bytes_max: usize) {
    let mut bytes = 0;
    let cut = text.char_indices().find(|(_, c)| {
        bytes += json::escaped_len(*c);
        bytes > bytes_max
    });
    if let Some((at, _)) = cut {
        text.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_not_touched() {
        let value = json!({"a": ["x".repeat(5000)], "b": 1});
        let line = json(&value, 10_000, |_| unreachable!("nothing was cut"));
        assert_eq!(line, serde_json::to_vec(&value).expect("JSON"));
    }

    #[test]
    fn what_does_not_fit_keeps_its_keys_and_says_so() {
        let value = json!({
            "deep": {"list": [{"text": "\u{202e}".repeat(900)}, 2, 3, 4]},
            "hex": "ab".repeat(3000),
            "number": u64::MAX,
        });
        let line = json(&value, 600, |cut| cut["cut"] = true.into());
        assert!(line.len() <= 600, "{}", line.len());
        let cut: Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(cut["number"], u64::MAX);
        assert_eq!(cut["cut"], true);
        assert_eq!(cut["deep"]["list"].as_array().map(Vec::len), Some(4));
        let hex = cut["hex"].as_str().expect("text");
        assert!(hex.len().is_multiple_of(2) && !hex.is_empty(), "{hex}");
    }

    #[test]
    fn texts_are_measured_as_they_are_written() {
        for text in ["a\"\\b", "\u{1}\n\t\u{7f}", "ü大\u{202e}\u{e0001}"] {
            let written = json::one_line(&text).len() - 2;
            let measured: usize = text.chars().map(json::escaped_len).sum();
            assert!(measured >= written, "{text:?}: {measured} < {written}");
        }
    }
}
