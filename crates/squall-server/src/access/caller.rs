//! Who sends a request.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;
use squall_access::{Principal, Role};

/// Who sends a request: put there by the guard.
#[derive(Clone, Debug, Default)]
pub(crate) enum Caller {
    /// Whoever reaches the service may use it.
    #[default]
    Anybody,
    /// Somebody with a token or a client certificate, or who logged in at a
    /// provider.
    Known(Principal),
}

impl Caller {
    /// Returns who sends the request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Returns what the caller is called, if that is known.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Anybody => None,
            Self::Known(principal) => Some(&principal.name),
        }
    }

    /// Returns what a provider knows the caller by, if the caller logged in
    /// there.
    pub(crate) fn subject(&self) -> Option<&str> {
        match self {
            Self::Anybody => None,
            Self::Known(principal) => principal.subject.as_deref(),
        }
    }

    /// Returns what the caller may do, if that is known.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Anybody => None,
            Self::Known(principal) => Some(principal.role),
        }
    }

    /// Returns whose the caller's samples are; 0 for nobody's.
    pub(crate) fn owner(&self) -> u64 {
        match self {
            Self::Anybody => 0,
            Self::Known(principal) => principal.owner,
        }
    }

    /// Tells whether the caller may see what became of the samples of `owner`.
    pub(crate) fn may_see(&self, owner: u64) -> bool {
        match self {
            Self::Anybody => true,
            Self::Known(principal) => principal.role.may(Role::Read) || principal.owner == owner,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&head.extensions))
    }
}
