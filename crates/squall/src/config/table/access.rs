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
            "Who may use the service. auto: whoever reaches it, as long as it listens on a loopback address, else only who has a token (`squall token`); tokens: only who has a token.",
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
            "sandbox",
            Kind::Choice(&["auto", "off"]),
            "auto",
            "Whether the service takes rights from itself. auto: as far as the kernel has Landlock and seccomp, it writes only where its settings say and starts no program; off: it keeps them.",
        ),
    ],
};
