//! Who may change what is found, and see more than findings.
//!
//! Where there are tokens, their role says it. Without them whoever can send a sample could otherwise have
//! its own content trusted, so that nothing is reported on it. Until
//! somebody is named, only requests from this machine may.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use squall_access::Role;

use crate::access::Caller;
use crate::config::ServiceConfig;
use crate::failure::Failure;
use crate::service::Service;
use crate::source::client_address;
use crate::upload::Peer;

/// A request of an analyst, by token or by address; every other one is refused.
#[derive(Debug)]
pub(crate) struct Analyst(());

impl FromRequestParts<Service> for Analyst {
    type Rejection = Failure;

    async fn from_request_parts(head: &mut Parts, service: &Service) -> Result<Self, Failure> {
        check(&Caller::of(&head.extensions), head, service).map(|()| Self(()))
    }
}

/// Tells whether what only analysts may do is for `caller`, who sent a request
/// with this head.
pub(crate) fn may(caller: &Caller, head: &Parts, service: &Service) -> bool {
    let is_nobody = service.access().is_required() && caller.role().is_none();
    !is_nobody && check(caller, head, service).is_ok()
}

fn check(caller: &Caller, head: &Parts, service: &Service) -> Result<(), Failure> {
    if let Caller::Known(principal) = caller {
        return match principal.role {
            Role::Admin => Ok(()),
            role => Err(Failure::TooWeak {
                role,
                needed: Role::Admin,
            }),
        };
    }
    let peer = head.extensions.get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    if is_analyst(peer, &head.headers, service.config()) {
        Ok(())
    } else {
        Err(Failure::NoAnalyst)
    }
}

/// Tells whether a request comes from an analyst's address. A proxy that does
/// not say whom it speaks for is none, also on this machine.
fn is_analyst(peer: IpAddr, headers: &HeaderMap, config: &ServiceConfig) -> bool {
    let address = client_address(peer, headers, &config.trusted_proxies);
    let is_in = |networks: &[crate::Network]| networks.iter().any(|n| n.contains(address));
    is_in(&config.analysts) || (address.is_loopback() && !is_in(&config.trusted_proxies))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asks(peer: &str, forwarded_for: Option<&'static str>, config: &ServiceConfig) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(address) = forwarded_for {
            headers.insert("x-forwarded-for", HeaderValue::from_static(address));
        }
        is_analyst(peer.parse().unwrap(), &headers, config)
    }

    #[test]
    fn only_this_machine_and_those_who_are_named() {
        let mut config = ServiceConfig::default();
        for peer in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(asks(peer, None, &config), "{peer}");
        }
        assert!(!asks("10.0.0.1", None, &config));
        assert!(!asks("10.0.0.1", Some("127.0.0.1"), &config));
        config.analysts = vec!["10.0.0.0/24".parse().unwrap()];
        assert!(asks("10.0.0.1", None, &config));
        assert!(!asks("10.0.1.1", None, &config));
        assert!(asks("127.0.0.1", None, &config));
    }

    #[test]
    fn a_proxy_is_not_who_it_speaks_for() {
        let mut config = ServiceConfig {
            trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
            ..ServiceConfig::default()
        };
        assert!(!asks("127.0.0.1", Some("203.0.113.7"), &config));
        assert!(!asks("127.0.0.1", Some("unknown"), &config));
        assert!(!asks("127.0.0.1", None, &config));
        config.analysts = vec!["203.0.113.7".parse().unwrap()];
        assert!(asks("127.0.0.1", Some("203.0.113.7"), &config));
    }
}
