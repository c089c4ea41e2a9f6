//! Syslog receivers as settings name them.

use std::fmt;

use super::network::parse_host;

/// Where to send findings by syslog, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyslogTarget {
    /// Address or name of the receiver.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// The form of a message.
    pub(crate) format: SyslogFormat,
    /// How a message travels.
    pub(crate) protocol: SyslogProtocol,
}

/// The form of a syslog message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyslogFormat {
    /// The text line.
    Default,
    /// Common Event Format.
    Cef,
    /// JSON without a syslog head.
    Json,
    /// JSON behind a syslog head.
    SyslogJson,
    /// Keys and values behind a syslog head.
    SyslogKeyValue,
}

/// How a syslog message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyslogProtocol {
    /// One datagram for each message.
    Udp,
    /// A stream.
    Tcp,
    /// A stream in TLS.
    TcpTls,
}

/// The port of syslog.
const PORT: u16 = 514;

impl SyslogFormat {
    const ALL: [Self; 5] = [
        Self::Default,
        Self::Cef,
        Self::Json,
        Self::SyslogJson,
        Self::SyslogKeyValue,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Cef => "CEF",
            Self::Json => "JSON",
            Self::SyslogJson => "SYSLOGJSON",
            Self::SyslogKeyValue => "SYSLOGKV",
        }
    }
}

impl SyslogProtocol {
    const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::TcpTls];

    const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::TcpTls => "TCPTLS",
        }
    }
}

impl fmt::Display for SyslogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        let (format, protocol) = (self.format.name(), self.protocol.name());
        // An IPv6 address needs brackets, or its colons would end it.
        if host.contains(':') {
            write!(f, "[{host}]:{port}:{format}:{protocol}")
        } else {
            write!(f, "{host}:{port}:{format}:{protocol}")
        }
    }
}

/// Reads `HOST[:PORT[:FORMAT[:PROTOCOL]]]`; an IPv6 address is in brackets.
pub(crate) fn parse_target(text: &str) -> Option<SyslogTarget> {
    let text = text.trim();
    let host_len = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(host_len);
    let mut parts = match rest {
        "" => "",
        rest => rest.strip_prefix(':')?,
    }
    .split(':')
    .filter(|_| !rest.is_empty());
    let target = SyslogTarget {
        host: parse_host(host)?,
        port: match parts.next() {
            Some(port) => port.parse().ok().filter(|&port| port > 0)?,
            None => PORT,
        },
        format: match parts.next() {
            Some(name) => named(&SyslogFormat::ALL, SyslogFormat::name, name)?,
            None => SyslogFormat::Default,
        },
        protocol: match parts.next() {
            Some(name) => named(&SyslogProtocol::ALL, SyslogProtocol::name, name)?,
            None => SyslogProtocol::Udp,
        },
    };
    parts.next().is_none().then_some(target)
}

/// Finds the one of some variants that has a name.
fn named<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Option<T> {
    all.iter()
        .copied()
        .find(|&variant| name_of(variant).eq_ignore_ascii_case(name))
}
