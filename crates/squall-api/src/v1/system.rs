//! The service itself: how it is configured, and what it said last.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Configuration)]
pub struct Configuration {
    /// Every setting, in the order of `squall serve --help`.
    pub settings: Vec<SettingInForce>,
}

/// A setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SettingInForce)]
pub struct SettingInForce {
    /// The heading that it is under.
    #[schema(example = "Limits")]
    pub section: String,
    /// Its name.
    #[schema(example = "max_file_size")]
    pub name: String,
    /// Its values, none where it is not set. What is secret is `(hidden)`.
    pub values: Vec<String>,
    /// Where it comes from.
    #[schema(example = "default")]
    pub origin: String,
}

/// The last lines that the service logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::LogTail)]
pub struct LogTail {
    /// The lines, oldest first; a long one is cut.
    pub lines: Vec<String>,
}
