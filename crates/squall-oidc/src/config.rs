//! What a provider is set up with.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use squall_access::Role;

/// Most rules on roles.
const RULES_MAX: usize = 1000;
/// Longest value of a claim that a rule is about, in characters.
const VALUE_CHARS_MAX: usize = 512;

/// What a provider is set up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Who issues ID tokens, exactly as they say it: a slash at the end counts.
    pub issuer: String,
    /// What the provider calls this service.
    pub client_id: String,
    /// The file with what this service proves that by; `None` for a public
    /// client, which proves it by PKCE only.
    pub client_secret_file: Option<PathBuf>,
    /// Where the provider sends browsers back to, as it is registered there.
    pub redirect_url: String,
    /// What is asked for, separated by spaces; `openid` among it.
    pub scopes: String,
    /// The claim with the values that give roles.
    pub role_claim: String,
    /// Which value gives which role.
    pub roles: ClaimRoles,
    /// The claim that says what somebody is called.
    pub name_claim: String,
    /// Certificates (PEM) that the provider is trusted by, instead of the
    /// system's.
    pub ca: Option<PathBuf>,
}

/// A rule: whoever has a value in the claim has a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRole {
    role: Role,
    value: String,
}

/// Rules on roles make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRoleError {
    /// A text is no rule.
    #[error("`{0}` is not ROLE=VALUE with ROLE one of submit, read, admin")]
    Form(String),
    /// One value gives two roles.
    #[error("`{0}` and `{1}` give one value two roles")]
    TwoRoles(String, String),
    /// There are too many.
    #[error("there are {0} rules, {RULES_MAX} is the most there may be")]
    TooMany(usize),
}

impl FromStr for ClaimRole {
    type Err = ClaimRoleError;

    fn from_str(text: &str) -> Result<Self, ClaimRoleError> {
        let parse = || {
            let (role, value) = text.split_once('=')?;
            let value = value.trim();
            let is_value = (1..=VALUE_CHARS_MAX).contains(&value.chars().count())
                && !value.chars().any(char::is_control);
            is_value.then_some(Self {
                role: role.trim().parse().ok()?,
                value: value.to_owned(),
            })
        };
        parse().ok_or_else(|| ClaimRoleError::Form(text.to_owned()))
    }
}

impl fmt::Display for ClaimRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.role, self.value)
    }
}

/// All rules on roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRoles(Vec<ClaimRole>);

impl ClaimRoles {
    /// Takes rules.
    ///
    /// # Errors
    ///
    /// Fails if one value gives two roles, or if there are too many.
    pub fn new(rules: Vec<ClaimRole>) -> Result<Self, ClaimRoleError> {
        if rules.len() > RULES_MAX {
            return Err(ClaimRoleError::TooMany(rules.len()));
        }
        for (at, rule) in rules.iter().enumerate() {
            let is_same = |other: &&ClaimRole| other.value == rule.value && other.role != rule.role;
            if let Some(other) = rules[..at].iter().find(is_same) {
                let (other, rule) = (other.to_string(), rule.to_string());
                return Err(ClaimRoleError::TwoRoles(other, rule));
            }
        }
        Ok(Self(rules))
    }

    /// Returns the strongest role that any of `values` gives: whoever is in
    /// two groups may do what either may.
    pub(crate) fn strongest<'a>(&self, values: impl Iterator<Item = &'a str>) -> Option<Role> {
        let roles = values.filter_map(|value| {
            let rule = self.0.iter().find(|rule| rule.value == value)?;
            Some(rule.role)
        });
        roles.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(texts: &[&str]) -> Result<ClaimRoles, ClaimRoleError> {
        ClaimRoles::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn the_strongest_role_counts_and_values_are_compared_whole() {
        let roles = roles(&["read=soc", "admin = cn=admins,o=Example ", "submit=x"]).unwrap();
        let strongest = |values: &[&str]| roles.strongest(values.iter().copied());
        assert_eq!(
            strongest(&["x", "cn=admins,o=Example", "soc"]),
            Some(Role::Admin)
        );
        assert_eq!(strongest(&["x", "soc"]), Some(Role::Read));
        assert_eq!(strongest(&["SOC", "so", "socs", " soc", ""]), None);
        assert_eq!(strongest(&[]), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "read",
            "read=",
            "root=soc",
            "=soc",
            "read=a\nb",
            "read= ",
        ] {
            assert!(text.parse::<ClaimRole>().is_err(), "{text:?}");
        }
        let error = roles(&["read=soc", "admin=soc"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`read=soc` and `admin=soc` give one value two roles"
        );
        assert!(roles(&["read=soc", "read=soc"]).is_ok());
        let many = vec!["read=a".parse().unwrap(); RULES_MAX + 1];
        assert!(matches!(
            ClaimRoles::new(many),
            Err(ClaimRoleError::TooMany(_))
        ));
    }
}
