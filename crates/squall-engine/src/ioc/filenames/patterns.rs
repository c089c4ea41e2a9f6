//! Thousands of expressions, tried on a path in microseconds.
//!
//! One automaton over all required texts (see [`super::literals`]) names the
//! few expressions that can match; only those are tried. Expressions without a
//! required text are tried together as one set.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_syntax::hir::{Hir, HirKind};

use super::literals;

/// The largest compiled form of one expression.
const PATTERN_SIZE_MAX_BYTES: usize = 1 << 20;

/// The largest compiled form of all expressions without a required text.
const SET_SIZE_MAX_BYTES: usize = 256 << 20;

/// The memory that a matcher may use to be fast, for each expression and
/// thread. Paths are short, and there are thousands of expressions.
const MATCHER_CACHE_MAX_BYTES: usize = 32 << 10;

/// The memory that the set of expressions without a required text may use to
/// be fast, for each thread.
const SET_CACHE_MAX_BYTES: usize = 4 << 20;

/// How deep an expression may nest.
const NEST_MAX: u32 = 100;

/// Characters that mean something in an expression.
pub(super) const META: &[char] = &[
    '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
];

/// Why an expression cannot be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::ioc) enum PatternError {
    /// The syntax is not understood.
    #[error("cannot use expression: {0}")]
    Syntax(String),
    /// The expression is understood, but too large.
    #[error("cannot use expression: {0}")]
    Compile(String),
    /// It would match whatever is sent.
    #[error("cannot use expression: it matches every path")]
    MatchesAll,
    /// The automaton over all required texts cannot be built.
    #[error("cannot build the search for all expressions: {0}")]
    Search(#[from] aho_corasick::BuildError),
    /// The set of the expressions without a required text cannot be built.
    #[error("cannot build the set of all expressions: {0}")]
    Set(#[source] regex::Error),
}

/// One expression, checked and compiled.
#[derive(Debug)]
pub(super) struct Pattern {
    matcher: Matcher,
    required: Option<Vec<String>>,
    false_positive: Option<Regex>,
}

#[derive(Debug)]
enum Matcher {
    /// The expression is plain text, as most are; no need to compile it.
    Text(Box<str>),
    Regex(Regex),
}

impl Pattern {
    /// Compiles an expression and the one that takes its matches back.
    ///
    /// # Errors
    ///
    /// Fails if one of the two has a syntax that is not understood or is too
    /// large, or if the first matches every path.
    pub(super) fn new(
        expression: &str,
        false_positive: Option<&str>,
    ) -> Result<Self, PatternError> {
        let expression = if expression.contains(META) {
            expression.to_owned()
        } else {
            format!("(?i){expression}")
        };
        let (expression, hir) = parse(&expression)?;
        if hir.properties().minimum_len() == Some(0) && matches_empty(&expression)? {
            return Err(PatternError::MatchesAll);
        }
        let matcher = match hir.kind() {
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Matcher::Text(text.into()),
                Err(_) => Matcher::Regex(compile(&expression)?),
            },
            _ => Matcher::Regex(compile(&expression)?),
        };
        let false_positive = match false_positive {
            Some(expression) => Some(compile(&parse(expression)?.0)?),
            None => None,
        };
        Ok(Self {
            matcher,
            required: literals::required(&hir),
            false_positive,
        })
    }

    fn find(&self, path: &str) -> Option<Range<usize>> {
        let range = match &self.matcher {
            Matcher::Text(text) => {
                let start = memchr::memmem::find(path.as_bytes(), text.as_bytes())?;
                start..start + text.len()
            }
            Matcher::Regex(regex) => regex.find(path)?.range(),
        };
        let is_false_positive = self
            .false_positive
            .as_ref()
            .is_some_and(|regex| regex.is_match(path));
        (!is_false_positive).then_some(range)
    }
}

/// All expressions.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    patterns: Vec<Pattern>,
    search: Option<AhoCorasick>,
    // For each text of the search, the expressions that require it.
    candidates: Vec<Vec<u32>>,
    set: Option<RegexSet>,
    // For each expression of the set, its number.
    in_set: Vec<u32>,
}

impl Patterns {
    /// Puts expressions together.
    ///
    /// # Errors
    ///
    /// Fails if they are too large together.
    pub(super) fn new(mut patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let mut texts: HashMap<String, Vec<u32>> = HashMap::new();
        let mut in_set = Vec::new();
        for (number, pattern) in (0..).zip(&mut patterns) {
            match pattern.required.take() {
                Some(required) => {
                    for text in required {
                        texts.entry(text).or_default().push(number);
                    }
                }
                None => in_set.push(number),
            }
        }
        let (texts, candidates): (Vec<_>, Vec<_>) = texts.into_iter().unzip();
        let set = set_of(in_set.iter().map(|&number| &patterns[number as usize]))?;
        Ok(Self {
            search: match texts.is_empty() {
                true => None,
                false => Some(AhoCorasick::new(texts)?),
            },
            candidates,
            set,
            in_set,
            patterns,
        })
    }

    /// Returns the numbers of the expressions that match, in ascending order,
    /// with where they do.
    pub(super) fn matches(&self, path: &str) -> Vec<(usize, Range<usize>)> {
        let mut numbers: Vec<u32> = Vec::new();
        if let Some(search) = &self.search {
            let folded = literals::fold_text(path);
            let mut seen: Vec<usize> = search
                .find_overlapping_iter(&folded)
                .map(|hit| hit.pattern().as_usize())
                .collect();
            seen.sort_unstable();
            seen.dedup();
            for text in seen {
                numbers.extend_from_slice(&self.candidates[text]);
            }
        }
        if let Some(set) = &self.set {
            numbers.extend(set.matches(path).into_iter().map(|i| self.in_set[i]));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .map(|number| number as usize)
            .filter_map(|number| Some((number, self.patterns[number].find(path)?)))
            .collect()
    }

    /// Returns how many expressions are tried on every path.
    #[cfg(test)]
    pub(super) fn without_text(&self) -> usize {
        self.in_set.len()
    }
}

fn set_of<'a>(
    patterns: impl Iterator<Item = &'a Pattern>,
) -> Result<Option<RegexSet>, PatternError> {
    let expressions: Vec<String> = patterns
        .map(|pattern| match &pattern.matcher {
            Matcher::Text(text) => regex::escape(text),
            Matcher::Regex(regex) => regex.as_str().to_owned(),
        })
        .collect();
    if expressions.is_empty() {
        return Ok(None);
    }
    RegexSetBuilder::new(expressions)
        .size_limit(SET_SIZE_MAX_BYTES)
        .dfa_size_limit(SET_CACHE_MAX_BYTES)
        .nest_limit(NEST_MAX)
        .build()
        .map(Some)
        .map_err(PatternError::Set)
}

/// Parses an expression; if that fails, once more with the habits of other
/// dialects translated.
fn parse(expression: &str) -> Result<(String, Hir), PatternError> {
    let error = match parse_as_is(expression) {
        Ok(hir) => return Ok((expression.to_owned(), hir)),
        Err(error) => error,
    };
    let translated = translate(expression);
    match parse_as_is(&translated) {
        Ok(hir) => Ok((translated, hir)),
        // The first error speaks of what the author wrote.
        Err(_) => Err(PatternError::Syntax(reason(&error))),
    }
}

fn parse_as_is(expression: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    regex_syntax::ParserBuilder::new()
        .nest_limit(NEST_MAX)
        .build()
        .parse(expression)
        .map_err(Box::new)
}

/// Returns the last line of a syntax error, which says what is wrong; the
/// others repeat the expression.
fn reason(error: &regex_syntax::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn matches_empty(expression: &str) -> Result<bool, PatternError> {
    // An anchored expression such as `^$` matches only an empty path; one that
    // matches in the middle of nothing in particular matches everything.
    let regex = compile(expression)?;
    Ok(regex.is_match("") && regex.is_match("/x"))
}

fn compile(expression: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(expression)
        .size_limit(PATTERN_SIZE_MAX_BYTES)
        .dfa_size_limit(MATCHER_CACHE_MAX_BYTES)
        .nest_limit(NEST_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => PatternError::Compile(format!(
                "its compiled form exceeds the size limit of {limit} bytes"
            )),
            other => PatternError::Syntax(other.to_string().replace('\n', " ")),
        })
}

/// Rewrites what Python reads differently: `\Z`, braces that repeat nothing,
/// `{,n}`, and an opening bracket inside a class.
fn translate(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len() + 8);
    let mut rest = expression;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let escaped = behind.chars().next();
                match escaped {
                    Some('Z') if !in_class => out.push_str(r"\z"),
                    // Escapes that other dialects take for the character.
                    Some(e @ ('_' | '<' | '>' | '"' | '\'')) => out.push(e),
                    Some(e) => out.extend(['\\', e]),
                    None => out.push('\\'),
                }
                rest = &behind[escaped.map_or(0, char::len_utf8)..];
                continue;
            }
            '[' if in_class && !behind.starts_with(':') => out.push_str(r"\["),
            '[' => {
                in_class = true;
                out.push('[');
                // A bracket in the first place is a member of the class.
                let first = behind.strip_prefix('^').unwrap_or(behind);
                if let Some(after) = first.strip_prefix(']') {
                    out.push_str(&behind[..behind.len() - first.len()]);
                    out.push_str(r"\]");
                    rest = after;
                    continue;
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '{' if !in_class => match repetition(behind) {
                Some(Repeat::UpTo) => out.push_str("{0"),
                Some(Repeat::Plain) => out.push('{'),
                None => out.push_str(r"\{"),
            },
            other => out.push(other),
        }
        rest = behind;
    }
    out
}

enum Repeat {
    /// `{n}`, `{n,}`, `{n,m}`
    Plain,
    /// `{,m}`
    UpTo,
}

fn repetition(behind: &str) -> Option<Repeat> {
    let (inside, _) = behind.split_once('}')?;
    let (min, max) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match (min.is_empty(), max.is_empty()) {
        _ if !is_number(min) || !is_number(max) => None,
        (true, true) => None,
        (true, false) => Some(Repeat::UpTo),
        (false, _) => Some(Repeat::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_expressions_find_what_each_finds_alone() {
        let expressions: Vec<String> = (0..1000)
            .map(|i| match i % 5 {
                0 => format!(r"\\name{i}\.exe"),
                1 => format!(r"(?i)\\(ab|cd){i}\.(dll|sys)$"),
                2 => format!(r"\\[a-z]{{1,8}}{i}"),
                3 => format!("dir{i}/"),
                _ => format!(r"\d{{2}}[^/]{i}"),
            })
            .collect();
        let patterns = expressions
            .iter()
            .map(|e| Pattern::new(e, None).expect("pattern"));
        let patterns = Patterns::new(patterns.collect()).expect("patterns");
        for path in [
            r"C:\name100\name100.exe",
            r"C:\AB1001.DLL",
            r"\xyz17",
            "/DIR33/a",
            "/99x44",
            "",
            r"C:\Windows\System32\kernel32.dll",
            "/usr/share/doc/name0.exe",
            "\u{212a}",
        ] {
            let expected: Vec<usize> = expressions
                .iter()
                .enumerate()
                .filter(|(_, e)| {
                    let plain = !e.contains(META);
                    let regex = RegexBuilder::new(e).case_insensitive(plain).build();
                    regex.expect("expression").is_match(path)
                })
                .map(|(i, _)| i)
                .collect();
            let found: Vec<usize> = patterns.matches(path).into_iter().map(|(i, _)| i).collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn nothing_matches_nothing() {
        let patterns = Patterns::new(Vec::new()).expect("patterns");
        assert!(patterns.matches("/x").is_empty());
        assert_eq!(patterns.without_text(), 0);
    }

    #[test]
    fn dialects_are_translated_without_losing_text() {
        for (expression, expected) in [
            (r"a\Z", r"a\z"),
            ("x{a}", r"x\{a}"),
            ("x{,3}", "x{0,3}"),
            ("x{2,}", "x{2,}"),
            ("[[]", r"[\[]"),
            ("[]a]", r"[\]a]"),
            ("[^]a]", r"[^\]a]"),
            ("[[:alpha:]]", "[[:alpha:]]"),
            (r"\", r"\"),
            ("ü{", r"ü\{"),
        ] {
            assert_eq!(translate(expression), expected, "{expression}");
        }
    }
}
