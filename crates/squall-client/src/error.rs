//! Why a request came to nothing, and whose fault it is.

use squall_api::v1;

/// Most characters of a service's own words that are repeated.
const MESSAGE_CHARS_MAX: usize = 500;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The caller named no address of a service.
    #[error("`{url}` is no address of a service: {reason}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate to show cannot be used.
    #[error("this is no client certificate with its key, both in PEM form")]
    Certificate {
        /// Why.
        source: reqwest::Error,
    },
    /// The client cannot be made in this environment.
    #[error("cannot set up the HTTP client")]
    Setup {
        /// Why.
        source: reqwest::Error,
    },
    /// The service cannot be reached, or broke off.
    #[error("cannot reach the service at `{url}`")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The service says no.
    #[error("{message} (status {status})")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The service's own words, without control characters.
        message: String,
    },
    /// The answer is larger than any that Squall gives.
    #[error("the answer of `{url}` has more than {limit} bytes; is it a Squall service?")]
    TooLarge {
        /// The address of the service.
        url: String,
        /// Most bytes that are read.
        limit: usize,
    },
    /// The answer is not what Squall answers.
    #[error("the answer of `{url}` is not the expected JSON; is it a Squall service?")]
    Answer {
        /// The address of the service.
        url: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl ClientError {
    /// Reads what a service says of a request it did not follow.
    pub(crate) fn refusal(status: u16, body: &[u8]) -> Self {
        let message = serde_json::from_slice::<v1::Error>(body).map_or_else(
            |_| "the service refused without a reason".to_owned(),
            |error| visible(&error.message),
        );
        Self::Refused { status, message }
    }
}

/// Replaces what a terminal would act on.
fn visible(text: &str) -> String {
    let chars = text.chars().take(MESSAGE_CHARS_MAX);
    chars
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_repeats_the_words_of_the_service_and_nothing_else() {
        let refusal = |body: &[u8]| ClientError::refusal(404, body).to_string();
        assert_eq!(
            refusal(br#"{"message":"no such\u001b[31m sample"}"#),
            "no such\u{fffd}[31m sample (status 404)"
        );
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(10_000));
        assert!(refusal(long.as_bytes()).len() < 600);
        for body in [&b"<html>"[..], b"", b"{}", b"[]"] {
            assert_eq!(
                refusal(body),
                "the service refused without a reason (status 404)"
            );
        }
    }
}
