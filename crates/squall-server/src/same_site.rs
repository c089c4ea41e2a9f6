//! Nothing is changed for a page of another site.
//!
//! A page of somebody else's can make a browser send requests here with the
//! rights of whoever looks at it. Browsers say where a request comes from, in
//! `Sec-Fetch-Site`, or on plain HTTP in `Origin` only; programs say nothing,
//! and are let through. A header of our own, which the console sends, stands
//! for the same where a proxy changed the `Host`: a foreign page cannot send it
//! without asking first, and that is never answered.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::failure::Failure;
use crate::upload::drain;

/// The console's header.
const CONSOLE: &str = "x-squall-console";

/// Refuses what may change something and comes from a page of another site.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if is_safe
        || is_own(
            request.headers(),
            request.uri().authority().map(|a| a.as_str()),
        )
    {
        return next.run(request).await;
    }
    drain(request.into_body());
    Failure::OtherSite.into_response()
}

/// Tells whether a request comes from a page of this service, or from no page.
/// `authority` is what HTTP/2 says instead of `Host`.
fn is_own(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if headers.contains_key(CONSOLE) {
        return true;
    }
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return true;
    };
    let host = text(header::HOST.as_str()).or(authority).unwrap_or("");
    origin
        .split_once("://")
        .is_some_and(|(_, origin)| !host.is_empty() && origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn own(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_own(&headers, None)
    }

    #[test]
    fn programs_and_own_pages_pass() {
        assert!(own(&[("host", "squall:8080")]));
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(own(&[("sec-fetch-site", "none")]));
        assert!(own(&[
            ("host", "squall:8080"),
            ("origin", "http://squall:8080")
        ]));
        assert!(own(&[
            ("host", "inner"),
            ("origin", "https://outer"),
            ("x-squall-console", "1")
        ]));
    }

    #[test]
    fn pages_of_others_do_not() {
        assert!(!own(&[("sec-fetch-site", "cross-site")]));
        assert!(!own(&[("sec-fetch-site", "same-site")]));
        for origin in ["http://evil.example", "http://squall:8081", "null", ""] {
            assert!(
                !own(&[("host", "squall:8080"), ("origin", origin)]),
                "{origin}"
            );
        }
        assert!(!own(&[("origin", "http://evil.example")]));
    }
}
