//! What both generations answer, as snapshots.

use axum::http::StatusCode;
use insta::{assert_json_snapshot, assert_snapshot};

use serde_json::json;

use crate::app::TestApp;

/// Snapshots in the order of the keys: whether `serde_json` keeps an order of
/// its own depends on what else is built with it.
fn sorted() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_sort_maps(true);
    settings.bind_to_scope()
}

#[tokio::test]
async fn a_finding_in_both_generations() {
    let _sorted = sorted();
    let app = TestApp::new();
    let v0 = app
        .upload(
            "/api/check?source=web-01",
            r"C:\temp\evil.exe",
            b"EVIL bytes",
        )
        .await;
    assert_eq!(v0.status, StatusCode::OK);
    assert_eq!(v0.header("content-type"), "application/json");
    assert_json_snapshot!("check_v0", v0.json());
    let v1 = app
        .upload(
            "/api/v1/check?source=web-01",
            r"C:\temp\evil.exe",
            b"EVIL bytes",
        )
        .await;
    let mut v1 = v1.json();
    let event_id = v1[0]["meta"]["event_id"].take();
    assert!(event_id.as_str().is_some_and(|id| !id.is_empty()));
    assert_json_snapshot!("check_v1", v1);
}

#[tokio::test]
async fn a_clean_file_is_an_empty_list() {
    let app = TestApp::new();
    for path in ["/api/check", "/api/v1/check"] {
        let answer = app.upload(path, "/bin/true", b"good").await;
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (200, "[]")
        );
    }
}

#[tokio::test]
async fn an_incomplete_scan_is_never_an_empty_list() {
    let app = TestApp::new();
    let answer = app.upload("/api/check", "a.zip", b"PARTIAL").await;
    assert_eq!(answer.json()[0]["message"], "File not scanned completely");
    let answer = app.upload("/api/v1/check", "a.zip", b"PARTIAL").await;
    assert_eq!(answer.json()[0]["issues"][0]["category"], "encrypted");
}

#[tokio::test]
async fn a_failed_scan_is_an_error_with_its_reason() {
    let app = TestApp::new();
    let answer = app.upload("/api/check", "a", b"FAIL").await;
    answer.assert_refusal(500, "the engine gave up");
    let answer = app.upload("/api/v1/check", "a", b"FAIL").await;
    assert_eq!(answer.status.as_u16(), 500);
    assert_eq!(
        answer.text(),
        r#"{"message":"the sample could not be scanned: the engine gave up"}"#
    );
}

#[tokio::test]
async fn a_queued_file_is_answered_with_an_id_and_nothing_else() {
    let app = TestApp::new();
    let answer = app.upload("/api/checkAsync", "a", b"EVIL").await;
    assert_eq!(answer.text(), r#"{"id":1}"#);
    let result = app.result("/api", 1).await;
    assert_eq!(result["status"], "Sample analysis complete");
    assert_eq!(result["result"][0]["level"], "Alert");
    let result = app.result("/api/v1", 1).await;
    assert_eq!(result["result"][0]["type"], "THOR finding");

    app.upload("/api/v1/checkAsync", "b", b"good").await;
    let clean = app.result("/api", 2).await;
    assert_eq!(
        clean,
        json!({"status": "Sample analysis complete", "result": []})
    );
    app.upload("/api/checkAsync", "c", b"FAIL").await;
    let failed = app.result("/api", 3).await;
    assert_eq!(failed, json!({"status": "Sample analysis failed"}));
}

#[tokio::test]
async fn a_file_that_waits_says_so() {
    let app = TestApp::with(|setup| setup.worker = false);
    app.upload("/api/checkAsync", "a", b"x").await;
    let answer = app.get("/api/getAsyncResults?id=1").await;
    assert_eq!(answer.text(), r#"{"status":"Waiting for execution"}"#);
    let claim = app.queue.claim(squall_queue::Lanes::All, 0).unwrap();
    let answer = app.get("/api/v1/getAsyncResults?id=1").await;
    assert_eq!(answer.text(), r#"{"status":"Currently being scanned"}"#);
    app.queue.hand_back(claim);
}

#[tokio::test]
async fn pretty_indents_by_four() {
    let app = TestApp::new();
    let answer = app.upload("/api/checkAsync?pretty=true", "a", b"x").await;
    assert_eq!(answer.text(), "{\n    \"id\": 1\n}\n");
    app.result("/api", 1).await;
    let answer = app.get("/api/getAsyncResults?id=1&pretty=1").await;
    assert_eq!(
        answer.text(),
        "{\n    \"status\": \"Sample analysis complete\",\n    \"result\": []\n}\n"
    );
    let answer = app.get("/api/getAsyncResults?id=9&pretty=true").await;
    assert!(answer.text().starts_with("{\n    \"reason\": "));
}

#[tokio::test]
async fn info_and_status_have_every_key() {
    let _sorted = sorted();
    let app = TestApp::new();
    app.upload("/api/check", "a", b"x").await;
    assert_snapshot!("info_v0", app.get("/api/info?pretty=1").await.text());
    assert_snapshot!("info_v1", app.get("/api/v1/info?pretty=1").await.text());
    let redacted = |text: String| {
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (key, value) in json.as_object_mut().unwrap() {
            if key.contains("_time_") || key.starts_with("uptime") {
                assert!(value.is_u64(), "{key}");
                *value = "[time]".into();
            }
        }
        json
    };
    assert_json_snapshot!("status_v0", redacted(app.get("/api/status").await.text()));
    assert_json_snapshot!(
        "status_v1",
        redacted(app.get("/api/v1/status").await.text())
    );
}

#[tokio::test]
async fn info_says_nothing_of_signatures_that_are_not_loaded() {
    let app = TestApp::with(|setup| setup.loaded = false);
    let info = app.get("/api/info").await.json();
    assert_eq!(info["signature_version"], "");
    assert_eq!(info["rules"], 0);
    app.upload("/api/check", "a", b"x")
        .await
        .assert_refusal(503, "still being loaded");
    app.assert_nothing_stored();

    let loaded = squall_types::SignatureSummary {
        rules: 5,
        ..Default::default()
    };
    app.signatures.store(Some(std::sync::Arc::new(loaded)));
    assert_eq!(app.upload("/api/check", "a", b"x").await.text(), "[]");
    assert_eq!(app.get("/api/info").await.json()["rules"], 5);
}

#[tokio::test]
async fn a_collector_reports_its_run() {
    let app = TestApp::new();
    let post = async |body: &str| {
        let request = axum::http::Request::post("/api/collection");
        app.send(request.body(body.to_owned().into()).unwrap())
            .await
    };
    let begun =
        post(r#"{"type":"begin","source":"web-01","collector":"bash/0.5","timestamp":"x"}"#);
    let begun = begun.await;
    assert!(begun.body.len() <= 256);
    let scan_id = begun.json()["scan_id"].as_str().unwrap().to_owned();
    app.upload(&format!("/api/checkAsync?scan_id={scan_id}"), "a", b"x")
        .await;
    let end = format!(r#"{{"type":"end","scan_id":"{scan_id}","stats":{{"scanned":5}}}}"#);
    assert_eq!(post(&end).await.text(), r#"{"ok":true}"#);
    let runs = app.service.collection_runs();
    assert_eq!((runs[0].uploads, runs[0].source.as_str()), (1, "web-01"));
    assert_eq!(runs[0].end.as_ref().unwrap().stats.unwrap().scanned, 5);

    let unknown = r#"{"type":"abort","scan_id":"never seen"}"#;
    assert_eq!(post(unknown).await.text(), r#"{"ok":true}"#);
    for bad in ["", "{", "[]", "{}", r#"{"type":"explode"}"#] {
        post(bad).await.assert_refusal(400, "not as expected");
    }
    post(&"x".repeat(70_000)).await.assert_refusal(413, "65536");
}
