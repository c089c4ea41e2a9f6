//! Addresses, networks and host names.

use std::fmt;
use std::net::IpAddr;

/// A network, or a single address as a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// An address in it.
    pub(crate) address: IpAddr,
    /// How many leading bits of the address name the network.
    pub(crate) prefix_len: u8,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix_len == prefix_len_max(self.address) {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.prefix_len)
        }
    }
}

/// Returns how many bits an address of that family has.
const fn prefix_len_max(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Reads `ADDRESS` or `ADDRESS/PREFIX-LENGTH`.
pub(crate) fn parse_network(text: &str) -> Option<Network> {
    let (address, prefix_len) = match text.trim().split_once('/') {
        Some((address, prefix_len)) => (address, Some(prefix_len)),
        None => (text.trim(), None),
    };
    let address: IpAddr = address.parse().ok()?;
    let prefix_len_max = prefix_len_max(address);
    let prefix_len = match prefix_len {
        // `parse` would take a sign, `10.0.0.0/+8`.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
        None => prefix_len_max,
    };
    (prefix_len <= prefix_len_max).then_some(Network {
        address,
        prefix_len,
    })
}

/// The longest host name DNS allows, in bytes.
const HOST_NAME_LEN_MAX: usize = 253;

/// Reads an IP address, which may be in brackets, or a host name. A port is
/// refused, because it would silently not be used.
pub(crate) fn parse_host(text: &str) -> Option<String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    // What consists of digits and dots alone is a mistyped address.
    let is_name = !text.is_empty()
        && text.len() <= HOST_NAME_LEN_MAX
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    is_name.then(|| text.to_owned())
}

/// An address or a host name with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// An IP address without brackets, or a host name.
    pub(crate) host: String,
    /// The port; 0 for any free one.
    pub(crate) port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads `ADDRESS:PORT`; an IPv6 address is in brackets, or its last part
/// could be taken for a port.
pub(crate) fn parse_endpoint(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if !is_port || (host.contains(':') && !host.starts_with('[')) {
        return None;
    }
    Some(Endpoint {
        host: parse_host(host)?,
        port: port.parse().ok()?,
    })
}
