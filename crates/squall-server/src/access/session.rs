//! Sessions of browsers, in requests.

use std::time::Instant;

use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;
use squall_access::{Act, Holder, Outcome, Principal, Token};

use super::acts::write_down_as_it_is;
use super::guard::{address, certificate_of, is_proxy, subject_of};
use super::{Access, Caller};
use crate::failure::Failure;
use crate::service::Service;

/// The cookie that stands for a token.
pub(crate) const SESSION_COOKIE: &str = "squall_session";
/// The console's header, which no page of another site can send.
const CONSOLE: &str = "x-squall-console";

/// Returns the session that a request names.
pub(super) fn session_id(headers: &HeaderMap) -> Option<String> {
    cookie(headers, SESSION_COOKIE)
}

/// Returns what a request has in the cookie `name`.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(found, _)| *found == name)?;
    (!value.is_empty()).then(|| value.to_owned())
}

/// Tells whether a request with a cookie comes from the console for certain,
/// or changes nothing.
pub(super) fn is_of_console(head: &Parts) -> bool {
    let site = head.headers.get("sec-fetch-site");
    head.method.is_safe()
        || head.headers.contains_key(CONSOLE)
        || site.is_some_and(|site| site == "same-origin")
}

impl Access {
    /// Tells whether tokens are needed.
    pub(crate) fn is_required(&self) -> bool {
        self.config.tokens.is_some()
    }

    /// Returns who sends a request, as far as that is certain.
    pub(crate) fn who(&self, head: &Parts, service: &Service) -> Caller {
        let tokens = self.config.tokens.as_deref();
        let from = address(head, service);
        let known = tokens.and_then(|tokens| self.identify(tokens, head, from, service).ok());
        known.map_or(Caller::Anybody, Caller::Known)
    }

    /// Begins a session with the token `text`; returns the session's id too.
    pub(crate) async fn log_in(
        &self,
        head: &Parts,
        text: &str,
        service: &Service,
    ) -> Result<(Caller, String), Failure> {
        let tokens = self.config.tokens.as_deref();
        let tokens = tokens.ok_or(Failure::Absent("this service asks for no tokens".into()))?;
        let from = address(head, service);
        let token = Token::parse(text);
        let principal = self.verify(tokens, token.as_ref(), from)?;
        let id = match principal.token {
            Some(token) => self.begin_session(Holder::Token(token))?,
            None => String::new(),
        };
        let caller = Caller::Known(principal);
        self.note(&caller, from.to_string(), "log in", service)
            .await;
        Ok((caller, id))
    }

    /// Begins a session and returns its id.
    pub(super) fn begin_session(&self, holder: Holder) -> Result<String, Failure> {
        let id = self.sessions.begin(holder, Instant::now());
        id.map_err(|error| {
            tracing::error!(%error, "cannot draw random bytes");
            Failure::Internal
        })
    }

    /// Ends the session of a request, if it has one.
    pub(crate) async fn log_out(&self, head: &Parts, service: &Service) {
        let Some(id) = session_id(&head.headers) else {
            return;
        };
        let caller = self.who(head, service);
        self.sessions.end(&id);
        if caller.name().is_some() {
            let from = address(head, service).to_string();
            self.note(&caller, from, "log out", service).await;
        }
    }

    /// Tells whether a browser may send the cookie over TLS only: because the
    /// service speaks TLS, or a proxy in front of it that is believed.
    pub(crate) fn is_secure(&self, head: &Parts, service: &Service) -> bool {
        let proto = head.headers.get("x-forwarded-proto");
        let is_forwarded = proto.is_some_and(|proto| proto == "https");
        self.config.tls || (is_forwarded && is_proxy(head, service))
    }

    async fn note(&self, caller: &Caller, from: String, what: &str, service: &Service) {
        let Caller::Known(principal) = caller else {
            return;
        };
        let act = act_of(principal, from, what, Outcome::Done);
        write_down_as_it_is(service, act).await;
    }
}

/// Describes what somebody did, as it is written down.
pub(super) fn act_of(principal: &Principal, from: String, what: &str, outcome: Outcome) -> Act {
    Act {
        who: principal.name.to_string(),
        token: principal.token,
        certificate: certificate_of(principal),
        subject: subject_of(principal),
        role: Some(principal.role),
        from,
        what: what.to_owned(),
        outcome,
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        for (value, expected) in [
            ("squall_session=ab", Some("ab")),
            ("a=b; squall_session=cd;x=y", Some("cd")),
            ("squall_session=", None),
            ("xsquall_session=ab", None),
            ("squall_session", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(value));
            assert_eq!(session_id(&headers).as_deref(), expected, "{value}");
        }
    }
}
