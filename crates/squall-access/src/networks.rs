//! From where callers with a role are let in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::role::{Role, RoleError};

/// A network from where callers with a role are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleNetwork {
    role: Role,
    network: IpNet,
}

/// The text names no role and network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// There is no role before a `=`.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// What follows is no network.
    #[error("`{0}` is neither an address nor a network such as `10.0.0.0/8`")]
    Network(String),
}

/// Reads an address or a network, of which the bits behind the prefix do not
/// count.
///
/// # Errors
///
/// Fails if the text is neither.
pub fn parse_network(text: &str) -> Result<IpNet, NetworkError> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    let network: Option<IpNet> = text.parse().ok().or_else(address);
    network
        .map(|network| network.trunc())
        .ok_or_else(|| NetworkError::Network(text.to_owned()))
}

impl FromStr for RoleNetwork {
    type Err = NetworkError;

    /// Reads `ROLE=NETWORK`.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (role, network) = text.split_once('=').unwrap_or((text, ""));
        Ok(Self {
            role: role.trim().parse()?,
            network: parse_network(network.trim())?,
        })
    }
}

impl fmt::Display for RoleNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.role, self.network)
    }
}

/// From where callers are let in, by their role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleNetworks(Vec<RoleNetwork>);

impl RoleNetworks {
    /// Takes the networks of roles; a role without one is let in from
    /// everywhere.
    #[must_use]
    pub const fn new(networks: Vec<RoleNetwork>) -> Self {
        Self(networks)
    }

    /// Tells whether no role is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether callers with `role` are let in from `address`.
    #[must_use]
    pub fn allow(&self, role: Role, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mut own = self.0.iter().filter(|own| own.role == role).peekable();
        own.peek().is_none() || own.any(|own| own.network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_let_in_from_its_networks_and_others_from_everywhere() {
        let networks = ["admin=10.1.2.3/8", "admin=2001:db8::/32", "read=192.0.2.1"];
        let networks = RoleNetworks::new(networks.map(|text| text.parse().unwrap()).to_vec());
        let allow = |role, address: &str| networks.allow(role, address.parse().unwrap());
        for address in ["10.255.0.1", "::ffff:10.0.0.1", "2001:db8::1"] {
            assert!(allow(Role::Admin, address), "{address}");
            assert!(!allow(Role::Read, address), "{address}");
        }
        assert!(allow(Role::Read, "192.0.2.1") && !allow(Role::Admin, "192.0.2.1"));
        assert!(!allow(Role::Admin, "127.0.0.1"));
        assert!(allow(Role::Submit, "203.0.113.9"));
        assert!(RoleNetworks::default().allow(Role::Admin, "203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn what_is_no_role_and_network_is_refused() {
        for text in [
            "",
            "admin",
            "admin=",
            "admin=x",
            "root=10.0.0.0/8",
            "10.0.0.0/8",
            "admin=10.0.0.0/33",
            "admin=host",
        ] {
            assert!(text.parse::<RoleNetwork>().is_err(), "{text}");
        }
        let shown = "admin = 10.1.2.3/8".parse::<RoleNetwork>().unwrap();
        assert_eq!(shown.to_string(), "admin=10.0.0.0/8");
    }
}
