//! By which listener a request comes in.
//!
//! Where there is a second listener, for administrators and the console, the
//! first has nothing but what collectors need: what is not to be had there is
//! answered like a path that nobody knows.

use axum::http::{Extensions, header};
use axum::response::Response;

use crate::access::is_public;

/// By which listener a request comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    /// There is one only: everything is to be had.
    #[default]
    Only,
    /// That for collectors, where there is another.
    Public,
    /// That for administrators and the console.
    Admin,
}

impl Door {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().copied().unwrap_or_default()
    }

    /// Tells whether the route at `path`, as the router has it, is to be had.
    pub(crate) fn leads_to(self, path: &str) -> bool {
        match self {
            Self::Only | Self::Admin => true,
            Self::Public => is_public(path),
        }
    }
}

/// Marks an answer to a request for what is to be had elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elsewhere;

impl Elsewhere {
    pub(crate) fn mark(response: &mut Response) {
        response.extensions_mut().insert(Self);
    }

    pub(crate) fn is(response: &Response) -> bool {
        response.extensions().get::<Self>().is_some()
    }

    /// Takes out of a marked answer what the router says of the path behind
    /// our back: which methods it knows.
    pub(crate) fn hide(response: &mut Response) {
        if Self::is(response) {
            response.headers_mut().remove(header::ALLOW);
        }
    }
}
