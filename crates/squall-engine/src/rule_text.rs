//! The text of one rule in its file.

use yara_x_parser::Parser;
use yara_x_parser::cst::{Event, SyntaxKind};

/// A rule as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// The line of the file that it begins in, from 1.
    pub line: u32,
    /// The text, from `rule` or what stands before it to the closing brace.
    pub text: String,
}

/// Finds the rule of that name in the content of a rule file.
#[must_use]
pub fn rule_text(content: &[u8], name: &str) -> Option<RuleText> {
    let mut declaration = None;
    let mut named = false;
    for event in Parser::new(content) {
        match event {
            Event::Begin {
                kind: SyntaxKind::RULE_DECL,
                span,
            } => {
                declaration = Some(span.range());
                named = false;
            }
            Event::Token {
                kind: SyntaxKind::IDENT,
                span,
            } => {
                let Some(range) = declaration.clone().filter(|_| !named) else {
                    continue;
                };
                named = true;
                // The first name in a rule is its own.
                if content.get(span.range()) == Some(name.as_bytes()) {
                    return Some(RuleText {
                        line: line_at(content, range.start),
                        text: String::from_utf8_lossy(content.get(range)?).into_owned(),
                    });
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns the line, from 1, of a byte.
fn line_at(content: &[u8], offset: usize) -> u32 {
    let before = content.get(..offset).unwrap_or(content);
    let breaks = before.iter().filter(|&&b| b == b'\n').count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

/// Tells whether a rule file includes another one.
#[must_use]
pub fn includes_others(content: &[u8]) -> bool {
    Parser::new(content).any(|event| {
        matches!(
            event,
            Event::Begin {
                kind: SyntaxKind::INCLUDE_STMT,
                ..
            }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"import \"pe\"\n\n// rule B { condition: false }\nprivate rule A { strings: $b = \"rule B {\" condition: $b }\n\
        rule B : TAG {\n  condition:\n    A and filesize < 10 // }\n}\n";

    #[test]
    fn a_rule_is_found_where_it_is_declared() {
        let rule = rule_text(FILE, "B").unwrap();
        assert_eq!(rule.line, 5);
        assert!(rule.text.starts_with("rule B : TAG {"), "{}", rule.text);
        assert!(rule.text.ends_with("// }\n}"), "{}", rule.text);
        let rule = rule_text(FILE, "A").unwrap();
        assert_eq!(rule.line, 4);
        assert!(rule.text.starts_with("private rule A"));
        for absent in ["C", "TAG", "pe", ""] {
            assert_eq!(rule_text(FILE, absent), None, "{absent}");
        }
        assert_eq!(rule_text(b"\xff\xfe rule {{{", "A"), None);
    }

    #[test]
    fn includes_are_seen_wherever_they_stand() {
        for text in [
            "include \"x.yar\"",
            "rule A { condition: true } include \"x\"",
            "/* */ include \"x\"",
        ] {
            assert!(includes_others(text.as_bytes()), "{text}");
        }
        assert!(!includes_others(FILE));
        assert!(!includes_others(b"// include \"x\"\n"));
    }
}
