//! A receiver of HTTP requests: an event in each, signed, and answered.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, StatusCode, redirect};
use sha2::Sha256;

use super::{LinkError, Trust};
use crate::config::WebhookTarget;

/// How long a receiver may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The longest a receiver may ask to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// The header with time and signatures, `t=SECONDS,v1=HEX[,v1=HEX…]`, and the
/// one with the id of the event.
const SIGNATURE: &str = "Squall-Signature";
const EVENT_ID: &str = "Squall-Event-Id";

/// What sends requests to one receiver.
pub(crate) struct Webhook {
    client: Client,
    target: WebhookTarget,
}

impl Webhook {
    pub(super) fn open(target: &WebhookTarget, trust: &Trust) -> Result<Self, LinkError> {
        let mut client = Client::builder()
            .connect_timeout(super::CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            // Where findings go is for the operator to say, not for a receiver.
            .redirect(redirect::Policy::none());
        if let Some(own) = trust.own() {
            let certificates = own.iter().map(|der| reqwest::Certificate::from_der(der));
            let certificates: Result<Vec<_>, _> = certificates.collect();
            client = client.tls_certs_only(certificates.map_err(LinkError::Client)?);
        }
        Ok(Self {
            client: client.build().map_err(LinkError::Client)?,
            target: target.clone(),
        })
    }

    /// Sends an event, `ID LF JSON` as [`record`] makes it; returns once it was
    /// answered with a 2xx.
    pub(super) async fn send(&mut self, record: &[u8]) -> Result<(), LinkError> {
        let (event_id, body) = parts(record);
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let mut request = self
            .client
            .post(self.target.url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("squall/", env!("CARGO_PKG_VERSION")))
            .header(EVENT_ID, event_id);
        if !self.target.secrets.is_empty() {
            let signature = signature(&self.target.secrets, seconds, body);
            request = request.header(SIGNATURE, signature);
        }
        let answer = request.body(body.to_vec()).send().await;
        let answer = answer.map_err(|error| no_answer(error.without_url()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(LinkError::Refused {
                status: status.as_u16(),
                after: retry_after(answer.headers()),
                is_busy: matches!(
                    status,
                    StatusCode::TOO_MANY_REQUESTS
                        | StatusCode::BAD_GATEWAY
                        | StatusCode::SERVICE_UNAVAILABLE
                        | StatusCode::GATEWAY_TIMEOUT
                ),
            }),
        }
    }
}

/// Tells a receiver that is away from one that took the request.
fn no_answer(error: reqwest::Error) -> LinkError {
    if error.is_connect() {
        LinkError::Request(error)
    } else {
        LinkError::NoAnswer(error)
    }
}

/// Returns an event as the spool holds it.
pub(crate) fn record(event_id: &str, body: &[u8]) -> Vec<u8> {
    [event_id.as_bytes(), b"\n", body].concat()
}

/// Returns the id and the JSON of an event.
pub(crate) fn parts(record: &[u8]) -> (&str, &[u8]) {
    let line = record.iter().position(|&byte| byte == b'\n');
    let (id, body) = record.split_at(line.unwrap_or(0));
    (
        str::from_utf8(id).unwrap_or_default(),
        body.strip_prefix(b"\n").unwrap_or(body),
    )
}

/// Returns the value of the header: one signature for each secret, so that a
/// secret can be replaced without an interruption.
fn signature(secrets: &[Secret], seconds: u64, body: &[u8]) -> String {
    let mut header = format!("t={seconds}");
    for Secret(secret) in secrets {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            // It takes keys of any length.
            continue;
        };
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(body);
        header.push_str(",v1=");
        for byte in mac.finalize().into_bytes() {
            header.push_str(&format!("{byte:02x}"));
        }
    }
    header
}

/// Returns how long a receiver asks to be left alone, if it does: in seconds or
/// until a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let then = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            let wait = then.duration_since(jiff::Timestamp::now());
            Duration::try_from(wait).unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// A secret that requests are signed with; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text of a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_over_time_and_body() {
        // echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        let header = signature(
            &[Secret::new("key"), Secret::new("other")],
            1_700_000_000,
            b"{\"a\":1}",
        );
        let (first, second) = header.rsplit_once(",v1=").expect("two");
        assert_eq!(
            first,
            "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
        );
        assert_eq!(second.len(), 64);
    }

    #[test]
    fn a_record_has_the_id_and_the_body() {
        let made = record("AAEC-0", b"{\"a\":\"b\"}");
        assert_eq!(parts(&made), ("AAEC-0", b"{\"a\":\"b\"}".as_slice()));
    }

    #[test]
    fn a_receiver_may_ask_for_time_within_bounds() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a value"));
            retry_after(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert!(!format!("{:?}", Secret::new("key")).contains("key"));
    }
}
