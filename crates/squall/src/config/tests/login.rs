//! Where people may log in.

use super::Case;

/// What is needed for people to log in.
pub(super) const WHOLE: [&str; 4] = [
    "--oidc-issuer=https://sso.example/realms/a",
    "--oidc-client-id=squall",
    "--oidc-redirect-url=https://squall.example:8443/oidc/callback",
    "--oidc-role=read=soc",
];

#[test]
fn by_default_nobody_logs_in_anywhere_else() {
    assert_eq!(Case::new().ok().settings.access.login, None);
    // What has a default says nothing by itself.
    let loaded = Case::new().flags(&["--oidc-label", "Example"]).ok();
    assert_eq!(loaded.settings.access.login, None);
}

#[test]
fn what_is_set_is_taken_to_the_letter() {
    let loaded = Case::new()
        .flags(&WHOLE)
        .env("SQUALL_OIDC_ROLE", "ignored=x")
        .ok();
    let login = loaded.settings.access.login.unwrap();
    assert_eq!(login.provider.issuer, "https://sso.example/realms/a");
    assert_eq!(login.provider.scopes, "openid profile");
    assert_eq!(login.provider.role_claim, "groups");
    assert_eq!(login.provider.name_claim, "preferred_username");
    assert_eq!(login.label, "Log in with single sign-on");
    // Without a path, and with a slash alone, are two issuers.
    for issuer in ["https://sso.example", "https://sso.example/"] {
        let flag = format!("--oidc-issuer={issuer}");
        let loaded = Case::new().flags(&WHOLE[1..]).flags(&[&flag]).ok();
        let login = loaded.settings.access.login.unwrap();
        assert_eq!(login.provider.issuer, issuer);
    }
    let loaded = Case::new()
        .flags(&WHOLE[..3])
        .env("SQUALL_OIDC_ROLE", "admin=cn=a,o=b;read=soc")
        .ok();
    for (hosts, url) in [
        (
            "other.example,Squall.example",
            "https://squall.example:8443",
        ),
        ("other.example", "https://192.0.2.1"),
        ("other.example", "http://localhost:8080"),
    ] {
        let flag = format!("--oidc-redirect-url={url}/oidc/callback");
        let case = Case::new().env("SQUALL_ALLOWED_HOSTS", hosts);
        let loaded = case.flags(&[WHOLE[0], WHOLE[1], WHOLE[3], &flag]).ok();
        assert!(loaded.settings.access.login.is_some());
    }
    let roles = ["admin=cn=a,o=b", "read=soc"].map(|text| text.parse().unwrap());
    let expected = squall_oidc::ClaimRoles::new(roles.to_vec()).unwrap();
    assert_eq!(
        loaded.settings.access.login.unwrap().provider.roles,
        expected
    );
}

#[test]
fn what_is_missing_is_named() {
    for (left_out, said) in [
        (
            0,
            "`oidc-client-id` is set but `oidc-issuer` is not (flag `--oidc-client-id`)",
        ),
        (
            1,
            "`oidc-issuer` is set but `oidc-client-id` is not (flag `--oidc-issuer`)",
        ),
        (2, "`oidc-issuer` is set but `oidc-redirect-url` is not"),
        (
            3,
            "`oidc-issuer` is set but `oidc-role` is not: nobody could log in",
        ),
    ] {
        let mut flags = WHOLE.to_vec();
        flags.remove(left_out);
        let error = Case::new().flags(&flags).error();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn what_contradicts_another_is_named() {
    for (flag, said) in [
        (
            "--oidc-role=admin=soc",
            "`read=soc` and `admin=soc` give one value two roles",
        ),
        (
            "--allowed-hosts=other.example",
            "the host of `oidc-redirect-url` is not in `allowed-hosts`",
        ),
        ("--oidc-scopes=profile", "`oidc-scopes` lacks `openid`"),
        ("--oidc-role-claim=", "cannot use `` for `oidc-role-claim`"),
        (
            "--insecure-open",
            "`oidc-issuer` says who may but `insecure-open` lets everybody in",
        ),
    ] {
        let error = Case::new().flags(&WHOLE).flags(&[flag]).error();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn a_value_that_makes_no_sense_is_refused() {
    for (flag, said) in [
        (
            "--oidc-issuer=http://sso.example",
            "expected an address https://HOST/",
        ),
        (
            "--oidc-issuer=https://ana:pw@sso.example",
            "`https://(hidden)@sso.example`",
        ),
        (
            "--oidc-redirect-url=https://squall.example/",
            "is not `/oidc/callback`",
        ),
        (
            "--oidc-redirect-url=https://squall.example/oidc/callback/",
            "is not `/oidc/callback`",
        ),
        (
            "--oidc-redirect-url=http://squall.example/oidc/callback",
            "expected an address https://HOST/",
        ),
        (
            "--oidc-role=root=soc",
            "expected ROLE=VALUE with ROLE one of submit",
        ),
        (
            "--oidc-client-id=a\nb",
            "expected a line of at most 200 characters",
        ),
    ] {
        let name = flag.split_once('=').unwrap().0;
        let mut flags = WHOLE.to_vec();
        flags.retain(|other| !other.starts_with(name));
        flags.push(flag);
        let error = Case::new().flags(&flags).error();
        assert!(error.contains(said), "{error}");
    }
}
