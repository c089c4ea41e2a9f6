//! Settings on who may use the service.

use super::super::kind::Kind;
use super::{Section, Setting};

/// Who may use the service.
pub(super) const ACCESS: Section = Section {
    heading: "Access",
    settings: &[
        Setting::new(
            "access",
            Kind::Choice(&["auto", "tokens"]),
            "auto",
            "Who may use the service. auto: whoever reaches it, as long as it listens on loopback addresses only and no certificate-role, role-network nor oidc-issuer is set, else only who has a token (`squall token`) or a client certificate with a role, or logs in at oidc-issuer; tokens: only these.",
        ),
        Setting::new(
            "insecure-open",
            Kind::Flag,
            "false",
            "Let whoever reaches the service use all of it, also where it listens on other addresses than loopback ones.",
        ),
        Setting::new(
            "token-in-url",
            Kind::Flag,
            "false",
            "Take tokens as the parameter `token` of a URL too, where proxies and clients may write them into their logs.",
        ),
        Setting::new(
            "client-ca",
            Kind::Path,
            "",
            "Certificates (PEM) of the authorities whose client certificates are good, with server-cert. Read again when the file changes.",
        ),
        Setting::new(
            "client-crl",
            Kind::Path,
            "",
            "Lists (PEM) of the client certificates that were revoked, one by each authority. Read again when the file changes; a list that is out of date lets none in.",
        ),
        Setting::new(
            "client-auth",
            Kind::Choice(&["optional", "required"]),
            "optional",
            "Whether a client needs a certificate of client-ca to connect. optional: it may show one; required: it is sent away without, health checks and browsers too.",
        ),
        Setting::new(
            "certificate-role",
            Kind::CertificateRules,
            "",
            "What the holder of a client certificate may do: submit, read or admin, and by which name the holder is known. cn: the only common name, dn: the whole subject as RFC 4514 writes it, dns:, email: or uri: an alternative name; * in it stands for some letters and digits (docs/security.md). Repeatable; in the environment with a semicolon between two.",
        ),
        Setting::new(
            "role-network",
            Kind::RoleNetworks,
            "",
            "Network that callers with a role are let in from, by token, session or certificate, such as admin=10.0.0.0/8; a role without one is let in from everywhere. Repeatable.",
        ),
        Setting::new(
            "oidc-issuer",
            Kind::LoginAddress,
            "",
            "Provider (OpenID Connect) that people may log in to the console at, as it names itself in its discovery document: a slash at the end counts (docs/security.md). Tokens are good as well.",
        ),
        Setting::new(
            "oidc-client-id",
            Kind::Text,
            "",
            "What the provider calls this service.",
        ),
        Setting::new(
            "oidc-client-secret-file",
            Kind::Path,
            "",
            "File with the secret that the service proves to the provider who it is by, a line; read for each log-in. Without one it is a public client, with PKCE only.",
        ),
        Setting::new(
            "oidc-redirect-url",
            Kind::LoginAddress,
            "",
            "Where the provider sends browsers back to, as it is registered there: the address of the console with /oidc/callback behind it.",
        ),
        Setting::new(
            "oidc-scopes",
            Kind::Text,
            "openid profile",
            "What the provider is asked for, with spaces between; openid has to be there. Some providers name groups only upon a scope such as groups.",
        ),
        Setting::new(
            "oidc-role-claim",
            Kind::Text,
            "groups",
            "Claim of the ID token whose values give roles; with dots, the path to it, such as realm_access.roles.",
        ),
        Setting::new(
            "oidc-role",
            Kind::ClaimRoles,
            "",
            "Which value of oidc-role-claim gives which role, such as admin=squall-admins; of several the strongest counts, and who has none is refused. Repeatable; in the environment with a semicolon between two.",
        ),
        Setting::new(
            "oidc-name-claim",
            Kind::Text,
            "preferred_username",
            "Claim of the ID token that says what somebody is called, in reviews and in the audit log; the subject where it is missing.",
        ),
        Setting::new(
            "oidc-label",
            Kind::Text,
            "Log in with single sign-on",
            "What is on the button of the console that leads to the provider.",
        ),
        Setting::new(
            "oidc-ca",
            Kind::Path,
            "",
            "Certificates (PEM) that the provider is trusted by, instead of the system's.",
        ),
        Setting::new(
            "allowed-hosts",
            Kind::Hosts,
            "",
            "Name that requests may call the service by, besides addresses and localhost; others are answered with 403. Without any, every name is good, unless the service listens on a loopback address and has no trusted-proxy. Repeatable.",
        ),
        Setting::new(
            "audit-log",
            Kind::Path,
            "",
            "File to append every administrative act to, as a line of JSON [default: `audit.log` in data-dir].",
        ),
        Setting::new(
            "run-as",
            Kind::Account,
            "",
            "User, and group if not that user's own, that a service started as root becomes for good, once it listens and before it reads anything foreign. Names are looked up in /etc/passwd and /etc/group; anybody else by number, as 4711:4711.",
        ),
        Setting::new(
            "sandbox",
            Kind::Choice(&["auto", "off"]),
            "auto",
            "Whether the service takes rights from itself. auto: as far as the kernel has Landlock and seccomp, it reads and writes only where its settings say and starts no program; off: it keeps them.",
        ),
    ],
};
