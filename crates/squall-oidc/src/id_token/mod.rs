//! What of an ID token is believed (OpenID Connect Core 1.0, section 3.1.3.7).

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::keys::Keys;
use crate::signature::ALGORITHMS;

/// How much the clocks of this machine and of the provider may differ.
const CLOCK_SKEW_SECONDS: u64 = 60;
/// How old an ID token may be. It was made for us a moment ago: whatever is
/// older is somebody's copy, however long it says it is good.
const AGE_SECONDS_MAX: u64 = 600;
/// Longest subject; the standard allows 255 ASCII characters (section 2).
const SUBJECT_LEN_MAX: usize = 255;

/// Why an ID token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// It is none.
    #[error("it is no signed token")]
    Form,
    /// It is not signed with a public key.
    #[error("it is signed with an algorithm that is not good here")]
    Algorithm,
    /// It is signed with a key that the provider does not publish.
    #[error("it is signed with a key that the provider does not publish")]
    UnknownKey,
    /// The signature is not that of the key.
    #[error("its signature is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("it is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for another client")]
    Audience,
    /// Its time is over, or it is too old.
    #[error("its time is over")]
    Expired,
    /// Its time has not come.
    #[error("its time has not come")]
    NotYet,
    /// It is for another login.
    #[error("it is of another log-in")]
    Nonce,
    /// It does not say who somebody is.
    #[error("it has no subject")]
    Subject,
}

/// What an ID token has to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
}

/// Reads the head, which says with which key it is signed. Nothing of it is
/// believed.
pub(crate) fn header(token: &str) -> Result<Header, IdTokenError> {
    // An algorithm that the library does not know, `none` among them, is no
    // header to it.
    let header = decode_header(token).map_err(|_| IdTokenError::Form)?;
    match ALGORITHMS.contains(&header.alg) {
        true => Ok(header),
        false => Err(IdTokenError::Algorithm),
    }
}

/// Checks an ID token; returns who somebody is and all claims.
pub(crate) fn check(
    token: &str,
    header: &Header,
    keys: &Keys,
    expected: Expected<'_>,
) -> Result<(String, Map<String, Value>), IdTokenError> {
    let mut validation = Validation::new(header.alg);
    validation.leeway = CLOCK_SKEW_SECONDS;
    validation.validate_nbf = true;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let mut refused = IdTokenError::UnknownKey;
    for key in keys.of(header) {
        match decode::<Map<String, Value>>(token, &key, &validation) {
            Ok(token) => {
                let subject = check_claims(&token.claims, expected)?;
                return Ok((subject, token.claims));
            }
            Err(error) => refused = reason(error.kind()),
        }
        // With another key it would be no better.
        if refused != IdTokenError::Signature {
            break;
        }
    }
    Err(refused)
}

fn reason(kind: &ErrorKind) -> IdTokenError {
    let claim_reason = |claim: &str| match claim {
        "iss" => IdTokenError::Issuer,
        "aud" => IdTokenError::Audience,
        "sub" => IdTokenError::Subject,
        "nbf" => IdTokenError::NotYet,
        _ => IdTokenError::Expired,
    };
    match kind {
        ErrorKind::InvalidSignature
        | ErrorKind::InvalidKeyFormat
        | ErrorKind::InvalidEcdsaKey
        | ErrorKind::InvalidEddsaKey
        | ErrorKind::InvalidRsaKey(_) => IdTokenError::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => IdTokenError::Algorithm,
        ErrorKind::InvalidIssuer => IdTokenError::Issuer,
        ErrorKind::InvalidAudience => IdTokenError::Audience,
        ErrorKind::InvalidSubject => IdTokenError::Subject,
        ErrorKind::ExpiredSignature => IdTokenError::Expired,
        ErrorKind::ImmatureSignature => IdTokenError::NotYet,
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            claim_reason(claim)
        }
        _ => IdTokenError::Form,
    }
}

/// Checks what the library does not, or takes too easily.
fn check_claims(
    claims: &Map<String, Value>,
    expected: Expected<'_>,
) -> Result<String, IdTokenError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // The library takes a list of issuers with ours in it.
    if text("iss") != Some(expected.issuer) {
        return Err(IdTokenError::Issuer);
    }
    let is_party = match claims.get("azp") {
        // Of several audiences it is to say which one it was made for.
        None => {
            let audiences = claims.get("aud").and_then(Value::as_array);
            audiences.is_none_or(|audiences| audiences.len() <= 1)
        }
        Some(azp) => azp.as_str() == Some(expected.client_id),
    };
    if !is_party {
        return Err(IdTokenError::Audience);
    }
    let nonce = text("nonce").unwrap_or_default();
    let is_nonce: bool = nonce.as_bytes().ct_eq(expected.nonce.as_bytes()).into();
    if !is_nonce || nonce.is_empty() {
        return Err(IdTokenError::Nonce);
    }
    let issued = claims.get("iat").and_then(Value::as_f64);
    let age = seconds_now() - issued.ok_or(IdTokenError::Expired)?;
    if age > (AGE_SECONDS_MAX + CLOCK_SKEW_SECONDS) as f64 {
        return Err(IdTokenError::Expired);
    }
    if age < -(CLOCK_SKEW_SECONDS as f64) {
        return Err(IdTokenError::NotYet);
    }
    let is_subject = |subject: &&str| {
        (1..=SUBJECT_LEN_MAX).contains(&subject.len()) && !subject.chars().any(char::is_control)
    };
    let subject = text("sub").filter(is_subject);
    subject.map(str::to_owned).ok_or(IdTokenError::Subject)
}

fn seconds_now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests;
