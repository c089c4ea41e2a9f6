//! What a certificate says of its holder.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::name::Name;

/// Most alternative names of a certificate that is looked at.
const NAMES_MAX: usize = 256;
/// Longest name that a certificate is known by. Names are shown in lists, and
/// are never cut: two long ones could look the same then.
const NAME_CHARS_MAX: usize = 200;

/// A certificate cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It is none.
    #[error("the certificate cannot be read")]
    Form,
    /// It has more names than anybody needs.
    #[error("the certificate has more than {NAMES_MAX} names")]
    TooManyNames,
}

/// What a certificate says of its holder, and until when. Whether that is to
/// be believed is for others to check: the TLS library does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub(super) name: Option<Name>,
    pub(super) dns: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) uris: Vec<String>,
    not_before: i64,
    not_after: i64,
    fingerprint: String,
}

impl Subject {
    /// Reads a certificate in DER form.
    ///
    /// # Errors
    ///
    /// Fails if it is none, or if it has far too many names.
    pub fn parse(der: &[u8]) -> Result<Self, SubjectError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| SubjectError::Form)?;
        if !rest.is_empty() {
            return Err(SubjectError::Form);
        }
        // Fails where there are two lists of names: which one counts?
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| SubjectError::Form)?;
        let names = names.map_or(&[][..], |names| &names.value.general_names);
        if names.len() > NAMES_MAX {
            return Err(SubjectError::TooManyNames);
        }
        let of = |pick: fn(&GeneralName<'_>) -> Option<String>| {
            let mut found: Vec<_> = names.iter().filter_map(pick).filter(is_plain).collect();
            found.sort();
            found.dedup();
            found
        };
        let validity = certificate.validity();
        Ok(Self {
            name: Name::of(certificate.subject()),
            dns: of(|name| match name {
                GeneralName::DNSName(text) => Some(text.to_ascii_lowercase()),
                _ => None,
            }),
            emails: of(|name| match name {
                GeneralName::RFC822Name(text) => Some((*text).to_owned()),
                _ => None,
            }),
            uris: of(|name| match name {
                GeneralName::URI(text) => Some((*text).to_owned()),
                _ => None,
            }),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            fingerprint: Sha256::digest(der)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        })
    }

    /// Tells whether it is good at `now`, by its own account.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now.as_second())
    }

    /// Returns its SHA-256, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns its distinguished name as RFC 4514 writes it.
    #[must_use]
    pub fn distinguished_name(&self) -> Option<String> {
        let text = self.name.as_ref().map(ToString::to_string);
        text.filter(is_plain)
    }

    /// Returns its common name, if it has one and no more.
    pub(super) fn common_name(&self) -> Option<String> {
        let mut names = self.name.as_ref()?.common_names();
        let first = names.next()?.to_owned();
        (names.next().is_none() && is_plain(&first)).then_some(first)
    }

    /// Says what it could be known by: for whoever looks why it is not.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut known: Vec<String> = Vec::new();
        known.extend(self.common_name().map(|name| format!("cn:{name}")));
        known.extend(self.distinguished_name().map(|name| format!("dn:{name}")));
        for (kind, names) in [
            ("dns", &self.dns),
            ("email", &self.emails),
            ("uri", &self.uris),
        ] {
            // A line of the log is no list of hundreds.
            known.extend(names.iter().take(8).map(|name| format!("{kind}:{name}")));
        }
        known.join(" ")
    }
}

/// Tells whether a name can be shown and compared as it is. Anything else is
/// no name that somebody is known by.
fn is_plain(text: &String) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}
