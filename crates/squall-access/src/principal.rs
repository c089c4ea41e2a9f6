//! Who is asking.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::role::Role;
use crate::token::TokenId;

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What the caller is called.
    pub name: Arc<str>,
    /// The token, if it was one.
    pub token: Option<TokenId>,
    /// The SHA-256 of the certificate, if it was one.
    pub certificate: Option<Arc<str>>,
    /// What a provider knows the caller by, if the caller logged in there.
    pub subject: Option<Arc<str>>,
    /// What the caller may do.
    pub role: Role,
    /// Tells the samples of one caller from those of others; never 0.
    pub owner: u64,
}

impl Principal {
    /// Returns who logged in at a provider: `issuer` and `subject` together say
    /// who that is, whatever the name.
    #[must_use]
    pub fn of_provider(issuer: &str, subject: &str, name: &str, role: Role) -> Self {
        Self {
            name: name.into(),
            token: None,
            certificate: None,
            subject: Some(subject.into()),
            role,
            // An issuer is an address: there is no such character in it.
            owner: owner("oidc", &format!("{issuer}\0{subject}")),
        }
    }
}

/// Tells the samples of one holder of a name of some kind from those of
/// others. Numbers of tokens have no such first bit.
pub(crate) fn owner(kind: &str, name: &str) -> u64 {
    let mut digest = Sha256::new();
    digest.update(kind);
    digest.update([0]);
    digest.update(name);
    let digest: [u8; 32] = digest.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    1 << 63 | u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_samples_are_whose_is_for_the_provider_to_say_not_for_a_name() {
        let of = |issuer, subject, name| Principal::of_provider(issuer, subject, name, Role::Read);
        let ana = of("https://a.example", "1", "ana");
        assert_eq!(ana.owner, of("https://a.example", "1", "ana maria").owner);
        for other in [
            of("https://a.example", "2", "ana"),
            of("https://b.example", "1", "ana"),
            of("https://a.example1", "", "ana"),
        ] {
            assert_ne!(ana.owner, other.owner);
        }
        assert_eq!(ana.owner >> 63, 1);
    }
}
