//! What the operator reads when something is wrong.

use super::super::kind::Kind;
use super::super::table::settings;
use super::Case;

#[test]
fn an_unknown_key_names_file_line_and_the_nearest_known_one() {
    for (key, nearest) in [
        ("server-prot", "server-port"),
        ("sever-host", "server-host"),
        ("thread", "threads"),
        ("max-filesize", "max-file-size"),
        ("licence-path", "license-path"),
        ("signature", "signatures"),
        ("--server-port", "server-port"),
    ] {
        let text = format!("utc: true\n\n{key}: 1\n");
        assert_eq!(
            Case::new().file(text).error(),
            format!(
                "unknown setting `{key}` in configuration file `squall.yml`, line 3; \
                 the nearest known one is `{nearest}`"
            )
        );
    }
}

#[test]
fn an_unknown_key_cannot_forge_lines_or_fill_the_screen() {
    let error = Case::new().file("\"a\\nfake line\\e[31m\": 1\n").error();
    assert!(!error.contains('\n'), "{error}");
    assert!(!error.contains('\u{1b}'), "{error}");
    let error = Case::new()
        .file(format!("{}: 1\n", "k".repeat(900)))
        .error();
    assert!(error.contains('…'), "{error}");
    assert!(error.len() < 400, "{error}");
}

#[test]
fn an_unknown_flag_is_refused_by_name() {
    let error = Case::new().flags(&["--server-prot", "1"]).error();
    assert!(
        error.contains("unexpected argument '--server-prot'"),
        "{error}"
    );
    assert!(error.contains("--server-port"), "{error}");
}

#[test]
fn a_wrong_value_names_setting_origin_value_and_what_is_expected() {
    assert_eq!(
        Case::new().flags(&["--port", "99999"]).error(),
        "cannot use `99999` for `server-port` (flag `--server-port`): \
         expected a whole number from 0 to 65535"
    );
    assert_eq!(
        Case::new().env("SQUALL_PORT", "x").error(),
        "cannot use `x` for `server-port` (environment variable `SQUALL_PORT`): \
         expected a whole number from 0 to 65535"
    );
    assert_eq!(
        Case::new().file("utc: 1\nmax-file-size: many\n").error(),
        "cannot use `many` for `max_file_size` (squall.yml, line 2, key `max-file-size`): \
         expected a size such as 200MB, 1G or a number of bytes, at least 1"
    );
    assert_eq!(
        Case::new().flags(&["--resolve-timeout", "1s"]).error(),
        "cannot use `1s` for `resolve-timeout` (flag `--resolve-timeout`): expected a time \
         such as 500ms, 30s, 5m, 1h or a number of seconds, from 1ms to 200ms"
    );
    assert_eq!(
        Case::new()
            .flags(&["--server-store-samples", "some"])
            .error(),
        "cannot use `some` for `server-store-samples` (flag `--server-store-samples`): \
         expected one of none, malicious, all"
    );
    assert_eq!(
        Case::new().flags(&["--host", "0.0.0.0:80"]).error(),
        "cannot use `0.0.0.0:80` for `server-host` (flag `--server-host`): \
         expected an IP address or a host name, without a port"
    );
    assert_eq!(
        Case::new()
            .env("SQUALL_TRUSTED_PROXY", "10.0.0.1,10.0.0.0/40")
            .error(),
        "cannot use `10.0.0.0/40` for `trusted-proxy` (environment variable \
         `SQUALL_TRUSTED_PROXY`): expected an IP address or a network such as 10.0.0.0/8"
    );
    assert_eq!(
        Case::new().flags(&["--utc", "perhaps"]).error(),
        "cannot use `perhaps` for `utc` (flag `--utc`): expected true or false"
    );
    assert_eq!(
        Case::new().flags(&["--syslog", "siem:x"]).error(),
        "cannot use `siem:x` for `syslog` (flag `--syslog`): expected \
         HOST[:PORT[:FORMAT[:PROTOCOL]]] with FORMAT one of DEFAULT, CEF, JSON, SYSLOGJSON, \
         SYSLOGKV and PROTOCOL one of UDP, TCP, TCPTLS"
    );
    assert_eq!(
        Case::new().flags(&["--data-dir", ""]).error(),
        "cannot use `` for `data-dir` (flag `--data-dir`): expected a path"
    );
}

#[test]
fn a_value_of_the_wrong_shape_is_named() {
    assert_eq!(
        Case::new().file("server-port: [1, 2]\n").error(),
        "cannot use `1, 2` for `server-port` (squall.yml, line 1, key `server-port`): \
         expected a whole number from 0 to 65535, once"
    );
    assert_eq!(
        Case::new().file("logfile: {a: 1}\n").error(),
        "cannot use `a mapping` for `logfile` (squall.yml, line 1, key `logfile`): expected a path"
    );
    assert_eq!(
        Case::new().file("logfile: 1.10\n").error(),
        "cannot use `a number with a fraction (text needs quotes)` for `logfile` \
         (squall.yml, line 1, key `logfile`): expected a path"
    );
    assert_eq!(
        Case::new().file("signatures: [[a]]\n").error(),
        "cannot use `a list in a list` for `signatures` (squall.yml, line 1, key `signatures`): \
         expected a path, or a list of paths"
    );
}

#[test]
fn every_bad_value_of_every_setting_is_an_error_that_names_it() {
    for setting in settings() {
        // Any text is a path, a password, and a text.
        if matches!(
            setting.kind,
            Kind::Path | Kind::Paths | Kind::Passwords | Kind::Text
        ) {
            continue;
        }
        let error = Case::new()
            .file(format!("{}: '?'\n", setting.name.replace('-', "_")))
            .error();
        assert!(error.contains(setting.name), "{error}");
        let error = Case::new()
            .flags(&[&format!("--{}=?", setting.name)])
            .error();
        // What is no address may be a secret.
        let shown = match setting.kind {
            Kind::Address | Kind::Addresses | Kind::Headers => "(hidden)",
            _ => "?",
        };
        assert!(
            error.starts_with(&format!("cannot use `{shown}` for `{}`", setting.name)),
            "{error}"
        );
    }
}

#[test]
fn a_setting_under_two_names_in_one_place_is_an_error() {
    assert_eq!(
        Case::new().file("host: a\nserver-host: b\n").error(),
        "`server-host` is set twice: squall.yml, line 1, key `host`; \
         squall.yml, line 2, key `server-host`"
    );
    assert_eq!(
        Case::new().file("utc: true\nutc: false\n").error(),
        "`utc` is set twice: squall.yml, line 1, key `utc`; squall.yml, line 2, key `utc`"
    );
    assert_eq!(
        Case::new()
            .env("SQUALL_HOST", "a")
            .env("SQUALL_SERVER_HOST", "b")
            .error(),
        "`server-host` is set twice: environment variable `SQUALL_SERVER_HOST`; \
         environment variable `SQUALL_HOST`"
    );
}

#[test]
fn settings_that_contradict_each_other_say_what_to_do() {
    assert_eq!(
        Case::new().flags(&["--server-cert", "c.pem"]).error(),
        "`server-cert` is set but `server-key` is not (flag `--server-cert`): name the private \
         key of that certificate in `server-key`, or set `server-cert` to `auto` for a \
         self-signed one"
    );
    assert_eq!(
        Case::new().env("SQUALL_KEY", "k.pem").error(),
        "`server-key` is set but `server-cert` is not (environment variable `SQUALL_KEY`): name \
         the certificate of that key in `server-cert`"
    );
    assert_eq!(
        Case::new()
            .flags(&["--cert", "auto", "--key", "k.pem"])
            .error(),
        "`server-key` is set but `server-cert` is `auto`, which makes its own key (flag \
         `--server-key`): leave out `server-key`, or name the certificate of that key in \
         `server-cert`"
    );
    assert_eq!(
        Case::new()
            .file("threads: 4\nsync-only-threads: 4\n")
            .error(),
        "`sync-only-threads` is 4 of 4 scan thread(s), so that none would be left to scan the \
         queue (squall.yml, line 2, key `sync-only-threads`): lower `sync-only-threads` or raise \
         `threads`"
    );
    assert_eq!(
        Case::new().flags(&["--notice", "70"]).error(),
        "`warning` is 60 but `notice` is 70 (default): `notice` must not be above `warning`, \
         nor `warning` above `alert`"
    );
    assert_eq!(
        Case::new().flags(&["--alert", "50"]).error(),
        "`alert` is 50 but `warning` is 60 (flag `--alert`): `notice` must not be above \
         `warning`, nor `warning` above `alert`"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    assert_eq!(
        Case::new().flags(&["-t", "/nowhere/x.yml"]).error(),
        "cannot read configuration file `/nowhere/x.yml`: No such file or directory (os error 2)"
    );
    assert_eq!(
        Case::new().file(b"a: \xff".as_slice()).error(),
        "configuration file `squall.yml` is not UTF-8 text"
    );
    assert_eq!(
        Case::new().file(vec![b'#'; (1 << 20) + 1]).error(),
        "configuration file `squall.yml` is larger than 1048576 bytes"
    );
    assert_eq!(
        Case::new().file("- a\n").error(),
        "cannot read configuration file `squall.yml` as YAML: invalid type: sequence, expected \
         settings, each on a line as `name: value`"
    );
}

#[test]
fn variables_that_are_not_ours_are_left_alone_unless_misspelled() {
    let loaded = Case::new()
        .env("SQUALL_PORT", "tcp://10.0.0.1:8080")
        .env("SQUALL_PORT_8080_TCP_ADDR", "10.0.0.1")
        .env("SQUALL_SERVICE_HOST", "10.0.0.1")
        .env("SQUALL_SERVER_PROT", "1")
        .env("PATH", "/bin")
        .ok();
    assert_eq!(loaded.settings.listen.port, 8080);
    assert_eq!(
        loaded.warnings,
        [
            "environment variable `SQUALL_PORT` is ignored: it looks like the service link that \
             Kubernetes sets for a service of the name `squall`",
            "environment variable `SQUALL_SERVER_PROT` is ignored: no setting has that name; \
             did you mean `SQUALL_SERVER_PORT`?",
        ]
    );
}
