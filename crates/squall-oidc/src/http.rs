//! Requests to the provider, bounded in size and time.

use std::path::Path;
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, Url, redirect};

use crate::error::{LoginError, SetUpError};

/// The longest time for a connection, and for all of a request: a person waits
/// for three of them one after the other.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// The largest answer. An ID token that names a thousand groups is a tenth.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What sends requests to a provider.
#[derive(Debug)]
pub(crate) struct Http(Client);

impl Http {
    /// Makes it; `ca` names the certificates to trust instead of the system's.
    ///
    /// # Errors
    ///
    /// Fails if the certificates are none.
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, SetUpError> {
        // Fails only where one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .user_agent(concat!("squall/", env!("CARGO_PKG_VERSION")))
            // Secrets go where the settings and the discovery document say.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(REQUEST_TIME_MAX);
        if let Some(path) = ca {
            let path = path.to_owned();
            let pem = match std::fs::read(&path) {
                Ok(pem) => pem,
                Err(source) => return Err(SetUpError::Read { path, source }),
            };
            let own = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if own.is_empty() {
                return Err(SetUpError::NoCertificate { path });
            }
            client = client.tls_certs_only(own);
        }
        client.build().map(Self).map_err(SetUpError::Client)
    }

    /// Asks for a document.
    pub(crate) async fn get(&self, url: Url) -> Result<Vec<u8>, LoginError> {
        let (status, body) = answer(self.0.get(url)).await?;
        if status != StatusCode::OK {
            let what = format!("with status {}, expected 200", status.as_u16());
            return Err(LoginError::Answer(what));
        }
        Ok(body)
    }

    /// Sends a form; `user` and `password` prove who sends it.
    pub(crate) async fn post(
        &self,
        url: Url,
        form: String,
        who: Option<(String, String)>,
    ) -> Result<(StatusCode, Vec<u8>), LoginError> {
        let form_type = "application/x-www-form-urlencoded";
        let mut request = self.0.post(url);
        if let Some((user, password)) = who {
            request = request.basic_auth(user, Some(password));
        }
        let request = request.header(reqwest::header::CONTENT_TYPE, form_type);
        answer(request.body(form)).await
    }
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), LoginError> {
    let request = request.header(ACCEPT, "application/json");
    let mut answer = request.send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            let what = format!("with more than {ANSWER_BYTES_MAX} bytes");
            return Err(LoginError::Answer(what));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((answer.status(), body))
}

/// Says what went wrong with all its causes: the last of them is mostly the one
/// that helps.
fn unreachable(error: reqwest::Error) -> LoginError {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    LoginError::Unreachable(text)
}
