//! ID tokens that are good, and every way in which one is not.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

use super::*;
use crate::signature;

const ISSUER: &str = "https://sso.example";
const CLIENT: &str = "squall";
const NONCE: &str = "n-0S6_WzA2Mj";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A provider's key.
enum Key {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
}

impl Key {
    fn ed() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    fn ec() -> Self {
        let (random, scheme) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap())
    }

    fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Ed(key) => json!({
                "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode(key.public_key())
            }),
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": encode(x), "y": encode(y)})
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed(_) => "EdDSA",
            Self::Ec(_) => "ES256",
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let signature = match self {
            Self::Ed(key) => encode(key.sign(message.as_bytes())),
            Self::Ec(key) => encode(key.sign(&SystemRandom::new(), message.as_bytes()).unwrap()),
        };
        format!("{message}.{signature}")
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": self.algorithm(), "kid": "k"}), claims)
    }
}

fn keys(jwks: &[Value]) -> Keys {
    signature::install();
    Keys::parse(json!({ "keys": jwks }).to_string().as_bytes()).unwrap()
}

fn now() -> u64 {
    seconds_now() as u64
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": CLIENT, "sub": "s-1", "nonce": NONCE, "iat": now(), "exp": now() + 300})
}

fn look(token: &str, keys: &Keys) -> Result<String, IdTokenError> {
    let header = header(token)?;
    let expected = Expected {
        issuer: ISSUER,
        client_id: CLIENT,
        nonce: NONCE,
    };
    check(token, &header, keys, expected).map(|(subject, _)| subject)
}

#[test]
fn a_good_token_says_who_somebody_is() {
    for key in [Key::ed(), Key::ec()] {
        let keys = keys(&[key.jwk("k")]);
        assert_eq!(look(&key.token(&claims()), &keys), Ok("s-1".to_owned()));
        let mut several = claims();
        several["aud"] = json!([CLIENT, "other"]);
        several["azp"] = json!(CLIENT);
        assert_eq!(look(&key.token(&several), &keys), Ok("s-1".to_owned()));
        let nameless = key.sign(&json!({"alg": key.algorithm()}), &claims());
        assert_eq!(look(&nameless, &keys), Ok("s-1".to_owned()));
    }
}

#[test]
fn a_claim_that_is_missing_or_wrong_is_refused() {
    use IdTokenError as E;
    let key = Key::ec();
    let keys = keys(&[key.jwk("k")]);
    let long = "s".repeat(256);
    let cases = [
        ("iss", json!("https://sso.example/"), E::Issuer),
        ("iss", json!([ISSUER, "https://evil.example"]), E::Issuer),
        ("iss", json!(null), E::Issuer),
        ("aud", json!("other"), E::Audience),
        ("aud", json!(["other"]), E::Audience),
        ("aud", json!([CLIENT, "other"]), E::Audience),
        ("aud", json!([]), E::Audience),
        ("aud", json!(null), E::Audience),
        ("azp", json!("other"), E::Audience),
        ("azp", json!(5), E::Audience),
        ("nonce", json!("another"), E::Nonce),
        ("nonce", json!(""), E::Nonce),
        ("nonce", json!(null), E::Nonce),
        ("exp", json!(now() - 61), E::Expired),
        ("exp", json!("never"), E::Expired),
        ("exp", json!(null), E::Expired),
        ("iat", json!(now() - 700), E::Expired),
        ("iat", json!(null), E::Expired),
        ("iat", json!(now() + 100), E::NotYet),
        ("nbf", json!(now() + 100), E::NotYet),
        ("sub", json!(""), E::Subject),
        ("sub", json!("a\nb"), E::Subject),
        ("sub", json!(long), E::Subject),
        ("sub", json!(5), E::Subject),
        ("sub", json!(null), E::Subject),
    ];
    for (name, value, expected) in cases {
        let mut claims = claims();
        claims[name] = value.clone();
        assert_eq!(
            look(&key.token(&claims), &keys),
            Err(expected),
            "{name} {value}"
        );
        // A claim of nothing is like none.
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(look(&key.token(&claims), &keys), Err(expected), "no {name}");
        }
    }
}

#[test]
fn a_signature_that_is_not_the_providers_is_refused() {
    use IdTokenError as E;
    for (key, other) in [(Key::ed(), Key::ed()), (Key::ec(), Key::ec())] {
        let ours = keys(&[key.jwk("k")]);
        assert_eq!(look(&other.token(&claims()), &ours), Err(E::Signature));
        let unknown = key.sign(&json!({"alg": key.algorithm(), "kid": "x"}), &claims());
        assert_eq!(look(&unknown, &ours), Err(E::UnknownKey));
        assert_eq!(look(&key.token(&claims()), &keys(&[])), Err(E::UnknownKey));
        // Without a name all of the kind are tried.
        let nameless = key.sign(&json!({"alg": key.algorithm()}), &claims());
        let both = keys(&[other.jwk("a"), key.jwk("b")]);
        assert_eq!(look(&nameless, &both), Ok("s-1".to_owned()));
        // What was signed is not what is there.
        let token = key.token(&claims());
        let parts: Vec<_> = token.split('.').collect();
        let mut better = claims();
        better["sub"] = json!("s-2");
        let forged = format!("{}.{}.{}", parts[0], encode(better.to_string()), parts[2]);
        assert_eq!(look(&forged, &ours), Err(E::Signature));
        assert_eq!(
            look(&format!("{}.{}.", parts[0], parts[1]), &ours),
            Err(E::Signature)
        );
    }
}

#[test]
fn no_algorithm_is_believed_that_needs_no_secret_of_the_provider() {
    use IdTokenError as E;
    let key = Key::ec();
    let keys = keys(&[key.jwk("k"), json!({"kty": "oct", "k": "AQAB", "kid": "k"})]);
    let body = encode(claims().to_string());
    for (algorithm, expected) in [
        ("none", E::Form),
        ("None", E::Form),
        ("HS256", E::Algorithm),
        ("HS512", E::Algorithm),
        // Not the key's.
        ("RS256", E::UnknownKey),
        ("EdDSA", E::UnknownKey),
        ("ES384", E::UnknownKey),
    ] {
        let header = encode(json!({"alg": algorithm, "kid": "k"}).to_string());
        for signature in ["", "AQAB"] {
            let token = format!("{header}.{body}.{signature}");
            assert_eq!(look(&token, &keys), Err(expected), "{algorithm}");
        }
    }
    // What has to be understood is not.
    let header = json!({"alg": "ES256", "kid": "k", "crit": ["exp"], "exp": 1});
    assert_eq!(look(&key.sign(&header, &claims()), &keys), Err(E::Form));
    for token in [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b",
        "a.b.c.d",
        &"a".repeat(1 << 16),
    ] {
        assert_eq!(look(token, &keys), Err(E::Form), "{token:.10}");
    }
}
