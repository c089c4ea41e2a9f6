//! PDF: embedded files, JavaScript and the other streams, decoded.
//!
//! The cross-reference table is not used: readers repair broken ones by looking
//! for objects from the start of the file, and so does this. It also sees what
//! a later revision of the file replaced.

mod crypt;
mod filter;
mod lexer;
mod lzw;
mod object;
mod objects;
mod text_filters;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::io::Read;

use squall_types::IncompleteReason;

use self::crypt::{Encryption, Key};
use self::filter::{Decoding, Named};
use self::object::Object;
use self::objects::Objects;
use self::value::Value;
use super::{Members, Trouble};

/// Streams passed on that are neither embedded files nor scripts: page
/// contents, fonts, forms.
const OTHER_STREAMS_MAX: usize = 3000;
/// Objects that may name filters; few files have any.
const NAMED_MAX: usize = 10_000;
/// Objects read in all.
const OBJECTS_MAX: usize = 500_000;
/// A stream of objects is read as far as this.
const OBJECT_STREAM_MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Streams of objects read, so that small ones that grow cost bounded time.
const OBJECT_STREAMS_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Opens a PDF.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut document = Document::default();
    let mut objects = document.read(content, members)?;
    if !document.encrypted.is_empty() {
        if let Some(key) = document.key(members) {
            document = Document {
                key: Some(key),
                ..Document::default()
            };
            objects = document.read(content, members)?;
        } else {
            members.record(
                "streams",
                IncompleteReason::Encrypted,
                "the PDF is encrypted".to_owned(),
            );
            // A trailer that no reader looks at may say so to keep scanners
            // away, so the streams that can be decoded all the same are.
            document.is_locked = true;
        }
    }
    document.pass_on_scripts(members)?;
    document.pass_on_streams(&objects, members)?;
    pass_on_trailing(content, members)
}

/// What the objects say about each other.
#[derive(Default)]
struct Document {
    /// Names of embedded files, by the number of their stream.
    files: HashMap<u32, String>,
    /// Numbers of streams that are JavaScript.
    script_streams: HashSet<u32>,
    /// JavaScript that is a string in an object.
    scripts: Vec<(u32, Vec<u8>)>,
    /// Objects that are names of filters.
    named: Named,
    /// The trailers that speak of encryption, and what may be its parameters.
    encrypted: Vec<Value>,
    parameters: HashMap<u32, Value>,
    /// The key, if the file is encrypted and one was found.
    key: Option<Key>,
    /// Whether it is encrypted and none was found.
    is_locked: bool,
    object_stream_bytes: u64,
}

impl Document {
    /// Reads all objects; those with a stream are returned.
    fn read<'a>(
        &mut self,
        content: &'a [u8],
        members: &mut Members<'_, '_>,
    ) -> Result<Vec<Object<'a>>, Trouble> {
        let mut streams = Vec::new();
        let mut count = 0;
        for object in Objects::new(content) {
            members.budget.check_time()?;
            count += 1;
            if count > OBJECTS_MAX {
                members.record(
                    "objects",
                    IncompleteReason::Limit,
                    format!("more than {OBJECTS_MAX} objects"),
                );
                break;
            }
            self.note(&object);
            if object.stream.is_none() {
                continue;
            }
            if object.value.is_type("ObjStm") {
                self.read_object_stream(&object, members);
            }
            streams.push(object);
        }
        self.encrypted.extend(objects::encrypted_trailers(content));
        Ok(streams)
    }

    /// Reads the objects in a stream of objects. Damage is recorded when the
    /// stream itself is passed on.
    fn read_object_stream(&mut self, object: &Object<'_>, members: &mut Members<'_, '_>) {
        let left = OBJECT_STREAMS_MAX_BYTES.saturating_sub(self.object_stream_bytes);
        if left == 0 {
            members.record(
                &format!("obj-{}", object.number),
                IncompleteReason::Limit,
                format!("object streams of more than {OBJECT_STREAMS_MAX_BYTES} bytes"),
            );
            return;
        }
        let mut bytes = Vec::new();
        let Decoding::Reader(reader) = object.decoded(&self.named, self.key.as_ref()) else {
            return;
        };
        reader
            .take(OBJECT_STREAM_MAX_BYTES.min(left))
            .read_to_end(&mut bytes)
            .ok();
        self.object_stream_bytes += bytes.len() as u64;
        for (number, value) in objects::in_stream(&object.value, &bytes) {
            // The stream was decrypted as a whole, and they in it.
            self.note_value(number, &value, None);
        }
    }

    /// Finds the key of an encrypted file.
    fn key(&self, members: &Members<'_, '_>) -> Option<Key> {
        let passwords =
            || std::iter::once("").chain(members.passwords().iter().map(String::as_str));
        self.encrypted.iter().find_map(|trailer| {
            let dictionary = match trailer.get("Encrypt")? {
                Value::Reference(number) => self.parameters.get(number)?,
                dictionary => dictionary,
            };
            let id = match trailer.get("ID") {
                Some(Value::Array(ids)) => ids.first(),
                _ => None,
            };
            let id = match id {
                Some(Value::Text(id)) => id.as_slice(),
                _ => &[],
            };
            Key::find(&Encryption { dictionary, id }, passwords())
        })
    }

    /// Notes what an object says about others, and the dictionaries inside it.
    fn note(&mut self, object: &Object<'_>) {
        let is_cross_reference = object.value.is_type("XRef");
        if is_cross_reference && object.value.get("Encrypt").is_some() {
            self.encrypted.push(object.value.clone());
        }
        let is_parameters = object.value.get("O").is_some() && object.value.get("U").is_some();
        if is_parameters && self.parameters.len() < NAMED_MAX {
            self.parameters.insert(object.number, object.value.clone());
        }
        self.note_value(object.number, &object.value, Some(object.generation));
    }

    /// Notes what a value says. Its strings are encrypted if it has a
    /// generation.
    fn note_value(&mut self, number: u32, value: &Value, generation: Option<u32>) {
        let is_named = match value {
            Value::Name(_) => true,
            Value::Array(values) => values.len() <= filter::FILTERS_MAX,
            _ => false,
        };
        if is_named && self.named.len() < NAMED_MAX {
            self.named.insert(number, value.clone());
        }
        value.each_dictionary(&mut |dictionary| {
            self.note_dictionary(number, dictionary, generation);
        });
    }

    fn note_dictionary(&mut self, number: u32, dictionary: &Value, generation: Option<u32>) {
        let decrypted = |text: &[u8]| match (&self.key, generation) {
            (Some(key), Some(generation)) => key.string(number, generation, text),
            _ => text.to_vec(),
        };
        match dictionary.get("JS") {
            Some(Value::Reference(stream)) => {
                self.script_streams.insert(*stream);
            }
            Some(Value::Text(script)) => {
                let script = decrypted(script);
                self.scripts.push((number, script));
            }
            _ => {}
        }
        let Some(embedded) = dictionary.get("EF") else {
            return;
        };
        let name = ["UF", "F", "Unix", "DOS", "Mac"]
            .iter()
            .find_map(|key| match dictionary.get(key) {
                Some(Value::Text(name)) => Some(value::readable(&decrypted(name))),
                _ => None,
            })
            .unwrap_or_default();
        for key in ["F", "UF", "Unix", "DOS", "Mac"] {
            if let Some(Value::Reference(stream)) = embedded.get(key) {
                self.files.insert(*stream, name.clone());
            }
        }
    }

    fn pass_on_scripts(&self, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
        for (number, script) in &self.scripts {
            let name = format!("javascript-{number}.js");
            let script = value::readable(script);
            members.take(&name, script.as_bytes())?;
        }
        Ok(())
    }

    /// Whether the beginning of a stream can be decoded; encrypted bytes
    /// cannot.
    fn yields_something(&self, object: &Object<'_>) -> bool {
        let mut beginning = [0; 32];
        match object.decoded(&self.named, None) {
            Decoding::Reader(mut reader) => reader.read_exact(&mut beginning).is_ok(),
            _ => false,
        }
    }

    fn pass_on_streams(
        &self,
        objects: &[Object<'_>],
        members: &mut Members<'_, '_>,
    ) -> Result<(), Trouble> {
        let mut others = 0;
        for object in objects {
            members.budget.check_time()?;
            let file = self.files.get(&object.number);
            let is_script = self.script_streams.contains(&object.number);
            let is_file = file.is_some() || object.value.is_type("EmbeddedFile");
            if !is_file && !is_script {
                if object.value.is_type("XRef") {
                    continue;
                }
                others += 1;
                if others == OTHER_STREAMS_MAX + 1 {
                    members.record(
                        "streams",
                        IncompleteReason::Limit,
                        format!("more than {OTHER_STREAMS_MAX} streams"),
                    );
                }
                if others > OTHER_STREAMS_MAX {
                    continue;
                }
            }
            let name = match file.filter(|name| !name.is_empty()) {
                Some(name) => name.clone(),
                None if is_script => format!("javascript-{}.js", object.number),
                None => format!("obj-{}", object.number),
            };
            if self.is_locked && !self.yields_something(object) {
                continue;
            }
            let decoding = object.decoded(&self.named, self.key.as_ref());
            pass_on_stream(&name, object, is_file, decoding, members)?;
        }
        Ok(())
    }
}

/// Passes on a stream. One that no filter changes was seen by the scan of the
/// file, and is a member only as an embedded file.
fn pass_on_stream(
    name: &str,
    object: &Object<'_>,
    is_file: bool,
    decoding: Decoding<'_>,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    match decoding {
        Decoding::None if !is_file => Ok(()),
        Decoding::None => members.take(name, object.stream.unwrap_or_default()),
        Decoding::Picture => Ok(()),
        Decoding::Unknown(filter) => {
            members.record(
                name,
                IncompleteReason::Unsupported,
                format!("the stream filter `{filter}` is not known"),
            );
            Ok(())
        }
        Decoding::Reader(reader) => members.take(name, reader),
    }
}

/// Passes on what follows the end of the file.
fn pass_on_trailing(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    const END: &[u8] = b"%%EOF";
    const TRAILING_BYTES_MIN: usize = 16;
    let Some(end) = memchr::memmem::rfind(content, END) else {
        return Ok(());
    };
    let trailing = content[end + END.len()..].trim_ascii_start();
    if trailing.len() < TRAILING_BYTES_MIN || trailing.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    members.take("trailing", trailing)
}
