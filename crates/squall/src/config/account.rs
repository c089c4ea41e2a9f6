//! Users and groups of this machine, as a setting names them.

use std::fmt;

/// The longest name that is taken, in bytes; systems allow 32 to 256.
const NAME_LEN_MAX: usize = 256;

/// A user, by name or number, and a group if it is not that user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The user.
    pub(crate) user: String,
    /// The group.
    pub(crate) group: Option<String>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{}:{group}", self.user),
            None => f.write_str(&self.user),
        }
    }
}

/// Reads `USER` or `USER:GROUP`. Whether there are such is known only where
/// the service runs.
pub(crate) fn parse_account(text: &str) -> Option<Account> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    (is_name(user) && group.is_none_or(is_name)).then(|| Account {
        user: user.to_owned(),
        group: group.map(str::to_owned),
    })
}

/// Tells whether a text may be a name or a number. Those of directories on the
/// network have a domain.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-@$".contains(&byte);
    !text.is_empty()
        && text.len() <= NAME_LEN_MAX
        && !text.starts_with('-')
        && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_may_have_a_group() {
        for text in [
            "squall",
            "squall:adm",
            "998",
            "998:4",
            "_squall.x-1@site.example",
        ] {
            assert_eq!(
                parse_account(text).map(|a| a.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in ["", ":", "squall:", ":adm", "a:b:c", "-x", "a b", "a/b", "ä"] {
            assert_eq!(parse_account(text), None, "{text}");
        }
        assert_eq!(parse_account(&"x".repeat(257)), None);
    }
}
