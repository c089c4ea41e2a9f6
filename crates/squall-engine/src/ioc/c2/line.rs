//! One line of a C2 list: `HOST|IP|CIDR[;SCORE][;COMMENT]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tokens::NAME_MAX_CHARS;

/// What a line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A host and every name below it, in lower case.
    Host(String),
    /// All addresses that agree in the first `prefix` bits.
    V4 {
        /// The address, with the other bits cleared.
        bits: u32,
        /// How many bits count; 32 for one address.
        prefix: u8,
    },
    /// The same for IPv6.
    V6 {
        /// The address, with the other bits cleared.
        bits: u128,
        /// How many bits count; 128 for one address.
        prefix: u8,
    },
}

/// Why a line names nothing that can be looked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum TargetError {
    /// There is nothing before the first `;`.
    #[error("expected a host name, an address or a range before the first `;`")]
    Empty,
    /// It is the address of a page, not of a host.
    #[error("`{0}` is the address of a page; give the host name alone")]
    Page(String),
    /// The name is no host name.
    #[error("`{0}` is not a host name: {1}")]
    NotAHost(String, &'static str),
    /// It would match far too much.
    #[error("`{0}` would match harmless files: {1}")]
    TooBroad(String, &'static str),
    /// The range is malformed.
    #[error("`{0}` is not an address range")]
    NotARange(String),
}

/// The shortest prefixes of a range; a shorter one is a mistake.
const V4_PREFIX_MIN: u8 = 8;
const V6_PREFIX_MIN: u8 = 16;

/// The shortest host name, in characters.
const HOST_MIN_CHARS: usize = 4;

/// Second-level labels under which a country sells names to anyone.
const SHARED_LABELS: [&str; 10] = [
    "ac", "co", "com", "edu", "gob", "gov", "ne", "net", "or", "org",
];

impl Target {
    /// Reads what is before the first `;`.
    ///
    /// # Errors
    ///
    /// Fails if it is neither host, address nor range, or would match nearly
    /// everything.
    pub(super) fn of(field: &str) -> Result<Self, TargetError> {
        let field = field.trim();
        // Reports write addresses so that nobody follows them by accident.
        let field = field
            .replace("[.]", ".")
            .replace("(.)", ".")
            .replace("[:]", ":");
        let text = strip_scheme(&field)?;
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        if let Some((address, prefix)) = text.split_once('/') {
            return range(text, address, prefix);
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return one_address(text, address);
        }
        // `host:port`
        let host = match text.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => text,
        };
        match host.parse::<IpAddr>() {
            Ok(address) => one_address(text, address),
            Err(_) => self::host(host),
        }
    }

    /// Tells whether the address is one of a private network: such an
    /// indicator means something in one network only.
    pub(super) fn is_private(&self) -> bool {
        match *self {
            Self::V4 { bits, .. } => {
                let address = Ipv4Addr::from_bits(bits);
                address.is_private() || address.is_link_local()
            }
            Self::V6 { bits, .. } => {
                let address = Ipv6Addr::from_bits(bits);
                address.is_unique_local() || address.is_unicast_link_local()
            }
            Self::Host(_) => false,
        }
    }
}

/// Takes `http://` away, and refuses what has a path behind the host: the host
/// of a page is often one that everybody uses.
fn strip_scheme(field: &str) -> Result<&str, TargetError> {
    let Some((_, behind)) = field.split_once("://") else {
        return Ok(field);
    };
    match behind.split_once(['/', '?', '#']) {
        None => Ok(behind),
        Some((host, "")) => Ok(host),
        Some(_) => Err(TargetError::Page(field.to_owned())),
    }
}

fn one_address(text: &str, address: IpAddr) -> Result<Target, TargetError> {
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return Err(TargetError::TooBroad(
            text.to_owned(),
            "it is the same on every machine",
        ));
    }
    match address {
        IpAddr::V4(Ipv4Addr::BROADCAST) => Err(TargetError::TooBroad(
            text.to_owned(),
            "it is the same on every machine",
        )),
        IpAddr::V4(address) => Ok(Target::V4 {
            bits: address.to_bits(),
            prefix: 32,
        }),
        IpAddr::V6(address) => Ok(Target::V6 {
            bits: address.to_bits(),
            prefix: 128,
        }),
    }
}

fn range(text: &str, address: &str, prefix: &str) -> Result<Target, TargetError> {
    let not_a_range = || TargetError::NotARange(text.to_owned());
    let address: IpAddr = address.parse().map_err(|_| not_a_range())?;
    let prefix: u8 = prefix.trim().parse().map_err(|_| not_a_range())?;
    let (min, max) = match address {
        IpAddr::V4(_) => (V4_PREFIX_MIN, 32),
        IpAddr::V6(_) => (V6_PREFIX_MIN, 128),
    };
    if prefix > max {
        return Err(not_a_range());
    }
    if prefix < min {
        return Err(TargetError::TooBroad(
            text.to_owned(),
            "the range is a large part of the Internet",
        ));
    }
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => one_address(text, address),
        _ if address.is_loopback() => one_address(text, address),
        IpAddr::V4(address) => Ok(Target::V4 {
            bits: mask_v4(address.to_bits(), prefix),
            prefix,
        }),
        IpAddr::V6(address) => Ok(Target::V6 {
            bits: mask_v6(address.to_bits(), prefix),
            prefix,
        }),
    }
}

/// Clears the bits of an address that do not count.
pub(super) fn mask_v4(bits: u32, prefix: u8) -> u32 {
    let cleared = 32_u32.saturating_sub(u32::from(prefix));
    // A shift by the full width would overflow.
    u32::MAX.checked_shl(cleared).unwrap_or(0) & bits
}

/// Clears the bits of an address that do not count.
pub(super) fn mask_v6(bits: u128, prefix: u8) -> u128 {
    let cleared = 128_u32.saturating_sub(u32::from(prefix));
    u128::MAX.checked_shl(cleared).unwrap_or(0) & bits
}

fn host(text: &str) -> Result<Target, TargetError> {
    let name = text.strip_prefix('*').unwrap_or(text).trim_matches('.');
    let name = name.to_ascii_lowercase();
    let bad = |why| Err(TargetError::NotAHost(text.to_owned(), why));
    let broad = |why| Err(TargetError::TooBroad(text.to_owned(), why));
    if !name.is_ascii() {
        return bad("write it in its `xn--` form");
    }
    let Some((front, last)) = name.rsplit_once('.') else {
        return if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            broad("it has no dot")
        } else {
            bad("it has characters that host names do not have")
        };
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !name.split('.').all(is_label) {
        return bad("it has characters that host names do not have");
    }
    if name.len() > NAME_MAX_CHARS {
        return bad("it is longer than 253 characters");
    }
    if last.len() < 2 || !last.bytes().any(|b| b.is_ascii_alphabetic()) {
        return bad("it does not end in a top-level domain");
    }
    if name.len() < HOST_MIN_CHARS {
        return broad("it is too short");
    }
    if last.len() == 2 && SHARED_LABELS.contains(&front) {
        return broad("everybody can register names below it");
    }
    Ok(Target::Host(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_addresses_and_ranges_are_told_apart() {
        let host = |name: &str| Target::Host(name.to_owned());
        let v4 = |address: &str, prefix| Target::V4 {
            bits: address.parse::<Ipv4Addr>().expect("address").to_bits(),
            prefix,
        };
        let v6 = |address: &str, prefix| Target::V6 {
            bits: address.parse::<Ipv6Addr>().expect("address").to_bits(),
            prefix,
        };
        for (field, expected) in [
            ("Evil.COM", host("evil.com")),
            ("earn.fm", host("earn.fm")),
            ("t.co", host("t.co")),
            ("*.evil.com", host("evil.com")),
            (".evil.com.", host("evil.com")),
            ("evil[.]com", host("evil.com")),
            ("http://evil.com/", host("evil.com")),
            ("https://evil.com:8443", host("evil.com")),
            ("evil.com:80", host("evil.com")),
            ("a_b.evil.co.uk", host("a_b.evil.co.uk")),
            ("xn--bcher-kva.example", host("xn--bcher-kva.example")),
            (" 58.64.143.244 ", v4("58.64.143.244", 32)),
            ("1.2.3[.]4:8080", v4("1.2.3.4", 32)),
            ("10.0.0.1", v4("10.0.0.1", 32)),
            ("182.34.23.77/24", v4("182.34.23.0", 24)),
            ("182.34.23.77/32", v4("182.34.23.77", 32)),
            ("9.0.0.0/8", v4("9.0.0.0", 8)),
            ("2001:db8::1", v6("2001:db8::1", 128)),
            ("[2001:db8::1]", v6("2001:db8::1", 128)),
            ("2001:db8:1:2::/64", v6("2001:db8:1:2::", 64)),
        ] {
            assert_eq!(Target::of(field), Ok(expected), "{field}");
        }
    }

    #[test]
    fn what_names_nothing_or_everything_is_refused() {
        for (field, reason) in [
            ("", "expected a host"),
            ("http://", "expected a host"),
            ("0.0.0.0/0", "large part of the Internet"),
            ("128.0.0.0/1", "large part of the Internet"),
            ("::/0", "large part of the Internet"),
            ("0.0.0.0", "same on every machine"),
            ("0.0.0.0/8", "same on every machine"),
            ("127.0.0.1", "same on every machine"),
            ("127.0.0.0/8", "same on every machine"),
            ("255.255.255.255", "same on every machine"),
            ("224.0.0.251", "same on every machine"),
            ("::1", "same on every machine"),
            ("com", "no dot"),
            (".ru", "no dot"),
            ("localhost", "no dot"),
            ("co.uk", "register names"),
            ("com.au", "register names"),
            ("a.b", "top-level domain"),
            ("1.2.3", "top-level domain"),
            ("1.2.3.4.5", "top-level domain"),
            ("999.1.1.1", "top-level domain"),
            ("1.2.3.4/33", "not an address range"),
            ("1.2.3.4/x", "not an address range"),
            ("evil.com/x", "not an address range"),
            ("http://evil.com/a.php", "address of a page"),
            ("ev il.com", "characters"),
            ("evil..com", "characters"),
            ("-evil.com", "characters"),
            ("bücher.example", "xn--"),
            ("!!", "characters"),
            (&format!("{}.com", "a.".repeat(130)), "characters"),
            (&format!("{}com", "a.".repeat(130)), "253"),
        ] {
            let error = Target::of(field).expect_err(field).to_string();
            assert!(error.contains(reason), "{field}: {error}");
        }
    }

    #[test]
    fn private_addresses_are_told() {
        for (field, expected) in [
            ("10.1.2.3", true),
            ("192.168.0.0/16", true),
            ("169.254.1.1", true),
            ("fd00::1", true),
            ("8.8.8.8", false),
            ("evil.com", false),
        ] {
            assert_eq!(
                Target::of(field).map(|t| t.is_private()),
                Ok(expected),
                "{field}"
            );
        }
    }

    #[test]
    fn masks_of_every_length_work() {
        assert_eq!(mask_v4(u32::MAX, 0), 0);
        assert_eq!(mask_v4(u32::MAX, 32), u32::MAX);
        assert_eq!(mask_v4(u32::MAX, 1), 1 << 31);
        assert_eq!(mask_v6(u128::MAX, 0), 0);
        assert_eq!(mask_v6(u128::MAX, 128), u128::MAX);
    }
}
