//! Which layer wins, names, and lists.

use std::path::{Path, PathBuf};
use std::time::Duration;

use squall_access::Role;

use super::super::settings::{Durability, StoreSamples, Tls};
use super::super::table::{Setting, env_name, settings};
use super::{Case, login};

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let port = |case: Case| case.ok().settings.listen.port;
    let file = || Case::new().file("server-port: 1\n");
    assert_eq!(port(file()), 1);
    assert_eq!(port(file().env("SQUALL_SERVER_PORT", "2")), 2);
    assert_eq!(
        port(
            file()
                .env("SQUALL_SERVER_PORT", "2")
                .flags(&["--server-port", "3"])
        ),
        3
    );
    assert_eq!(port(file().flags(&["--server-port=3"])), 3);
}

#[test]
fn an_alias_in_one_layer_overrules_the_name_in_another() {
    let loaded = Case::new()
        .file("server-host: a.example\nresult-cache-size: 1\n")
        .env("SQUALL_HOST", "b.example")
        .flags(&["--server-result-cache-size", "2"])
        .ok();
    assert_eq!(loaded.settings.listen.host, "b.example");
    assert_eq!(loaded.settings.queue.results_max, 2);
}

/// Returns a value that differs from the setting's default and is valid alone.
fn other_value(setting: &Setting) -> &'static str {
    match setting.name {
        "server-host" => "0.0.0.0",
        "server-cert" => "auto",
        "server-key" => "key.pem",
        "admin-listen" => "127.0.0.2:8443",
        "client-auth" => "required",
        "certificate-role" => "submit=dn:CN=*,O=Example",
        "role-network" => "admin=10.0.0.0/8",
        "trusted-proxy" | "analyst" => "10.0.0.0/8",
        "reverse-dns" | "watch-signatures" => "false",
        "resolve-timeout" => "50ms",
        "header-timeout" | "body-timeout" | "idle-timeout" | "scan-timeout" => "7s",
        "access" => "tokens",
        "sandbox" => "off",
        "run-as" => "squall:adm",
        "allowed-hosts" => "squall.example",
        "insecure-open" | "token-in-url" | "pure-yara" | "noarchive" | "utc" | "rfc3339"
        | "syslog-rfc3164" => "true",
        "notice" => "41",
        "warning" => "61",
        "alert" => "82",
        "queue-durability" => "buffered",
        "server-store-samples" => "all",
        "log-level" => "debug",
        "lookup-link" => "Ours=https://lookup.example/{sha256}",
        "oidc-issuer" => "https://sso.example/other",
        "oidc-redirect-url" => "https://other.example/oidc/callback",
        "oidc-role" => "admin=3",
        "oidc-scopes" => "openid 3",
        "syslog" => "siem.example:514:DEFAULT:UDP",
        "syslog-framing" => "line-feed",
        "json-format" | "webhook-format" => "ecs",
        "webhook" => "https://hooks.example/x",
        "otlp-endpoint" => "https://collector.example/x",
        "otlp-header" => "x-key=3",
        "max_file_size"
        | "queue-max-bytes"
        | "disk-reserve"
        | "verdict-cache-size"
        | "syslog-length-limit"
        | "output-buffer-size"
        | "log-rotate-size" => "3MB",
        _ => "3",
    }
}

/// Loads with one setting given and returns its value and origin as listed.
fn listed(case: Case, setting: &Setting) -> (Vec<String>, String) {
    // A key needs a certificate, and client certificates an authority, which
    // needs TLS; a provider to log in at needs all that tells it.
    let case = match setting.name {
        "server-key" => case.flags(&["--cert", "cert.pem"]),
        "client-ca" => case.flags(&["--cert", "auto"]),
        "client-auth" | "client-crl" | "certificate-role" => {
            case.flags(&["--cert", "auto", "--client-ca", "ca.pem"])
        }
        name if name.starts_with("oidc-") => {
            let own = format!("--{name}=");
            let others = login::WHOLE.iter().filter(|flag| !flag.starts_with(&own));
            case.flags(&others.copied().collect::<Vec<_>>())
        }
        _ => case,
    };
    let loaded = case.ok();
    let in_force = loaded
        .values
        .iter()
        .find(|in_force| in_force.setting.name == setting.name)
        .unwrap();
    (in_force.value.texts(), in_force.origin.to_string())
}

#[test]
fn every_spelling_of_every_setting_works_as_flag_variable_and_key() {
    for setting in settings() {
        let value = other_value(setting);
        let expected = vec![value.to_owned()];
        for spelling in setting.spellings() {
            let flag = format!("--{spelling}={value}");
            let (values, origin) = listed(Case::new().flags(&[&flag]), setting);
            assert_eq!(values, expected, "{flag}");
            assert_eq!(origin, format!("flag `--{}`", setting.name));

            let variable = env_name(spelling);
            let (values, origin) = listed(Case::new().env(&variable, value), setting);
            assert_eq!(values, expected, "{variable}");
            assert_eq!(origin, format!("environment variable `{variable}`"));

            let entry = format!("{spelling}: \"{value}\"\n");
            let (values, origin) = listed(Case::new().file(entry.clone()), setting);
            assert_eq!(values, expected, "{entry}");
            assert!(origin.ends_with(&format!("squall.yml, line 1, key `{spelling}`")));
        }
        for spelling in setting.file_aliases {
            let entry = format!("{spelling}: \"{value}\"\n");
            assert_eq!(listed(Case::new().file(entry), setting).0, expected);
        }
    }
}

#[test]
fn the_file_may_mix_dashes_and_underscores() {
    let loaded = Case::new()
        .file("server_port: 81\nmax-file_size: 1K\n")
        .ok();
    assert_eq!(loaded.settings.listen.port, 81);
    assert_eq!(loaded.settings.limits.max_file_size_bytes, 1024);
}

#[test]
fn the_environment_can_name_the_file_and_a_flag_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("env.yml");
    std::fs::write(&path, "server-port: 91\n").unwrap();
    let path = path.to_str().unwrap();
    let loaded = Case::new().env("SQUALL_TEMPLATE", path).ok();
    assert_eq!(loaded.settings.listen.port, 91);
    let loaded = Case::new()
        .env("SQUALL_TEMPLATE", path)
        .file("server-port: 92\n")
        .ok();
    assert_eq!(loaded.settings.listen.port, 92);
}

#[test]
fn an_empty_variable_is_not_there() {
    let loaded = Case::new()
        .env("SQUALL_SERVER_PORT", "")
        .env("SQUALL_TEMPLATE", "")
        .ok();
    assert_eq!(loaded.settings.listen.port, 8080);
}

#[test]
fn a_bare_flag_is_true_and_the_last_of_two_wins() {
    let utc = |flags: &[&str]| Case::new().flags(flags).ok().settings.outputs.utc;
    assert!(utc(&["--utc"]));
    assert!(utc(&["--utc", "--rfc3339"]));
    assert!(!utc(&["--utc", "false"]));
    assert!(!utc(&["--utc", "--utc=off"]));
    let loaded = Case::new()
        .flags(&["--port", "1", "--server-port", "2"])
        .ok();
    assert_eq!(loaded.settings.listen.port, 2);
}

fn paths(texts: &[&str]) -> Vec<PathBuf> {
    texts.iter().map(PathBuf::from).collect()
}

#[test]
fn lists_are_repeated_flags_commas_in_variables_and_lists_or_one_value_in_files() {
    let dirs = |case: Case| case.ok().settings.signatures.dirs;
    let file = || Case::new().file("signatures: [a, b]\n");
    assert_eq!(dirs(file()), paths(&["a", "b"]));
    assert_eq!(
        dirs(Case::new().file("signatures:\n  - a\n")),
        paths(&["a"])
    );
    assert_eq!(dirs(Case::new().file("signatures: a\n")), paths(&["a"]));
    assert_eq!(
        dirs(file().env("SQUALL_SIGNATURES", "c, d,")),
        paths(&["c", "d"])
    );
    // A flag replaces the file's list and does not add to it.
    assert_eq!(
        dirs(file().flags(&["--signatures", "e,f", "--signatures", "g"])),
        paths(&["e,f", "g"])
    );
}

#[test]
fn directories_of_signatures_replace_the_built_in_set_unless_it_is_named() {
    let signatures = |flags: &[&str]| Case::new().flags(flags).ok().settings.signatures;
    assert!(!signatures(&["--signatures", "a"]).builtin);
    let both = signatures(&["--signatures", "built-in", "--signatures", "a"]);
    assert!(both.builtin);
    assert_eq!(both.dirs, paths(&["a"]));
    let custom = signatures(&["--custom-signatures", "mine"]);
    assert!(custom.builtin);
    assert_eq!(custom.custom, paths(&["mine"]));
    let empty = Case::new()
        .file("signatures: []\n")
        .ok()
        .settings
        .signatures;
    assert!(empty.builtin);
}

#[test]
fn certificates_come_as_files_or_are_made() {
    let tls = |flags: &[&str]| Case::new().flags(flags).ok().settings.listen.tls;
    assert_eq!(tls(&["--server-cert", "auto"]), Some(Tls::SelfSigned));
    assert_eq!(
        tls(&["--cert", "c.pem", "--key", "k.pem"]),
        Some(Tls::Files {
            cert: "c.pem".into(),
            key: "k.pem".into()
        })
    );
    // The original's container passes empty ones for plain HTTP.
    assert_eq!(tls(&["--cert", "", "--key="]), None);
}

#[test]
fn client_certificates_need_an_authority_and_tls() {
    let flags = ["--cert=auto", "--client-ca=ca.pem", "--client-crl=crl.pem"];
    let clients = |more: &[&str]| {
        let case = Case::new().flags(&flags).flags(more);
        case.ok().settings.listen.clients.unwrap()
    };
    let optional = clients(&[]);
    assert_eq!(optional.ca, Path::new("ca.pem"));
    assert_eq!(optional.crl.as_deref(), Some(Path::new("crl.pem")));
    assert!(!optional.required && clients(&["--client-auth", "Required"]).required);
    let plain = Case::new().flags(&flags[1..]).error();
    assert!(plain.contains("plain HTTP") && plain.contains("server-cert"));
    for alone in [
        "--client-crl=crl.pem",
        "--client-auth=required",
        "--certificate-role=read=cn:a",
    ] {
        let error = Case::new().flags(&["--cert=auto", alone]).error();
        assert!(error.contains("without `client-ca`"), "{error}");
    }
}

#[test]
fn rules_on_certificates_have_commas_and_contradict_nothing() {
    let rule = r"read=dn:CN=*,O=Example\, Inc.";
    let of = |case: Case| {
        let case = case.flags(&["--cert=auto", "--client-ca=ca.pem"]);
        case.ok().settings.access.certificates
    };
    let two = of(Case::new().flags(&[
        "--certificate-role",
        "read=dn:CN=*,O=Example",
        "--certificate-role",
        "admin=cn:ana",
    ]));
    let same = Case::new().env(
        "SQUALL_CERTIFICATE_ROLE",
        "read=dn:CN=*,O=Example; admin=cn:ana",
    );
    assert_eq!(of(same), two);
    let file = "certificate-role: ['read=dn:CN=*,O=Example', 'admin=cn:ana']\n";
    assert_eq!(of(Case::new().file(file)), two);
    assert!(!of(Case::new().flags(&["--certificate-role", rule])).is_empty());
    let company = ["--cert=auto", "--client-ca=ca.pem"];
    let both = [
        "--certificate-role=read=cn:a",
        "--certificate-role=admin=cn:a",
    ];
    let error = Case::new().flags(&company).flags(&both).error();
    assert!(error.contains("two roles"), "{error}");
    for wrong in ["cn:a", "root=cn:a", "read=a", "read=dn:a", "read=cn:*a*"] {
        let flag = format!("--certificate-role={wrong}");
        let error = Case::new().flags(&company).flags(&[&flag]).error();
        assert!(error.contains("ROLE=FIELD:NAME"), "{error}");
    }
    let open = ["--certificate-role=read=cn:a", "--insecure-open"];
    let error = Case::new().flags(&company).flags(&open).error();
    assert!(error.contains("lets everybody in"), "{error}");
}

#[test]
fn roles_have_networks() {
    let networks = Case::new()
        .env(
            "SQUALL_ROLE_NETWORK",
            "admin=10.0.0.0/8, admin=::1,read=192.0.2.1",
        )
        .ok()
        .settings
        .access
        .role_networks;
    let allows = |role, address: &str| networks.allow(role, address.parse().unwrap());
    assert!(allows(Role::Admin, "::1") && !allows(Role::Admin, "192.0.2.1"));
    assert!(allows(Role::Read, "192.0.2.1") && allows(Role::Submit, "192.0.2.2"));
    for wrong in ["10.0.0.0/8", "admin", "root=10.0.0.0/8", "admin=x"] {
        let flag = format!("--role-network={wrong}");
        let error = Case::new().flags(&[&flag]).error();
        assert!(error.contains("ROLE=NETWORK"), "{error}");
    }
    let open = ["--role-network=admin=::1", "--insecure-open"];
    assert!(
        Case::new()
            .flags(&open)
            .error()
            .contains("lets everybody in")
    );
}

#[test]
fn the_second_listener_is_an_address_with_a_port() {
    let admin = |text: &str| {
        let flag = format!("--admin-listen={text}");
        Case::new().flags(&[&flag]).ok().settings.listen.admin
    };
    for (text, host, port) in [
        ("127.0.0.1:8443", "127.0.0.1", 8443),
        ("[::1]:1", "::1", 1),
        ("scan.example.org:0", "scan.example.org", 0),
    ] {
        let admin = admin(text).unwrap();
        assert_eq!((admin.host.as_str(), admin.port), (host, port));
        assert_eq!(admin.to_string(), text);
    }
    assert_eq!(admin(""), None);
    for wrong in [
        "8443", ":8443", "::1", "::1:8443", "h:", "h:x", "h:65536", "h:+1", "1.2.3:1",
    ] {
        let flag = format!("--admin-listen={wrong}");
        let error = Case::new().flags(&[&flag]).error();
        assert!(error.contains("with a port"), "{wrong}: {error}");
    }
}

#[test]
fn threads_that_are_not_positive_are_taken_from_the_cores() {
    let threads = |count: &str| {
        let flags = ["--threads", count];
        Case::new().flags(&flags).ok().settings.workers.threads
    };
    assert_eq!(threads("0"), 8);
    assert_eq!(threads("-2"), 6);
    assert_eq!(threads("-9"), 1);
    assert_eq!(threads("3"), 3);
}

#[test]
fn directories_derive_from_the_data_directory_unless_named() {
    let loaded = Case::new()
        .flags(&["--data-dir", "/d", "--upload-dir", "/u"])
        .ok();
    assert_eq!(loaded.settings.queue.dir, Path::new("/d/queue"));
    assert_eq!(loaded.settings.samples.dir, Path::new("/u"));
    let store = loaded.settings.findings.unwrap();
    assert_eq!(store.path, Path::new("/d/findings/findings.db"));
}

#[test]
fn the_findings_store_can_be_bounded_moved_and_done_without() {
    let loaded = Case::new()
        .flags(&["--findings-db", "/f.db", "--findings-max", "0"])
        .flags(&["--findings-max-age", "7"])
        .ok();
    let store = loaded.settings.findings.unwrap();
    assert_eq!(store.path, Path::new("/f.db"));
    assert_eq!(store.findings_max, None);
    assert_eq!(store.age_max.unwrap().as_secs(), 7 * 24 * 3600);
    let loaded = Case::new().flags(&["--findings-db", "none"]).ok();
    assert_eq!(loaded.settings.findings, None);
}

#[test]
fn kept_samples_have_a_budget_unless_it_is_zero() {
    let budget = |flags: &[&str]| {
        let samples = Case::new().flags(flags).ok().settings.samples;
        (samples.bytes_max, samples.age_max)
    };
    assert_eq!(budget(&[]), (Some(10 << 30), None));
    let flags = ["--store-samples-max-bytes=0", "--store-samples-max-age=3"];
    let days = Duration::from_secs(3 * 24 * 3600);
    assert_eq!(budget(&flags), (None, Some(days)));
}

#[test]
fn words_become_variants() {
    let loaded = Case::new()
        .flags(&["--queue-durability", "BUFFERED"])
        .flags(&["--server-store-samples", "malicious"])
        .ok();
    assert_eq!(loaded.settings.queue.durability, Durability::Buffered);
    assert_eq!(loaded.settings.samples.store, StoreSamples::Malicious);
}

#[cfg(unix)]
#[test]
fn paths_need_not_be_utf8() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let name = OsString::from_vec(b"/d/\xff".to_vec());
    let mut case = Case::new();
    case.variables
        .push(("SQUALL_DATA_DIR".into(), name.clone()));
    case.variables.push((name.clone(), "x".into()));
    assert_eq!(case.ok().settings.data_dir, PathBuf::from(&name));
    let mut case = Case::new();
    case.variables.push(("SQUALL_SERVER_PORT".into(), name));
    assert!(case.error().contains("expected a whole number"));
}

#[test]
fn passwords_are_taken_as_they_are() {
    let loaded = Case::new()
        .file("archive-password: [case-4711, ' two words ']\n")
        .ok();
    assert_eq!(
        loaded.settings.unpacking.passwords,
        ["case-4711", " two words "]
    );
    let loaded = Case::new().file("archive-password: \"1,2\"\n").ok();
    assert_eq!(loaded.settings.unpacking.passwords, ["1,2"]);
    let loaded = Case::new()
        .flags(&["--archive-password=a", "--archive-password=b, c"])
        .ok();
    assert_eq!(loaded.settings.unpacking.passwords, ["a", "b, c"]);
    assert!(Case::new().ok().settings.unpacking.passwords.is_empty());
}

#[test]
fn sources_of_signatures_are_addresses_or_paths_with_a_checksum_or_without() {
    let digits = "0123456789ABCDEF".repeat(4);
    let pinned = format!("https://example.com/x.zip#sha256={digits}");
    let loaded = Case::new()
        .flags(&["--signature-sources", &pinned])
        .flags(&["--signature-sources", "/mnt/a#b.zip"])
        .flags(&["--data-dir", "/data"])
        .ok();
    let signatures = loaded.settings.signatures;
    let shown: Vec<_> = signatures
        .sources
        .iter()
        .map(|source| (source.location.as_str(), source.sha256.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            ("https://example.com/x.zip", Some(digits.to_lowercase())),
            ("/mnt/a#b.zip", None)
        ]
    );
    assert!(signatures.watch);
    assert_eq!(signatures.cache_dir, Path::new("/data/signature-cache"));
    assert_eq!(signatures.public_key, None);
    for wrong in [
        "http://example.com/x.zip",
        "ftp://example.com/x.zip",
        "https://example.com/x.zip#sha256=12",
        "https://example.com/x.zip#sha256=",
    ] {
        let error = Case::new().flags(&["--signature-sources", wrong]).error();
        assert!(
            error.contains(wrong) && error.contains("https://"),
            "{error}"
        );
    }
}
