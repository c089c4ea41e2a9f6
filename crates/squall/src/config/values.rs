//! The value in force of every setting, and where each came from.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use squall_access::{CertificateRule, RoleNetwork};
use squall_oidc::ClaimRole;

use super::account::Account;
use super::error::{ConfigError, Origin};
use super::kind::Kind;
use super::layer::{Given, Layer};
use super::link::LookupLink;
use super::network::{Endpoint, Network};
use super::shown::{HIDDEN, origin, public};
use super::syslog::SyslogTarget;
use super::table::{Setting, settings};
use super::value::{Value, parse};

/// A setting with its value in force.
#[derive(Debug)]
pub(crate) struct InForce {
    /// The setting.
    pub(crate) setting: &'static Setting,
    /// Its value.
    pub(crate) value: Value,
    /// Where the value came from.
    pub(crate) origin: Origin,
}

/// The value in force of every setting.
#[derive(Debug)]
pub(crate) struct Values(Vec<InForce>);

impl Values {
    /// Takes every setting from the first layer that has it, or its default.
    ///
    /// # Errors
    ///
    /// Returns an error if a value is not what its setting takes. A value that
    /// another overrules is not looked at.
    pub(crate) fn merge(layers: &[&Layer]) -> Result<Self, ConfigError> {
        settings()
            .map(|setting| {
                let given = layers
                    .iter()
                    .find_map(|layer| layer.get(setting))
                    .cloned()
                    .unwrap_or_else(|| default(setting));
                understand(setting, given)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns all of them, in the table's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &InForce> {
        self.0.iter()
    }

    fn get(&self, name: &'static str) -> Result<&InForce, ConfigError> {
        self.0
            .iter()
            .find(|in_force| in_force.setting.name == name)
            .ok_or(ConfigError::Inconsistent { setting: name })
    }

    /// Returns where the value of a setting came from.
    ///
    /// This and the methods below return an error only if the table lacks the
    /// setting or has it with another kind. Since all of them are called for
    /// every configuration there is, the first test would show it.
    pub(crate) fn origin(&self, name: &'static str) -> Result<Origin, ConfigError> {
        self.get(name).map(|in_force| in_force.origin.clone())
    }

    /// Returns a setting that is true or false.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        self.pick(name, |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    /// Returns a setting that is a whole number, as the type it is needed in.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, name: &'static str) -> Result<T, ConfigError> {
        self.pick(name, |value| match value {
            Value::Integer(number) => T::try_from(*number).ok(),
            _ => None,
        })
    }

    /// Returns a setting that is a number of bytes.
    pub(crate) fn size(&self, name: &'static str) -> Result<u64, ConfigError> {
        self.pick(name, |value| match value {
            Value::Size(bytes) => Some(*bytes),
            _ => None,
        })
    }

    /// Returns a setting that is a length of time.
    pub(crate) fn duration(&self, name: &'static str) -> Result<Duration, ConfigError> {
        self.pick(name, |value| match value {
            Value::Duration(time) => Some(*time),
            _ => None,
        })
    }

    /// Returns a setting that is a host or a word.
    pub(crate) fn text(&self, name: &'static str) -> Result<String, ConfigError> {
        self.pick(name, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a path, if it is set.
    pub(crate) fn path(&self, name: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Unset => Some(None),
            Value::Path(path) => Some(Some(path.clone())),
            _ => None,
        })
    }

    /// Returns a setting that is a list of paths.
    pub(crate) fn paths(&self, name: &'static str) -> Result<Vec<PathBuf>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Paths(paths) => Some(paths.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of networks.
    pub(crate) fn networks(&self, name: &'static str) -> Result<Vec<Network>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Networks(networks) => Some(networks.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of host names.
    pub(crate) fn hosts(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Hosts(hosts) => Some(hosts.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is an address with a port, if it is set.
    pub(crate) fn endpoint(&self, name: &'static str) -> Result<Option<Endpoint>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Unset => Some(None),
            Value::Endpoint(endpoint) => Some(Some(endpoint.clone())),
            _ => None,
        })
    }

    /// Returns a setting that is a user, if it is set.
    pub(crate) fn account(&self, name: &'static str) -> Result<Option<Account>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Unset => Some(None),
            Value::Account(account) => Some(Some(account.clone())),
            _ => None,
        })
    }

    /// Returns a setting that is a list of rules on client certificates.
    pub(crate) fn certificate_rules(
        &self,
        name: &'static str,
    ) -> Result<Vec<CertificateRule>, ConfigError> {
        self.pick(name, |value| match value {
            Value::CertificateRules(rules) => Some(rules.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of roles with networks.
    pub(crate) fn role_networks(
        &self,
        name: &'static str,
    ) -> Result<Vec<RoleNetwork>, ConfigError> {
        self.pick(name, |value| match value {
            Value::RoleNetworks(networks) => Some(networks.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of roles with values of a claim.
    pub(crate) fn claim_roles(&self, name: &'static str) -> Result<Vec<ClaimRole>, ConfigError> {
        self.pick(name, |value| match value {
            Value::ClaimRoles(roles) => Some(roles.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of syslog receivers.
    pub(crate) fn syslog_targets(
        &self,
        name: &'static str,
    ) -> Result<Vec<SyslogTarget>, ConfigError> {
        self.pick(name, |value| match value {
            Value::SyslogTargets(targets) => Some(targets.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of addresses.
    pub(crate) fn addresses(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Addresses(addresses) => Some(addresses.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is an address or a text, if it is set.
    pub(crate) fn address(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Unset => Some(None),
            Value::Text(text) => Some(Some(text.clone())),
            _ => None,
        })
    }

    /// Returns a setting that is a list of passwords.
    pub(crate) fn passwords(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Passwords(passwords) => Some(passwords.clone()),
            _ => None,
        })
    }

    /// Returns a setting that is a list of links.
    pub(crate) fn links(&self, name: &'static str) -> Result<Vec<LookupLink>, ConfigError> {
        self.pick(name, |value| match value {
            Value::Links(links) => Some(links.clone()),
            _ => None,
        })
    }

    fn pick<T>(
        &self,
        name: &'static str,
        as_kind: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, ConfigError> {
        as_kind(&self.get(name)?.value).ok_or(ConfigError::Inconsistent { setting: name })
    }
}

fn default(setting: &Setting) -> Given {
    Given {
        values: vec![OsString::from(setting.default)],
        origin: Origin::Default,
    }
}

fn understand(setting: &'static Setting, given: Given) -> Result<InForce, ConfigError> {
    match parse(setting.kind, &given.values) {
        Ok(value) => Ok(InForce {
            setting,
            value,
            origin: given.origin,
        }),
        Err(refusal) => Err(ConfigError::Value {
            setting: setting.name,
            origin: given.origin,
            value: match setting.kind {
                kind if kind.is_secret() => HIDDEN.to_owned(),
                Kind::Address | Kind::Addresses => origin(&refusal.value),
                _ => public(&refusal.value),
            },
            expected: refusal.expected,
        }),
    }
}
