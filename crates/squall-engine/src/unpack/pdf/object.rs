//! One object, and the decoding of its stream.

use std::borrow::Cow;

use super::crypt::Key;
use super::filter::{self, Decoding, Named};
use super::value::Value;

/// An object of the file.
#[derive(Debug)]
pub(super) struct Object<'a> {
    pub(super) number: u32,
    pub(super) generation: u32,
    pub(super) value: Value,
    /// The bytes of its stream, as they are in the file.
    pub(super) stream: Option<&'a [u8]>,
}

impl<'a> Object<'a> {
    /// The stream, decrypted if there is a key, and decoded while it is read.
    pub(super) fn decoded(&self, named: &Named, key: Option<&Key>) -> Decoding<'a> {
        let filters = self.value.get("Filter");
        let early_change = self
            .value
            .get("DecodeParms")
            .or_else(|| self.value.get("DP"))
            .and_then(early_change)
            .unwrap_or(true);
        let bytes = self.stream.unwrap_or_default();
        let bytes = match key.filter(|key| self.is_encrypted(key)) {
            Some(key) => Cow::Owned(key.stream(self.number, self.generation, bytes)),
            None => Cow::Borrowed(bytes),
        };
        filter::decode(bytes, filters, named, early_change)
    }

    fn is_encrypted(&self, key: &Key) -> bool {
        let is_open_metadata = !key.includes_metadata && self.value.is_type("Metadata");
        !is_open_metadata && !self.value.is_type("XRef")
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
