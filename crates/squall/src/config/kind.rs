//! The kinds of values settings take, in words.

/// Longest text of a setting, in characters.
pub(crate) const TEXT_CHARS_MAX: usize = 200;

/// Which values a setting takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// True or false; as a flag it needs no value.
    Flag,
    /// A whole number.
    Integer {
        /// The lowest.
        min: i64,
        /// The highest.
        max: i64,
    },
    /// A number of bytes.
    Size {
        /// The lowest.
        min: u64,
    },
    /// A length of time.
    Duration {
        /// The shortest, in milliseconds.
        min_ms: u64,
        /// The longest, in milliseconds.
        max_ms: u64,
    },
    /// An address or a host name, without a port.
    Host,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A path; empty for none.
    Path,
    /// Any number of paths.
    Paths,
    /// Any number of addresses or networks.
    Networks,
    /// Any number of host names.
    Hosts,
    /// An address or a host name with a port; empty for none.
    Endpoint,
    /// A user of this machine, with a group or without; empty for none.
    Account,
    /// Any number of rules on client certificates.
    CertificateRules,
    /// Any number of roles with a network each.
    RoleNetworks,
    /// Any number of roles with the value of a claim each.
    ClaimRoles,
    /// A text of one line, taken as it is; empty for none.
    Text,
    /// An address that a log-in goes through, taken as it is; empty for none.
    LoginAddress,
    /// Any number of syslog receivers.
    SyslogTargets,
    /// Any number of addresses that requests are sent to.
    Addresses,
    /// Any number of passwords, taken as they are.
    Passwords,
    /// An address of HTTP; empty for none.
    Address,
    /// Any number of headers of HTTP, whose values may be secret.
    Headers,
    /// Any number of links to look up a file.
    Links,
}

impl Kind {
    /// Tells whether the setting may be given several values.
    pub(crate) const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Paths
                | Self::Networks
                | Self::Hosts
                | Self::CertificateRules
                | Self::RoleNetworks
                | Self::ClaimRoles
                | Self::SyslogTargets
                | Self::Addresses
                | Self::Passwords
                | Self::Headers
                | Self::Links
        )
    }

    /// Returns what separates two values in one text, such as a variable.
    pub(crate) const fn separator(self) -> char {
        match self {
            // Names have commas in them.
            Self::CertificateRules | Self::ClaimRoles => ';',
            _ => ',',
        }
    }

    /// Tells whether nobody but the service may see the values.
    pub(crate) const fn is_secret(self) -> bool {
        matches!(self, Self::Passwords | Self::Headers)
    }

    /// Returns what stands for the value in `--help`.
    pub(crate) fn placeholder(self) -> String {
        match self {
            Self::Flag => "true|false".to_owned(),
            Self::Integer { .. } => "N".to_owned(),
            Self::Size { .. } => "SIZE".to_owned(),
            Self::Duration { .. } => "TIME".to_owned(),
            Self::Host | Self::Hosts => "HOST".to_owned(),
            Self::Choice(words) => words.join("|"),
            Self::Path | Self::Paths => "PATH".to_owned(),
            Self::Networks => "NETWORK".to_owned(),
            Self::Endpoint => "ADDRESS:PORT".to_owned(),
            Self::Account => "USER[:GROUP]".to_owned(),
            Self::CertificateRules => "ROLE=FIELD:NAME".to_owned(),
            Self::RoleNetworks => "ROLE=NETWORK".to_owned(),
            Self::ClaimRoles => "ROLE=VALUE".to_owned(),
            Self::Text => "TEXT".to_owned(),
            Self::SyslogTargets => "TARGET".to_owned(),
            Self::Address | Self::Addresses | Self::LoginAddress => "URL".to_owned(),
            Self::Passwords => "PASSWORD".to_owned(),
            Self::Headers => "NAME=VALUE".to_owned(),
            Self::Links => "NAME=URL".to_owned(),
        }
    }

    /// Returns what a value must be, to follow "expected ".
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Size { min: 0 } => "a size such as 200MB, 1G or a number of bytes".to_owned(),
            Self::Size { min } => {
                format!("a size such as 200MB, 1G or a number of bytes, at least {min}")
            }
            Self::Duration { min_ms, max_ms } => format!(
                "a time such as 500ms, 30s, 5m, 1h or a number of seconds, from {} to {}",
                duration_text(min_ms),
                duration_text(max_ms)
            ),
            Self::Host => "an IP address or a host name, without a port".to_owned(),
            Self::Hosts => "a host name without a port, or a list of them".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Path => "a path".to_owned(),
            Self::Paths => "a path, or a list of paths".to_owned(),
            Self::Networks => "an IP address or a network such as 10.0.0.0/8".to_owned(),
            Self::Endpoint => "an IP address or a host name with a port, such as \
                 127.0.0.1:8443 or [::1]:8443"
                .to_owned(),
            Self::Account => "USER or USER:GROUP, each a name or a number".to_owned(),
            Self::CertificateRules => "ROLE=FIELD:NAME with ROLE one of submit, read, admin and \
                 FIELD one of cn, dn, dns, email, uri, such as submit=dns:*.example.org or \
                 admin=dn:CN=ana,O=Example, with at most one * in a name"
                .to_owned(),
            Self::RoleNetworks => "ROLE=NETWORK with ROLE one of submit, read, admin, such as \
                 admin=10.0.0.0/8"
                .to_owned(),
            Self::ClaimRoles => "ROLE=VALUE with ROLE one of submit, read, admin, such as \
                 admin=squall-admins"
                .to_owned(),
            Self::Text => format!("a line of at most {TEXT_CHARS_MAX} characters"),
            Self::LoginAddress => "an address https://HOST/…, or http:// of this machine, \
                 without a user, a query or a fragment"
                .to_owned(),
            Self::SyslogTargets => "HOST[:PORT[:FORMAT[:PROTOCOL]]] with FORMAT one of DEFAULT, \
                 CEF, JSON, SYSLOGJSON, SYSLOGKV and PROTOCOL one of UDP, TCP, TCPTLS"
                .to_owned(),
            Self::Address | Self::Addresses => {
                "an address https://HOST/… or http://HOST/…".to_owned()
            }
            Self::Passwords => "a password in UTF-8, or a list of them".to_owned(),
            Self::Headers => "NAME=VALUE with the name of a header of HTTP".to_owned(),
            Self::Links => "NAME=URL with an http:// or https:// address that has {md5}, {sha1} \
                 or {sha256} in its path or query, and no password"
                .to_owned(),
        }
    }
}

/// Writes a length of time in hours, seconds or milliseconds, whichever is the
/// largest unit that divides it.
pub(crate) fn duration_text(ms: u64) -> String {
    const UNITS: [(&str, u64); 2] = [("h", 3_600_000), ("s", 1000)];
    UNITS
        .iter()
        .find(|(_, unit_ms)| ms > 0 && ms.is_multiple_of(*unit_ms))
        .map_or_else(
            || format!("{ms}ms"),
            |(unit, unit_ms)| format!("{}{unit}", ms / unit_ms),
        )
}
