//! The console and the documentation: complete, self-contained, locked
//! down.

use std::io::Read as _;

use axum::body::Body;
use axum::http::Request;

use crate::app::{Answer, TestApp};

fn policy(answer: &Answer) -> &str {
    answer.header("content-security-policy")
}

#[tokio::test]
async fn the_console_has_its_files() {
    let app = TestApp::new();
    let page = app.get("/").await;
    assert_eq!(page.status.as_u16(), 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        policy(&page)
            .starts_with("default-src 'none'; script-src 'self'; style-src 'self'; img-src")
    );
    let html = page.text();
    for link in attributes(&html) {
        let answer = app.get(&link.replace("&amp;", "&")).await;
        assert_eq!(answer.status.as_u16(), 200, "{link}");
    }
    assert!(!html.contains(" onclick=") && !html.contains("<style") && !html.contains("style="));
}

/// Returns what the page links to or loads; all of it lies on this service.
fn attributes(html: &str) -> Vec<String> {
    let mut links = Vec::new();
    for marker in ["href=\"", "src=\""] {
        for piece in html.split(marker).skip(1) {
            let link = piece.split('"').next().unwrap();
            if !link.starts_with('#') {
                assert!(link.starts_with('/'), "{link} leaves the service");
                links.push(link.to_owned());
            }
        }
    }
    assert!(links.len() >= 8, "{links:?}");
    links
}

#[tokio::test]
async fn a_browser_has_a_file_once() {
    let app = TestApp::new();
    let ask = |name: &'static str, value: String| {
        let request = Request::get("/static/console.js").header(name, value);
        app.send(request.body(Body::empty()).unwrap())
    };
    let plain = app.get("/static/console.js").await;
    assert_eq!(
        plain.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(plain.header("cache-control"), "no-cache");
    assert_eq!(plain.header("content-encoding"), "");
    let tag = plain.header("etag").to_owned();
    assert!(tag.len() > 10, "{tag}");
    let again = ask("if-none-match", tag).await;
    assert_eq!(again.status.as_u16(), 304);
    assert!(again.body.is_empty());
    let other = ask("if-none-match", "W/\"0\"".to_owned()).await;
    assert_eq!(other.body, plain.body);
    let packed = ask("accept-encoding", "br, gzip".to_owned()).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.body);
}

#[tokio::test]
async fn where_documentation_is_looked_for_leads_to_it() {
    let app = TestApp::new();
    for path in ["/docs", "/docs/", "/docs/index.html"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status.as_u16(), 303, "{path}");
        assert_eq!(answer.header("location"), "/#/api", "{path}");
    }
    app.get("/docs/nothing")
        .await
        .assert_refusal(404, "nothing");
}

#[tokio::test]
async fn the_document_is_served_twice() {
    let app = TestApp::new();
    let document = app.get("/openapi.json").await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.json()["info"]["title"], "Squall");
    assert_eq!(app.get("/static/api.json").await.body, document.body);
}

#[tokio::test]
async fn every_answer_is_locked_down() {
    let app = TestApp::new();
    for path in ["/", "/docs/", "/api/info", "/api/v1/status", "/nothing"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(policy(&answer).contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy(&answer).contains("unsafe"), "{path}");
    }
}
