//! The keys that a provider publishes (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

/// Most keys that are kept of a set.
const KEYS_MAX: usize = 64;

/// The keys of a provider that signatures can be checked with.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Jwk>);

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// Reads a set. A key of a kind that nobody here knows takes nothing from
    /// the others.
    ///
    /// # Errors
    ///
    /// Fails if it is no set of keys.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let set: Set = serde_json::from_slice(bytes)?;
        let keys = set.keys.into_iter();
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let signs = |key: &Jwk| {
            let usage = &key.common.public_key_use;
            usage
                .as_ref()
                .is_none_or(|usage| *usage == PublicKeyUse::Signature)
        };
        Ok(Self(keys.filter(signs).take(KEYS_MAX).collect()))
    }

    /// Returns the keys that a signature with this header can be of. Where the
    /// header names none, all of the right kind are tried.
    pub(crate) fn of(&self, header: &Header) -> Vec<DecodingKey> {
        let fits = |key: &&Jwk| {
            let id = &key.common.key_id;
            let is_named = header.kid.is_none() || header.kid == *id;
            is_named && is_for(key, header.alg)
        };
        let found = self.0.iter().filter(fits);
        found
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .collect()
    }
}

/// Tells whether a key is one of `algorithm`. A key that says for which
/// algorithm it is, is for no other (RFC 8725, section 3.1).
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_kind = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => {
            key.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => {
            key.curve == EllipticCurve::P384
        }
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => {
            key.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    let said = key.common.key_algorithm;
    is_kind && said.is_none_or(|said| said == KeyAlgorithm::from(algorithm))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(algorithm: Algorithm, kid: Option<&str>) -> Header {
        Header {
            kid: kid.map(str::to_owned),
            ..Header::new(algorithm)
        }
    }

    #[test]
    fn a_key_is_for_its_kind_its_algorithm_and_its_use() {
        let keys = json!({"keys": [
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "b", "alg": "RS256", "use": "sig"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "c", "use": "enc"},
            {"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"},
            {"kty": "oct", "k": "AQAB", "kid": "a"},
            {"kty": "OKP", "crv": "Ed25519", "x": "AQAB", "kid": "a"},
            {"kty": "something", "kid": "a"},
            {"kid": 5},
            null,
        ]});
        let keys = Keys::parse(keys.to_string().as_bytes()).unwrap();
        for (algorithm, kid, expected) in [
            (Algorithm::RS256, None, 2),
            (Algorithm::RS256, Some("a"), 1),
            (Algorithm::RS256, Some("b"), 1),
            (Algorithm::PS256, Some("b"), 0),
            (Algorithm::PS256, None, 1),
            (Algorithm::RS256, Some("c"), 0),
            (Algorithm::RS256, Some("d"), 0),
            (Algorithm::ES256, None, 1),
            (Algorithm::ES384, None, 0),
            (Algorithm::EdDSA, Some("a"), 1),
            (Algorithm::HS256, Some("a"), 0),
        ] {
            let found = keys.of(&header(algorithm, kid)).len();
            assert_eq!(found, expected, "{algorithm:?} {kid:?}");
        }
        for wrong in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(Keys::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let many = json!({"keys": vec![json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}); 1000]});
        let keys = Keys::parse(many.to_string().as_bytes()).unwrap();
        assert_eq!(keys.of(&header(Algorithm::RS256, None)).len(), KEYS_MAX);
    }
}
