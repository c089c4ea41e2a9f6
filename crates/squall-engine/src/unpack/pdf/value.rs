//! The values PDF objects are made of.

/// A value. What no unpacker asks for is `Other`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Name(String),
    Text(Vec<u8>),
    Array(Vec<Value>),
    Dictionary(Vec<(String, Value)>),
    /// The number of another object.
    Reference(u32),
    False,
    Other,
}

impl Value {
    /// The value of a key of a dictionary.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dictionary(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find_map(|(found, value)| (found == key).then_some(value))
    }

    /// Whether a dictionary has this type.
    pub(super) fn is_type(&self, name: &str) -> bool {
        matches!(self.get("Type"), Some(Self::Name(found)) if found == name)
    }

    /// An integer that is not negative.
    pub(super) fn integer(&self) -> Option<u64> {
        match self {
            Self::Integer(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Calls `visit` with every dictionary in the value.
    pub(super) fn each_dictionary(&self, visit: &mut impl FnMut(&Self)) {
        match self {
            Self::Dictionary(entries) => {
                visit(self);
                for (_, value) in entries {
                    value.each_dictionary(visit);
                }
            }
            Self::Array(values) => {
                for value in values {
                    value.each_dictionary(visit);
                }
            }
            _ => {}
        }
    }
}

/// A string's text: UTF-16 if it says so, else a byte a character.
pub(super) fn readable(bytes: &[u8]) -> String {
    if let Some(wide) = bytes.strip_prefix(b"\xfe\xff") {
        let units = wide
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
