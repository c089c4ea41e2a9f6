//! What is secret is shown nowhere, whichever setting holds it and wherever it
//! was given.

use super::super::kind::Kind;
use super::super::table::{Setting, env_name, settings};
use super::super::{Loaded, Secrets, arguments, describe, shown};
use super::Case;

/// What must never be seen.
const SECRET: &str = "hunter2-k3Y";

/// Returns a value with a secret in it, if the setting takes one.
fn value(setting: &Setting) -> Option<String> {
    match setting.kind {
        Kind::Passwords => Some(SECRET.to_owned()),
        Kind::Headers => Some(format!("Authorization=Bearer {SECRET}")),
        // Of a receiver the path is secret as well.
        Kind::Address | Kind::Addresses => Some(format!(
            "https://ana:{SECRET}@hooks.example/{SECRET}?key={SECRET}"
        )),
        Kind::Path | Kind::Paths => Some(format!(
            "https://ana:{SECRET}@sets.example/a.zip?key={SECRET}"
        )),
        _ => None,
    }
}

/// Everything that is said of a configuration in force.
fn said(loaded: &Loaded) -> String {
    format!(
        "{:?} {:?} {} {:?}",
        shown(loaded),
        arguments(loaded),
        describe(loaded, Secrets::Hidden),
        loaded.warnings
    )
}

#[test]
fn secrets_of_every_setting_are_hidden() {
    let mut tried = Vec::new();
    for setting in settings() {
        let Some(value) = value(setting) else {
            continue;
        };
        let flag = format!("--{}={value}", setting.name);
        for case in [
            Case::new().flags(&[&flag]),
            Case::new().env(&env_name(setting.name), &value),
            Case::new().file(format!("{}: \"{value}\"\n", setting.name)),
        ] {
            // Some cannot be set alone; nor do they hold addresses.
            match case.load() {
                Ok(loaded) => {
                    let said = said(&loaded);
                    assert!(!said.contains(SECRET), "{}: {said}", setting.name);
                    assert!(said.contains("(hidden)"), "{}: {said}", setting.name);
                    tried.push(setting.name);
                }
                Err(error) => assert!(!error.contains(SECRET), "{}: {error}", setting.name),
            }
        }
    }
    for name in [
        "archive-password",
        "signature-sources",
        "webhook",
        "webhook-secret",
    ] {
        let ways = tried.iter().filter(|tried| **tried == name).count();
        assert_eq!(ways, 3, "{name}");
    }
}

#[test]
fn a_receiver_that_is_refused_is_not_shown_either() {
    for value in [
        format!("ftp://ana:{SECRET}@hooks.example/{SECRET}"),
        format!("hooks.example/{SECRET}"),
    ] {
        let error = Case::new().flags(&["--webhook", &value]).load();
        let error = error.err().unwrap();
        assert!(!error.contains(SECRET), "{error}");
        assert!(error.contains("webhook"), "{error}");
    }
}

#[test]
fn a_setting_that_is_named_like_a_secret_is_one() {
    for setting in settings() {
        let is_named_so = ["password", "secret", "token", "credential"]
            .iter()
            .any(|word| setting.name.contains(word));
        let holds_none = matches!(
            setting.kind,
            Kind::Flag
                | Kind::Integer { .. }
                | Kind::Duration { .. }
                | Kind::Choice(_)
                | Kind::Path
        );
        assert!(
            !is_named_so || holds_none || setting.kind.is_secret(),
            "{}",
            setting.name
        );
    }
}

#[test]
fn the_command_line_is_shown_as_it_was_understood() {
    let loaded = Case::new()
        .flags(&["--port", "99", "--utc", "--archive-password", SECRET])
        .flags(&["--trusted-proxy=10.0.0.1", "--trusted-proxy", "10.1.0.0/16"])
        .env("SQUALL_THREADS", "2")
        .ok();
    assert_eq!(
        arguments(&loaded),
        [
            "serve",
            "--server-port=99",
            "--trusted-proxy=10.0.0.1",
            "--trusted-proxy=10.1.0.0/16",
            "--archive-password=(hidden)",
            "--utc=true",
        ]
    );
}

#[test]
fn a_listing_shows_secrets_on_request_only() {
    let loaded = Case::new().flags(&["--archive-password", SECRET]).ok();
    let shown = describe(&loaded, Secrets::Shown);
    assert!(shown.contains(&format!("archive-password: {SECRET}")));
    let hidden = describe(&loaded, Secrets::Hidden);
    assert!(hidden.contains("# archive-password: (hidden)"), "{hidden}");
}
