//! What one place, such as the file, says about settings.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::error::{ConfigError, Origin};
use super::table::Setting;

/// What was given for a setting, not yet understood.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The value, or the values of a list.
    pub(crate) values: Vec<OsString>,
    /// Where it was given.
    pub(crate) origin: Origin,
}

/// What one place says about settings.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    given: BTreeMap<&'static str, Given>,
    /// What its author should know.
    pub(crate) warnings: Vec<String>,
}

impl Layer {
    /// Notes what was given for a setting.
    ///
    /// # Errors
    ///
    /// Returns an error if the setting was given before, under another of its
    /// names: which one is meant is not for us to guess.
    pub(crate) fn add(
        &mut self,
        setting: &'static Setting,
        given: Given,
    ) -> Result<(), ConfigError> {
        let second = given.origin.clone();
        match self.given.insert(setting.name, given) {
            None => Ok(()),
            Some(first) => Err(ConfigError::SetTwice {
                setting: setting.name,
                first: Box::new(first.origin),
                second: Box::new(second),
            }),
        }
    }

    /// Returns what was given for a setting.
    pub(crate) fn get(&self, setting: &Setting) -> Option<&Given> {
        self.given.get(setting.name)
    }
}
