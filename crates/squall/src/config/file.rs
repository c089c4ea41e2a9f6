//! Settings from a configuration file: a YAML mapping of names to values, as
//! the original scanner's files are.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::error::{ConfigError, Origin, quoted};
use super::layer::{Given, Layer};
use super::nearest::nearest_key;
use super::original;
use super::table::{Setting, settings};

/// The largest file that is read, in bytes. Real ones have a few kilobytes.
const FILE_SIZE_MAX: u64 = 1 << 20;

/// How many ignored keys a warning names.
const IGNORED_NAMED_MAX: usize = 50;

/// Returns what a configuration file says about settings.
///
/// # Errors
///
/// Returns an error if the file cannot be read, is no YAML mapping, has a key
/// that nobody knows, or gives a setting twice.
pub(crate) fn read(path: &Path) -> Result<Layer, ConfigError> {
    let bytes = read_bytes(path)?;
    let text = String::from_utf8(bytes).map_err(|_| ConfigError::NotText { path: path.into() })?;
    parse(path, &text)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // The file may be a pipe or a device without an end.
        std::fs::File::open(path)?
            .take(FILE_SIZE_MAX + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| ConfigError::Read {
        path: path.into(),
        source,
    })?;
    if bytes.len() as u64 > FILE_SIZE_MAX {
        return Err(ConfigError::TooLarge {
            path: path.into(),
            limit_bytes: FILE_SIZE_MAX,
        });
    }
    Ok(bytes)
}

/// Returns what the text of a configuration file says about settings.
///
/// # Errors
///
/// As [`read`], but for reading.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Layer, ConfigError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 16,
            max_documents: 1,
            max_nodes: 20_000,
            max_events: 50_000,
            max_aliases: 100,
        },
        // A setting given twice is noticed in `Layer::add`, with both places.
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        // These keep text as it is spelled: `yes` and `007` may be names.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    let text = text.trim_start_matches('\u{feff}');
    let entries: Entries =
        serde_saphyr::from_str_with_options(text, options).map_err(|source| ConfigError::Yaml {
            path: path.into(),
            source: Box::new(source),
        })?;
    understand(path, entries)
}

/// Sorts the entries of a file into settings and keys that are ignored.
fn understand(path: &Path, entries: Entries) -> Result<Layer, ConfigError> {
    let mut layer = Layer::default();
    let mut ignored = Vec::new();
    for Entry { key, line, value } in entries.0 {
        if let Some(setting) = settings().find(|setting| setting.has_key(&key)) {
            let origin = Origin::File {
                path: path.into(),
                key,
                line,
            };
            add(&mut layer, setting, value, origin)?;
        } else if original::has(&key) {
            ignored.push(quoted(&key));
        } else {
            return Err(ConfigError::UnknownKey {
                path: path.into(),
                nearest: nearest_key(&key),
                key,
                line,
            });
        }
    }
    layer.warnings.extend(ignored_warning(path, &ignored));
    Ok(layer)
}

fn add(
    layer: &mut Layer,
    setting: &'static Setting,
    value: Node,
    origin: Origin,
) -> Result<(), ConfigError> {
    let values = match value {
        Node::Scalar(text) => vec![text],
        Node::List(texts) => texts,
        Node::Null => {
            layer.warnings.push(format!(
                "`{}` has no value and is ignored ({origin})",
                setting.name
            ));
            return Ok(());
        }
        Node::Other(what) => {
            return Err(ConfigError::Value {
                setting: setting.name,
                origin,
                value: what.to_owned(),
                expected: setting.kind.expected(),
            });
        }
    };
    let values = values.into_iter().map(OsString::from).collect();
    layer.add(setting, Given { values, origin })
}

/// Returns the one warning on all keys that mean nothing here.
fn ignored_warning(path: &Path, ignored: &[String]) -> Option<String> {
    if ignored.is_empty() {
        return None;
    }
    let named = ignored.len().min(IGNORED_NAMED_MAX);
    let more = match ignored.len() - named {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "configuration file `{}` has keys of the original scanner that mean nothing here and are \
         ignored: {}{more}",
        path.display(),
        ignored[..named].join(", "),
    ))
}

/// An entry of the file.
struct Entry {
    key: String,
    line: u64,
    value: Node,
}

/// All entries of the file, in order.
struct Entries(Vec<Entry>);

/// A value in the file.
#[derive(Debug)]
enum Node {
    /// A single value, as text.
    Scalar(String),
    /// A list of single values.
    List(Vec<String>),
    /// None.
    Null,
    /// What no setting takes, in words.
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings, each on a line as `name: value`")
    }

    /// A file of comments only.
    fn visit_unit<E>(self) -> Result<Entries, E> {
        Ok(Entries(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            entries.push(Entry {
                line: key.referenced.line(),
                key: key.value,
                value: map.next_value()?,
            });
        }
        Ok(Entries(entries))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    /// No setting is a fraction, and how it was spelled is lost: as the name
    /// of a file, `1.10` would become `1.1`.
    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other("a number with a fraction (text needs quotes)"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut texts = Vec::new();
        let mut other = None;
        while let Some(item) = seq.next_element()? {
            match item {
                Node::Scalar(text) => texts.push(text),
                Node::Null => {}
                Node::List(_) => other = Some("a list in a list"),
                Node::Other(what) => other = Some(what),
            }
        }
        Ok(other.map_or(Node::List(texts), Node::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Node::Other("a mapping"))
    }
}
