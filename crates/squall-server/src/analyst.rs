//! Who may change what is found, and see more than findings.
//!
//! Where there are tokens, their role says it. Without them whoever can send a sample could otherwise have
//! its own content trusted, so that nothing is reported on it. Until
//! somebody is named, only requests from this machine may.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Once;

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

/// What proxies say in a request that it is not their own.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-real-ip", "forwarded"];
/// What is answered to a request that one of them says it in.
const BY_PROXY: &str = "this request came through a proxy that the setting `trusted-proxy` does not name, so it is not known whose it is; only an analyst may do this";

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
    if !is_analyst(peer, &head.headers, service.config()) {
        return Err(Failure::NoAnalyst);
    }
    if is_by_unknown_proxy(peer, &head.headers, service.config()) {
        warn_of_proxy(peer);
        return Err(Failure::Forbidden(BY_PROXY));
    }
    Ok(())
}

/// Tells whether a proxy that is not believed says that a request is not its
/// own: its address says nothing of whose it is.
fn is_by_unknown_proxy(peer: IpAddr, headers: &HeaderMap, config: &ServiceConfig) -> bool {
    let peer = peer.to_canonical();
    let is_trusted = config.trusted_proxies.iter().any(|n| n.contains(peer));
    !is_trusted && FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Says once in the log what is missing in the settings.
fn warn_of_proxy(peer: IpAddr) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            %peer,
            "a proxy that `trusted-proxy` does not name forwards requests from an analyst's \
             address: none of them is taken for an analyst's. Name it there, and use \
             `access: tokens` if not everybody behind it may use the service"
        );
    });
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
    fn what_a_proxy_forwards_is_nobodys_unless_it_is_named() {
        let by_proxy = |peer: &str, header: &'static str, config: &ServiceConfig| {
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_static("203.0.113.7"));
            is_by_unknown_proxy(peer.parse().unwrap(), &headers, config)
        };
        let mut config = ServiceConfig::default();
        for header in FORWARDED {
            assert!(by_proxy("127.0.0.1", header, &config), "{header}");
        }
        assert!(!by_proxy("127.0.0.1", "host", &config));
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        for header in FORWARDED {
            assert!(!by_proxy("127.0.0.1", header, &config), "{header}");
            assert!(!by_proxy("::ffff:127.0.0.1", header, &config), "{header}");
            assert!(by_proxy("::1", header, &config), "{header}");
        }
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
