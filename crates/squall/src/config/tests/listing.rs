//! The listing of `check-config`, `--help` and the default file.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::Command;

use super::super::kind::Kind;
use super::super::table::{SECTIONS, env_name, settings};
use super::super::value::parse;
use super::super::{Secrets, describe, file, serve_args, values};
use super::Case;

/// The default configuration that comes with the program.
const DEFAULT_FILE: &str = include_str!("../../../../../config/squall.yml");

#[test]
fn names_are_unique() {
    let mut seen = BTreeSet::new();
    for setting in settings() {
        for name in setting.spellings().map(env_name) {
            // `max_file_size` and `max-file-size` share a variable.
            let again = !seen.insert((name.clone(), setting.name));
            assert!(!again || setting.name == "max_file_size", "{name}");
        }
    }
    let variables: BTreeSet<_> = seen.iter().map(|(name, _)| name).collect();
    assert_eq!(variables.len(), seen.len());
}

#[test]
fn every_default_is_a_valid_value() {
    for setting in settings() {
        let given = [OsString::from(setting.default)];
        assert!(parse(setting.kind, &given).is_ok(), "{}", setting.name);
    }
}

#[test]
fn the_listing_names_every_setting_with_value_and_origin() {
    let loaded = Case::new()
        .file("threads: -3\n")
        .env("SQUALL_SIGNATURES", "a,b c")
        .flags(&["--port", "99"])
        .ok();
    let text = describe(&loaded, Secrets::Shown);
    let has = |start: &str, end: &str| {
        assert!(
            text.lines()
                .any(|line| line.starts_with(start) && line.ends_with(end)),
            "{start} … {end} in\n{text}"
        );
    };
    has(
        "threads: -3 ",
        "squall.yml, line 1, key `threads` (5 in use)",
    );
    has(
        "signatures: [a, \"b c\"] ",
        "# environment variable `SQUALL_SIGNATURES`",
    );
    has("server-port: 99 ", "# flag `--server-port`");
    has("queue-storage: ./squall-data/queue ", "# default");
    has("# server-cert: ", "# default (not set)");
    has("trusted-proxy: [] ", "# default");
    for section in &SECTIONS {
        has(&format!("# {}", section.heading), section.heading);
        for setting in section.settings {
            let entry = format!("{}: ", setting.name);
            let is_entry = |line: &&str| line.trim_start_matches("# ").starts_with(&entry);
            assert_eq!(text.lines().filter(is_entry).count(), 1, "{entry}");
        }
    }
}

#[test]
fn the_listing_is_a_file_that_gives_the_same_configuration() {
    let odd = "/l/a: \"b\" #c\\d\u{e9}\u{7}\n'";
    let case = Case::new()
        .flags(&["--logfile", odd, "--cert", "1.10", "--key", "null"])
        .flags(&["--custom-signatures=- x", "--custom-signatures=a, b]"])
        .flags(&["--syslog", "[fd00::1]:1:JSON", "--max-file-size", "3K"])
        .flags(&["--trusted-proxy", "fd00::/8", "--host", "::", "--utc"])
        .flags(&["--jsonfile", "~", "--data-dir", "-"]);
    let loaded = case.ok();
    let again = Case::new().file(describe(&loaded, Secrets::Shown)).ok();
    assert_eq!(again.settings, loaded.settings);
    assert_eq!(
        describe(&again, Secrets::Shown).lines().count(),
        describe(&loaded, Secrets::Shown).lines().count()
    );
}

#[test]
fn help_shows_every_setting_under_its_heading() {
    let mut command = Command::new("serve").args(serve_args());
    command.build();
    let help = command.render_long_help().to_string();
    for section in &SECTIONS {
        assert!(help.contains(&format!("{}:\n", section.heading)));
    }
    for setting in settings() {
        assert!(
            help.contains(&format!("--{} ", setting.name)),
            "{}",
            setting.name
        );
        assert!(help.contains(&env_name(setting.name)), "{}", setting.name);
    }
    assert!(help.contains("[default: 250000]"));
    assert!(help.contains("[alias: --result-cache-size]"));
    command.debug_assert();
}

/// Returns the settings that the default file states, in order.
fn stated() -> Vec<(&'static str, &'static str)> {
    DEFAULT_FILE
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(|line| line.split_once(": ").unwrap())
        .collect()
}

#[test]
fn the_default_file_sets_nothing() {
    let loaded = Case::new().file(DEFAULT_FILE).ok();
    assert_eq!(loaded.settings, Case::new().ok().settings);
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn the_default_file_names_every_setting_in_the_tables_order() {
    let names: Vec<_> = stated().into_iter().map(|(name, _)| name).collect();
    let expected: Vec<_> = settings().map(|setting| setting.name).collect();
    assert_eq!(names, expected);
    for section in &SECTIONS {
        assert!(DEFAULT_FILE.contains(&format!("# --- {} -", section.heading)));
    }
}

#[test]
fn the_defaults_that_the_default_file_states_are_the_real_ones() {
    for (setting, (_, text)) in settings().zip(stated()) {
        if setting.default.is_empty() {
            // There the line is an example, and the default is in words.
            let line = format!("#{}: ", setting.name);
            let before = DEFAULT_FILE.split(&line).next().unwrap();
            let said = before.lines().last().unwrap();
            assert!(said.starts_with("# Default: "), "{}: {said}", setting.name);
            continue;
        }
        let value = |text: &str| parse(setting.kind, &[OsString::from(text)]).unwrap();
        assert_eq!(value(text), value(setting.default), "{}", setting.name);
    }
}

#[test]
fn all_lines_of_the_default_file_work_when_they_are_put_in_force() {
    let text: String = DEFAULT_FILE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let layer = file::parse(Path::new("squall.yml"), &text).unwrap();
    assert!(layer.warnings.is_empty());
    let in_force = values::Values::merge(&[&layer]).unwrap();
    assert_eq!(in_force.iter().count(), settings().count());
    let loaded = Case::new().file(text).ok();
    assert_eq!(loaded.settings.outputs.syslog.len(), 2);
}

#[test]
fn lists_have_a_kind_that_says_so() {
    for setting in settings() {
        let repeatable = setting.help.contains("Repeatable");
        assert_eq!(setting.kind.is_list(), repeatable, "{}", setting.name);
        assert!(!matches!(setting.kind, Kind::Choice(words) if words.is_empty()));
    }
}
