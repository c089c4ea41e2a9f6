//! A provider, and what is known of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::Header;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use squall_access::Role;
use tokio::sync::Mutex;

use crate::address;
use crate::config::ProviderConfig;
use crate::error::{LoginError, SetUpError};
use crate::http::Http;
use crate::id_token::{self, Expected};
use crate::identity::{self, Identity};
use crate::keys::Keys;
use crate::logins::{Login, Logins};
use crate::metadata::{self, Metadata};
use crate::{secret, signature};

/// How long what a provider says of itself, and its keys, are believed. A key
/// that it does not publish any more is good for nothing by then.
const AGE_MAX: Duration = Duration::from_secs(3600);
/// How long a provider that did not answer is not asked again: many who want
/// to log in meanwhile do not wait for it one after the other.
const PAUSE: Duration = Duration::from_secs(3);
/// How long its keys are not asked for again because of one that is not among
/// them.
const KEYS_PAUSE: Duration = Duration::from_secs(5);
/// The longest time that all of a log-in's requests take together.
const FINISH_TIME_MAX: Duration = Duration::from_secs(20);
/// Longest code that is handed on.
const CODE_LEN_MAX: usize = 8192;
/// Most characters of a reason of the provider's that are repeated.
const REASON_CHARS_MAX: usize = 200;

/// A provider that people log in at.
#[derive(Debug)]
pub struct Provider {
    config: ProviderConfig,
    discovery: Url,
    http: Http,
    logins: Logins,
    known: Mutex<Known>,
}

/// What is known of a provider, and since when.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Instant, Arc<Metadata>)>,
    keys: Option<(Instant, Arc<Keys>)>,
    /// When it last did not answer.
    failed: Option<Instant>,
}

/// A log-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser is to be sent.
    pub address: String,
    /// The cookie that the browser is to bring back; a secret.
    pub cookie: String,
}

/// What a browser brings back from the provider.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What an ID token is given for.
    pub code: Option<String>,
    /// What the log-in was begun with.
    pub state: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// Who answers (RFC 9207).
    pub issuer: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Provider {
    /// Sets up a provider. It is not asked anything yet: the service starts
    /// whether it is there or not.
    ///
    /// # Errors
    ///
    /// Fails if a file that the configuration names is not there or is not
    /// what it should be, or if an address is none to send secrets to.
    pub fn new(config: ProviderConfig) -> Result<Self, SetUpError> {
        signature::install();
        for address in [&config.issuer, &config.redirect_url] {
            if !address::is_safe_address(address) {
                return Err(SetUpError::Address(address.clone()));
            }
        }
        let discovery = metadata::address_of(&config.issuer);
        let discovery = address::parse(&discovery).ok_or(SetUpError::Address(discovery))?;
        if let Some(path) = &config.client_secret_file {
            secret::read(path)?;
        }
        Ok(Self {
            http: Http::new(config.ca.as_deref())?,
            discovery,
            logins: Logins::default(),
            known: Mutex::default(),
            config,
        })
    }

    /// Returns who issues ID tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Tells whether browsers come back over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.config.redirect_url.starts_with("https:")
    }

    /// Looks whether the provider is there and what it says it is.
    ///
    /// # Errors
    ///
    /// Fails if nobody could log in now.
    pub async fn look(&self) -> Result<(), LoginError> {
        self.metadata().await.map(drop)
    }

    /// Begins a log-in for a browser at the address `from`.
    ///
    /// # Errors
    ///
    /// Fails if the provider does not say where browsers are to be sent.
    pub async fn begin(&self, from: IpAddr) -> Result<Begun, LoginError> {
        let metadata = self.metadata().await?;
        let begun = self.logins.begin(from, Instant::now());
        let sent = begun.map_err(LoginError::Random)?;
        let mut address = metadata.authorization.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.config.redirect_url)
            .append_pair("scope", &self.config.scopes)
            .append_pair("state", &sent.state)
            .append_pair("nonce", &sent.nonce)
            .append_pair("code_challenge", &sent.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Begun {
            address: address.into(),
            cookie: sent.cookie,
        })
    }

    /// Ends a log-in with what a browser brings back; `cookie` is what it was
    /// given when it began. Returns who that is and what he may do.
    ///
    /// # Errors
    ///
    /// Fails if nobody is logged in by that. Who it is is certain only with
    /// [`LoginError::NoRole`].
    pub async fn finish(
        &self,
        cookie: &str,
        answer: &Answer,
    ) -> Result<(Identity, Role), LoginError> {
        let state = answer.state.as_deref().unwrap_or_default();
        let login = self.logins.take(cookie, state, Instant::now());
        let login = login.ok_or(LoginError::NotUnderWay)?;
        let finished = tokio::time::timeout(FINISH_TIME_MAX, self.finish_login(&login, answer));
        finished.await.unwrap_or_else(|_| {
            let seconds = FINISH_TIME_MAX.as_secs();
            Err(LoginError::Unreachable(format!("not within {seconds} s")))
        })
    }

    async fn finish_login(
        &self,
        login: &Login,
        answer: &Answer,
    ) -> Result<(Identity, Role), LoginError> {
        let metadata = self.metadata().await?;
        let is_its = match &answer.issuer {
            Some(issuer) => *issuer == self.config.issuer,
            None => !metadata.names_itself,
        };
        if !is_its {
            // Another provider's code must not be sent to this one (mix-up).
            return Err(LoginError::Answer("as another issuer".to_owned()));
        }
        if let Some(error) = &answer.error {
            return Err(LoginError::Denied(excerpt(error)));
        }
        let code = answer.code.as_deref().unwrap_or_default();
        if code.is_empty() || code.len() > CODE_LEN_MAX {
            return Err(LoginError::Answer("without a code".to_owned()));
        }
        let token = self.exchange(&metadata, code, &login.verifier).await?;
        let header = id_token::header(&token)?;
        let keys = self.keys(&metadata, &header).await?;
        let expected = Expected {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: &login.nonce,
        };
        let (subject, claims) = id_token::check(&token, &header, &keys, expected)?;
        let identity = Identity::of(&subject, &claims, &self.config);
        match identity::role_of(&claims, &self.config) {
            Some(role) => Ok((identity, role)),
            None => Err(LoginError::NoRole(identity)),
        }
    }

    /// Returns what the provider says of itself.
    async fn metadata(&self) -> Result<Arc<Metadata>, LoginError> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = &known.metadata
            && at.elapsed() < AGE_MAX
        {
            return Ok(Arc::clone(metadata));
        }
        if known.failed.is_some_and(|at| at.elapsed() < PAUSE) {
            let what = "it did not a moment ago".to_owned();
            return Err(LoginError::Unreachable(what));
        }
        let got = self.http.get(self.discovery.clone()).await;
        match got.and_then(|bytes| Metadata::parse(&bytes, &self.config.issuer)) {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Instant::now(), Arc::clone(&metadata)));
                known.failed = None;
                Ok(metadata)
            }
            Err(error) => {
                known.failed = Some(Instant::now());
                Err(error)
            }
        }
    }

    /// Returns the provider's keys. They are asked for again where the one of
    /// `header` is not among them: providers change their keys.
    async fn keys(&self, metadata: &Metadata, header: &Header) -> Result<Arc<Keys>, LoginError> {
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys {
            let age = at.elapsed();
            let is_known = !keys.of(header).is_empty();
            if age < KEYS_PAUSE || (is_known && age < AGE_MAX) {
                return Ok(Arc::clone(keys));
            }
        }
        let bytes = self.http.get(metadata.keys.clone()).await?;
        let keys = Keys::parse(&bytes)
            .map_err(|error| LoginError::Answer(format!("with no set of keys: {error}")))?;
        let keys = Arc::new(keys);
        known.keys = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }

    /// Changes a code for an ID token.
    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<String, LoginError> {
        let client_id = self.config.client_id.as_str();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.config.redirect_url),
            ("code_verifier", verifier),
        ];
        let secret = self.secret().await?;
        let who = match &secret {
            Some(secret) if metadata.secret_in_form => {
                form.extend([("client_id", client_id), ("client_secret", secret)]);
                None
            }
            // Both are encoded before they are put together (RFC 6749, section 2.3.1).
            Some(secret) => Some((encoded(client_id), encoded(secret))),
            None => {
                form.push(("client_id", client_id));
                None
            }
        };
        let pairs = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        let (status, body) = self.http.post(metadata.token.clone(), form, who).await?;
        if status == StatusCode::OK {
            let tokens: Option<Tokens> = serde_json::from_slice(&body).ok();
            let token = tokens.and_then(|tokens| tokens.id_token);
            return token.ok_or(LoginError::Answer("without an ID token".to_owned()));
        }
        let refusal: Option<Refusal> = serde_json::from_slice(&body).ok();
        let reason = refusal.map_or_else(String::new, |refusal| excerpt(&refusal.error));
        let what = format!("to a code with status {} {reason}", status.as_u16());
        Err(LoginError::Answer(what.trim_end().to_owned()))
    }

    async fn secret(&self) -> Result<Option<String>, LoginError> {
        let Some(path) = self.config.client_secret_file.clone() else {
            return Ok(None);
        };
        let read = tokio::task::spawn_blocking(move || secret::read(&path)).await;
        match read {
            Ok(read) => read.map(Some).map_err(LoginError::Secret),
            Err(_) => Err(LoginError::Answer("while the service stops".to_owned())),
        }
    }
}

/// Encodes a text for a form.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Returns what is repeated of a text of the provider's.
fn excerpt(text: &str) -> String {
    let chars = text.chars().filter(|c| !c.is_control());
    chars.take(REASON_CHARS_MAX).collect()
}
