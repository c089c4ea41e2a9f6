//! The flags of `squall serve`, made from the table of settings.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, builder::OsStringValueParser};

use super::error::{ConfigError, Origin};
use super::kind::Kind;
use super::layer::{Given, Layer};
use super::table::{SECTIONS, Setting, env_name};

/// The flag that names the configuration file.
pub(crate) const TEMPLATE: &str = "template";

/// Returns the flags that set settings, and the one that names the file.
pub(crate) fn serve_args() -> Vec<Arg> {
    let settings = SECTIONS.iter().flat_map(|section| {
        section
            .settings
            .iter()
            .map(|setting| arg(setting).help_heading(section.heading))
    });
    std::iter::once(template_arg()).chain(settings).collect()
}

/// Returns the flags of some settings, by their names; [`TEMPLATE`] is one.
/// They are not shown in the short help: a command that has them does
/// something else in the first place.
pub(crate) fn args_of(names: &[&str]) -> Vec<Arg> {
    serve_args()
        .into_iter()
        .filter(|arg| names.iter().any(|name| arg.get_id() == *name))
        .map(|arg| beside_paths(arg).hide_short_help(true))
        .collect()
}

/// The settings that `squall scan` has a use for: how files are scanned, and how
/// lines of text are written. The others are about receiving and keeping samples.
const SCAN_SECTIONS: [&str; 4] = ["Scanning", "Signatures", "Unpacking", "Levels"];

/// Settings in those sections that only a service has a use for.
const SERVICE_ONLY: [&str; 6] = [
    "sync-only-threads",
    "verdict-cache-size",
    "signature-update-interval",
    "signature-sources",
    "signature-public-key",
    "watch-signatures",
];

/// Settings in other sections that a scan has a use for, too.
const SCAN_TOO: [&str; 3] = ["utc", "rfc3339", "log-level"];

/// Returns the flags of `squall scan` that set settings, and the one that names
/// the file. All of them mean what they mean to the service; what the file says
/// about other settings has no effect on a scan.
pub(crate) fn scan_args() -> Vec<Arg> {
    let settings = SECTIONS.iter().flat_map(|section| {
        let all = SCAN_SECTIONS.contains(&section.heading);
        section
            .settings
            .iter()
            .filter(move |setting| {
                SCAN_TOO.contains(&setting.name) || (all && !SERVICE_ONLY.contains(&setting.name))
            })
            .map(|setting| beside_paths(arg(setting)).help_heading(section.heading))
    });
    std::iter::once(template_arg()).chain(settings).collect()
}

/// Makes a flag of a command that also takes paths: in `--noarchive /var/www`
/// the path is no value of the flag.
fn beside_paths(arg: Arg) -> Arg {
    let is_switch = arg
        .get_num_args()
        .is_some_and(|count| count.min_values() == 0);
    arg.require_equals(is_switch)
}

fn template_arg() -> Arg {
    Arg::new(TEMPLATE)
        .short('t')
        .long(TEMPLATE)
        .alias("config")
        .value_name("FILE")
        .value_parser(OsStringValueParser::new())
        .overrides_with(TEMPLATE)
        .help(format!(
            "Configuration file in YAML; its keys are these flags without the dashes. \
             Flags go before the environment, the environment before the file [env: {}]",
            env_name(TEMPLATE)
        ))
}

fn arg(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.name)
        .long(setting.name)
        .visible_aliases(setting.aliases)
        .value_name(setting.kind.placeholder())
        .value_parser(OsStringValueParser::new())
        // So that `--threads -2` is a value and not a flag.
        .allow_negative_numbers(true)
        .help(help(setting));
    match setting.kind {
        kind if kind.is_list() => arg.action(ArgAction::Append),
        Kind::Flag => arg
            .num_args(0..=1)
            .default_missing_value("true")
            .overrides_with(setting.name),
        // The last one wins, so that a wrapper script's flag can be overruled.
        _ => arg.overrides_with(setting.name),
    }
}

/// Returns the help text: what the setting does, its default and its variable.
fn help(setting: &Setting) -> String {
    let default = match setting.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    format!(
        "{}{default} [env: {}]",
        setting.help,
        env_name(setting.name)
    )
}

/// Returns what the flags say about settings.
///
/// # Errors
///
/// Returns an error if a setting is given twice.
pub(crate) fn read(matches: &ArgMatches) -> Result<Layer, ConfigError> {
    let mut layer = Layer::default();
    for setting in super::table::settings() {
        if let Some(values) = typed(matches, setting.name) {
            let origin = Origin::Flag {
                flag: format!("--{}", setting.name),
            };
            layer.add(setting, Given { values, origin })?;
        }
    }
    Ok(layer)
}

/// Returns what was typed for a flag; `None` also for a flag that the command
/// at hand does not have.
pub(crate) fn typed(matches: &ArgMatches, name: &str) -> Option<Vec<OsString>> {
    let values = matches.try_get_many::<OsString>(name).ok().flatten()?;
    Some(values.cloned().collect())
}
