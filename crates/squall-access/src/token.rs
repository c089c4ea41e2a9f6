//! Tokens as their holders have them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What every token begins with, so that a search for secrets finds it.
const PREFIX: &str = "sqt_";
/// Random bytes behind the id.
const SECRET_LEN: usize = 20;

/// Names a token; no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TokenId(u32);

impl TokenId {
    /// Returns the id as a number.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for TokenId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for TokenId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_id = text.len() == 8 && is_hex(text);
        let value = u32::from_str_radix(text, 16).ok().filter(|_| is_id);
        value
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no id of a token, expected 8 hexadecimal digits"))
    }
}

/// A token, as its holder shows it: `sqt_`, its id, and the secret.
///
/// Its parts are digits and letters, so that it needs no escapes in a URL, a
/// header or a shell.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Draws a token.
    ///
    /// # Errors
    ///
    /// Fails if the system gives no random bytes.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut random = [0; 4 + SECRET_LEN];
        getrandom::fill(&mut random)?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let (id, secret) = digits.split_at(8);
        Ok(Self(format!("{PREFIX}{id}_{secret}")))
    }

    /// Reads a token; `None` if the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_token = id.parse::<TokenId>().is_ok() && secret.len() == 2 * SECRET_LEN;
        (is_token && is_hex(secret)).then(|| Self(text.to_owned()))
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> TokenId {
        let digits = self.0.get(PREFIX.len()..PREFIX.len() + 8);
        // Both ways to make one see to it that these are digits.
        TokenId(u32::from_str_radix(digits.unwrap_or_default(), 16).unwrap_or_default())
    }

    /// Returns its text: the secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns what is kept of it.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// Whatever prints it by accident prints no secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id())
    }
}

/// Tells whether text is nothing but lower-case hexadecimal digits.
fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_token_reads_back_and_is_never_drawn_again() {
        let token = Token::draw().unwrap();
        assert_eq!(Token::parse(token.reveal()), Some(token.clone()));
        assert_eq!(token.reveal().len(), 4 + 8 + 1 + 40);
        assert!(token.reveal()[4..].starts_with(&token.id().to_string()));
        assert_ne!(Token::draw().unwrap(), token);
        assert_eq!(token.id().to_string().parse(), Ok(token.id()));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let good = format!("sqt_0123abcd_{}", "0f".repeat(20));
        assert!(Token::parse(&good).is_some());
        for bad in [
            "",
            "sqt_",
            "sqt_0123abcd",
            "sqt_0123abcd_",
            "sqt__",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}0"),
            &good.to_uppercase(),
            &good.replace("0123abcd", "+123abcd"),
            &good.replace("0f0f", "0g0f"),
            &good.replace("0123abcd", "é23abc"),
        ] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_secret_is_printed_by_accident() {
        let token = Token::draw().unwrap();
        let shown = format!("{token:?}");
        assert!(!shown.contains(&token.reveal()[13..]), "{shown}");
    }
}
