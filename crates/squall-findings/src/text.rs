//! How text is cut into what the index holds: words for the full-text search,
//! groups of three characters for the search in names.
//!
//! Both are made here and not by SQLite's tokenizers, so that a search cuts
//! what is asked for exactly as the index cut what it holds.

use std::collections::HashSet;
use std::fmt::Write as _;

use squall_api::v1::{EncodedData, Encoding, Finding};

/// Longest word, in characters; the rest of a longer one is not searched.
const WORD_CHARS_MAX: usize = 64;
/// Most different words of one finding.
const WORDS_MAX: usize = 2048;
/// Bytes of one matched string that are searched.
const MATCHED_BYTES_MAX: usize = 512;
/// Most terms of a search that count.
const TERMS_MAX: usize = 16;
/// Shortest beginning of a word that `*` may stand behind.
const PREFIX_CHARS_MIN: usize = 3;

/// Returns the words of `text`: runs of letters and digits, lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.chars()
                .flat_map(char::to_lowercase)
                .filter(|c| c.is_alphanumeric())
                .take(WORD_CHARS_MAX)
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
}

/// Returns the searchable words of a finding, each once: those of its name,
/// its rules and what matched.
pub(crate) fn words_of(finding: &Finding) -> String {
    let mut seen = HashSet::new();
    let mut out = String::new();
    let mut take = |text: &str| {
        for word in words(text) {
            if seen.len() >= WORDS_MAX {
                return;
            }
            if !seen.contains(&word) {
                out.push_str(&word);
                out.push(' ');
                seen.insert(word);
            }
        }
    };
    take(&finding.subject.path);
    for reason in &finding.reasons {
        take(reason.signature.rule_name.as_deref().unwrap_or_default());
    }
    for reason in &finding.reasons {
        take(reason.signature.description.as_deref().unwrap_or_default());
        reason.signature.tags.iter().for_each(|tag| take(tag));
    }
    for matched in finding.reasons.iter().flat_map(|reason| &reason.matched) {
        take(&matched_text(&matched.data));
    }
    out
}

/// Returns what matched as text: as it is, or where it is written in
/// hexadecimal, the ASCII in it, be it in one or in two bytes a character.
fn matched_text(data: &EncodedData) -> String {
    match data.encoding {
        Encoding::Plain => {
            let mut end = data.data.len().min(MATCHED_BYTES_MAX);
            while !data.data.is_char_boundary(end) {
                end -= 1;
            }
            // Wide strings are valid UTF-8 with a NUL behind each character.
            data.data[..end].replace('\0', "")
        }
        Encoding::Hex => {
            let bytes = data.data.as_bytes();
            bytes[..bytes.len().min(2 * MATCHED_BYTES_MAX)]
                .chunks_exact(2)
                .filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
                .filter(|&byte| byte != 0)
                .map(|byte| {
                    if byte.is_ascii() {
                        char::from(byte)
                    } else {
                        ' '
                    }
                })
                .collect()
        }
    }
}

/// A word that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    word: String,
    /// The word may go on.
    open: bool,
}

/// What a user searches for: every term must be in a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms(Vec<Term>);

impl Terms {
    /// Reads what a user typed: words, those that may go on with a `*` behind
    /// them. `None` if there is no word in it.
    pub(crate) fn read(typed: &str) -> Option<Self> {
        let mut terms = Vec::new();
        for part in typed.split_whitespace() {
            let open = part.ends_with('*');
            let words: Vec<_> = words(part).collect();
            let last = words.len().saturating_sub(1);
            terms.extend(words.into_iter().enumerate().map(|(index, word)| Term {
                open: open && index == last && word.chars().count() >= PREFIX_CHARS_MIN,
                word,
            }));
        }
        terms.truncate(TERMS_MAX);
        (!terms.is_empty()).then_some(Self(terms))
    }

    /// Returns the query of the full-text index.
    pub(crate) fn query(&self) -> String {
        let mut query = String::new();
        for term in &self.0 {
            // Words hold letters and digits only, so nothing can end the quotes.
            let star = if term.open { "*" } else { "" };
            let _ = write!(query, "\"{}\"{star} ", term.word);
        }
        query
    }

    /// Returns the terms as [`has_terms`] reads them.
    pub(crate) fn plain(&self) -> String {
        let mut plain = String::new();
        for term in &self.0 {
            let star = if term.open { "*" } else { "" };
            let _ = write!(plain, "{}{star} ", term.word);
        }
        plain
    }
}

/// Tells whether every one of `terms`, as [`Terms::plain`] writes them, is
/// among `words`, as [`words_of`] writes them.
pub(crate) fn has_terms(words: &str, terms: &str) -> bool {
    terms.split_ascii_whitespace().all(|term| {
        let mut words = words.split_ascii_whitespace();
        match term.strip_suffix('*') {
            Some(beginning) => words.any(|word| word.starts_with(beginning)),
            None => words.any(|word| word == term),
        }
    })
}

/// Tells whether there is a word in what a user typed, so that a full-text
/// search can find something by it.
pub(crate) fn has_words(typed: &str) -> bool {
    words(typed).next().is_some()
}

/// Returns `text` in the form in which names are compared.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// Tells whether `text` holds `needle`, which is folded, whatever the case of
/// its letters. Hundreds of thousands of names may be looked at for one search,
/// and nearly all of them are ASCII.
pub(crate) fn folded_contains(text: &str, needle: &str) -> bool {
    if !text.is_ascii() {
        return folded(text).contains(needle);
    }
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    let ends = text.len().checked_sub(rest.len());
    let starts = text.get(..ends.unwrap_or_default()).unwrap_or_default();
    starts.iter().enumerate().any(|(at, byte)| {
        byte.to_ascii_lowercase() == *first
            && text[at + 1..at + 1 + rest.len()].eq_ignore_ascii_case(rest)
    })
}

/// Returns the query that finds candidates for names that hold `needle`, or
/// `None` if it is too short for the index. `needle` is folded.
pub(crate) fn trigram_query(needle: &str) -> Option<String> {
    let chars: Vec<char> = needle.chars().collect();
    let mut query = String::new();
    let mut seen = HashSet::new();
    for group in chars.windows(3) {
        let group: String = group.iter().collect();
        // SQLite's text ends at a NUL.
        if !group.contains('\0') && seen.len() < 4 * TERMS_MAX && seen.insert(group.clone()) {
            let _ = write!(query, "\"{}\" ", group.replace('"', "\"\""));
        }
    }
    (!query.is_empty()).then_some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let found: Vec<_> = words(r"C:\Temp\MIMI_katz-64.exe ÄÖ \u{202e}").collect();
        assert_eq!(
            found,
            ["c", "temp", "mimi", "katz", "64", "exe", "äö", "u", "202e"]
        );
    }

    #[test]
    fn nothing_a_user_types_is_syntax() {
        let query = |typed| Terms::read(typed).map(|terms| terms.query());
        assert_eq!(query("a\" OR b"), Some("\"a\" \"or\" \"b\" ".to_owned()));
        assert_eq!(query("mimi* x*"), Some("\"mimi\"* \"x\" ".to_owned()));
        assert_eq!(query(" -\"*( "), None);
        assert_eq!(trigram_query("a\"b"), Some("\"a\"\"b\" ".to_owned()));
        assert_eq!(trigram_query("ab"), None);
    }

    #[test]
    fn names_are_looked_through_whatever_their_case() {
        for text in [
            "",
            "a",
            "ab",
            "C:\\Temp\\MIMI.exe",
            "ÄÖü.EXE",
            "İ",
            "\u{212a}x",
        ] {
            for needle in [
                "", "a", "b", "ab", "abc", "mimi", "mimi.exe", "e", "äö", "ü.exe", "k", "kx", "i",
            ] {
                assert_eq!(
                    folded_contains(text, needle),
                    folded(text).contains(needle),
                    "{text} {needle}"
                );
            }
        }
    }

    #[test]
    fn terms_are_looked_for_as_the_index_finds_them() {
        let terms = Terms::read("MIMI* exe").unwrap().plain();
        assert!(has_terms("c temp mimikatz exe ", &terms));
        assert!(has_terms("exe mimi ", &terms));
        assert!(!has_terms("mimikatz exes ", &terms));
        assert!(!has_terms("amimi exe ", &terms));
        assert!(!has_terms("", &terms));
    }

    #[test]
    fn wide_strings_are_text() {
        let wide = |data: &str, encoding| EncodedData {
            data: data.to_owned(),
            encoding,
        };
        assert_eq!(
            matched_text(&wide("6d0069006d0069ff", Encoding::Hex)),
            "mimi "
        );
        assert_eq!(matched_text(&wide("m\0i\0m\0i\0", Encoding::Plain)), "mimi");
    }
}
