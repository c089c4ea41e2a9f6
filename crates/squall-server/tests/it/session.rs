//! Logging in with a browser, and names that are not ours.

use axum::body::Body;
use axum::http::Request;
use jiff::Timestamp;
use serde_json::json;
use squall_access::{Token, revoke};

use crate::access::Guarded;
use crate::app::{Answer, TestApp};

async fn log_in(guarded: &Guarded, token: &str) -> Answer {
    let request = Request::post("/api/v1/session")
        .header("content-type", "application/json")
        .header("x-squall-console", "1");
    let body = Body::from(json!({ "token": token }).to_string());
    guarded.app.send(request.body(body).unwrap()).await
}

/// The cookie of an answer, as a browser would send it.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap().to_owned()
}

async fn ask(guarded: &Guarded, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    guarded.app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_session_stands_for_its_token() {
    let guarded = Guarded::new();
    let nobody = guarded.app.get("/api/v1/session").await.json();
    assert_eq!(
        nobody,
        json!({"required": true, "name": null, "role": null, "analyst": false, "address": "127.0.0.1"})
    );
    let answer = log_in(&guarded, guarded.admin.reveal()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let ana = json!({"required": true, "name": "ana", "role": "admin", "analyst": true, "address": "127.0.0.1"});
    assert_eq!(answer.json(), ana);
    let set = answer.header("set-cookie").to_owned();
    assert!(
        set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    assert!(!set.contains(guarded.admin.reveal()));
    let cookie = cookie(&answer);
    let with = [("cookie", cookie.as_str())];
    assert_eq!(
        ask(&guarded, "GET", "/api/v1/session", &with).await.json(),
        ana
    );
    assert_eq!(
        ask(&guarded, "GET", "/api/v1/log", &with)
            .await
            .status
            .as_u16(),
        200
    );
}

#[tokio::test]
async fn a_change_needs_more_than_the_cookie_which_a_browser_sends_by_itself() {
    let guarded = Guarded::new();
    let cookie = cookie(&log_in(&guarded, guarded.admin.reveal()).await);
    let with = [("cookie", cookie.as_str())];
    let reload = "/api/v1/samples/failed/retry";
    let answer = ask(&guarded, "POST", reload, &with).await;
    assert_eq!(answer.status.as_u16(), 403);
    assert!(answer.text().contains("X-Squall-Console"));
    let cross = [with[0], ("sec-fetch-site", "cross-site")];
    assert_eq!(
        ask(&guarded, "POST", reload, &cross).await.status.as_u16(),
        403
    );
    for sign in [("x-squall-console", "1"), ("sec-fetch-site", "same-origin")] {
        let answer = ask(&guarded, "POST", reload, &[with[0], sign]).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_session_ends_when_its_holder_says_so() {
    let guarded = Guarded::new();
    let cookie = cookie(&log_in(&guarded, guarded.admin.reveal()).await);
    let with = [("cookie", cookie.as_str())];
    let out = ask(
        &guarded,
        "DELETE",
        "/api/v1/session",
        &[with[0], ("x-squall-console", "1")],
    )
    .await;
    assert_eq!(out.status.as_u16(), 200);
    assert!(
        out.header("set-cookie")
            .starts_with("squall_session=; Path=/; Max-Age=0;")
    );
    let over = ask(&guarded, "GET", "/api/v1/log", &with).await;
    assert_eq!(over.status.as_u16(), 401);
    assert_eq!(over.header("www-authenticate"), "Bearer realm=\"Squall\"");
    let acts = guarded.acts();
    let told: Vec<_> = acts
        .iter()
        .map(|act| act["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        (told.first(), told.last()),
        (Some(&"log in"), Some(&"log out"))
    );
}

#[tokio::test]
async fn a_wrong_token_begins_nothing_and_guessing_is_slow() {
    let guarded = Guarded::new();
    for token in [guarded.expired.reveal(), guarded.revoked.reveal(), "", "x"] {
        let answer = log_in(&guarded, token).await;
        assert_eq!(answer.status.as_u16(), 401, "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), "");
    }
    for _ in 0..8 {
        let answer = log_in(&guarded, Token::draw().unwrap().reveal()).await;
        assert_eq!(answer.status.as_u16(), 401);
    }
    assert_eq!(
        log_in(&guarded, guarded.read.reveal())
            .await
            .status
            .as_u16(),
        503
    );
    for cookie in [
        "squall_session=",
        "squall_session=ab",
        "squall_session=\u{e4}",
    ] {
        let answer = ask(&guarded, "GET", "/api/v1/log", &[("cookie", cookie)]).await;
        assert_eq!(answer.status.as_u16(), 401);
    }
}

#[tokio::test]
async fn a_session_is_good_no_longer_than_its_token() {
    let guarded = Guarded::new();
    let cookie = cookie(&log_in(&guarded, guarded.read.reveal()).await);
    let with = [("cookie", cookie.as_str())];
    assert_eq!(
        ask(&guarded, "GET", "/metrics", &with)
            .await
            .status
            .as_u16(),
        200
    );
    assert_eq!(
        ask(&guarded, "GET", "/api/v1/log", &with)
            .await
            .status
            .as_u16(),
        403
    );
    revoke(guarded.data.path(), "siem", Timestamp::now()).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(
        ask(&guarded, "GET", "/metrics", &with)
            .await
            .status
            .as_u16(),
        401
    );
}

#[tokio::test]
async fn the_cookie_is_for_tls_only_where_there_is_tls() {
    let guarded = Guarded::new();
    // The proxy of the tests is believed; without a peer nobody is a proxy.
    let request = Request::post("/api/v1/session")
        .header("content-type", "application/json")
        .header("x-forwarded-proto", "https");
    let body = Body::from(json!({ "token": guarded.admin.reveal() }).to_string());
    let answer = guarded.app.send(request.body(body).unwrap()).await;
    assert!(!answer.header("set-cookie").contains("Secure"));
    let app = TestApp::with(|setup| setup.config.access.tls = true);
    let answer = app
        .send(
            Request::delete("/api/v1/session")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn without_tokens_there_is_nothing_to_log_in_to() {
    let app = TestApp::new();
    let open = json!({"required": false, "name": null, "role": null, "analyst": true, "address": "127.0.0.1"});
    assert_eq!(app.get("/api/v1/session").await.json(), open);
    let request = Request::post("/api/v1/session").header("content-type", "application/json");
    let answer = app
        .send(request.body(Body::from("{\"token\":\"x\"}")).unwrap())
        .await;
    assert_eq!(answer.status.as_u16(), 404);
}

#[tokio::test]
async fn whoever_comes_through_a_proxy_on_this_machine_is_no_analyst() {
    let app = TestApp::new();
    for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let ask = |path: &str| {
            let request = Request::get(path).header(header, "203.0.113.7");
            app.send(request.body(Body::empty()).unwrap())
        };
        assert_eq!(ask("/api/v1/session").await.json()["analyst"], false);
        let refused = ask("/api/v1/log").await;
        assert_eq!(refused.status.as_u16(), 403);
        assert!(refused.text().contains("trusted-proxy"), "{header}");
        // What everybody may, it may.
        assert_eq!(ask("/api/status").await.status.as_u16(), 200);
    }
    assert_eq!(app.get("/api/v1/log").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_foreign_name_is_refused_before_anything_else() {
    let app =
        TestApp::with(|setup| setup.config.allowed_hosts = Some(vec!["squall.example".to_owned()]));
    for (host, status) in [
        ("squall.example:8080", 200),
        ("127.0.0.1", 200),
        ("localhost:80", 200),
        ("evil.example", 403),
    ] {
        let request = Request::get("/api/status").header("host", host);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
    assert_eq!(app.get("/api/status").await.status.as_u16(), 200);
}
