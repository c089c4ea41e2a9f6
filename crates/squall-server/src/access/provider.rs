//! Logging in at a provider, in requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::http::request::Parts;
use squall_access::{Act, Holder, Outcome, Principal};
use squall_oidc::{Answer, Begun, Identity, LoginError, Provider};

use super::Access;
use super::acts::write_down_as_it_is;
use super::guard::{ROLE_ELSEWHERE, address};
use super::session::{act_of, cookie};
use crate::failure::{Failure, whole_seconds};
use crate::service::Service;

/// The cookie that binds a browser to a log-in under way.
pub(crate) const LOGIN_COOKIE: &str = "squall_login";
/// When to try again where a provider did not answer.
const PROVIDER_RETRY: Duration = Duration::from_secs(5);

/// A provider that people may log in at.
#[derive(Clone, Debug)]
pub struct LoginProvider {
    /// What is asked.
    pub provider: Arc<Provider>,
    /// What is on the button that leads there.
    pub label: String,
}

/// Why somebody is not logged in, as a page says it.
#[derive(Debug)]
pub(crate) struct NotLoggedIn {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Access {
    /// Returns where people may log in, if that is anywhere but here.
    pub(crate) fn provider(&self) -> Option<&LoginProvider> {
        // Where nobody is asked who he is, there is nothing to log in to.
        let provider = self.config.provider.as_ref();
        provider.filter(|_| self.is_required())
    }

    /// Begins a log-in at `provider`.
    pub(crate) async fn begin_at(
        &self,
        provider: &Provider,
        head: &Parts,
        service: &Service,
    ) -> Result<Begun, NotLoggedIn> {
        let from = address(head, service);
        self.try_again_later(from)?;
        let begun = provider.begin(from).await;
        begun.map_err(|error| self.not_logged_in(&error, from))
    }

    /// Ends a log-in at `provider` with what the browser brings back, and
    /// begins a session; returns its id.
    pub(crate) async fn finish_at(
        &self,
        provider: &Provider,
        head: &Parts,
        answer: &Answer,
        service: &Service,
    ) -> Result<String, NotLoggedIn> {
        let from = address(head, service);
        self.try_again_later(from)?;
        let shown = cookie(&head.headers, LOGIN_COOKIE);
        let finished = provider.finish(shown.as_deref().unwrap_or_default(), answer);
        let (identity, role) = match finished.await {
            Ok(finished) => finished,
            Err(error) => {
                // Without the cookie nothing was tried: a page of another site
                // can have a browser come here, but not with it.
                let is_try = shown.is_some() && !matches!(error, LoginError::Unreachable(_));
                if is_try {
                    self.tries.failed(from, Instant::now());
                }
                if let LoginError::NoRole(identity) = &error {
                    write_down_as_it_is(service, refused(identity, from)).await;
                }
                return Err(self.not_logged_in(&error, from));
            }
        };
        let Identity { subject, name } = &identity;
        let principal = Principal::of_provider(provider.issuer(), subject, name, role);
        let Ok(principal) = self.within(principal, from, ROLE_ELSEWHERE) else {
            write_down_as_it_is(service, refused(&identity, from)).await;
            return Err(NotLoggedIn {
                status: StatusCode::FORBIDDEN,
                reason: format!(
                    "{name} has the role {role} here, and callers with this role are not let in from this address ({from})."
                ),
                retry_after: None,
            });
        };
        let act = act_of(&principal, from.to_string(), "log in", Outcome::Done);
        let id = self.begin_session(Holder::Provider(principal));
        let id = id.map_err(|_| our_fault())?;
        write_down_as_it_is(service, act).await;
        Ok(id)
    }

    /// Fails for an address that tried too often, as with tokens.
    fn try_again_later(&self, from: IpAddr) -> Result<(), NotLoggedIn> {
        let Some(wait) = self.tries.wait(from, None, Instant::now()) else {
            return Ok(());
        };
        if let Some(suppressed) = self.log.admit(from) {
            tracing::warn!(%from, %suppressed, "did not look at a log-in: too many failed ones came from this address");
        }
        Err(NotLoggedIn {
            status: StatusCode::SERVICE_UNAVAILABLE,
            reason: format!(
                "Too many failed tries came from this address. The next one is looked at in {} s.",
                whole_seconds(wait)
            ),
            retry_after: Some(wait),
        })
    }

    /// Says why somebody is not logged in: to him what he can use, to the log
    /// all of it.
    fn not_logged_in(&self, error: &LoginError, from: IpAddr) -> NotLoggedIn {
        if let Some(suppressed) = self.log.admit(from) {
            let error: &dyn std::error::Error = error;
            tracing::warn!(%from, %suppressed, error, "somebody could not log in at the provider");
        }
        let (status, reason) = match error {
            LoginError::NotUnderWay => (
                StatusCode::BAD_REQUEST,
                "This log-in was not begun in this browser, took longer than ten minutes, or is completed already. Begin again.".to_owned(),
            ),
            LoginError::Denied(why) => (
                StatusCode::FORBIDDEN,
                format!("The provider refuses the log-in: {why}."),
            ),
            LoginError::NoRole(identity) => (
                StatusCode::FORBIDDEN,
                format!("The provider knows you as {}, but nothing it says of you gives you a role here. Who runs this service can change that (oidc-role).", identity.name),
            ),
            LoginError::Unreachable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The provider does not answer. Try again later, or log in with a token.".to_owned(),
            ),
            LoginError::Answer(_) | LoginError::IdToken(_) => (
                StatusCode::BAD_GATEWAY,
                "What the provider says is not to be believed; the log of this service says why. Begin again, or log in with a token.".to_owned(),
            ),
            LoginError::Secret(_) | LoginError::Random(_) => return our_fault(),
        };
        let is_unreachable = matches!(error, LoginError::Unreachable(_));
        NotLoggedIn {
            status,
            reason,
            retry_after: is_unreachable.then_some(PROVIDER_RETRY),
        }
    }
}

fn our_fault() -> NotLoggedIn {
    NotLoggedIn {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        reason: Failure::Internal.reason().into_owned(),
        retry_after: None,
    }
}

/// Describes a log-in of somebody who may not.
fn refused(identity: &Identity, from: IpAddr) -> Act {
    Act {
        who: identity.name.clone(),
        token: None,
        certificate: None,
        subject: Some(identity.subject.clone()),
        role: None,
        from: from.to_string(),
        what: "log in".to_owned(),
        outcome: Outcome::Refused,
        status: None,
    }
}
