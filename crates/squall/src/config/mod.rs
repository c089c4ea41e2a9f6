//! The configuration: flags, environment, file and defaults, merged and parsed
//! once into plain types.
//!
//! Every setting is a row of the [`table`]. A flag goes before the environment,
//! the environment before the file, the file before the default. [`load`]
//! merges the layers into [`values::Values`] and makes [`Settings`] of them,
//! which the wiring hands to the other crates piece by piece; nothing else in
//! the program knows where a setting came from. It reads no file but the
//! configuration's and creates none.

mod account;
mod build;
mod describe;
mod env;
mod error;
mod file;
mod flags;
mod kind;
mod layer;
mod link;
mod login;
mod nearest;
mod network;
mod original;
mod places;
pub(crate) mod settings;
mod shown;
mod syslog;
mod table;
mod value;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;

use clap::ArgMatches;

pub(crate) use account::Account;
pub(crate) use describe::{Secrets, describe};
pub(crate) use error::ConfigError;
pub(crate) use flags::{TEMPLATE, args_of, scan_args, serve_args};
pub(crate) use network::Network;
#[cfg(test)]
pub(crate) use network::parse_endpoint;
pub(crate) use places::{Place, Places, places};
pub(crate) use settings::Settings;
pub(crate) use shown::{arguments, origin, public, shown};
pub(crate) use syslog::{SyslogFormat, SyslogProtocol, SyslogTarget};

use error::Origin;
use kind::Kind;
use layer::Layer;
use value::Value;
use values::Values;

/// A configuration, and what is to be said about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) settings: Settings,
    /// What the operator should know, a line each: settings without effect,
    /// keys that are ignored.
    pub(crate) warnings: Vec<String>,
    /// What the configuration was made from.
    values: Values,
    /// The file's path, where a flag names it.
    template_flag: Option<OsString>,
}

impl Loaded {
    /// Returns the data directory, if nobody named it.
    pub(crate) fn unnamed_data_dir(&self) -> Option<&Path> {
        let origin = self.values.origin("data-dir");
        matches!(origin, Ok(Origin::Default)).then_some(self.settings.data_dir.as_path())
    }
}

/// Loads the configuration from the flags of a command that has
/// [`serve_args`], from environment variables and from the file that either of
/// them names.
///
/// # Errors
///
/// Returns an error if the file cannot be read or has an unknown key, or if a
/// value is wrong or contradicts another.
pub(crate) fn load(
    matches: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    load_for(matches, variables, cores)
}

/// Reads a size as settings write it, such as `200MB`. The error says what is
/// expected.
pub(crate) fn size_bytes(text: &str) -> Result<u64, String> {
    let kind = Kind::Size { min: 1 };
    match value::parse(kind, &[text.into()]) {
        Ok(Value::Size(bytes)) => Ok(bytes),
        _ => Err(format!("expected {}", kind.expected())),
    }
}

/// Does the work of [`load`] for a machine with that many processor cores.
fn load_for(
    matches: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    cores: usize,
) -> Result<Loaded, ConfigError> {
    let flags = flags::read(matches)?;
    let environment = env::read(variables)?;
    let template_flag = flags::typed(matches, flags::TEMPLATE).and_then(|mut typed| typed.pop());
    let template = template_flag.clone().or(environment.template);
    let file = match template {
        Some(path) => file::read(Path::new(&path))?,
        None => Layer::default(),
    };
    let values = Values::merge(&[&flags, &environment.layer, &file])?;
    let settings = build::build(&values, cores)?;
    let warnings = file
        .warnings
        .into_iter()
        .chain(environment.layer.warnings)
        .collect();
    Ok(Loaded {
        settings,
        warnings,
        values,
        template_flag,
    })
}
