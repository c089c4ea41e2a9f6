//! Lists the configuration in force, for `squall check-config`.

use std::fmt::Write as _;

use super::Loaded;
use super::settings::Settings;
use super::shown::{HIDDEN, public, public_texts};
use super::table::SECTIONS;
use super::values::InForce;

/// The column at which comments begin, where there is room.
const COMMENT_COLUMN: usize = 44;

/// Whether secrets are part of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// They are left out: listings end up in tickets.
    Hidden,
    /// They are, so that the listing gives the same configuration.
    Shown,
}

/// Returns the configuration in force as a configuration file, with where each
/// value came from in a comment.
pub(crate) fn describe(loaded: &Loaded, secrets: Secrets) -> String {
    let mut text = String::new();
    for section in &SECTIONS {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "# {}", section.heading);
        let in_section = |in_force: &&InForce| {
            section
                .settings
                .iter()
                .any(|setting| setting.name == in_force.setting.name)
        };
        for in_force in loaded.values.iter().filter(in_section) {
            let _ = writeln!(text, "{}", line(in_force, &loaded.settings, secrets));
        }
    }
    text
}

/// Returns a setting's line. One without a value is commented out, so that the
/// listing can be used as a file.
fn line(in_force: &InForce, settings: &Settings, secrets: Secrets) -> String {
    let InForce {
        setting,
        value,
        origin,
    } = in_force;
    let is_hidden = secrets == Secrets::Hidden && public_texts(in_force) != value.texts();
    let texts: Vec<String> = value.texts().iter().map(|text| scalar(text)).collect();
    let (entry, note) = match (texts.as_slice(), derived(setting.name, settings)) {
        _ if is_hidden => (
            format!("# {}: {HIDDEN}", setting.name),
            " (--show-secrets shows it)".to_owned(),
        ),
        (_, Some(Derived::Value(derived))) if texts.is_empty() => {
            let derived = match secrets {
                Secrets::Hidden => public(&derived),
                Secrets::Shown => derived,
            };
            (
                format!("{}: {}", setting.name, scalar(&derived)),
                String::new(),
            )
        }
        ([], _) if setting.kind.is_list() => (format!("{}: []", setting.name), String::new()),
        ([], _) => (format!("# {}:", setting.name), " (not set)".to_owned()),
        (texts, note) => {
            let value = match texts {
                [text] => text.clone(),
                texts => format!("[{}]", texts.join(", ")),
            };
            let note = match note {
                Some(Derived::Note(note)) => format!(" ({note})"),
                _ => String::new(),
            };
            (format!("{}: {value}", setting.name), note)
        }
    };
    let origin = origin.to_string().replace(|c: char| c.is_control(), "?");
    format!("{entry:<COMMENT_COLUMN$} # {origin}{note}")
}

/// What becomes of a value that leaves a choice to the service.
enum Derived {
    /// The value that stands in for one that is not set.
    Value(String),
    /// A remark on the value.
    Note(String),
}

fn derived(name: &str, settings: &Settings) -> Option<Derived> {
    match name {
        "threads" => Some(Derived::Note(format!(
            "{} in use",
            settings.workers.threads
        ))),
        "queue-storage" => Some(Derived::Value(settings.queue.dir.display().to_string())),
        "audit-log" => Some(Derived::Value(
            settings.access.audit_log.display().to_string(),
        )),
        "findings-db" => {
            let path = settings.findings.as_ref().map(|store| &store.path);
            path.map(|path| Derived::Value(path.display().to_string()))
        }
        "server-upload-dir" => Some(Derived::Value(settings.samples.dir.display().to_string())),
        _ => None,
    }
}

/// Writes a value as YAML, in quotes unless it is plain beyond doubt.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "./_-".contains(c))
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "./_-:".contains(c))
        && !text.ends_with(':')
        && !text.starts_with("- ")
        && text != "-"
        && !is_fraction(text)
        && !text.eq_ignore_ascii_case("null");
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Tells whether YAML would take text for a number with a fraction.
fn is_fraction(text: &str) -> bool {
    text.parse::<i64>().is_err() && text.parse::<f64>().is_ok()
}
