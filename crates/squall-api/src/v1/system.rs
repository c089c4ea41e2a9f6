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

/// The answer to `self-check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SelfCheck)]
pub struct SelfCheck {
    /// The worst state there is among the checks.
    pub state: CheckState,
    /// Everything that was looked at.
    pub checks: Vec<Check>,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Check)]
pub struct Check {
    /// What.
    #[schema(example = "Disk")]
    pub name: String,
    /// Whether it is as it should be.
    pub state: CheckState,
    /// What was found, in words.
    pub message: String,
    /// More of it, a line each.
    pub details: Vec<String>,
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::CheckState)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It is.
    Ok,
    /// Somebody should know.
    Attention,
    /// It is not.
    Bad,
}
