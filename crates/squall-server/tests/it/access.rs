//! Who may ask for what, with real tokens, over every path there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Method, Request};
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use squall_access::{AuditLog, NewToken, Role, Token, Tokens, create, revoke};
use squall_server::AccessConfig;
use tempfile::TempDir;

use crate::app::{Answer, BOUNDARY, TestApp, form, part, upload_request};
use crate::stop::Server;

/// The operations that need no token: there is nothing to be learned there.
const OPEN: [&str; 5] = [
    "/healthz",
    "/readyz",
    "/api/v1/session",
    "/oidc/login",
    "/oidc/callback",
];

/// An app that asks for tokens, and one of each kind.
pub(crate) struct Guarded {
    pub(crate) app: TestApp,
    audit: Arc<AuditLog>,
    pub(crate) submit: Token,
    pub(crate) read: Token,
    pub(crate) admin: Token,
    pub(crate) expired: Token,
    pub(crate) revoked: Token,
    elsewhere: Token,
    pub(crate) data: TempDir,
}

fn new_token(name: &str, role: Role) -> NewToken {
    NewToken {
        name: name.to_owned(),
        role,
        expires_at: None,
        from: Vec::new(),
    }
}

impl Guarded {
    pub(crate) fn new() -> Self {
        Self::with(false)
    }

    fn with(token_in_url: bool) -> Self {
        Self::adjusted(|config| config.token_in_url = token_in_url)
    }

    pub(crate) fn adjusted(adjust: impl FnOnce(&mut AccessConfig)) -> Self {
        Self::with_proxies(adjust, true)
    }

    /// Makes one that believes proxies on this machine, or none.
    pub(crate) fn with_proxies(adjust: impl FnOnce(&mut AccessConfig), proxies: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let make = |wanted, at| create(data.path(), wanted, at).unwrap();
        let expired = NewToken {
            expires_at: Some(now - 1.hour()),
            ..new_token("expired", Role::Admin)
        };
        let elsewhere = NewToken {
            from: vec!["192.0.2.0/24".parse().unwrap()],
            ..new_token("elsewhere", Role::Admin)
        };
        let revoked = make(new_token("revoked", Role::Admin), now);
        revoke(data.path(), "revoked", now).unwrap();
        let audit = Arc::new(AuditLog::new(data.path().join("audit.log")));
        let (submit, read) = (Role::Submit, Role::Read);
        let (submit, read) = (
            make(new_token("site-a", submit), now),
            make(new_token("siem", read), now),
        );
        let admin = make(new_token("ana", Role::Admin), now);
        let expired = make(expired, now - 2.hours());
        let elsewhere = make(elsewhere, now);
        let mut access = AccessConfig {
            audit: Some(Arc::clone(&audit)),
            ..AccessConfig::default()
        };
        adjust(&mut access);
        let tokens = Tokens::open(data.path()).unwrap();
        access.tokens = Some(Arc::new(tokens.within(access.networks.clone())));
        let app = TestApp::with(|setup| {
            setup.config.access = access;
            if proxies {
                setup.config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
            }
        });
        Self {
            app,
            audit,
            submit,
            read,
            admin,
            expired,
            revoked,
            elsewhere,
            data,
        }
    }

    /// Gives the app away; what is left answers nothing of use.
    pub(crate) fn take_app(&mut self) -> TestApp {
        std::mem::replace(&mut self.app, TestApp::with(|setup| setup.worker = false))
    }

    async fn ask(&self, method: &str, path: &str, token: &Token) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", token.reveal()));
        self.app.send(request.body(Body::empty()).unwrap()).await
    }

    async fn queue(&self, token: &Token, bytes: &[u8]) -> u64 {
        let mut request = upload_request("/api/checkAsync", form(&[part("a", bytes)]));
        let value = token.reveal().parse().unwrap();
        request.headers_mut().insert("x-api-key", value);
        let answer = self.app.send(request).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        answer.json()["id"].as_u64().unwrap()
    }

    /// Everything that is not good enough for `role`: what it is, what a
    /// request shows, and how it is refused.
    fn bad_for(&self, role: Role) -> Vec<(&'static str, Option<String>, u16)> {
        let bearer = |token: &Token| Some(format!("Bearer {}", token.reveal()));
        let mut bad = vec![
            ("nothing", None, 401),
            ("no token", Some("Bearer letmein".to_owned()), 401),
            ("a forged token", bearer(&Token::draw().unwrap()), 401),
            ("an expired token", bearer(&self.expired), 401),
            ("a revoked token", bearer(&self.revoked), 401),
            ("a token of another network", bearer(&self.elsewhere), 403),
        ];
        let weak = match role {
            Role::Submit => None,
            Role::Read => Some(&self.submit),
            Role::Admin => Some(&self.read),
        };
        bad.extend(weak.map(|token| ("a weak token", bearer(token), 403)));
        bad
    }

    pub(crate) fn acts(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.audit.path()).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Every operation of the API document with the role it names, the weakest
/// that may; `None` for the few that need none.
pub(crate) fn operations() -> Vec<(Method, String, Option<Role>)> {
    let document = serde_json::to_value(squall_server::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation.pointer("/security/0/bearer/0");
            let role = role.map(|role| role.as_str().unwrap().parse().unwrap());
            assert!(role.is_some() || OPEN.contains(&path.as_str()), "{path}");
            let path = path
                .split('/')
                .map(|part| if part.starts_with('{') { "1" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            operations.push((method.to_uppercase().parse().unwrap(), path, role));
        }
    }
    assert!(operations.len() >= 45);
    operations
}

/// A body that notes when somebody asks for it.
fn watched(bytes: Vec<u8>) -> (Body, Arc<AtomicBool>) {
    struct Watched(Option<Vec<u8>>, Arc<AtomicBool>);
    impl axum::body::HttpBody for Watched {
        type Data = axum::body::Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            self.1.store(true, Ordering::SeqCst);
            let bytes = self
                .0
                .take()
                .map(|bytes| Ok(hyper::body::Frame::data(bytes.into())));
            std::task::Poll::Ready(bytes)
        }
    }
    let asked = Arc::new(AtomicBool::new(false));
    (Body::new(Watched(Some(bytes), Arc::clone(&asked))), asked)
}

#[tokio::test]
async fn every_operation_refuses_whoever_may_not() {
    let guarded = Guarded::new();
    let mut from = 0_u32;
    for (method, path, role) in operations() {
        let Some(role) = role else { continue };
        for (what, credentials, status) in guarded.bad_for(role) {
            // Everybody who guesses comes from somewhere else.
            from += 1;
            let [_, b, c, d] = from.to_be_bytes();
            for first in [true, false] {
                let (body, asked) = watched(form(&[part("a", b"EVIL")]));
                let mut request = Request::builder()
                    .method(&method)
                    .uri(&path)
                    .header("x-forwarded-for", format!("10.{b}.{c}.{d}"))
                    .header(
                        "content-type",
                        format!("multipart/form-data; boundary={BOUNDARY}"),
                    );
                if let Some(credentials) = &credentials {
                    request = request.header("authorization", credentials);
                }
                if first {
                    request = request.header("expect", "100-continue");
                }
                let answer = guarded.app.send(request.body(body).unwrap()).await;
                let at = format!("{method} {path} with {what}: {}", answer.text());
                assert_eq!(answer.status.as_u16(), status, "{at}");
                let message = answer.json()["message"].as_str().unwrap().to_owned();
                assert!(message.contains("token"), "{at}");
                let challenge = answer.header("www-authenticate");
                assert_eq!(challenge.starts_with("Basic "), status == 401, "{at}");
                // Without being asked for, it is only thrown away.
                assert!(!(first && asked.load(Ordering::SeqCst)), "{at}: read");
            }
        }
    }
    guarded.app.assert_nothing_stored();
    assert!(guarded.acts().iter().all(|act| act["outcome"] == "refused"));
}

#[tokio::test]
async fn every_operation_lets_pass_whoever_may() {
    let guarded = Guarded::new();
    for (method, path, role) in operations() {
        let tokens = [
            (Role::Submit, &guarded.submit),
            (Role::Read, &guarded.read),
            (Role::Admin, &guarded.admin),
        ];
        // The stream of events never ends.
        if path.ends_with("/events") {
            continue;
        }
        for (held, token) in tokens {
            let answer = guarded.ask(method.as_str(), &path, token).await;
            let refused = matches!(answer.status.as_u16(), 401 | 403);
            let may = role.is_none_or(|role| held.may(role));
            assert_eq!(
                refused,
                !may,
                "{method} {path} as {held}: {}",
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn the_pages_are_for_everybody_and_what_is_not_there_for_nobody() {
    let guarded = Guarded::new();
    for path in [
        "/",
        "/static/console.js",
        "/openapi.json",
        "/static/icon.svg",
    ] {
        assert_eq!(guarded.app.get(path).await.status.as_u16(), 200, "{path}");
    }
    for path in ["/docs", "/docs/", "/docs/index.html"] {
        let answer = guarded.app.get(path).await;
        assert_eq!(answer.status.as_u16(), 303, "{path}");
    }
    assert_eq!(guarded.app.get("/api/none").await.status.as_u16(), 401);
    let none = guarded.ask("GET", "/api/none", &guarded.submit).await;
    assert_eq!(none.status.as_u16(), 404);
    let other = guarded.ask("DELETE", "/api/status", &guarded.submit).await;
    assert_eq!(other.status.as_u16(), 405);
}

#[tokio::test]
async fn a_submitter_sees_its_own_results_and_others_like_none() {
    let guarded = Guarded::new();
    let mine = guarded.queue(&guarded.submit, b"EVIL").await;
    let others = guarded.queue(&guarded.admin, b"EVIL").await;
    for base in ["/api", "/api/v1"] {
        let of = |id: u64| format!("{base}/getAsyncResults?id={id}");
        loop {
            let answer = guarded.ask("GET", &of(mine), &guarded.submit).await;
            assert_eq!(answer.status.as_u16(), 200);
            if answer.json()["status"] == "Sample analysis complete" {
                assert_eq!(answer.json()["result"].as_array().unwrap().len(), 1);
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let hidden = guarded.ask("GET", &of(others), &guarded.submit).await;
        let unknown = guarded.ask("GET", &of(others + 77), &guarded.submit).await;
        assert_eq!(
            (hidden.status, unknown.status.as_u16()),
            (unknown.status, 400)
        );
        let expected = unknown
            .text()
            .replace(&(others + 77).to_string(), &others.to_string());
        assert_eq!(hidden.text(), expected);
        assert_eq!(hidden.headers.len(), unknown.headers.len());
        for token in [&guarded.read, &guarded.admin] {
            for id in [mine, others] {
                let answer = guarded.ask("GET", &of(id), token).await;
                assert_eq!(answer.status.as_u16(), 200);
            }
        }
    }
}

#[tokio::test]
async fn whoever_guesses_is_not_listened_to_and_its_neighbour_is() {
    let guarded = Guarded::new();
    let status = |token: &Token, from: &'static str| {
        let request = Request::get("/api/status")
            .header("x-api-key", token.reveal())
            .header("x-forwarded-for", from);
        guarded.app.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(
        status(&guarded.submit, "10.0.0.1").await.status.as_u16(),
        200
    );
    for _ in 0..10 {
        let forged = Token::draw().unwrap();
        assert_eq!(status(&forged, "10.0.0.1").await.status.as_u16(), 401);
    }
    // Not 401: a collector would drop its sample. It has not been looked at.
    let shut = status(&guarded.read, "10.0.0.1").await;
    shut.assert_refusal(503, "too many wrong tokens");
    assert_eq!(
        status(&guarded.submit, "10.0.0.1").await.status.as_u16(),
        200
    );
    assert_eq!(status(&guarded.read, "10.0.0.2").await.status.as_u16(), 200);
    // Saying nothing is no guess.
    let nothing = Request::get("/api/status").header("x-forwarded-for", "10.0.0.1");
    let nothing = guarded.app.send(nothing.body(Body::empty()).unwrap()).await;
    assert_eq!(nothing.status.as_u16(), 401);
}

#[tokio::test]
async fn a_token_in_the_url_is_good_only_where_that_is_allowed() {
    for allowed in [false, true] {
        let guarded = Guarded::with(allowed);
        let path = format!("/api/status?token={}", guarded.submit.reveal());
        let status = guarded.app.get(&path).await.status.as_u16();
        assert_eq!(status, if allowed { 200 } else { 401 });
    }
}

#[tokio::test]
async fn a_page_is_not_made_to_ask_for_a_password() {
    let guarded = Guarded::new();
    for name in ["x-squall-console", "sec-fetch-site", "sec-fetch-mode"] {
        let request = Request::get("/api/status").header(name, "same-origin");
        let answer = guarded.app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"Squall\"");
    }
}

#[tokio::test]
async fn acts_are_written_down_with_who_and_how_they_ended() {
    let guarded = Guarded::new();
    guarded
        .ask("POST", "/api/v1/samples/failed/retry", &guarded.admin)
        .await;
    guarded
        .ask("POST", "/api/v1/samples/5/retry", &guarded.admin)
        .await;
    guarded
        .ask("POST", "/api/v1/signatures/reload", &guarded.submit)
        .await;
    // Neither is an act: nobody is known, and nothing is changed.
    guarded
        .app
        .send(
            Request::post("/api/v1/signatures/reload")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    guarded.ask("GET", "/api/v1/overview", &guarded.admin).await;
    let acts = guarded.acts();
    let told: Vec<_> = acts
        .iter()
        .map(|act| {
            let text = |name: &str| act[name].as_str().unwrap().to_owned();
            (text("who"), text("role"), text("what"), text("outcome"))
        })
        .collect();
    let expected = [
        ("ana", "admin", "POST /api/v1/samples/failed/retry", "done"),
        ("ana", "admin", "POST /api/v1/samples/5/retry", "failed"),
        (
            "site-a",
            "submit",
            "POST /api/v1/signatures/reload",
            "refused",
        ),
    ];
    let expected = expected.map(|(a, b, c, d)| (a.into(), b.into(), c.into(), d.into()));
    assert_eq!(told, expected);
    assert_eq!(acts[1]["status"], 404);
    assert_eq!(acts[0]["token"], guarded.admin.id().to_string());
    assert_eq!(acts[0]["from"], "127.0.0.1");
    let text = std::fs::read_to_string(guarded.audit.path()).unwrap();
    assert!(!text.contains(&guarded.admin.reveal()[13..]));
}

#[tokio::test]
async fn a_weak_token_cannot_fill_the_audit_log() {
    let guarded = Guarded::new();
    for _ in 0..15 {
        let path = "/api/v1/signatures/reload";
        let answer = guarded.ask("POST", path, &guarded.read).await;
        assert_eq!(answer.status.as_u16(), 403);
    }
    assert_eq!(guarded.acts().len(), 10);
    let path = "/api/v1/samples/failed/retry";
    guarded.ask("POST", path, &guarded.admin).await;
    guarded.ask("POST", path, &guarded.submit).await;
    let acts = guarded.acts();
    let told: Vec<_> = acts[10..].iter().map(|act| &act["who"]).collect();
    assert_eq!(told, ["ana", "site-a"]);
}

#[tokio::test]
async fn without_tokens_acts_are_written_down_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Arc::new(AuditLog::new(dir.path().join("audit.log")));
    let app = TestApp::with(|setup| setup.config.access.audit = Some(Arc::clone(&audit)));
    let retry = Request::post("/api/v1/samples/failed/retry").body(Body::empty());
    assert_eq!(app.send(retry.unwrap()).await.status.as_u16(), 200);
    let text = std::fs::read_to_string(audit.path()).unwrap();
    assert!(
        text.contains(r#""who":"anybody","from":"127.0.0.1""#),
        "{text}"
    );
}

/// Over a socket: the refusal comes instead of `100 Continue`, and before the
/// body where nobody asks first.
#[tokio::test]
async fn a_refusal_comes_before_the_body() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let guarded = Guarded::new();
    let Guarded { app, .. } = &guarded;
    let stored = app.queue.clone();
    let server = Server::start(guarded.app).await;
    for expect in ["Expect: 100-continue\r\n", ""] {
        let mut stream = server.connect().await;
        let head = format!(
            "POST /api/checkAsync HTTP/1.1\r\nHost: x\r\n{expect}Content-Length: 100000000\r\n\
             Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 401");
    }
    assert_eq!(stored.stats().accepted, 0);
}
