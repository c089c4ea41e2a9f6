//! What a provider says of itself (OpenID Connect Discovery 1.0).

use reqwest::Url;
use serde::Deserialize;

use crate::address;
use crate::error::LoginError;

/// Where every provider says it, below its issuer.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// What a provider says of itself.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Where browsers are sent.
    pub(crate) authorization: Url,
    /// Where a code is changed for an ID token.
    pub(crate) token: Url,
    /// Where its keys are.
    pub(crate) keys: Url,
    /// Whether its answers always name it (RFC 9207).
    pub(crate) names_itself: bool,
    /// Whether it takes a client's secret in the form only.
    pub(crate) secret_in_form: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Returns where an issuer says it.
pub(crate) fn address_of(issuer: &str) -> String {
    format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/'))
}

impl Metadata {
    /// Reads the document of `issuer`.
    ///
    /// # Errors
    ///
    /// Fails if it is none, if it is another issuer's (section 4.3), or if it
    /// names an address that no secret may be sent to.
    pub(crate) fn parse(bytes: &[u8], issuer: &str) -> Result<Self, LoginError> {
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| LoginError::Answer(format!("with no discovery document: {error}")))?;
        if document.issuer != issuer {
            let other: String = document.issuer.chars().take(200).collect();
            let what = format!("as the issuer {other:?}, expected {issuer:?}");
            return Err(LoginError::Answer(what));
        }
        let is_tls = issuer.starts_with("https:");
        let endpoint = |name: &str, text: &str| {
            // One of TLS has no business with what this machine offers
            // without, though that would pass for an issuer on this machine.
            let url = address::parse(text).filter(|url| !is_tls || url.scheme() == "https");
            url.ok_or_else(|| {
                LoginError::Answer(format!("with a `{name}` that is no https:// address"))
            })
        };
        let methods = document.token_endpoint_auth_methods_supported;
        let has = |methods: &[String], name: &str| methods.iter().any(|method| method == name);
        Ok(Self {
            authorization: endpoint("authorization_endpoint", &document.authorization_endpoint)?,
            token: endpoint("token_endpoint", &document.token_endpoint)?,
            keys: endpoint("jwks_uri", &document.jwks_uri)?,
            names_itself: document.authorization_response_iss_parameter_supported,
            // Without a word of it `client_secret_basic` is meant (section 3).
            secret_in_form: methods.is_some_and(|methods| {
                has(&methods, "client_secret_post") && !has(&methods, "client_secret_basic")
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://sso.example/realms/a";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://sso.example/auth?tenant=a",
            "token_endpoint": "https://sso.example/token",
            "jwks_uri": "https://keys.example/keys",
        })
    }

    fn parse(document: &Value) -> Result<Metadata, String> {
        let parsed = Metadata::parse(document.to_string().as_bytes(), ISSUER);
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_found_below_the_issuer() {
        let expected = "https://sso.example/a/.well-known/openid-configuration";
        assert_eq!(address_of("https://sso.example/a"), expected);
        assert_eq!(address_of("https://sso.example/a/"), expected);
    }

    #[test]
    fn what_it_does_not_say_is_as_the_standard_has_it() {
        let metadata = parse(&document()).unwrap();
        assert_eq!(metadata.token.as_str(), "https://sso.example/token");
        assert!(!metadata.names_itself && !metadata.secret_in_form);
        for (methods, in_form) in [
            (json!(["client_secret_post"]), true),
            (json!(["client_secret_post", "client_secret_basic"]), false),
            (json!([]), false),
        ] {
            let mut document = document();
            document["token_endpoint_auth_methods_supported"] = methods;
            assert_eq!(parse(&document).unwrap().secret_in_form, in_form);
        }
    }

    #[test]
    fn a_document_of_somebody_else_is_refused() {
        for (name, value, expected) in [
            ("issuer", "https://sso.example/realms/b", "as the issuer"),
            ("issuer", "https://sso.example/realms/a/", "as the issuer"),
            (
                "authorization_endpoint",
                "http://sso.example/auth",
                "authorization_endpoint",
            ),
            (
                "authorization_endpoint",
                "javascript:alert(1)",
                "authorization_endpoint",
            ),
            ("token_endpoint", "http://127.0.0.1:22/", "token_endpoint"),
            ("jwks_uri", "file:///etc/passwd", "jwks_uri"),
        ] {
            let mut document = document();
            document[name] = json!(value);
            let error = parse(&document).unwrap_err();
            assert!(error.contains(expected), "{error}");
            document.as_object_mut().unwrap().remove(name);
            assert!(
                parse(&document)
                    .unwrap_err()
                    .contains("no discovery document")
            );
        }
    }
}
