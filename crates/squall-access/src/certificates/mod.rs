//! Client certificates: what their holders may do.
//!
//! A rule says which role whoever is known by a name has. What it says is
//! compared as it is, with nothing guessed: where two rules give two roles, or
//! where one rule finds two names, nobody is known.

mod glob;
mod name;
mod subject;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::principal::{Principal, owner};
use crate::role::{Role, RoleError};
use glob::Glob;
use name::NamePattern;
pub use subject::{Subject, SubjectError};

/// Most rules.
const RULES_MAX: usize = 1000;
/// Longest pattern.
const PATTERN_LEN_MAX: usize = 1000;

/// What of a certificate is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// The only common name of the subject.
    CommonName,
    /// The whole distinguished name of the subject.
    Name,
    /// An alternative name of the kind `dNSName`.
    Dns,
    /// An alternative name of the kind `rfc822Name`.
    Email,
    /// An alternative name of the kind `uniformResourceIdentifier`.
    Uri,
}

impl Field {
    const ALL: [(&'static str, Self); 5] = [
        ("cn", Self::CommonName),
        ("dn", Self::Name),
        ("dns", Self::Dns),
        ("email", Self::Email),
        ("uri", Self::Uri),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::CommonName => "cn",
            Self::Name => "dn",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Uri => "uri",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Text(Glob),
    Name(NamePattern),
}

/// Which role whoever is known by a name has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRule {
    role: Role,
    field: Field,
    pattern: Pattern,
    /// The pattern as it was written.
    text: String,
}

/// The text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// There is no role before a `=`.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// What follows is no kind of name and a pattern.
    #[error("`{0}` is no `cn:`, `dn:`, `dns:`, `email:` or `uri:` with a name behind it")]
    Pattern(String),
}

impl FromStr for CertificateRule {
    type Err = RuleError;

    /// Reads `ROLE=FIELD:PATTERN`.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (role, rest) = text.split_once('=').unwrap_or((text, ""));
        let role: Role = role.trim().parse()?;
        let rest = rest.trim();
        let wrong = || RuleError::Pattern(rest.to_owned());
        let (word, text) = rest.split_once(':').ok_or_else(wrong)?;
        let named = Field::ALL.iter().find(|(known, _)| *known == word);
        let (_, field) = *named.ok_or_else(wrong)?;
        let text = text.trim();
        let is_text =
            (1..=PATTERN_LEN_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        let pattern = match field {
            _ if !is_text => None,
            Field::Name => NamePattern::parse(text).map(Pattern::Name),
            // Names of hosts are the same in both cases.
            Field::Dns => Glob::parse(&text.to_ascii_lowercase()).map(Pattern::Text),
            _ => Glob::parse(text).map(Pattern::Text),
        };
        Ok(Self {
            role,
            field,
            pattern: pattern.ok_or_else(wrong)?,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for CertificateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", self.role, self.field.word(), self.text)
    }
}

impl CertificateRule {
    /// Returns the names of the holder that are meant, each once.
    fn found(&self, subject: &Subject) -> Vec<String> {
        match (&self.pattern, self.field) {
            (Pattern::Name(pattern), _) => {
                let is_meant = subject
                    .name
                    .as_ref()
                    .is_some_and(|name| pattern.matches(name));
                let name = subject.distinguished_name().filter(|_| is_meant);
                name.into_iter().collect()
            }
            (Pattern::Text(glob), field) => {
                let is_meant = |name: &&String| glob.matches(name, stands_for(field));
                match field {
                    Field::CommonName | Field::Name => {
                        let name = subject.common_name();
                        name.iter().filter(is_meant).cloned().collect()
                    }
                    Field::Dns => subject.dns.iter().filter(is_meant).cloned().collect(),
                    Field::Email => subject.emails.iter().filter(is_meant).cloned().collect(),
                    Field::Uri => subject.uris.iter().filter(is_meant).cloned().collect(),
                }
            }
        }
    }

    /// Tells whether it names one holder only.
    fn is_exact(&self) -> bool {
        match &self.pattern {
            Pattern::Text(glob) => glob.is_exact(),
            Pattern::Name(name) => name.is_exact(),
        }
    }
}

/// What a `*` stands for: a label of a host name; no separator of anything
/// elsewhere.
fn stands_for(field: Field) -> fn(char) -> bool {
    match field {
        Field::Dns => |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
        Field::CommonName | Field::Name => |c| c.is_alphanumeric() || " -_.".contains(c),
        Field::Email | Field::Uri => |c| c.is_ascii_alphanumeric() || "-_.+".contains(c),
    }
}

/// Rules contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// One name has two roles.
    #[error("`{0}` and `{1}` give one holder two roles")]
    TwoRoles(String, String),
    /// There are too many.
    #[error("there are {0} rules, {RULES_MAX} is the most there may be")]
    TooMany(usize),
}

/// Why a certificate says of nobody who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRole {
    /// Its time has not come, or is over.
    #[error("the client certificate is not good at this time")]
    NotNow,
    /// No rule is about its holder.
    #[error("the client certificate has no role here")]
    Unknown,
    /// Several rules are, and do not agree.
    #[error("the client certificate has several roles here")]
    SeveralRoles,
    /// A rule is about several of its names.
    #[error("the client certificate has several names that one rule is about")]
    SeveralNames,
}

/// All rules, the first of them first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRules(Vec<CertificateRule>);

impl CertificateRules {
    /// Takes rules.
    ///
    /// # Errors
    ///
    /// Fails if one name has two roles, or if there are too many.
    pub fn new(rules: Vec<CertificateRule>) -> Result<Self, RulesError> {
        if rules.len() > RULES_MAX {
            return Err(RulesError::TooMany(rules.len()));
        }
        for (at, rule) in rules.iter().enumerate() {
            let is_same = |other: &&CertificateRule| {
                (other.field, &other.pattern) == (rule.field, &rule.pattern)
                    && other.role != rule.role
            };
            if let Some(other) = rules[..at].iter().find(is_same) {
                return Err(RulesError::TwoRoles(other.to_string(), rule.to_string()));
            }
        }
        Ok(Self(rules))
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns who the holder of a certificate is. All rules that are about it
    /// must give the same role. The first of them says by which name the
    /// holder is known, and must find one only: a rule with a name goes before
    /// one with a `*`, whatever their order.
    ///
    /// # Errors
    ///
    /// Fails if no rule is about it, or if that is not certain.
    pub fn identify(&self, subject: &Subject, now: Timestamp) -> Result<Principal, NoRole> {
        if !subject.is_valid_at(now) {
            return Err(NoRole::NotNow);
        }
        let found = self.0.iter().filter_map(|rule| {
            let names = rule.found(subject);
            (!names.is_empty()).then_some((rule, names))
        });
        let found: Vec<_> = found.collect();
        let exact = found.iter().find(|(rule, _)| rule.is_exact());
        let (rule, names) = exact.or(found.first()).ok_or(NoRole::Unknown)?;
        if found.iter().any(|(other, _)| other.role != rule.role) {
            return Err(NoRole::SeveralRoles);
        }
        let [name] = names.as_slice() else {
            return Err(NoRole::SeveralNames);
        };
        Ok(Principal {
            name: name.as_str().into(),
            token: None,
            certificate: Some(Arc::from(subject.fingerprint())),
            subject: None,
            role: rule.role,
            // Also with the next certificate for the same name.
            owner: owner(rule.field.word(), name),
        })
    }
}

#[cfg(test)]
mod tests;
