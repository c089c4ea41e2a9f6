//! Asks a file what a STIX pattern asks.

use squall_types::{Digests, MatchField, MatchedString};

use super::lexer::Comparison;
use super::parser::{Expr, Subject, Test, TextTest};
use crate::ioc::found;
use crate::matching;
use crate::name::Name;

/// What STIX patterns can ask of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StixFacts<'a> {
    /// The path on the sender.
    pub(crate) path: &'a str,
    /// The digests of the content.
    pub(crate) digests: &'a Digests,
    /// The size of the content.
    pub(crate) size_bytes: u64,
}

impl<'a> StixFacts<'a> {
    /// Returns a digest.
    pub(super) fn digest(&self, field: MatchField) -> &'a [u8] {
        match field {
            MatchField::Md5 => &self.digests.md5,
            MatchField::Sha1 => &self.digests.sha1,
            MatchField::Sha256 => &self.digests.sha256,
            MatchField::Content | MatchField::Path | MatchField::Imphash => &[],
        }
    }

    /// Returns a part of the path.
    pub(super) fn text(&self, subject: Subject) -> &'a str {
        Self::text_of(self.path, subject)
    }

    /// Returns a part of a path.
    pub(super) fn text_of(path: &str, subject: Subject) -> &str {
        match subject {
            Subject::Name => Name::of(path).base,
            Subject::Directory => Name::of(path).directory,
            Subject::Path => path,
        }
    }
}

/// A fact without which a pattern cannot match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trigger {
    /// One of the digests; its length tells which.
    Digest(Vec<u8>),
    /// The name or the path.
    Text(String),
}

/// The most triggers of one pattern; one with more is asked of every file.
const TRIGGERS_MAX: usize = 20_000;

impl Expr {
    /// Tells whether it holds for a file.
    // Parentheses nest at most 64 deep, which bounds all recursion here.
    pub(super) fn holds(&self, facts: &StixFacts<'_>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Test(test) => test.holds(facts),
            Self::Unsupported(_) => false,
        }
    }

    /// Leaves out what a file cannot be asked: an alternative to something
    /// else is only missing, but what must hold as well takes the rest with
    /// it. The reasons are added to `reasons`.
    pub(super) fn supported(self, reasons: &mut Vec<String>) -> Option<Self> {
        match self {
            Self::And(parts) => {
                let count = parts.len();
                let kept = supported_parts(parts, reasons);
                (kept.len() == count).then_some(Self::And(kept))
            }
            Self::Or(parts) => {
                let mut kept = supported_parts(parts, reasons);
                match kept.len() {
                    0 | 1 => kept.pop(),
                    _ => Some(Self::Or(kept)),
                }
            }
            Self::Test(test) => Some(Self::Test(test)),
            Self::Unsupported(reason) => {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                None
            }
        }
    }

    /// Returns facts of which one is true of every file it holds for, or
    /// `None` if there is no such list.
    pub(super) fn triggers(&self) -> Option<Vec<Trigger>> {
        match self {
            Self::And(parts) => parts.iter().filter_map(Self::triggers).min_by_key(Vec::len),
            Self::Or(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(part.triggers()?);
                }
                (all.len() <= TRIGGERS_MAX).then_some(all)
            }
            Self::Test(test) => test.triggers(),
            Self::Unsupported(_) => Some(Vec::new()),
        }
    }

    /// Tells whether it holds for nearly every file: it only says what must
    /// not be.
    pub(super) fn only_excludes(&self) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(Self::only_excludes),
            Self::Or(parts) => parts.iter().any(Self::only_excludes),
            Self::Test(test) => test.is_exclusion(),
            Self::Unsupported(_) => false,
        }
    }

    /// Adds what made it hold.
    pub(super) fn explain(&self, facts: &StixFacts<'_>, strings: &mut Vec<MatchedString>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.explain(facts, strings);
                }
            }
            Self::Test(test) => {
                if strings.len() < found::STRINGS_PER_MATCH_MAX
                    && test.holds(facts)
                    && let Some(string) = test.explain(facts)
                    && !strings.contains(&string)
                {
                    strings.push(string);
                }
            }
            Self::Unsupported(_) => {}
        }
    }
}

fn supported_parts(parts: Vec<Expr>, reasons: &mut Vec<String>) -> Vec<Expr> {
    parts
        .into_iter()
        .filter_map(|part| part.supported(reasons))
        .collect()
}

impl Test {
    fn holds(&self, facts: &StixFacts<'_>) -> bool {
        match self {
            Self::Text {
                subject,
                test,
                negated,
            } => test.holds(facts.text(*subject)) != *negated,
            Self::Hash {
                field,
                digests,
                negated,
            } => {
                let digest = facts.digest(*field);
                digests.iter().any(|known| known == digest) != *negated
            }
            Self::Size {
                comparison,
                value,
                negated,
            } => comparison.holds(i128::from(facts.size_bytes), *value) != *negated,
        }
    }

    fn triggers(&self) -> Option<Vec<Trigger>> {
        match self {
            Self::Hash {
                digests,
                negated: false,
                ..
            } => Some(digests.iter().cloned().map(Trigger::Digest).collect()),
            Self::Text {
                subject: Subject::Name | Subject::Path,
                test: TextTest::Equal(texts),
                negated: false,
            } => Some(texts.iter().cloned().map(Trigger::Text).collect()),
            _ => None,
        }
    }

    fn is_exclusion(&self) -> bool {
        match self {
            Self::Text { negated, .. } | Self::Hash { negated, .. } => *negated,
            Self::Size {
                comparison,
                negated,
                ..
            } => (*comparison == Comparison::NotEqual) != *negated,
        }
    }

    /// Shows what in the file the test is about; a size cannot be shown.
    fn explain(&self, facts: &StixFacts<'_>) -> Option<MatchedString> {
        match self {
            Self::Hash { field, .. } => Some(found::digest(*field, facts.digest(*field))),
            Self::Text {
                subject, negated, ..
            } if !negated => {
                let len = facts.text(*subject).len();
                let start = match subject {
                    Subject::Name => facts.path.len() - len,
                    Subject::Directory | Subject::Path => 0,
                };
                let range = start..start + len;
                let path = facts.path.as_bytes();
                Some(matching::string("", MatchField::Path, range, path))
            }
            _ => None,
        }
    }
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Equal(texts) => texts.iter().any(|known| known == text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Comparison {
    fn holds(self, a: i128, b: i128) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::stix::parser;

    fn holds(pattern: &str) -> bool {
        let digests = Digests {
            md5: [0xab; 16],
            sha1: [0xcd; 20],
            sha256: [0xef; 32],
        };
        let facts = StixFacts {
            path: r"C:\Users\x\Evil.exe",
            digests: &digests,
            size_bytes: 100,
        };
        let expr = parser::parse(&format!("[{pattern}]")).expect("pattern");
        let expr = expr.supported(&mut Vec::new()).expect("supported");
        let holds = expr.holds(&facts);
        // An index by triggers must never lose a match.
        if holds && let Some(triggers) = expr.triggers() {
            let known = [
                Trigger::Digest(digests.md5.to_vec()),
                Trigger::Digest(digests.sha1.to_vec()),
                Trigger::Digest(digests.sha256.to_vec()),
                Trigger::Text("Evil.exe".to_owned()),
                Trigger::Text(facts.path.to_owned()),
            ];
            assert!(triggers.iter().any(|t| known.contains(t)), "{pattern}");
        }
        holds
    }

    #[test]
    fn every_comparison_of_the_contract_works() {
        let (md5, sha1, sha256) = ("ab".repeat(16), "CD".repeat(20), "ef".repeat(32));
        for (pattern, expected) in [
            ("file:name = 'Evil.exe'", true),
            ("file:name = 'evil.exe'", false),
            ("file:name != 'Evil.exe'", false),
            ("file:name != 'other'", true),
            ("file:name NOT = 'Evil.exe'", false),
            ("file:name NOT != 'Evil.exe'", true),
            ("file:name IN ('a', 'Evil.exe')", true),
            ("file:name NOT IN ('a', 'Evil.exe')", false),
            ("file:name LIKE 'Ev%.exe'", true),
            ("file:name LIKE 'Ev%'", true),
            ("file:name LIKE 'v%'", false),
            ("file:name NOT LIKE 'Ev%'", false),
            (r"file:name MATCHES '^[A-Z]vil\\.exe$'", true),
            (r"file:name MATCHES 'vil'", true),
            (r"file:name MATCHES '^vil'", false),
            (r"file:name NOT MATCHES '^vil'", true),
            (r"file:name = 'C:\\Users\\x\\Evil.exe'", true),
            (r"file:name LIKE '%\\x\\%'", true),
            (r"file:parent_directory_ref.path = 'C:\\Users\\x'", true),
            (r"file:parent_directory_ref.path = 'C:\\Users'", false),
            (r"file:parent_directory_ref.path != 'C:\\Users'", true),
            (r"file:parent_directory_ref.path LIKE 'C:%'", true),
            (r"file:parent_directory_ref.path MATCHES '\\\\x$'", true),
            (&format!("file:hashes.MD5 = '{md5}'"), true),
            (&format!("file:hashes.'MD5' != '{md5}'"), false),
            (&format!("file:hashes.\"SHA-1\" = '{sha1}'"), true),
            (&format!("file:hashes.sha1 = '{sha1}'"), true),
            (&format!("file:hashes.'SHA-256' = '{sha256}'"), true),
            (&format!("file:hashes.sha256 IN ('{sha256}')"), true),
            (&format!("file:hashes.md5 = '{}'", "00".repeat(16)), false),
            ("file:size = 100", true),
            ("file:size != 100", false),
            ("file:size < 100", false),
            ("file:size <= 100", true),
            ("file:size > 99", true),
            ("file:size >= 101", false),
            ("file:size > -1", true),
            ("file:size NOT > 99", false),
            ("file:size = 100 AND file:name = 'x'", false),
            ("file:size = 100 OR file:name = 'x'", true),
            (
                "(file:size = 1 OR file:size = 100) AND file:name = 'Evil.exe'",
                true,
            ),
            (
                "file:size = 1 AND file:size = 2 OR file:name = 'Evil.exe'",
                true,
            ),
        ] {
            assert_eq!(holds(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn an_unsupported_alternative_leaves_the_others() {
        for (pattern, expected, reason_count) in [
            ("file:size = 1 OR url:value = 'x'", true, 1),
            ("file:size = 1 AND url:value = 'x'", false, 1),
            ("url:value = 'x' OR url:value = 'y'", false, 1),
            (
                "(url:value = 'x' AND file:size = 1) OR file:size = 2",
                true,
                1,
            ),
            ("file:size = 1", true, 0),
        ] {
            let expr = parser::parse(&format!("[{pattern}]")).expect("pattern");
            let mut reasons = Vec::new();
            assert_eq!(
                expr.supported(&mut reasons).is_some(),
                expected,
                "{pattern}"
            );
            assert_eq!(reasons.len(), reason_count, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_only_exclude_are_told() {
        for (pattern, expected) in [
            ("file:name != 'x'", true),
            ("file:name != 'x' AND file:size != 1", true),
            ("file:name != 'x' AND file:size = 1", false),
            ("file:name != 'x' OR file:size = 1", true),
            ("file:name NOT != 'x'", false),
        ] {
            let expr = parser::parse(&format!("[{pattern}]")).expect("pattern");
            assert_eq!(expr.only_excludes(), expected, "{pattern}");
        }
    }
}
