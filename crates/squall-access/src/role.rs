//! What a caller may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a caller may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Send samples, and see what became of its own.
    Submit,
    /// See all findings, senders, signatures and figures.
    Read,
    /// Change things, and see samples, settings and the log.
    Admin,
}

/// The text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role, expected `submit`, `read` or `admin`")]
pub struct RoleError(String);

impl Role {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::Submit, Self::Read, Self::Admin];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    /// Tells whether whoever has this role may do what needs `needed`.
    #[must_use]
    pub fn may(self, needed: Self) -> bool {
        self >= needed
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| RoleError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_weaker_may() {
        for (weaker, a) in Role::ALL.into_iter().enumerate() {
            for (stronger, b) in Role::ALL.into_iter().enumerate() {
                assert_eq!(b.may(a), stronger >= weaker, "{b} {a}");
            }
            assert_eq!(a.name().parse(), Ok(a));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
