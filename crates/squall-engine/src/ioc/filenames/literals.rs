//! Strings that must occur in whatever a regular expression matches.
//!
//! Trying thousands of expressions on every path would take milliseconds.
//! Nearly all of them contain some fixed text, so one pass over the path tells
//! which few can match at all. This module finds that text.
//!
//! Both sides are folded, path and text, so that case-insensitive expressions
//! are found too. Folding may only ever bring more candidates, never lose one:
//! a class of characters is taken for text only if the folded forms of all its
//! members are few.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// The most alternative texts followed for one expression.
const ALTERNATIVES_MAX: usize = 128;

/// The longest text built up, in bytes; longer ones select no better.
const TEXT_MAX_BYTES: usize = 64;

/// The most members of a class that is taken for text.
const CLASS_MEMBERS_MAX: u32 = 16;

/// The shortest text worth looking for.
const TEXT_MIN_BYTES: usize = 3;

/// Folds a character: two that any case-insensitive comparison takes for
/// equal mostly become one; where not, nothing is lost but speed.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        // The two that compare equal to ASCII letters and have no such lower case.
        (Some('ſ'), None) => 's',
        (Some(one), None) => one,
        _ => c,
    }
}

/// Folds a text.
pub(super) fn fold_text(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// Returns folded texts of which at least one occurs in the folded form of
/// whatever `hir` matches, or `None` if there are none worth looking for.
pub(super) fn required(hir: &Hir) -> Option<Vec<String>> {
    let facts = analyze(hir);
    let mut best = better(facts.exact, facts.required)?;
    best.sort_unstable();
    best.dedup();
    (shortest(&best) >= TEXT_MIN_BYTES).then_some(best)
}

/// What is known of the texts that an expression matches, folded.
#[derive(Debug, Default)]
struct Facts {
    /// All of them, where they are few.
    exact: Option<Vec<String>>,
    /// Some of which at least one occurs in each.
    required: Option<Vec<String>>,
}

impl Facts {
    fn exact(texts: Vec<String>) -> Self {
        Self {
            exact: Some(texts),
            required: None,
        }
    }
}

// The parser bounds how deep an expression nests, which bounds this recursion.
fn analyze(hir: &Hir) -> Facts {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Facts::exact(vec![String::new()]),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Facts::exact(vec![fold_text(text)]),
            Err(_) => Facts::default(),
        },
        HirKind::Class(class) => members(class).map_or_else(Facts::default, Facts::exact),
        HirKind::Capture(capture) => analyze(&capture.sub),
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Concat(parts) => concatenated(parts),
        HirKind::Alternation(branches) => alternated(branches),
    }
}

/// Returns the members of a class, folded, where they are few.
fn members(class: &Class) -> Option<Vec<String>> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let size = |range: &regex_syntax::hir::ClassUnicodeRange| {
        u32::from(range.end()).saturating_sub(u32::from(range.start())) + 1
    };
    let count = class.iter().map(size).fold(0, u32::saturating_add);
    if count == 0 || count > CLASS_MEMBERS_MAX {
        return None;
    }
    let mut members: Vec<String> = class
        .iter()
        .flat_map(|range| range.start()..=range.end())
        .map(|c| fold(c).to_string())
        .collect();
    members.sort_unstable();
    members.dedup();
    Some(members)
}

fn repeated(repetition: &Repetition) -> Facts {
    let inner = analyze(&repetition.sub);
    match (repetition.min, repetition.max) {
        (0, Some(1)) => Facts {
            exact: inner.exact.map(|mut texts| {
                texts.push(String::new());
                texts
            }),
            required: None,
        },
        (0, _) => Facts::default(),
        (1, Some(1)) => inner,
        // What is repeated occurs at least once.
        _ => Facts {
            exact: None,
            required: better(inner.exact, inner.required),
        },
    }
}

fn concatenated(parts: &[Hir]) -> Facts {
    let mut run = vec![String::new()];
    let mut best = None;
    let mut is_whole = true;
    for part in parts {
        let Facts { exact, required } = analyze(part);
        match exact.map(|texts| (product(&run, &texts), texts)) {
            Some((Some(longer), _)) => run = longer,
            Some((None, texts)) => {
                // Too many together: the run ends here and a new one begins.
                is_whole = false;
                best = better(best, Some(std::mem::replace(&mut run, texts)));
            }
            None => {
                is_whole = false;
                best = better(best, required);
                best = better(best, Some(std::mem::replace(&mut run, vec![String::new()])));
            }
        }
    }
    if is_whole {
        return Facts::exact(run);
    }
    Facts {
        exact: None,
        required: better(best, Some(run)),
    }
}

fn alternated(branches: &[Hir]) -> Facts {
    let mut exact = Some(Vec::new());
    let mut required = Some(Vec::new());
    for branch in branches {
        let facts = analyze(branch);
        let texts = facts.exact.clone();
        let needed = better(facts.exact, facts.required);
        exact = extend(exact, texts);
        required = extend(required, needed);
    }
    Facts { exact, required }
}

fn extend(list: Option<Vec<String>>, more: Option<Vec<String>>) -> Option<Vec<String>> {
    let (mut list, more) = (list?, more?);
    list.extend(more);
    (list.len() <= ALTERNATIVES_MAX).then_some(list)
}

/// Joins every text of one list with every text of the other, unless that
/// gives too many or too long ones.
fn product(heads: &[String], tails: &[String]) -> Option<Vec<String>> {
    let longest = |list: &[String]| list.iter().map(String::len).max().unwrap_or(0);
    if heads.len() * tails.len() > ALTERNATIVES_MAX
        || (longest(heads) > 0 && longest(heads) + longest(tails) > TEXT_MAX_BYTES)
    {
        return None;
    }
    let joined = heads
        .iter()
        .flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}")));
    Some(joined.collect())
}

/// Chooses the list that selects better: whose shortest text is longer.
fn better(a: Option<Vec<String>>, b: Option<Vec<String>>) -> Option<Vec<String>> {
    let rank = |list: &[String]| (shortest(list), std::cmp::Reverse(list.len()));
    match (a, b) {
        (Some(a), Some(b)) if rank(&b) > rank(&a) => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

fn shortest(list: &[String]) -> usize {
    list.iter().map(String::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required_of(pattern: &str) -> Option<Vec<String>> {
        required(&regex_syntax::parse(pattern).expect("pattern"))
    }

    #[test]
    fn texts_are_found_in_expressions() {
        for (pattern, expected) in [
            (r"\\usbclass\.sys", Some(vec![r"\usbclass.sys"])),
            (r"\.kirbi$", Some(vec![".kirbi"])),
            (r"(?i)MimiKatz", Some(vec!["mimikatz"])),
            (
                r"[Cc]:\\(Web|Intel)\\",
                Some(vec![r"c:\intel\", r"c:\web\"]),
            ),
            (r"a?bcd", Some(vec!["abcd", "bcd"])),
            (r"[^s]\\video\.exe", Some(vec![r"\video.exe"])),
            (r"abc.*defgh.*ij", Some(vec!["defgh"])),
            (r"(abc|.*)", None),
            (r"(abc|defx*)", Some(vec!["abc", "def"])),
            (r"(abcd)+x", Some(vec!["abcd"])),
            (r"(abcd)*", None),
            (
                r"\.a[0-9]",
                Some(vec![
                    ".a0", ".a1", ".a2", ".a3", ".a4", ".a5", ".a6", ".a7", ".a8", ".a9",
                ]),
            ),
            (r"\d", None),
            (r"ab", None),
            (r"", None),
            (r"\w{3}", None),
            (
                r"(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)xyz",
                Some(vec!["axyz", "bxyz", "cxyz", "dxyz"]),
            ),
        ] {
            let expected = expected.map(|e: Vec<&str>| e.into_iter().map(str::to_owned).collect());
            assert_eq!(required_of(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn whatever_matches_contains_a_required_text() {
        let texts = [
            "C:\\Kirbi\\X.KIRBI",
            "\u{212a}irbi",
            "kirbi",
            "miſſ",
            "MISS",
            "ÜBER",
            "über",
            "ẞ",
            "ß",
            "σς",
            "ΣΣ",
            "İ",
            "iabc",
            "Ⅷabc",
            "ⅷabc",
            "ǅabc",
            "ǆabc",
            "abcabc",
            "xabxab",
        ];
        for pattern in [
            "(?i)kirbi",
            "(?i)miss",
            "(?i)über",
            "(?i)ß..?",
            "(?i)σς",
            "(?i)ⅷabc",
            "(?i)ǆabc",
            "(abc){2}",
            "(x(ab)+)+",
            "(?i)[k-m]irbi",
        ] {
            let regex = regex::Regex::new(pattern).expect("pattern");
            let Some(required) = required_of(pattern) else {
                continue;
            };
            for text in texts.iter().filter(|text| regex.is_match(text)) {
                let folded = fold_text(text);
                assert!(
                    required.iter().any(|r| folded.contains(r.as_str())),
                    "{pattern} on {text}: {required:?}"
                );
            }
        }
    }
}
