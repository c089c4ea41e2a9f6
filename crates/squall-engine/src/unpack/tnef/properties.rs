//! The list of MAPI properties in an attribute.

use crate::unpack::fields::{Fields, ansi_text, utf16_text};

/// Properties looked at; a message has about a hundred.
const PROPERTIES_MAX: usize = 5000;
/// Values of one property.
const VALUES_MAX: usize = 1000;

const TEXT_BODY: u16 = 0x1000;
const RTF_BODY: u16 = 0x1009;
const HTML_BODY: u16 = 0x1013;
const DISPLAY_NAME: u16 = 0x3001;
const ATTACHMENT_DATA: u16 = 0x3701;
const SHORT_NAME: u16 = 0x3704;
const LONG_NAME: u16 = 0x3707;

const KIND_OBJECT: u16 = 0x000d;
const KIND_ANSI: u16 = 0x001e;
const KIND_UNICODE: u16 = 0x001f;
const KIND_BINARY: u16 = 0x0102;

/// The properties whose values are bytes or text.
#[derive(Default)]
pub(super) struct Properties<'a> {
    values: Vec<Property<'a>>,
}

struct Property<'a> {
    id: u16,
    kind: u16,
    value: &'a [u8],
}

impl<'a> Properties<'a> {
    /// Reads the list, as far as it makes sense.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut properties = Self::default();
        let mut fields = Fields::new(bytes);
        let count = fields.len32().unwrap_or(0).min(PROPERTIES_MAX);
        for _ in 0..count {
            if properties.read_one(&mut fields).is_none() {
                break;
            }
        }
        properties
    }

    fn read_one(&mut self, fields: &mut Fields<'a>) -> Option<()> {
        const IS_LIST: u16 = 0x1000;
        const NAMED: std::ops::RangeInclusive<u16> = 0x8000..=0xfffe;
        let kind = fields.u16()?;
        let id = fields.u16()?;
        if NAMED.contains(&id) {
            skip_name(fields)?;
        }
        let single = kind & !IS_LIST;
        let is_counted = kind & IS_LIST != 0
            || matches!(single, KIND_OBJECT | KIND_ANSI | KIND_UNICODE | KIND_BINARY);
        let count = if is_counted { fields.len32()? } else { 1 };
        for _ in 0..count.min(VALUES_MAX) {
            let value = value(single, fields)?;
            self.values.push(Property {
                id,
                kind: single,
                value,
            });
        }
        (count <= VALUES_MAX).then_some(())
    }

    pub(super) fn text_body(&self) -> Option<String> {
        self.text(TEXT_BODY)
    }

    pub(super) fn html_body(&self) -> Option<&'a [u8]> {
        self.bytes(HTML_BODY)
    }

    pub(super) fn rtf_body(&self) -> Option<&'a [u8]> {
        self.bytes(RTF_BODY)
    }

    /// The name to show, the long one first.
    pub(super) fn attachment_name(&self) -> Option<String> {
        [LONG_NAME, SHORT_NAME, DISPLAY_NAME]
            .into_iter()
            .find_map(|id| self.text(id))
    }

    /// The attachment's bytes. An object has the identifier of its interface
    /// before them.
    pub(super) fn attachment_data(&self) -> Option<&'a [u8]> {
        const INTERFACE_BYTES: usize = 16;
        let property = self.find(ATTACHMENT_DATA)?;
        if property.kind == KIND_OBJECT {
            return property.value.get(INTERFACE_BYTES..);
        }
        Some(property.value)
    }

    fn find(&self, id: u16) -> Option<&Property<'a>> {
        self.values
            .iter()
            .find(|property| property.id == id && !property.value.is_empty())
    }

    fn bytes(&self, id: u16) -> Option<&'a [u8]> {
        self.find(id).map(|property| property.value)
    }

    fn text(&self, id: u16) -> Option<String> {
        let property = self.find(id)?;
        let text = match property.kind {
            KIND_UNICODE => utf16_text(property.value),
            _ => ansi_text(property.value),
        };
        (!text.is_empty()).then_some(text)
    }
}

/// Reads one value. `None` if its kind is not known, since its length is not
/// either.
fn value<'a>(kind: u16, fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    match kind {
        // Numbers, in at least four bytes.
        0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => fields.take(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => fields.take(8),
        // An identifier.
        0x0048 => fields.take(16),
        KIND_OBJECT | KIND_ANSI | KIND_UNICODE | KIND_BINARY => {
            let len = fields.len32()?;
            let value = fields.take_up_to(len);
            fields.take_up_to(padding(len));
            Some(value)
        }
        _ => None,
    }
}

/// Passes over the name of a property that has one.
fn skip_name(fields: &mut Fields<'_>) -> Option<()> {
    const SET_BYTES: usize = 16;
    const BY_NUMBER: u32 = 0;
    fields.take(SET_BYTES)?;
    if fields.u32()? == BY_NUMBER {
        fields.u32()?;
        return Some(());
    }
    let len = fields.len32()?;
    fields.take(len)?;
    fields.take(padding(len))?;
    Some(())
}

/// Bytes up to the next multiple of four.
const fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}
