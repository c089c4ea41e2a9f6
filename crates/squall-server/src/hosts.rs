//! By which names the service may be called.
//!
//! A page of somebody else's can have its own name point at this machine
//! (DNS rebinding): to a browser the service is then a part of that page, which
//! may read all answers. Such a request names the foreign host. An address
//! instead of a name cannot be pointed elsewhere, so it always passes, and so
//! does a program that names none.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::door::Door;
use crate::failure::Failure;
use crate::service::Service;
use crate::upload::drain_a_little;

/// Refuses requests to a name that is not ours.
pub(crate) async fn check(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let config = service.config();
    let allowed = match Door::of(request.extensions()) {
        Door::Admin => &config.admin_allowed_hosts,
        Door::Only | Door::Public => &config.allowed_hosts,
    };
    let is_ours = match allowed {
        None => true,
        Some(allowed) => is_allowed(request.headers(), request.uri(), allowed),
    };
    if is_ours {
        return next.run(request).await;
    }
    let reason =
        "the service is not called by this name; the setting `allowed-hosts` has its names";
    let response = Failure::Forbidden(reason).into_response();
    if !request.headers().contains_key(header::EXPECT) {
        drain_a_little(request.into_body());
    }
    response
}

/// Tells whether a request names an address, this machine, or one of
/// `allowed`. HTTP/2 has the name in the URI.
fn is_allowed(headers: &HeaderMap, uri: &Uri, allowed: &[String]) -> bool {
    let named = headers
        .get(header::HOST)
        .map(|host| host.to_str().unwrap_or("?"));
    let named = [named, uri.authority().map(|authority| authority.as_str())];
    named.into_iter().flatten().all(|host| {
        let name = without_port(host)
            .trim_end_matches('.')
            .to_ascii_lowercase();
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_local = name == "localhost" || name.ends_with(".localhost");
        let is_named = allowed.iter().any(|own| own.eq_ignore_ascii_case(&name));
        name.is_empty() || is_address || is_local || is_named
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allowed(host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        is_allowed(
            &headers,
            &Uri::from_static("/"),
            &["squall.example".to_owned()],
        )
    }

    #[test]
    fn addresses_this_machine_and_own_names_pass() {
        for host in [
            "127.0.0.1:8080",
            "10.1.2.3",
            "[::1]:8080",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST.:8080",
            "app.localhost:1",
            "squall.example:443",
            "Squall.Example",
            "",
        ] {
            assert!(allowed(host), "{host}");
        }
        assert!(is_allowed(&HeaderMap::new(), &Uri::from_static("/"), &[]));
    }

    #[test]
    fn names_of_others_do_not() {
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "squall.example.evil.example",
            "127.0.0.1@evil.example",
            "x",
        ] {
            assert!(!allowed(host), "{host}");
        }
        let other = Uri::from_static("http://evil.example/");
        assert!(!is_allowed(&HeaderMap::new(), &other, &[]));
    }
}
