//! One object, and the decoding of its stream.

use super::filter::{self, Decoding, Named};
use super::value::Value;

/// An object of the file.
#[derive(Debug)]
pub(super) struct Object<'a> {
    pub(super) number: u32,
    pub(super) value: Value,
    /// The bytes of its stream, as they are in the file.
    pub(super) stream: Option<&'a [u8]>,
}

impl<'a> Object<'a> {
    /// The stream, decoded while it is read.
    pub(super) fn decoded(&self, named: &Named) -> Decoding<'a> {
        let filters = self.value.get("Filter");
        let early_change = self
            .value
            .get("DecodeParms")
            .or_else(|| self.value.get("DP"))
            .and_then(early_change)
            .unwrap_or(true);
        filter::decode(
            self.stream.unwrap_or_default(),
            filters,
            named,
            early_change,
        )
    }
}

/// Whether LZW codes grow one code early, as they do unless the parameters say
/// otherwise.
fn early_change(parameters: &Value) -> Option<bool> {
    let mut early_change = None;
    parameters.each_dictionary(&mut |dictionary| {
        if let Some(value) = dictionary.get("EarlyChange").and_then(Value::integer) {
            early_change = Some(value != 0);
        }
    });
    early_change
}
