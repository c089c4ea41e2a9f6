//! Who may ask for what: every request passes the [`guard`], which knows what
//! each route needs from one [`table`].
//!
//! Nothing of the body is read for a request that is refused.

mod acts;
mod caller;
mod credentials;
mod document;
mod guard;
mod provider;
mod refusals;
mod session;
mod table;

use std::sync::Arc;

use squall_access::{AuditLog, CertificateRules, RoleNetworks, Sessions, Tokens, Tries};

use acts::Lines;
pub(crate) use caller::Caller;
pub(crate) use document::{describe, operations};
pub(crate) use guard::{address, guard};
pub use provider::LoginProvider;
pub(crate) use provider::{LOGIN_COOKIE, NotLoggedIn};
use refusals::RefusalLog;
pub(crate) use session::SESSION_COOKIE;
pub(crate) use table::is_public;

/// Who may use the service.
#[derive(Clone, Debug, Default)]
pub struct AccessConfig {
    /// Whose tokens are good; without any, whoever reaches the service may
    /// use it.
    pub tokens: Option<Arc<Tokens>>,
    /// What holders of client certificates may do.
    pub certificates: CertificateRules,
    /// From where they are let in. Tokens know for themselves.
    pub networks: RoleNetworks,
    /// Where people may log in, if that is anywhere but here.
    pub provider: Option<LoginProvider>,
    /// Whether a token may be in the URL, as the parameter `token`.
    pub token_in_url: bool,
    /// Whether the service speaks TLS, so that browsers keep their cookies to
    /// it.
    pub tls: bool,
    /// Where administrative acts are written down.
    pub audit: Option<Arc<AuditLog>>,
}

/// What the guard keeps.
#[derive(Debug)]
pub(crate) struct Access {
    config: AccessConfig,
    tries: Tries,
    sessions: Sessions,
    log: RefusalLog,
    lines: Arc<Lines>,
}

impl Access {
    pub(crate) fn new(config: AccessConfig) -> Self {
        Self {
            config,
            tries: Tries::default(),
            sessions: Sessions::default(),
            log: RefusalLog::default(),
            lines: Arc::default(),
        }
    }

    /// Returns how many acts could not be written down, if they are to be.
    pub(crate) fn audit_failures(&self) -> Option<u64> {
        self.config.audit.as_ref().map(|audit| audit.failures())
    }
}
