//! Settings from environment variables, `SQUALL_` and the name of a setting.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::error::{ConfigError, Origin, quoted};
use super::flags::TEMPLATE;
use super::kind::Kind;
use super::layer::{Given, Layer};
use super::nearest::is_misspelling;
use super::table::{env_name, settings};

/// What every variable of ours begins with.
const PREFIX: &str = "SQUALL_";

/// What the environment says.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// About settings.
    pub(crate) layer: Layer,
    /// About the configuration file.
    pub(crate) template: Option<OsString>,
}

/// Returns what environment variables say.
///
/// An empty variable counts as one that is not there, because container tools
/// can hardly leave one out.
///
/// # Errors
///
/// Returns an error if a setting is given twice, under two names.
pub(crate) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Environment, ConfigError> {
    let mut ours: BTreeMap<String, OsString> = variables
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let mut environment = Environment {
        template: ours.remove(&env_name(TEMPLATE)),
        ..Environment::default()
    };
    let layer = &mut environment.layer;
    for setting in settings() {
        for variable in setting.spellings().map(env_name) {
            let Some(value) = ours.remove(&variable) else {
                continue;
            };
            if is_service_link(&value) {
                layer.warnings.push(format!(
                    "environment variable {} is ignored: it looks like the service link that \
                     Kubernetes sets for a service of the name `squall`",
                    quoted(&variable)
                ));
                continue;
            }
            let values = split(setting.kind, value);
            let origin = Origin::Env { variable };
            layer.add(setting, Given { values, origin })?;
        }
    }
    layer
        .warnings
        .extend(ours.keys().filter_map(|name| misspelling(name)));
    Ok(environment)
}

/// Tells whether a value is one that Kubernetes sets by itself: in a cluster
/// with a service `squall` every container has `SQUALL_PORT=tcp://…`, which
/// nobody meant for our port.
fn is_service_link(value: &OsStr) -> bool {
    value
        .to_str()
        .is_some_and(|text| text.starts_with("tcp://") || text.starts_with("udp://"))
}

/// Splits the value of a list at its commas, or what its kind has instead.
fn split(kind: Kind, value: OsString) -> Vec<OsString> {
    match value.to_str() {
        Some(text) if kind.is_list() => text
            .split(kind.separator())
            .map(|item| OsString::from(item.trim()))
            .collect(),
        _ => vec![value],
    }
}

/// Returns a warning if a variable that is not ours is spelled almost like one
/// of ours. Others share the prefix (service links, tests), so an unknown one
/// is no error, unlike a key of the file.
fn misspelling(name: &str) -> Option<String> {
    let nearest = settings()
        .flat_map(|setting| setting.spellings())
        .map(env_name)
        .find(|known| is_misspelling(name, known))?;
    Some(format!(
        "environment variable {} is ignored: no setting has that name; did you mean `{nearest}`?",
        quoted(name)
    ))
}
