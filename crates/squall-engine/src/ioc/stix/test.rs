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
        "size" => return size(negated, operator, &values).unwrap_or_else(Expr::Unsupported),
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

fn size(negated: bool, operator: Operator, values: &[Value]) -> Result<Expr, String> {
    let (comparison, is_list) = match operator {
        Operator::Compare(comparison) => (comparison, false),
        Operator::In => (Comparison::Equal, true),
        _ => return Err("sizes can only be compared".to_owned()),
    };
    let one = |value: &Value| match value {
        Value::Number(number) | Value::Text(number) => {
            let value = number.trim().parse::<i64>().ok()?;
            Some(Expr::Test(Test::Size {
                comparison,
                value: value.into(),
                negated,
            }))
        }
        Value::Other => None,
    };
    let tests: Option<Vec<Expr>> = values.iter().map(one).collect();
    let mut tests = tests.ok_or("a size is a whole number of bytes")?;
    Ok(match (is_list, negated) {
        (true, false) => Expr::Or(tests),
        // None of them.
        (true, true) => Expr::And(tests),
        (false, _) if tests.len() == 1 => tests.remove(0),
        (false, _) => return Err("a size is a whole number of bytes".to_owned()),
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
        for (comparison, reason) in [
            ("ipv4-addr:value = 'x'", "object type `ipv4-addr`"),
            ("file:created = t'2020'", "property `file:created`"),
            ("file:hashes.SSDEEP = 'x'", "kind `ssdeep`"),
            ("file:hashes.MD5 = 'x'", "not a digest of kind `md5`"),
            ("file:hashes.MD5 LIKE 'x'", "equal or not"),
            ("file:hashes.MD5 = h'00'", "not a text"),
            ("file:size = 'x'", "whole number"),
            ("file:size = 1.5", "whole number"),
            ("file:size = true", "whole number"),
            ("file:size IN (1, 2.5)", "whole number"),
            ("file:size LIKE '1'", "only be compared"),
            ("file:name < 'x'", "no order"),
            ("file:name = 1", "not a text"),
            ("file:name ISSUBSET 'x'", "no order"),
            ("file:name MATCHES '('", "unclosed"),
            ("file:name MATCHES 'a(?=b)'", "look-around"),
            (r"file:name MATCHES '(\\w{500}){500}'", "size limit"),
        ] {
            match parser::parse(&format!("[{comparison}]")) {
                Ok(Expr::Unsupported(why)) => {
                    assert!(why.contains(reason), "{comparison}: {why}");
                }
                other => panic!("{comparison}: {other:?}"),
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
