//! The filters of streams, one after the other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read};

use flate2::read::DeflateDecoder;

use super::lzw::Lzw;
use super::text_filters::{Ascii85, AsciiHex, RunLength};
use super::value::Value;

/// Filters on one stream; more are a trick to wear scanners out.
pub(super) const FILTERS_MAX: usize = 10;

/// How a stream is decoded.
pub(super) enum Decoding<'a> {
    /// Not at all.
    None,
    /// By reading it from here.
    Reader(Box<dyn Read + 'a>),
    /// It is a picture in a format of its own.
    Picture,
    /// In a way that is not known.
    Unknown(String),
}

/// What a filter or a list of them is called by, where it is an object of its
/// own.
pub(super) type Named = HashMap<u32, Value>;

/// Puts a stream's filters together.
pub(super) fn decode<'a>(
    stream: Cow<'a, [u8]>,
    filters: Option<&Value>,
    named: &Named,
    early_change: bool,
) -> Decoding<'a> {
    let filters = filters.map_or_else(|| Some(Vec::new()), |filters| names(filters, named));
    let filters = match filters {
        Some(filters) if filters.len() > FILTERS_MAX => {
            return Decoding::Unknown(format!("{} filters", filters.len()));
        }
        Some(filters) => filters,
        // What the filters are called cannot be found; mostly it is this one.
        None if looks_deflated(&stream) => vec!["FlateDecode"],
        None => return Decoding::Unknown("?".to_owned()),
    };
    // What was decrypted is not what is in the file.
    let mut is_changed = matches!(stream, Cow::Owned(_));
    let mut reader: Box<dyn Read + 'a> = match stream {
        Cow::Borrowed(bytes) => Box::new(bytes),
        Cow::Owned(bytes) => Box::new(io::Cursor::new(bytes)),
    };
    for filter in filters {
        reader = match filter {
            "FlateDecode" | "Fl" => Box::new(Inflate::new(reader)),
            "ASCIIHexDecode" | "AHx" => Box::new(AsciiHex::new(reader)),
            "ASCII85Decode" | "A85" => Box::new(Ascii85::new(reader)),
            "RunLengthDecode" | "RL" => Box::new(RunLength::new(reader)),
            "LZWDecode" | "LZW" => Box::new(Lzw::new(reader, early_change)),
            "Crypt" => continue,
            picture if is_picture(picture) && !is_changed => return Decoding::Picture,
            // What was decoded up to the picture is passed on.
            picture if is_picture(picture) => break,
            unknown => return Decoding::Unknown(unknown.to_owned()),
        };
        is_changed = true;
    }
    if is_changed {
        Decoding::Reader(reader)
    } else {
        Decoding::None
    }
}

/// The names of filters; `None` if one of them is not to be found.
fn names<'a>(filters: &'a Value, named: &'a Named) -> Option<Vec<&'a str>> {
    let resolved = |value: &'a Value| match value {
        Value::Reference(number) => named.get(number),
        value => Some(value),
    };
    match resolved(filters)? {
        Value::Name(name) => Some(vec![name]),
        Value::Array(values) => values
            .iter()
            .map(|value| match resolved(value)? {
                Value::Name(name) => Some(name.as_str()),
                _ => None,
            })
            .collect(),
        // Such as `null`: there is none.
        Value::Other => Some(Vec::new()),
        _ => None,
    }
}

fn is_picture(filter: &str) -> bool {
    matches!(
        filter,
        "DCTDecode" | "DCT" | "JPXDecode" | "CCITTFaxDecode" | "CCF" | "JBIG2Decode"
    )
}

fn looks_deflated(stream: &[u8]) -> bool {
    matches!(
        stream,
        [
            0x78 | 0x68 | 0x58 | 0x48,
            0x01 | 0x5e | 0x89 | 0x9c | 0xda | 0xde,
            ..
        ]
    )
}

/// Inflates, with a zlib header or without. The checksum is not looked at:
/// readers show streams where it is wrong.
struct Inflate<R: Read> {
    state: InflateState<R>,
}

enum InflateState<R: Read> {
    Start(R),
    Running(Box<DeflateDecoder<io::Chain<io::Cursor<Vec<u8>>, R>>>),
    Ended,
}

impl<R: Read> Inflate<R> {
    fn new(inner: R) -> Self {
        Self {
            state: InflateState::Start(inner),
        }
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let InflateState::Start(_) = self.state {
            let InflateState::Start(mut inner) =
                std::mem::replace(&mut self.state, InflateState::Ended)
            else {
                return Ok(0);
            };
            let mut start = Vec::with_capacity(2);
            inner.by_ref().take(2).read_to_end(&mut start)?;
            let is_zlib = matches!(*start, [method, flags]
                if method & 0x0f == 8 && (u32::from(method) << 8 | u32::from(flags)) % 31 == 0);
            if start.is_empty() {
                return Ok(0);
            }
            if is_zlib {
                start.clear();
            }
            let whole = io::Cursor::new(start).chain(inner);
            self.state = InflateState::Running(Box::new(DeflateDecoder::new(whole)));
        }
        match &mut self.state {
            InflateState::Running(decoder) => decoder.read(buffer),
            InflateState::Start(_) | InflateState::Ended => Ok(0),
        }
    }
}
