//! Distinguished names as RFC 4514 writes them: of certificates, and as
//! patterns.

use std::fmt::{self, Write as _};

use x509_parser::asn1_rs::ToDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::glob::Glob;

/// Short names of attributes: those of RFC 4514, and others as OpenSSL has
/// them. An attribute without one is written by its number, and its value by
/// its bytes.
const KINDS: [(&str, &str); 14] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("2.5.4.4", "SN"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];
/// The number of the common name.
const COMMON_NAME: &str = "2.5.4.3";

/// A distinguished name, the most specific part first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<Vec<Attribute>>);

/// A part of a name: its kind and its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    /// The short name, or the number in dotted digits.
    kind: String,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Text(String),
    /// What is no text, or of a kind without a name: its bytes as `#` and
    /// hexadecimal digits.
    Bytes(String),
}

impl Name {
    /// Reads the name of a certificate; `None` if it cannot be written.
    pub(super) fn of(name: &X509Name<'_>) -> Option<Self> {
        let parts = name.iter_rdn().map(|part| {
            let attributes: Option<Vec<_>> = part.iter().map(attribute).collect();
            attributes.map(|mut attributes| {
                attributes.sort();
                attributes
            })
        });
        let mut parts: Vec<_> = parts.collect::<Option<_>>()?;
        parts.reverse();
        Some(Self(parts))
    }

    /// Returns the common names in it, as far as they are text.
    pub(super) fn common_names(&self) -> impl Iterator<Item = &str> {
        let kind = short(COMMON_NAME);
        let own = self.0.iter().flatten().filter(move |own| own.kind == kind);
        own.map(|own| match &own.value {
            Value::Text(text) => text.as_str(),
            // Counted all the same.
            Value::Bytes(_) => "",
        })
    }
}

fn attribute(own: &AttributeTypeAndValue<'_>) -> Option<Attribute> {
    let number = own.attr_type().to_id_string();
    let kind = short(&number);
    let value = match own.as_str() {
        Ok(text) if kind != number => Value::Text(text.to_owned()),
        _ => {
            let der = own.attr_value().to_der_vec().ok()?;
            let digits: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
            Value::Bytes(format!("#{digits}"))
        }
    };
    Some(Attribute { kind, value })
}

/// Returns the short name of a kind, or its number.
fn short(number: &str) -> String {
    let found = KINDS.iter().find(|(of, _)| *of == number);
    found.map_or(number, |(_, name)| name).to_owned()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            for (at, Attribute { kind, value }) in part.iter().enumerate() {
                if at > 0 {
                    f.write_char('+')?;
                }
                write!(f, "{kind}=")?;
                match value {
                    Value::Text(text) => write_escaped(f, text)?,
                    Value::Bytes(bytes) => f.write_str(bytes)?,
                }
            }
        }
        Ok(())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{c}")?,
            '#' if at == 0 => f.write_str("\\#")?,
            ' ' if at == 0 || at == last => f.write_str("\\ ")?,
            c if c.is_control() => {
                for byte in c.to_string().bytes() {
                    write!(f, "\\{byte:02X}")?;
                }
            }
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

/// A name to compare those of certificates with: all of it has to be there,
/// in that order, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamePattern(Vec<Vec<(String, ValuePattern)>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum ValuePattern {
    Text(Glob),
    Bytes(String),
}

/// A byte of a pattern, and whether it was escaped.
type Byte = (u8, bool);

impl NamePattern {
    /// Reads a name as RFC 4514 writes it; a `*` that is not escaped (`\2A`)
    /// stands for others. `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = unescaped(text)?;
        let parts = split(&bytes, b',').map(|part| {
            let mut attributes = split(part, b'+')
                .map(attribute_pattern)
                .collect::<Option<Vec<_>>>()?;
            attributes.sort_by(|a, b| a.0.cmp(&b.0));
            Some(attributes)
        });
        parts.collect::<Option<_>>().map(Self)
    }

    /// Tells whether it names one name only.
    pub(super) fn is_exact(&self) -> bool {
        self.0.iter().flatten().all(|(_, value)| match value {
            ValuePattern::Text(glob) => glob.is_exact(),
            ValuePattern::Bytes(_) => true,
        })
    }

    /// Compares a name with it.
    pub(super) fn matches(&self, name: &Name) -> bool {
        self.0.len() == name.0.len()
            && self.0.iter().zip(&name.0).all(|(wanted, part)| {
                wanted.len() == part.len()
                    && wanted
                        .iter()
                        .zip(part)
                        .all(|((kind, value), own)| *kind == own.kind && value.matches(&own.value))
            })
    }
}

impl ValuePattern {
    fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(glob), Value::Text(text)) => glob.matches(text, stands_for),
            (Self::Bytes(wanted), Value::Bytes(bytes)) => wanted == bytes,
            _ => false,
        }
    }
}

/// What a `*` stands for in a value.
fn stands_for(c: char) -> bool {
    c.is_alphanumeric() || " -_.@".contains(c)
}

/// Undoes escapes, and remembers what was escaped.
fn unescaped(text: &str) -> Option<Vec<Byte>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push((byte, false));
            continue;
        }
        let first = rest.next()?;
        if b" \"#+,;<=>\\".contains(&first) {
            bytes.push((first, true));
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(first)? * 16 + digit(rest.next()?)?;
        bytes.push((u8::try_from(value).ok()?, true));
    }
    Some(bytes)
}

/// Splits at each separator that is not escaped.
fn split(bytes: &[Byte], separator: u8) -> impl Iterator<Item = &[Byte]> {
    bytes.split(move |byte| *byte == (separator, false))
}

fn attribute_pattern(bytes: &[Byte]) -> Option<(String, ValuePattern)> {
    let at = bytes.iter().position(|byte| *byte == (b'=', false))?;
    let (kind, value) = (&bytes[..at], &bytes[at + 1..]);
    let kind = kind_of(&text_of(kind)?)?;
    let edges = [value.first()?, value.last()?];
    if edges.contains(&&(b' ', false)) {
        return None;
    }
    if value[0] == (b'#', false) {
        let digits = text_of(&value[1..])?.to_ascii_lowercase();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bytes = (is_hex && digits.len() >= 4 && digits.len().is_multiple_of(2))
            .then(|| ValuePattern::Bytes(format!("#{digits}")))?;
        return Some((kind, bytes));
    }
    // Only bytes are known of what has no name.
    let has_name = KINDS.iter().any(|(_, name)| *name == kind);
    let is_plain = |byte: &Byte| byte.1 || !b"\";<>".contains(&byte.0);
    if !has_name || !value.iter().all(is_plain) {
        return None;
    }
    let mut pieces = split(value, b'*');
    let before = text_of(pieces.next()?)?;
    let after = match pieces.next() {
        Some(piece) => Some(text_of(piece)?),
        None => None,
    };
    let glob = pieces.next().is_none().then(|| Glob::of(before, after))?;
    Some((kind, ValuePattern::Text(glob)))
}

fn text_of(bytes: &[Byte]) -> Option<String> {
    String::from_utf8(bytes.iter().map(|byte| byte.0).collect()).ok()
}

/// Returns a kind as names of certificates have it: names in any case, and
/// numbers.
fn kind_of(text: &str) -> Option<String> {
    let named = KINDS
        .iter()
        .find(|(_, name)| name.eq_ignore_ascii_case(text));
    if let Some((_, name)) = named {
        return Some((*name).to_owned());
    }
    let is_number = text.contains('.')
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| short(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: &[&[(&str, &str)]]) -> Name {
        let attribute = |&(kind, text): &(&str, &str)| Attribute {
            kind: kind.to_owned(),
            value: match text.strip_prefix("#!") {
                Some(bytes) => Value::Bytes(format!("#{bytes}")),
                None => Value::Text(text.to_owned()),
            },
        };
        let part = |part: &&[(&str, &str)]| part.iter().map(attribute).collect();
        Name(parts.iter().map(part).collect())
    }

    fn matches(pattern: &str, name: &Name) -> bool {
        NamePattern::parse(pattern)
            .unwrap_or_else(|| panic!("{pattern}"))
            .matches(name)
    }

    #[test]
    fn names_are_written_as_rfc_4514_has_them() {
        for (of, text) in [
            (
                name(&[&[("CN", "ana")], &[("O", "Example")], &[("C", "DE")]]),
                "CN=ana,O=Example,C=DE",
            ),
            (
                name(&[&[("CN", "J.  Smith"), ("OU", "Sales")], &[("DC", "net")]]),
                "CN=J.  Smith+OU=Sales,DC=net",
            ),
            (
                name(&[&[("CN", "James \"Jim\" Smith, III")]]),
                r#"CN=James \"Jim\" Smith\, III"#,
            ),
            (name(&[&[("CN", " #a=b ")]]), r"CN=\ #a=b\ "),
            (name(&[&[("CN", "#a")]]), r"CN=\#a"),
            (name(&[&[("CN", "a\r\0b")]]), r"CN=a\0D\00b"),
            (name(&[&[("CN", "Lučić")]]), "CN=Lučić"),
            (name(&[&[("1.2.3", "#!0402")]]), "1.2.3=#0402"),
        ] {
            assert_eq!(of.to_string(), text);
            // What is written is read as the same.
            assert!(matches(text, &of), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_all_of_a_name() {
        let ana = name(&[
            &[("CN", "ana")],
            &[("OU", "Sec")],
            &[("O", "Example, Inc.")],
        ]);
        for pattern in [
            r"CN=ana,OU=Sec,O=Example\, Inc.",
            r"cn=ana,ou=Sec,2.5.4.10=Example\2c Inc.",
            r"CN=*,OU=Sec,O=Example\, Inc.",
            r"CN=a*a,OU=*,O=Example\, Inc.",
        ] {
            assert!(matches(pattern, &ana), "{pattern}");
        }
        for pattern in [
            "CN=ana",
            r"CN=ana,O=Example\, Inc.",
            r"O=Example\, Inc.,OU=Sec,CN=ana",
            r"CN=ana,OU=sec,O=Example\, Inc.",
            "CN=ana,OU=Sec,O=*",
            r"CN=*,O=Example\, Inc.",
            r"CN=\2A,OU=Sec,O=Example\, Inc.",
        ] {
            assert!(!matches(pattern, &ana), "{pattern}");
        }
    }

    #[test]
    fn a_star_reaches_into_no_other_part() {
        let pattern = "CN=*,O=Example";
        for hostile in [
            name(&[&[("CN", "x"), ("OU", "y")], &[("O", "Example")]]),
            name(&[&[("CN", "x")], &[("OU", "y")], &[("O", "Example")]]),
            name(&[&[("CN", "x,OU=y")], &[("O", "Example")]]),
            name(&[&[("CN", "x\0")], &[("O", "Example")]]),
            name(&[&[("CN", "")], &[("O", "Example")]]),
        ] {
            assert!(!matches(pattern, &hostile), "{hostile}");
        }
    }

    #[test]
    fn several_attributes_of_one_part_come_in_any_order() {
        let both = name(&[&[("CN", "a"), ("OU", "b")]]);
        assert!(matches("CN=a+OU=b", &both) && matches("OU=b+CN=a", &both));
        assert!(!matches("CN=a,OU=b", &both));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "ana",
            "CN",
            "CN=",
            "=a",
            "CN=a,",
            ",CN=a",
            "CN=a, O=b",
            "CN= a",
            "CN=a ",
            "CN=a;b",
            "CN=\"a\"",
            "CN=<a>",
            r"CN=\",
            r"CN=\zz",
            r"CN=\ff",
            "X=a",
            "1.2.3=a",
            "1.2.3=#0",
            "1.2.3=#zz00",
            "CN=a*b*",
            "1..2=#0400",
            "C N=a",
        ] {
            assert_eq!(NamePattern::parse(text), None, "{text:?}");
        }
    }
}
