//! What each route needs. What is not in this table is answered to nobody.

use axum::http::Method;
use squall_access::Role;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    method: &'static str,
    /// The path, as the router has it.
    path: &'static str,
    /// The weakest role that may; `None` for everybody.
    pub(crate) role: Option<Role>,
    /// Whether it goes into the audit log.
    pub(crate) audited: bool,
}

const fn rule(method: &'static str, path: &'static str, role: Option<Role>) -> Rule {
    Rule {
        method,
        path,
        role,
        audited: false,
    }
}

/// For everybody: holds nothing that is not in the program itself.
const fn open(path: &'static str) -> Rule {
    rule("GET", path, None)
}

const fn submit(method: &'static str, path: &'static str) -> Rule {
    rule(method, path, Some(Role::Submit))
}

const fn read(path: &'static str) -> Rule {
    rule("GET", path, Some(Role::Read))
}

const fn admin(path: &'static str) -> Rule {
    rule("GET", path, Some(Role::Admin))
}

/// Changes something, or hands out a sample.
const fn act(method: &'static str, path: &'static str) -> Rule {
    Rule {
        audited: true,
        ..rule(method, path, Some(Role::Admin))
    }
}

/// What supervisors and load balancers ask.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// All routes.
const TABLE: &[Rule] = &[
    // The console, which asks for a token itself, and the documentation.
    open("/"),
    open("/static/console.js"),
    open("/static/console.css"),
    open("/static/theme.js"),
    open("/static/icon.svg"),
    open("/static/api.json"),
    open("/openapi.json"),
    open("/docs"),
    open("/docs/"),
    open("/docs/index.html"),
    // Supervisors and load balancers show no token.
    open("/healthz"),
    open("/readyz"),
    // Logging in and out.
    open("/api/v1/session"),
    rule("POST", "/api/v1/session", None),
    rule("DELETE", "/api/v1/session", None),
    rule("GET", "/oidc/login", None),
    rule("GET", "/oidc/callback", None),
    // What collectors and clients of the first generation need.
    submit("POST", "/api/check"),
    submit("POST", "/api/checkAsync"),
    submit("GET", "/api/getAsyncResults"),
    submit("POST", "/api/collection"),
    submit("GET", "/api/info"),
    submit("GET", "/api/status"),
    read("/api/queueHistory"),
    read("/api/sampleHistory"),
    read("/api/deniedHistory"),
    // The same of the second.
    submit("POST", "/api/v1/check"),
    submit("POST", "/api/v1/checkAsync"),
    submit("GET", "/api/v1/getAsyncResults"),
    submit("POST", "/api/v1/collection"),
    submit("GET", "/api/v1/info"),
    submit("GET", "/api/v1/status"),
    read("/api/v1/queueHistory"),
    read("/api/v1/sampleHistory"),
    read("/api/v1/deniedHistory"),
    // What was found.
    read("/api/v1/findings"),
    read("/api/v1/findings/export"),
    read("/api/v1/findings/history"),
    read("/api/v1/findings/{event_id}"),
    act("POST", "/api/v1/findings/{event_id}/review"),
    act("POST", "/api/v1/findings/{event_id}/trust"),
    act("DELETE", "/api/v1/findings/{event_id}/trust"),
    read("/api/v1/sources"),
    read("/api/v1/source"),
    read("/api/v1/collections"),
    // Samples.
    read("/api/v1/samples/failed"),
    act("POST", "/api/v1/samples/failed/retry"),
    act("POST", "/api/v1/samples/{id}/retry"),
    act("GET", "/api/v1/samples/{sha256}/zip"),
    // Signatures.
    read("/api/v1/signatures"),
    read("/api/v1/signatures/sources"),
    read("/api/v1/signatures/costs"),
    act("POST", "/api/v1/signatures/costs"),
    act("POST", "/api/v1/signatures/update"),
    act("POST", "/api/v1/signatures/reload"),
    act("POST", "/api/v1/signatures/rollback"),
    read("/api/v1/signatures/rules"),
    read("/api/v1/signatures/rules/{name}"),
    admin("/api/v1/signatures/own"),
    admin("/api/v1/signatures/own/{name}"),
    act("PUT", "/api/v1/signatures/own/{name}"),
    act("DELETE", "/api/v1/signatures/own/{name}"),
    // The service.
    read("/api/v1/overview"),
    read("/api/v1/events"),
    admin("/api/v1/self-check"),
    admin("/api/v1/configuration"),
    admin("/api/v1/log"),
    read("/metrics"),
];

/// Tells whether the route at `path` is one that collectors and supervisors
/// need.
pub(crate) fn is_public(path: &str) -> bool {
    let mut of_path = TABLE.iter().filter(|rule| is_path(rule.path, path));
    of_path.any(|rule| rule.role == Some(Role::Submit) || HEALTH.contains(&rule.path))
}

/// What the table says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The route needs this.
    Rule(Rule),
    /// The path is known, with another method: there is nothing to be had.
    OtherMethod,
    /// Somebody added a route and forgot the table.
    Missing,
}

/// Looks up what the route at `path`, as the router has it, needs.
pub(crate) fn entry(method: &Method, path: &str) -> Entry {
    // HEAD is answered by what answers GET.
    let method = match method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    let mut of_path = TABLE
        .iter()
        .filter(|rule| is_path(rule.path, path))
        .peekable();
    if of_path.peek().is_none() {
        return Entry::Missing;
    }
    of_path
        .find(|rule| rule.method == method)
        .map_or(Entry::OtherMethod, |rule| Entry::Rule(*rule))
}

/// Compares two paths of routers, in which a part may have any name.
fn is_path(ours: &str, other: &str) -> bool {
    let (mut ours, mut other) = (ours.split('/'), other.split('/'));
    loop {
        match (ours.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || (a.starts_with('{') && b.starts_with('{')) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_document_is_in_the_table() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut routes = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let found = entry(&method, path);
                assert!(
                    matches!(found, Entry::Rule(_)),
                    "`{method} {path}` is not in the table of access rules"
                );
                routes += 1;
            }
        }
        assert!(routes >= 45);
    }

    #[test]
    fn a_route_that_nobody_entered_is_missing() {
        assert_eq!(entry(&Method::GET, "/api/v1/new"), Entry::Missing);
        assert_eq!(entry(&Method::POST, "/metrics"), Entry::OtherMethod);
        assert_eq!(
            entry(&Method::HEAD, "/metrics"),
            entry(&Method::GET, "/metrics")
        );
        let named = entry(&Method::GET, "/api/v1/findings/{id}");
        assert_eq!(named, entry(&Method::GET, "/api/v1/findings/{event_id}"));
    }

    #[test]
    fn collectors_need_few_routes_and_each_with_all_its_methods() {
        let public: Vec<_> = TABLE.iter().filter(|rule| is_public(rule.path)).collect();
        assert_eq!(public.len(), 14);
        for rule in public {
            let is_health = HEALTH.contains(&rule.path);
            assert!(rule.role == Some(Role::Submit) || is_health, "{rule:?}");
        }
        for path in [
            "/",
            "/docs/index.html",
            "/metrics",
            "/api/v1/session",
            "/none",
        ] {
            assert!(!is_public(path), "{path}");
        }
    }

    #[test]
    fn no_route_is_there_twice_and_whatever_changes_something_is_audited() {
        for (at, rule) in TABLE.iter().enumerate() {
            let again = TABLE[..at].iter();
            assert!(
                !again
                    .clone()
                    .any(|o| o.method == rule.method && o.path == rule.path),
                "{rule:?}"
            );
            let is_session = rule.path == "/api/v1/session";
            if rule.method != "GET" && rule.role != Some(Role::Submit) && !is_session {
                assert!(rule.audited && rule.role == Some(Role::Admin), "{rule:?}");
            }
        }
    }
}
