//! What the console is told, and from where it may change something.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::app::TestApp;
use crate::stop::Server;

#[tokio::test]
async fn the_overview_tells_the_state() {
    let app = TestApp::new();
    let before = app.get("/api/v1/overview").await.json();
    assert_eq!(before["samples"]["accepted"], 0);
    assert_eq!(before["workers"], 3);
    assert_eq!(before["scan_time"]["p95_milliseconds"], Value::Null);
    assert_eq!(before["findings"], Value::Null);
    assert_eq!(before["signatures"]["rules"], 42);
    assert!(before["signatures"]["age_seconds"].is_u64());
    app.upload("/api/check", "a", b"EVIL").await;
    app.upload("/api/check", "a", b"FAIL").await;
    let after = app.get("/api/v1/overview").await.json();
    assert_eq!(after["samples"]["accepted"], 2);
    assert_eq!(after["samples"]["scanned"], 1);
    assert_eq!(after["samples"]["failed"], 1);
    assert_eq!(after["scan_time"]["p95_milliseconds"], 4.0);
    assert_eq!(after["scan_time"]["average_milliseconds"], 4.0);
    assert_eq!(after["storage"]["ok"], true);
}

#[tokio::test]
async fn findings_are_counted_minute_by_minute() {
    let app = TestApp::new();
    let none = app.get("/api/v1/findings/history").await;
    assert_eq!(none.status.as_u16(), 404, "there is no store");
    for query in ["minutes=0", "minutes=x"] {
        let answer = app.get(&format!("/api/v1/findings/history?{query}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{query}");
    }
}

#[tokio::test]
async fn events_come_until_the_service_stops() {
    let server = Server::start(TestApp::new()).await;
    let mut stream = server.connect().await;
    let request = b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while text.matches("event: overview\ndata: {").count() < 2 {
        let read = stream.read(&mut buffer);
        let len = tokio::time::timeout(Duration::from_secs(10), read);
        let len = len.await.unwrap().unwrap();
        assert!(len > 0, "the stream ended: {text}");
        text.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
    }
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    assert!(text.contains("cache-control: no-store"), "{text}");
    assert!(server.stop().await < Duration::from_secs(3));
}

#[tokio::test]
async fn only_so_many_listen() {
    let app = TestApp::new();
    let router = squall_server::router(app.service.clone());
    let mut open = Vec::new();
    for _ in 0..32 {
        let request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(router.clone(), request);
        let answer = answer.await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        open.push(answer);
    }
    let refused = app.get("/api/v1/events").await;
    assert_eq!(refused.status.as_u16(), 503);
    assert!(!refused.header("retry-after").is_empty());
    drop(open);
    for _ in 0..500 {
        let request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(router.clone(), request);
        if answer.await.unwrap().status().as_u16() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("those that left are still counted");
}

/// Everything of the document that is no question: its method and a path.
fn changes() -> Vec<(String, String)> {
    let document = serde_json::to_value(squall_server::openapi()).unwrap();
    let mut changes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if method != "get" {
                let parts = path.split('/');
                let parts = parts.map(|part| if part.starts_with('{') { "x" } else { part });
                let path = parts.collect::<Vec<_>>().join("/");
                changes.push((method.to_uppercase(), path));
            }
        }
    }
    assert!(changes.len() >= 18, "{changes:?}");
    changes
}

#[tokio::test]
async fn a_foreign_page_changes_nothing() {
    let app = TestApp::new();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        for (method, path) in changes() {
            let request = Request::builder()
                .method(method.as_str())
                .uri(&path)
                .header("host", "squall:8080")
                .header(name, value)
                .body(Body::from("x"))
                .unwrap();
            let answer = app.send(request).await;
            assert_eq!(
                answer.status.as_u16(),
                403,
                "{method} {path} {name}: {value}"
            );
            let message = answer.json()["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains("another site"),
                "{method} {path}: {message}"
            );
        }
    }
    app.assert_nothing_stored();
    let own = Request::post("/api/collection")
        .header("host", "squall:8080")
        .header("origin", "http://squall:8080")
        .body(Body::from("x"))
        .unwrap();
    assert_eq!(app.send(own).await.status.as_u16(), 400, "not JSON");
}
