//! A provider on a port of this machine, which does what a test tells it.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use squall_oidc::{Begun, ClaimRoles, Provider, ProviderConfig};

pub(crate) const CLIENT: &str = "squall & co";
pub(crate) const REDIRECT: &str = "https://squall.example/oidc/callback";

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What the provider does, and what it was asked.
pub(crate) struct Script {
    pub(crate) issuer: String,
    pub(crate) key: Ed25519KeyPair,
    pub(crate) kid: String,
    /// Said in the discovery document beside what has to be there.
    pub(crate) discovery: Value,
    /// Said in ID tokens beside that.
    pub(crate) claims: Value,
    /// Answered instead of an ID token.
    pub(crate) token_answer: Option<(StatusCode, &'static str, String)>,
    /// How often each was asked.
    pub(crate) discovered: u32,
    pub(crate) keys_asked: u32,
    pub(crate) elsewhere: u32,
    /// Forms that came for a token, and how whoever sent them said who he is.
    pub(crate) forms: Vec<(String, Option<String>)>,
    nonce: String,
}

#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<Script>>);

pub(crate) fn key() -> Ed25519KeyPair {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/realm", listener.local_addr().unwrap());
        let fake = Self(Arc::new(Mutex::new(Script {
            issuer,
            key: key(),
            kid: "k1".to_owned(),
            discovery: json!({}),
            claims: json!({}),
            token_answer: None,
            discovered: 0,
            keys_asked: 0,
            elsewhere: 0,
            forms: Vec::new(),
            nonce: String::new(),
        })));
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/elsewhere", get(elsewhere).post(elsewhere))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        fake
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    pub(crate) fn config(&self) -> ProviderConfig {
        let roles = ["read=soc", "admin=admins"].map(|text| text.parse().unwrap());
        ProviderConfig {
            issuer: self.with(|script| script.issuer.clone()),
            client_id: CLIENT.to_owned(),
            client_secret_file: None,
            redirect_url: REDIRECT.to_owned(),
            scopes: "openid profile".to_owned(),
            role_claim: "groups".to_owned(),
            roles: ClaimRoles::new(roles.to_vec()).unwrap(),
            name_claim: "preferred_username".to_owned(),
            ca: None,
        }
    }

    pub(crate) fn provider(&self) -> Provider {
        Provider::new(self.config()).unwrap()
    }

    /// Does what a browser and the provider's page do; returns what the way
    /// there says.
    pub(crate) fn visit(&self, begun: &Begun) -> Vec<(String, String)> {
        let pairs = pairs(begun.address.split_once('?').unwrap().1);
        let nonce = value(&pairs, "nonce").to_owned();
        self.with(|script| script.nonce = nonce);
        pairs
    }
}

/// Reads what is encoded as in a form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let found: Vec<_> = pairs.iter().filter(|(found, _)| found == name).collect();
    assert_eq!(found.len(), 1, "{name} in {pairs:?}");
    &found[0].1
}

async fn discovery(State(fake): State<Fake>) -> String {
    fake.with(|script| {
        script.discovered += 1;
        let base = script.issuer.trim_end_matches("/realm");
        let mut document = json!({
            "issuer": script.issuer,
            "authorization_endpoint": format!("{base}/authorize?tenant=a"),
            "token_endpoint": format!("{base}/token"),
            "jwks_uri": format!("{base}/keys"),
        });
        merge(&mut document, &script.discovery);
        document.to_string()
    })
}

async fn keys(State(fake): State<Fake>) -> String {
    fake.with(|script| {
        script.keys_asked += 1;
        let x = encode(script.key.public_key());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": script.kid, "x": x}]}).to_string()
    })
}

async fn token(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> Response {
    fake.with(|script| {
        let who = headers.get(header::AUTHORIZATION);
        let who = who.map(|value| value.to_str().unwrap().to_owned());
        script.forms.push((String::from_utf8(body.to_vec()).unwrap(), who));
        if let Some((status, location, answer)) = &script.token_answer {
            return (*status, [(header::LOCATION, *location)], answer.clone()).into_response();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": script.issuer, "aud": CLIENT, "sub": "s-1", "nonce": script.nonce, "iat": now, "exp": now + 60,
            "preferred_username": "ana", "groups": ["soc"],
        });
        merge(&mut claims, &script.claims);
        let head = json!({"alg": "EdDSA", "kid": script.kid}).to_string();
        let message = format!("{}.{}", encode(head), encode(claims.to_string()));
        let signature = encode(script.key.sign(message.as_bytes()));
        let answer = json!({"access_token": "a", "token_type": "Bearer", "id_token": format!("{message}.{signature}")});
        answer.to_string().into_response()
    })
}

async fn elsewhere(State(fake): State<Fake>) {
    fake.with(|script| script.elsewhere += 1);
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        into[name] = value.clone();
    }
}
