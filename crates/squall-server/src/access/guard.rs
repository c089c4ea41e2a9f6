//! Lets a request pass, or refuses it before anything of its body is read.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use squall_access::{Act, Holder, NoRole, Outcome, Principal, Refusal, Token, TokenId, Tokens};

use super::Access;
use super::acts::write_down;
use super::caller::Caller;
use super::credentials::Shown;
use super::session::is_of_console;
use super::table::{self, Entry, Rule};
use crate::door::{Door, Elsewhere};
use crate::failure::{self, Failure};
use crate::service::Service;
use crate::source::client_address;
use crate::tls::ClientCertificate;
use crate::upload::{Peer, drain_a_little};

/// What a program is asked for.
const CHALLENGE: &str = "Basic realm=\"Squall\", charset=\"UTF-8\"";
/// What a page is asked for: a browser would ask its user for a password by
/// itself.
const CHALLENGE_OF_PAGES: &str = "Bearer realm=\"Squall\"";

/// What is answered to callers whose role is not let in from where they are.
pub(super) const ROLE_ELSEWHERE: &str = "callers with this role are not let in from this address";
const CERTIFICATE_ELSEWHERE: &str =
    "callers with the role of this client certificate are not let in from this address";
/// What is answered to a client that could not connect any more.
const STALE: &str = "the client certificate is not good any more";

/// Lets a request pass that may, and writes down administrative acts.
pub(crate) async fn guard(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let (mut head, body) = request.into_parts();
    let from = address(&head, &service);
    let path = head.extensions.get::<MatchedPath>().cloned();
    let here = |path: &MatchedPath| Door::of(&head.extensions).leads_to(path.as_str());
    let is_elsewhere = path.as_ref().is_some_and(|path| !here(path));
    let path = path.filter(|_| !is_elsewhere);
    let entry = path.map(|path| table::entry(&head.method, path.as_str()));
    let (caller, passed) = match service.access().admit(&head, entry, from, &service) {
        Ok(caller) => (Some(caller), Ok(())),
        Err(Refused { failure, caller }) => (caller, Err(failure)),
    };
    let rule = match entry {
        Some(Entry::Rule(rule)) => Some(rule),
        _ => None,
    };
    let audited = rule.filter(|rule| rule.audited).zip(caller.clone());
    let mut act = audited.map(|(_, caller)| act(&head, &caller, from));
    let mut response = match passed {
        // Like the router, with what it has nothing for.
        Ok(()) if is_elsewhere => Failure::NotFound.into_response(),
        Ok(()) => {
            head.extensions.insert(caller.unwrap_or_default());
            let request = Request::from_parts(head, body);
            match act.take() {
                Some(act) => to_its_end(service.clone(), act, request, next).await,
                None => next.run(request).await,
            }
        }
        Err(failure) => {
            let response = refusal(failure, &head);
            // A client that asks first has not sent its body and shall not.
            if !head.headers.contains_key(header::EXPECT) {
                drain_a_little(body);
            }
            response
        }
    };
    if is_elsewhere {
        Elsewhere::mark(&mut response);
    }
    if let Some(act) = act {
        write_down(&service, act, response.status()).await;
    }
    response
}

/// Returns the address a request comes from.
pub(crate) fn address(head: &Parts, service: &Service) -> IpAddr {
    let peer = head.extensions.get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    client_address(peer, &head.headers, &service.config().trusted_proxies)
}

/// Tells whether a request comes from a proxy that is believed.
pub(super) fn is_proxy(head: &Parts, service: &Service) -> bool {
    let peer = head.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let proxies = &service.config().trusted_proxies;
    peer.is_some_and(|peer| proxies.iter().any(|proxy| proxy.contains(peer)))
}

/// Returns the certificate that says who somebody is, as it is written down.
pub(super) fn certificate_of(principal: &Principal) -> Option<String> {
    principal.certificate.as_deref().map(str::to_owned)
}

/// Returns what a provider knows somebody by, as it is written down.
pub(super) fn subject_of(principal: &Principal) -> Option<String> {
    principal.subject.as_deref().map(str::to_owned)
}

/// A request that does not pass.
struct Refused {
    failure: Failure,
    /// Who sent it, if that is certain.
    caller: Option<Caller>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            caller: None,
        }
    }
}

impl Access {
    /// Decides on a request. `entry` is nothing where there is no such path.
    fn admit(
        &self,
        head: &Parts,
        entry: Option<Entry>,
        from: IpAddr,
        service: &Service,
    ) -> Result<Caller, Refused> {
        if entry == Some(Entry::Missing) {
            tracing::error!(
                path = ?head.uri.path(),
                "a route is in no table of access rules, so nobody may use it"
            );
            return Err(Failure::Forbidden("nobody may use this path").into());
        }
        // The handshake would fail by now, whatever else is shown.
        let certificate = head.extensions.get::<ClientCertificate>();
        let subject = certificate.map(ClientCertificate::subject).transpose();
        subject.map_err(|reason| self.refused_certificate(&reason, from))?;
        let Some(tokens) = &self.config.tokens else {
            return Ok(Caller::Anybody);
        };
        let needed = match entry {
            Some(Entry::Rule(Rule { role: None, .. })) => return Ok(Caller::Anybody),
            Some(Entry::Rule(Rule { role, .. })) => role,
            // What is not there is not there for those who may look.
            _ => None,
        };
        let principal = self.identify(tokens, head, from, service)?;
        let is_enough = needed.is_none_or(|needed| principal.role.may(needed));
        let role = principal.role;
        let caller = Caller::Known(principal);
        if is_enough {
            return Ok(caller);
        }
        if let Some(suppressed) = self.log.admit(from) {
            let (name, path) = (caller.name().unwrap_or_default(), head.uri.path());
            tracing::warn!(?name, %role, %from, ?path, %suppressed, "a caller's role is too weak");
        }
        Err(Refused {
            failure: Failure::TooWeak {
                role,
                needed: needed.unwrap_or(role),
            },
            caller: Some(caller),
        })
    }

    /// Finds out who sends a request. A token says it before a session, and
    /// that before the certificate of the connection; one that is not good is
    /// not passed over.
    pub(super) fn identify(
        &self,
        tokens: &Tokens,
        head: &Parts,
        from: IpAddr,
        service: &Service,
    ) -> Result<Principal, Failure> {
        const NOTHING: &str = "a token is needed";
        const OVER: &str = "the session is over: a token is needed again";
        match Shown::of(head, self.config.token_in_url) {
            Shown::Nothing => self.holder(head, from, service, NOTHING),
            Shown::NoToken => self.verify(tokens, None, from),
            Shown::Token(token) => self.verify(tokens, Some(&token), from),
            Shown::Session(_) if !is_of_console(head) => Err(Failure::Forbidden(
                "a session needs the header `X-Squall-Console` to change anything",
            )),
            Shown::Session(id) => match self.sessions.holder(&id, Instant::now()) {
                Some(Holder::Token(token)) => {
                    let verified = tokens.verify_id(token, from, Timestamp::now());
                    verified.map_err(|refusal| self.refused(refusal, Some(token), from))
                }
                Some(Holder::Provider(principal)) => self.within(principal, from, ROLE_ELSEWHERE),
                // The browser keeps the cookie for a while.
                None => self.holder(head, from, service, OVER),
            },
        }
    }

    /// Finds out who holds the certificate of a request's connection;
    /// `without` is what is missing where there is none.
    fn holder(
        &self,
        head: &Parts,
        from: IpAddr,
        service: &Service,
        without: &'static str,
    ) -> Result<Principal, Failure> {
        let certificate = head.extensions.get::<ClientCertificate>();
        let subject = match certificate.map(ClientCertificate::subject) {
            // That of a proxy does not say for whom it speaks.
            Some(Ok(subject)) if !is_proxy(head, service) => subject,
            Some(Err(reason)) => return Err(self.refused_certificate(&reason, from)),
            _ => return Err(Failure::NoCredentials(without)),
        };
        let holder = self.config.certificates.identify(subject, Timestamp::now());
        let holder = holder.map_err(|reason| {
            if let Some(suppressed) = self.log.admit(from) {
                let (certificate, known_by) = (subject.fingerprint(), subject.describe());
                tracing::warn!(%from, certificate, ?known_by, %suppressed, %reason, "a client certificate says of nobody who is asking");
            }
            match reason {
                NoRole::Unknown => Failure::NoCredentials(
                    "the client certificate has no role here: a token is needed",
                ),
                NoRole::NotNow => Failure::Forbidden(STALE),
                NoRole::SeveralRoles => {
                    Failure::Forbidden("the client certificate has several roles here")
                }
                NoRole::SeveralNames => Failure::Forbidden(
                    "the client certificate has several names that one rule is about",
                ),
            }
        })?;
        self.within(holder, from, CERTIFICATE_ELSEWHERE)
    }

    /// Lets a caller in whose role is let in from there; else `reason` says why
    /// not.
    pub(super) fn within(
        &self,
        caller: Principal,
        from: IpAddr,
        reason: &'static str,
    ) -> Result<Principal, Failure> {
        if self.config.networks.allow(caller.role, from) {
            return Ok(caller);
        }
        if let Some(suppressed) = self.log.admit(from) {
            let (name, role) = (&caller.name, caller.role);
            tracing::warn!(%from, ?name, %role, %suppressed, "refused a caller: its role is not let in from there");
        }
        Err(Failure::Forbidden(reason))
    }

    fn refused_certificate(&self, reason: &str, from: IpAddr) -> Failure {
        if let Some(suppressed) = self.log.admit(from) {
            tracing::warn!(%from, reason, %suppressed, "refused a client certificate that was good when its connection began");
        }
        Failure::Forbidden(STALE)
    }

    /// Finds out whose token that is; nothing stands for what is no token.
    pub(super) fn verify(
        &self,
        tokens: &Tokens,
        token: Option<&Token>,
        from: IpAddr,
    ) -> Result<Principal, Failure> {
        let now = Instant::now();
        if let Some(retry_after) = self.tries.wait(from, token, now) {
            if let Some(suppressed) = self.log.admit(from) {
                let token = token.map(Token::id);
                tracing::warn!(%from, ?token, %suppressed, "did not look at a token: too many wrong ones came from this address");
            }
            return Err(Failure::Unavailable {
                reason: "too many wrong tokens came from this address".into(),
                retry_after,
            });
        }
        let verified = match token {
            Some(token) => tokens.verify(token, from, Timestamp::now()),
            None => Err(Refusal::Unknown),
        };
        match (token, &verified) {
            (Some(token), Ok(_)) => self.tries.succeeded(from, token, now),
            // Whoever has all of a token guesses no more.
            (_, Err(Refusal::Unknown)) => self.tries.failed(from, now),
            _ => {}
        }
        verified.map_err(|refusal| self.refused(refusal, token.map(Token::id), from))
    }

    fn refused(&self, refusal: Refusal, token: Option<TokenId>, from: IpAddr) -> Failure {
        if let Some(suppressed) = self.log.admit(from) {
            tracing::warn!(%from, ?token, %suppressed, reason = %refusal, "refused a caller");
        }
        match refusal {
            Refusal::Unknown => Failure::NoCredentials("the token is not known"),
            Refusal::Expired => Failure::NoCredentials("the token has expired"),
            Refusal::Revoked => Failure::NoCredentials("the token was revoked"),
            Refusal::Network => Failure::Forbidden("the token is not good from this address"),
            Refusal::RoleNetwork => Failure::Forbidden(
                "callers with the role of this token are not let in from this address",
            ),
        }
    }
}

fn refusal(failure: Failure, head: &Parts) -> Response {
    let is_stale = matches!(failure, Failure::Forbidden(STALE));
    let mut response = failure.into_response();
    if is_stale && head.version <= Version::HTTP_11 {
        // The next handshake tells more, and takes the next certificate.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let of_page = [
            "x-squall-console",
            "sec-fetch-site",
            "sec-fetch-mode",
            "cookie",
        ];
        let challenge = if of_page.iter().any(|name| head.headers.contains_key(*name)) {
            CHALLENGE_OF_PAGES
        } else {
            CHALLENGE
        };
        let value = HeaderValue::from_static(challenge);
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// Describes what a request asks for; its end is not known yet.
fn act(head: &Parts, caller: &Caller, from: IpAddr) -> Act {
    let principal = match caller {
        Caller::Anybody => None,
        Caller::Known(principal) => Some(principal),
    };
    Act {
        who: caller.name().unwrap_or("anybody").to_owned(),
        token: principal.and_then(|principal| principal.token),
        certificate: principal.and_then(certificate_of),
        subject: principal.and_then(subject_of),
        role: principal.map(|principal| principal.role),
        from: from.to_string(),
        what: format!("{} {}", head.method, head.uri.path()),
        outcome: Outcome::Failed,
        status: None,
    }
}

/// Does what is audited to its end and writes it down, whether the client waits
/// for the answer or not: nothing is half done, or done without a trace,
/// because somebody closed a page.
async fn to_its_end(service: Service, act: Act, request: Request, next: Next) -> Response {
    let done = tokio::spawn(async move {
        let response = next.run(request).await;
        write_down(&service, act, response.status()).await;
        response
    });
    done.await
        .unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => failure::from_panic(panic),
            Err(_) => Failure::Internal.into_response(),
        })
}
