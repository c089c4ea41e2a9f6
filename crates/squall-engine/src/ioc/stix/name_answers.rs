//! What patterns ask of a name, apart from all else they ask: the verdict on a
//! file depends on its name through these answers only.

use std::collections::HashSet;

use regex::Regex;

use super::eval::StixFacts;
use super::parser::{Expr, Subject, Test, TextTest};

/// The most expressions that are asked; with more the whole path counts.
const REGEXES_MAX: usize = 256;

/// All tests of names.
#[derive(Debug, Default)]
pub(super) struct NameTests {
    equal: HashSet<String>,
    regexes: Vec<(Subject, Regex)>,
    is_full: bool,
}

impl NameTests {
    /// Adds the tests of a pattern.
    pub(super) fn add(&mut self, pattern: &Expr) {
        match pattern {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| self.add(part)),
            Expr::Test(Test::Text { subject, test, .. }) => match test {
                TextTest::Equal(texts) => self.equal.extend(texts.iter().cloned()),
                TextTest::Regex(_) if self.regexes.len() >= REGEXES_MAX => self.is_full = true,
                TextTest::Regex(regex) => self.regexes.push((*subject, regex.clone())),
            },
            Expr::Test(Test::Hash { .. } | Test::Size { .. }) | Expr::Unsupported(_) => {}
        }
    }

    /// Hands the answers for a path to `add`; false if there are too many.
    pub(super) fn answers(&self, path: &str, mut add: impl FnMut(&[u8])) -> bool {
        if self.is_full {
            return false;
        }
        for subject in [Subject::Name, Subject::Directory, Subject::Path] {
            let text = StixFacts::text_of(path, subject);
            if self.equal.contains(text) {
                add(text.as_bytes());
            } else {
                add(&[]);
            }
        }
        for (number, (subject, regex)) in self.regexes.iter().enumerate() {
            if regex.is_match(StixFacts::text_of(path, *subject)) {
                add(&number.to_le_bytes());
            }
        }
        // What a pattern points at is a place in the path, which is another
        // one in each name.
        true
    }
}
