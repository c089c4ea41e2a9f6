//! A text with at most one `*` in it.

/// A text to compare others with. A `*` in it stands for one character or
/// more of a kind that the caller names, so that it never reaches into
/// another part of what is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    before: String,
    /// What follows the `*`, if there is one.
    after: Option<String>,
}

impl Glob {
    /// Reads a text in which each `*` stands for others; `None` if there are
    /// several.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self::of(text.to_owned(), None)),
            Some((_, after)) if after.contains('*') => None,
            Some((before, after)) => Some(Self::of(before.to_owned(), Some(after.to_owned()))),
        }
    }

    pub(super) const fn of(before: String, after: Option<String>) -> Self {
        Self { before, after }
    }

    /// Tells whether it names one text only.
    pub(super) const fn is_exact(&self) -> bool {
        self.after.is_none()
    }

    /// Compares a text with it; `stands_for` tells which characters a `*`
    /// stands for.
    pub(super) fn matches(&self, text: &str, stands_for: fn(char) -> bool) -> bool {
        let Some(after) = &self.after else {
            return self.before == text;
        };
        let middle = text
            .strip_prefix(self.before.as_str())
            .and_then(|rest| rest.strip_suffix(after.as_str()));
        middle.is_some_and(|middle| !middle.is_empty() && middle.chars().all(stands_for))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        let glob = Glob::parse(glob).unwrap();
        glob.matches(text, |c| c.is_alphanumeric())
    }

    #[test]
    fn a_star_stands_for_some_characters_of_its_kind() {
        assert!(matches("ana", "ana") && !matches("ana", "anab") && !matches("ana", "Ana"));
        assert!(matches("*", "a") && matches("a*c", "abc") && matches("*c", "äc"));
        assert!(!matches("*", "") && !matches("a*c", "ac") && !matches("aa*aa", "aaa"));
        assert!(!matches("*c", "a.c") && !matches("a*", "a\nb") && !matches("a*", "a*"));
    }

    #[test]
    fn there_is_one_at_most() {
        assert_eq!(Glob::parse("a*b*"), None);
        assert!(Glob::parse("a").unwrap().is_exact());
        assert!(!Glob::parse("a*").unwrap().is_exact());
    }
}
