//! Files embedded by the packager: `\x01Ole10Native` streams, and the objects
//! of OLE 1 ([MS-OLEDS] 2.2), which RTF embeds.

use crate::unpack::fields::{Fields, ansi_text};

/// A file inside a document.
#[derive(Debug, PartialEq)]
pub(in crate::unpack) struct Package<'a> {
    /// Its name, or path, on the machine it comes from.
    pub(in crate::unpack) name: String,
    pub(in crate::unpack) content: &'a [u8],
    /// Whether all of it is there.
    pub(in crate::unpack) is_whole: bool,
}

/// Reads an `\x01Ole10Native` stream. Without the packager's header it is the
/// embedded data alone; `None` if it is empty.
pub(in crate::unpack) fn native(stream: &[u8]) -> Option<Package<'_>> {
    let mut fields = Fields::new(stream);
    let len = fields.len32()?;
    let data = fields.rest();
    if let Some(package) = packaged(data) {
        return Some(package);
    }
    let content = &data[..data.len().min(len)];
    (!content.is_empty()).then(|| Package {
        name: String::new(),
        is_whole: content.len() == len,
        content,
    })
}

/// Reads what the packager writes: names, and the file.
pub(in crate::unpack) fn packaged(data: &[u8]) -> Option<Package<'_>> {
    let mut fields = Fields::new(data);
    const FILE: u16 = 2;
    if fields.u16()? != FILE {
        return None;
    }
    let label = fields.until_zero()?;
    let path = fields.until_zero()?;
    fields.u32()?;
    let command_len = fields.len32()?;
    fields.take(command_len)?;
    let len = fields.len32()?;
    let content = fields.take_up_to(len);
    let name = if label.is_empty() { path } else { label };
    Some(Package {
        name: ansi_text(name),
        is_whole: content.len() == len,
        content,
    })
}

/// An object of OLE 1.
#[derive(Debug, PartialEq)]
pub(in crate::unpack) struct Object<'a> {
    /// The program it belongs to, such as `Package` or `Word.Document.8`.
    pub(in crate::unpack) class: String,
    pub(in crate::unpack) content: &'a [u8],
    /// Whether all of it is there.
    pub(in crate::unpack) is_whole: bool,
}

/// Reads an embedded object of OLE 1. `None` if the bytes are none.
pub(in crate::unpack) fn object(bytes: &[u8]) -> Option<Object<'_>> {
    const EMBEDDED: u32 = 2;
    let mut fields = Fields::new(bytes);
    // Programs do not check the version.
    fields.u32()?;
    if fields.u32()? != EMBEDDED {
        return None;
    }
    let class = string(&mut fields)?;
    string(&mut fields)?;
    string(&mut fields)?;
    let len = fields.len32()?;
    let content = fields.take_up_to(len);
    Some(Object {
        class: ansi_text(class),
        is_whole: content.len() == len,
        content,
    })
}

/// A text with its length before it.
fn string<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let len = fields.len32()?;
    fields.take(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packaged_file_has_a_name() {
        let data = b"\x02\0a.exe\0C:\\t\\a.exe\0\0\0\x03\0\x03\0\0\0C:\0\x04\0\0\0MZxyEND";
        let mut stream = (data.len() as u32).to_le_bytes().to_vec();
        stream.extend(data);
        let package = native(&stream).unwrap();
        assert_eq!(package.name, "a.exe");
        assert_eq!(package.content, b"MZxy");
        assert!(package.is_whole);
        assert!(!native(&stream[..stream.len() - 5]).unwrap().is_whole);
    }

    #[test]
    fn data_without_a_name_is_taken_as_it_is() {
        let package = native(b"\x02\0\0\0MZxx").unwrap();
        assert_eq!(package.content, b"MZ");
        assert!(!native(b"\xff\xff\xff\xffMZ").unwrap().is_whole);
        assert_eq!(native(b"\x02\0\0"), None);
    }

    #[test]
    fn objects_have_a_class() {
        let bytes = b"\x01\x05\0\0\x02\0\0\0\x08\0\0\0Package\0\0\0\0\0\0\0\0\0\x03\0\0\0abcd";
        let object = object(bytes).unwrap();
        assert_eq!(
            (object.class.as_str(), object.content),
            ("Package", &b"abc"[..])
        );
    }
}
