#![doc = include_str!("../README.md")]

mod error;
mod failed;
mod state;

use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Identity, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

pub use error::ClientError;

/// Longest time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for a request; the retry of a hundred thousand samples takes a
/// while.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);
/// Largest answer that is read.
const ANSWER_LEN_MAX: usize = 32 << 20;

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// Its address, as `http://127.0.0.1:8080`.
    pub url: String,
    /// The token to show, if the service asks for one; one in the address, as
    /// `http://name:TOKEN@host`, goes before it.
    pub token: Option<String>,
    /// Whether any certificate is taken, a self-signed one for instance.
    pub insecure: bool,
    /// The certificate to show, if the service asks for one, with its key: both
    /// in PEM form.
    pub certificate: Option<Vec<u8>>,
}

/// A client of one service.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Fails if `url` is no address of a service, or if the certificates of
    /// the system cannot be read.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let invalid = |reason: String| ClientError::Address {
            url: without_secret(&config.url),
            reason,
        };
        let mut base = Url::parse(&config.url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(invalid("expected `http://HOST` or `https://HOST`".into()));
        }
        let headers = credentials(&mut base, config.token.as_deref())
            .ok_or_else(|| invalid("the token has characters that no token has".into()))?;
        // Fails only where one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder();
        if let Some(pem) = &config.certificate {
            let identity = Identity::from_pem(pem);
            let identity = identity.map_err(|source| ClientError::Certificate { source })?;
            builder = builder.identity(identity);
        }
        let http = builder
            .user_agent(concat!("squall/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .tls_danger_accept_invalid_certs(config.insecure)
            .build()
            .map_err(|source| ClientError::Setup { source })?;
        Ok(Self { http, base })
    }

    /// Returns the address of the service, without the token.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the client below, for requests that have no method here.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Returns the address of `path`, which begins with `/`. What the service's
    /// own address has for a path comes before it.
    #[must_use]
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(None);
        url.set_fragment(None);
        url
    }

    /// Sends a request and reads the JSON of its answer.
    ///
    /// # Errors
    ///
    /// Fails if the service cannot be reached, says no, or answers with
    /// something else.
    pub async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        let (status, body) = self.answer(request).await?;
        if !status.is_success() {
            return Err(ClientError::refusal(status.as_u16(), &body));
        }
        self.read(&body)
    }

    /// Sends a request and returns the status and the body of its answer,
    /// whatever they are.
    async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let url = || self.base.to_string();
        let unreachable = |source: reqwest::Error| ClientError::Unreachable {
            url: url(),
            // The address is in the message already.
            source: source.without_url(),
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > ANSWER_LEN_MAX {
                return Err(ClientError::TooLarge {
                    url: url(),
                    limit: ANSWER_LEN_MAX,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|source| ClientError::Answer {
            url: self.base.to_string(),
            source,
        })
    }
}
/// Takes name and password out of the address, so that no message repeats
/// them, and returns the header that shows them or the token; `None` if they
/// do not go into a header.
fn credentials(base: &mut Url, token: Option<&str>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let in_address = base.password().unwrap_or_else(|| base.username());
    let in_address = percent_decode_str(in_address)
        .decode_utf8()
        .ok()?
        .into_owned();
    let token = match in_address.as_str() {
        "" => token.map(str::trim).unwrap_or_default(),
        token => token,
    };
    if !token.is_empty() {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    // These fail only for addresses without a host.
    let _ = base.set_password(None);
    let _ = base.set_username("");
    Some(headers)
}

/// Returns an address as it may be repeated.
fn without_secret(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}
