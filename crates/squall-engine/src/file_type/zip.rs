//! What a ZIP really is: an office document, a Java or Android package, a plain
//! archive.
//!
//! The names of the members decide. They are read from the central directory,
//! or from the local headers when the end of the file is missing. No member is
//! unpacked, and the number of names looked at is bounded.

use super::{FileType, TAIL_MAX_BYTES, bytes, catalogue as types};

const MEMBERS_MAX: usize = 512;
const END_RECORD: &[u8] = b"PK\x05\x06";
const END_RECORD_BYTES: usize = 22;
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const DIRECTORY_ENTRY_BYTES: usize = 46;
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const LOCAL_HEADER_BYTES: usize = 30;

/// The type behind a ZIP signature; `ZIP` when no member name says more.
pub(super) fn refine(content: &[u8]) -> Option<FileType> {
    if let Some(found) = declared(content) {
        return Some(found);
    }
    let mut traits = Traits::default();
    if !read_directory(content, &mut traits) {
        read_local_headers(content, &mut traits);
    }
    Some(traits.file_type())
}

/// OpenDocument and EPUB declare themselves in a first, stored member.
fn declared(content: &[u8]) -> Option<FileType> {
    const MIME_MAX_BYTES: usize = 128;
    let header = LocalHeader::at(content, 0)?;
    if header.name != b"mimetype" {
        return None;
    }
    let mime = bytes::head(content.get(header.data..)?, MIME_MAX_BYTES);
    let of_office = |suffix: &[u8]| {
        bytes::strip_ignore_case(mime, b"application/vnd.oasis.opendocument.")
            .is_some_and(|rest| rest.starts_with(suffix))
    };
    if mime.starts_with(b"application/epub+zip") {
        Some(types::EPUB)
    } else if of_office(b"text") {
        Some(types::ODT)
    } else if of_office(b"spreadsheet") {
        Some(types::ODS)
    } else if of_office(b"presentation") {
        Some(types::ODP)
    } else if of_office(b"graphics") {
        Some(types::ODG)
    } else if of_office(b"") {
        Some(types::ODF)
    } else {
        None
    }
}

/// Reads the central directory; false when there is none to be read.
fn read_directory(content: &[u8], traits: &mut Traits) -> bool {
    let Some(mut at) = directory_offset(content) else {
        return false;
    };
    let mut count = 0;
    while count < MEMBERS_MAX && bytes::is_at(content, at, DIRECTORY_ENTRY) {
        let Some(entry) = DirectoryEntry::at(content, at) else {
            break;
        };
        traits.note(entry.name);
        at = entry.next;
        count += 1;
    }
    count > 0
}

/// Finds the directory through the end record. The offset stored there is off
/// when something was put in front of the archive, so the directory is also
/// looked for where its length says it should start.
fn directory_offset(content: &[u8]) -> Option<usize> {
    let tail_start = content.len().saturating_sub(TAIL_MAX_BYTES);
    let last = content.len().checked_sub(END_RECORD_BYTES)?;
    let end = (tail_start..=last)
        .rev()
        .find(|offset| content[*offset] == b'P' && bytes::is_at(content, *offset, END_RECORD))?;
    let len = bytes::offset_le(content, end + 12)?;
    let stored = bytes::offset_le(content, end + 16)?;
    [Some(stored), end.checked_sub(len)]
        .into_iter()
        .flatten()
        .find(|offset| bytes::is_at(content, *offset, DIRECTORY_ENTRY))
}

fn read_local_headers(content: &[u8], traits: &mut Traits) {
    let mut at = 0;
    for _ in 0..MEMBERS_MAX {
        let Some(header) = LocalHeader::at(content, at) else {
            return;
        };
        traits.note(header.name);
        // With the size behind the data, the next header has to be searched
        // for. The head is enough: this is about archives that are cut off.
        let next = if header.is_streamed {
            let rest = content
                .get(header.data..super::HEAD_MAX_BYTES.min(content.len()))
                .unwrap_or_default();
            bytes::find(rest, LOCAL_HEADER).map(|step| header.data + step)
        } else {
            header.data.checked_add(header.data_len)
        };
        let Some(next) = next else { return };
        at = next;
    }
}

struct DirectoryEntry<'a> {
    name: &'a [u8],
    next: usize,
}

impl<'a> DirectoryEntry<'a> {
    fn at(content: &'a [u8], offset: usize) -> Option<Self> {
        let name_len = usize::from(bytes::u16_le(content, offset + 28)?);
        let extra_len = usize::from(bytes::u16_le(content, offset + 30)?);
        let comment_len = usize::from(bytes::u16_le(content, offset + 32)?);
        let name_start = offset + DIRECTORY_ENTRY_BYTES;
        Some(Self {
            name: bytes::slice(content, name_start, name_len)?,
            next: name_start + name_len + extra_len + comment_len,
        })
    }
}

struct LocalHeader<'a> {
    name: &'a [u8],
    data: usize,
    data_len: usize,
    is_streamed: bool,
}

impl<'a> LocalHeader<'a> {
    fn at(content: &'a [u8], offset: usize) -> Option<Self> {
        if !bytes::is_at(content, offset, LOCAL_HEADER) {
            return None;
        }
        let flags = bytes::u16_le(content, offset + 6)?;
        let name_len = usize::from(bytes::u16_le(content, offset + 26)?);
        let extra_len = usize::from(bytes::u16_le(content, offset + 28)?);
        let name_start = offset + LOCAL_HEADER_BYTES;
        Some(Self {
            name: bytes::slice(content, name_start, name_len)?,
            data: name_start + name_len + extra_len,
            data_len: bytes::offset_le(content, offset + 18)?,
            is_streamed: flags & 0x08 != 0,
        })
    }
}

/// What the member names gave away.
#[derive(Default)]
struct Traits {
    has_word: bool,
    has_excel: bool,
    has_binary_workbook: bool,
    has_powerpoint: bool,
    has_macros: bool,
    has_visio: bool,
    has_xps: bool,
    has_java_manifest: bool,
    has_java_class: bool,
    package: Option<FileType>,
}

impl Traits {
    fn note(&mut self, name: &[u8]) {
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let starts = |prefix: &[u8]| bytes::starts_with_ignore_case(name, prefix);
        let ends = |suffix: &[u8]| {
            name.len()
                .checked_sub(suffix.len())
                .is_some_and(|start| name[start..].eq_ignore_ascii_case(suffix))
        };
        self.has_word |= starts(b"word/document");
        self.has_excel |= starts(b"xl/workbook");
        self.has_binary_workbook |= starts(b"xl/workbook.bin");
        self.has_powerpoint |= starts(b"ppt/presentation");
        self.has_macros |= ends(b"/vbaproject.bin");
        self.has_visio |= starts(b"visio/document");
        self.has_xps |= starts(b"fixeddocumentsequence.") || starts(b"fixeddocseq.");
        self.has_java_manifest |= starts(b"meta-inf/manifest.mf");
        self.has_java_class |= ends(b".class");
        let package = if name == b"AndroidManifest.xml" {
            Some(types::APK)
        } else if name == b"AppxManifest.xml" || starts(b"appxmetadata/appxbundlemanifest.xml") {
            Some(types::APPX)
        } else if starts(b"payload/") && ends(b".app/info.plist") {
            Some(types::IPA)
        } else if name == b"extension.vsixmanifest" {
            Some(types::VSIX)
        } else if name == b"install.rdf" || name == b"META-INF/mozilla.rsa" {
            Some(types::XPI)
        } else if ends(b".dist-info/wheel") {
            Some(types::WHEEL)
        } else if ends(b".nuspec") && !name.contains(&b'/') {
            Some(types::NUPKG)
        } else {
            None
        };
        self.package = self.package.or(package);
    }

    fn file_type(&self) -> FileType {
        let macros_or = |with: FileType, without| if self.has_macros { with } else { without };
        if self.has_word {
            macros_or(types::DOCM, types::DOCX)
        } else if self.has_binary_workbook {
            types::XLSB
        } else if self.has_excel {
            macros_or(types::XLSM, types::XLSX)
        } else if self.has_powerpoint {
            macros_or(types::PPTM, types::PPTX)
        } else if self.has_visio {
            types::VSDX
        } else if self.has_xps {
            types::XPS
        } else if let Some(package) = self.package {
            package
        } else if self.has_java_manifest || self.has_java_class {
            types::JAR
        } else {
            types::ZIP
        }
    }
}
