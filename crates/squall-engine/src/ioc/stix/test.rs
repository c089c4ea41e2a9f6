//! Makes one comparison of a STIX pattern into something a file can be asked.

use squall_types::MatchField;

use super::lexer::Comparison;
use super::parser::{self, Expr, Operator, Subject, Test, TextTest, Value};

/// Makes a test of a comparison, or says why a file cannot be asked that.
pub(super) fn make(
    object: &str,
    path: &str,
    negated: bool,
    operator: Operator,
    values: Vec<Value>,
) -> Expr {
    if object != "file" {
        return Expr::Unsupported(format!("object type `{object}` is not supported"));
    }
    let path = path.to_ascii_lowercase();
    let test = match path.as_str() {
        "name" => text(Subject::Name, negated, operator, values),
        "parent_directory_ref.path" => text(Subject::Directory, negated, operator, values),
        "size" => size(negated, operator, &values),
        other => match other.strip_prefix("hashes.") {
            Some(algorithm) => hash(algorithm, negated, operator, values),
            None => Err(format!("property `file:{other}` is not supported")),
        },
    };
    test.map_or_else(Expr::Unsupported, Expr::Test)
}

fn text(
    subject: Subject,
    negated: bool,
    operator: Operator,
    values: Vec<Value>,
) -> Result<Test, String> {
    let texts = texts(values)?;
    let first = texts.first().cloned().unwrap_or_default();
    // A name with a separator in it is a whole path, as tools write it.
    let is_path = subject == Subject::Name && texts.iter().any(|t| t.contains(['/', '\\']));
    let whole = if is_path { Subject::Path } else { subject };
    let (subject, test, negated) = match operator {
        Operator::Compare(Comparison::Equal) | Operator::In => {
            (whole, TextTest::Equal(texts), negated)
        }
        Operator::Compare(Comparison::NotEqual) => (whole, TextTest::Equal(texts), !negated),
        Operator::Like => (
            whole,
            TextTest::Regex(parser::regex(&like(&first))?),
            negated,
        ),
        // In an expression a backslash says nothing about paths.
        Operator::Matches => (subject, TextTest::Regex(parser::regex(&first)?), negated),
        Operator::Compare(_) | Operator::Subset => {
            return Err("names have no order".to_owned());
        }
    };
    Ok(Test::Text {
        subject,
        test,
        negated,
    })
}

/// Makes a regular expression of a `LIKE` pattern: `%` stands for any text,
/// `_` for any character. Its time is bounded by the length of the text.
fn like(pattern: &str) -> String {
    let mut expression = String::from(r"(?s)\A");
    for c in pattern.chars() {
        match c {
            '%' => expression.push_str(".*"),
            '_' => expression.push('.'),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push_str(r"\z");
    expression
}

fn hash(
    algorithm: &str,
    negated: bool,
    operator: Operator,
    values: Vec<Value>,
) -> Result<Test, String> {
    let (field, len) = match algorithm {
        "md5" | "md-5" => (MatchField::Md5, 16),
        "sha1" | "sha-1" => (MatchField::Sha1, 20),
        "sha256" | "sha-256" => (MatchField::Sha256, 32),
        other => return Err(format!("digests of kind `{other}` are not computed")),
    };
    let negated = match operator {
        Operator::Compare(Comparison::Equal) | Operator::In => negated,
        Operator::Compare(Comparison::NotEqual) => !negated,
        _ => return Err("digests can only be equal or not".to_owned()),
    };
    let digests = texts(values)?
        .iter()
        .map(|text| {
            let digest = unhex(text.trim()).filter(|digest| digest.len() == len);
            digest.ok_or_else(|| format!("value is not a digest of kind `{algorithm}`"))
        })
        .collect::<Result<_, _>>()?;
    Ok(Test::Hash {
        field,
        digests,
        negated,
    })
}

fn size(negated: bool, operator: Operator, values: &[Value]) -> Result<Test, String> {
    let Operator::Compare(comparison) = operator else {
        return Err("sizes can only be compared".to_owned());
    };
    let value = match values {
        [Value::Number(number) | Value::Text(number)] => number.trim().parse::<i64>().ok(),
        _ => None,
    };
    Ok(Test::Size {
        comparison,
        value: value.ok_or("a size is a whole number of bytes")?.into(),
        negated,
    })
}

fn texts(values: Vec<Value>) -> Result<Vec<String>, String> {
    values
        .into_iter()
        .map(|value| match value {
            Value::Text(text) => Ok(text),
            Value::Number(_) | Value::Other => Err("value is not a text".to_owned()),
        })
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? << 4 | digit(low)?).ok());
    bytes.collect::<Option<_>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_patterns_become_expressions() {
        for (pattern, text, expected) in [
            ("%.exe", "a.exe", true),
            ("%.exe", "a.exe.txt", false),
            ("%.exe", "aXexe", false),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("a%", "a\nb", true),
            ("abc", "abc", true),
            ("abc", "ABC", false),
            ("%", "", true),
            ("ü%", "übel", true),
        ] {
            let regex = parser::regex(&like(pattern)).expect("expression");
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_a_file_cannot_be_asked_says_why() {
        let text = || Value::Text("x".to_owned());
        let equal = Operator::Compare(Comparison::Equal);
        let less = Operator::Compare(Comparison::Less);
        for (object, path, operator, value, reason) in [
            (
                "ipv4-addr",
                "value",
                equal,
                text(),
                "object type `ipv4-addr`",
            ),
            (
                "file",
                "created",
                equal,
                Value::Other,
                "property `file:created`",
            ),
            ("file", "hashes.SSDEEP", equal, text(), "kind `ssdeep`"),
            (
                "file",
                "hashes.MD5",
                equal,
                text(),
                "not a digest of kind `md5`",
            ),
            ("file", "hashes.MD5", Operator::Like, text(), "equal or not"),
            ("file", "hashes.MD5", equal, Value::Other, "not a text"),
            ("file", "size", equal, text(), "whole number"),
            (
                "file",
                "size",
                equal,
                Value::Number("1.5".to_owned()),
                "whole number",
            ),
            ("file", "size", Operator::In, text(), "only be compared"),
            ("file", "name", less, text(), "no order"),
            (
                "file",
                "name",
                equal,
                Value::Number("1".to_owned()),
                "not a text",
            ),
            (
                "file",
                "name",
                Operator::Matches,
                Value::Text("(".to_owned()),
                "unclosed",
            ),
            (
                "file",
                "name",
                Operator::Matches,
                Value::Text("a(?=b)".to_owned()),
                "look-around",
            ),
        ] {
            match make(object, path, false, operator, vec![value]) {
                Expr::Unsupported(why) => assert!(why.contains(reason), "{path}: {why}"),
                other => panic!("{path}: {other:?}"),
            }
        }
    }

    #[test]
    fn digests_are_read() {
        assert_eq!(unhex("00fF"), Some(vec![0, 255]));
        for text in ["0", "0g", "ü"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
