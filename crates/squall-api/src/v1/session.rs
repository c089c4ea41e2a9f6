//! Logging in with a browser.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a session is begun with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SessionRequest)]
pub struct SessionRequest {
    /// The token.
    pub token: String,
}

/// Who is asking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Session)]
pub struct Session {
    /// Whether the service asks for tokens.
    pub required: bool,
    /// What the caller, or the caller's token, is called; null for nobody in
    /// particular.
    pub name: Option<String>,
    /// What the provider knows the caller by, where the caller logged in at
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the caller may do: `submit`, `read` or `admin`.
    pub role: Option<String>,
    /// Whether the caller may do what only analysts may: trust contents, write
    /// signatures, and see kept samples, settings and the log.
    #[serde(default)]
    pub analyst: bool,
    /// The address the caller asks from, as the setting `analyst` would name it.
    #[serde(default)]
    #[schema(example = "192.0.2.10")]
    pub address: String,
    /// Where the caller may log in at a provider, by going to `/oidc/login`: what
    /// is on the button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}
