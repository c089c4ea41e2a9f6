//! Who receives findings, and how.

use std::fmt;
use std::path::PathBuf;

use squall_report::forms;
use squall_report::syslog::{Form, Head};
use squall_trace::Tracer;

use crate::link::Secret;

/// All receivers, and what they have in common.
#[derive(Clone, Debug)]
pub struct OutputConfig {
    /// Directory that holds a spool for each receiver.
    pub dir: PathBuf,
    /// Most bytes of one spool.
    pub spool_bytes_max: u64,
    /// Whether what a spool took must survive the end of the power.
    pub durable: bool,
    /// File with the certificates that receivers are trusted by, instead of
    /// those of the system.
    pub ca: Option<PathBuf>,
    /// Whether times are in UTC instead of the local time zone.
    pub utc: bool,
    /// The version of this program.
    pub version: String,
    /// What takes spans of deliveries, if samples have traces.
    pub tracer: Option<Tracer>,
    /// The receivers.
    pub targets: Vec<Target>,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A syslog server.
    Syslog(SyslogTarget),
    /// A receiver of HTTP requests.
    Webhook(WebhookTarget),
}

/// A receiver of HTTP requests, and what they look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookTarget {
    /// Where requests go, `https://` or `http://`.
    pub url: String,
    /// What it is called where others can see it: the address without its path.
    pub label: String,
    /// The form of an event.
    pub form: forms::Form,
    /// What requests are signed with, each; none for no signature.
    pub secrets: Vec<Secret>,
    /// How often an event that is refused is sent before it is put aside.
    pub tries_max: u32,
}

/// A syslog server, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogTarget {
    /// Its address or name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How a message is written.
    pub form: Form,
    /// The head of a message.
    pub head: Head,
    /// How a message travels.
    pub transport: Transport,
    /// How messages are told apart on a stream.
    pub framing: Framing,
    /// The most bytes of a message.
    pub message_bytes_max: usize,
}

/// How a syslog message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram for each message (RFC 5426).
    Udp,
    /// A stream (RFC 6587).
    Tcp,
    /// A stream in TLS (RFC 5425).
    Tls,
}

/// How messages are told apart on a stream. Those without a syslog head end
/// with a line feed in any case: nobody else's counts octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// The length of each goes before it.
    #[default]
    OctetCounted,
    /// Each ends with a line feed.
    LineFeed,
}

impl Target {
    /// Returns the name of the directory of its spool: two receivers, or one
    /// that is written to in two ways, never share one.
    pub(crate) fn spool_name(&self) -> String {
        let name = match self {
            Self::Syslog(_) => self.to_string(),
            // All of it: two may be at one server.
            Self::Webhook(target) => target.url.clone(),
        };
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c.to_ascii_lowercase(),
            _ => '_',
        };
        // File names have an end.
        let readable: String = self.to_string().chars().map(plain).take(100).collect();
        format!("{readable}-{:08x}", crc32fast::hash(name.as_bytes()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syslog(target) => target.fmt(f),
            Self::Webhook(target) => f.write_str(&target.label),
        }
    }
}

impl fmt::Display for SyslogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        let form = match self.form {
            Form::Text => "DEFAULT",
            Form::Cef => "CEF",
            Form::Json => "JSON",
            Form::SyslogJson => "SYSLOGJSON",
            Form::KeyValue => "SYSLOGKV",
        };
        let transport = match self.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TCPTLS",
        };
        if host.contains(':') {
            write!(f, "[{host}]:{port}:{form}:{transport}")
        } else {
            write!(f, "{host}:{port}:{form}:{transport}")
        }
    }
}
