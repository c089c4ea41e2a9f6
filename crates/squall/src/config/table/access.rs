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
            "Who may use the service. auto: whoever reaches it, as long as it listens on loopback addresses only and no certificate-role nor role-network is set, else only who has a token (`squall token`) or a client certificate with a role; tokens: only these.",
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
            "Whether the service takes rights from itself. auto: as far as the kernel has Landlock and seccomp, it writes only where its settings say and starts no program; off: it keeps them.",
        ),
    ],
};
