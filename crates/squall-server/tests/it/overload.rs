//! Quotas, bounds, failed samples and what monitoring sees of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use squall_types::{Incomplete, IncompleteReason, LogHealth, Outcome};

use crate::app::{Answer, TestApp, form, part, upload_request};

async fn post(app: &TestApp, path: &str) -> Answer {
    app.send(Request::post(path).body(Body::empty()).unwrap())
        .await
}

/// Returns the value of a metric, written as it stands in the text.
async fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    value.trim().parse().unwrap()
}

#[tokio::test]
async fn the_quota_is_enforced_counted_and_told() {
    let app = TestApp::with(|setup| setup.config.quota.samples_per_hour = Some(2));
    let info = app.get("/api/info").await.json();
    assert_eq!(info["allowed_samples_per_hour"], 2);
    let info = app.get("/api/v1/info").await.json();
    assert_eq!(info["scan_speed_limitation"], 2);

    // What is refused for itself costs nothing.
    let two = form(&[part("a", b"x"), part("b", b"x")]);
    for _ in 0..5 {
        let answer = app.send(upload_request("/api/check", two.clone())).await;
        answer.assert_refusal(400, "several");
    }
    assert_eq!(app.upload("/api/check", "a", b"x").await.text(), "[]");
    app.upload("/api/checkAsync", "a", b"x").await;
    for path in ["/api/check", "/api/checkAsync"] {
        let answer = app.upload(path, "a", b"x").await;
        answer.assert_refusal(503, "quota of samples per hour");
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1790..=1800).contains(&seconds), "{seconds}");
    }
    let status = app.get("/api/status").await.json();
    assert_eq!(status["quota_waits"], 2);
    assert_eq!(status["denied_requests"], 2);
    let waited = status["quota_wait_time_milliseconds"].as_u64().unwrap();
    assert!((3_580_000..=3_600_000).contains(&waited), "{waited}");
    assert_eq!(status["quota_wait_time_ms"], waited);
    assert_eq!(
        metric(&app, "squall_refused_samples_total{reason=\"quota\"}").await,
        2.0
    );
    assert_eq!(metric(&app, "squall_limit{reason=\"quota\"}").await, 2.0);
}

#[tokio::test]
async fn a_source_has_a_quota_of_its_own() {
    let app = TestApp::with(|setup| {
        setup.config.quota.samples_per_hour_per_source = Some(1);
    });
    let send = async |query: &str| app.upload(&format!("/api/check{query}"), "a", b"x").await;
    assert_eq!(send("?source=a").await.status.as_u16(), 200);
    send("?source=a")
        .await
        .assert_refusal(503, "this source's quota");
    assert_eq!(send("?source=b").await.status.as_u16(), 200);
    // Without a name it is the address.
    assert_eq!(send("").await.status.as_u16(), 200);
    send("").await.assert_refusal(503, "this source's quota");
    assert_eq!(
        app.get("/api/info").await.json()["allowed_samples_per_hour"],
        0
    );
    assert_eq!(app.get("/api/status").await.json()["quota_waits"], 2);
}

#[tokio::test]
async fn bytes_in_flight_are_bounded() {
    let app = TestApp::with(|setup| setup.config.limits.bytes_in_flight_max = 100_000);
    // Alone, any sample has its turn.
    let large = vec![b'x'; 300_000];
    assert_eq!(app.upload("/api/check", "a", &large).await.text(), "[]");
    let (sender, body) = slow_body();
    let slow = app.send(upload_request("/api/check", body));
    let other = async {
        let mut begin = form(&[part("a", &[b'x'; 90_000])]);
        let end = begin.split_off(90_100);
        sender.send(begin).await.unwrap();
        while metric(&app, "squall_in_flight_bytes").await < 90_000.0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(metric(&app, "squall_uploads").await, 1.0);
        let answer = app.upload("/api/checkAsync", "b", &[b'x'; 20_000]).await;
        answer.assert_refusal(503, "too many bytes");
        sender.send(end).await.unwrap();
        drop(sender);
    };
    let (answer, ()) = tokio::join!(slow, other);
    assert_eq!(answer.text(), "[]");
    assert_eq!(metric(&app, "squall_in_flight_bytes").await, 0.0);
    assert_eq!(
        metric(
            &app,
            "squall_refused_samples_total{reason=\"bytes_in_flight\"}"
        )
        .await,
        1.0
    );
}

/// A body that comes as it is sent.
fn slow_body() -> (tokio::sync::mpsc::Sender<Vec<u8>>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    let stream = http_body_util::BodyStream::new(Incoming(receiver));
    (sender, Body::new(http_body_util::StreamBody::new(stream)))
}

struct Incoming(tokio::sync::mpsc::Receiver<Vec<u8>>);

impl axum::body::HttpBody for Incoming {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, Self::Error>>> {
        let polled = self.0.poll_recv(cx);
        polled.map(|bytes| bytes.map(|bytes| Ok(hyper::body::Frame::data(bytes.into()))))
    }
}

#[tokio::test]
async fn what_has_no_room_is_refused_before_it_is_read() {
    let app = TestApp::with(|setup| {
        setup.worker = false;
        setup.queue.limits.bytes_max = 10_000;
        setup.queue.limits.immediate_max = 0;
    });
    let announced = |path: &str| {
        // The body never comes; only an answer before it can end the test.
        let (sender, body) = slow_body();
        std::mem::forget(sender);
        let mut request = upload_request(path, body);
        let headers = request.headers_mut();
        headers.insert("content-length", "20000".parse().unwrap());
        request
    };
    let answer = app.send(announced("/api/checkAsync")).await;
    answer.assert_refusal(503, "the queue is full");
    let answer = app.send(announced("/api/check")).await;
    answer.assert_refusal(503, "too many synchronous checks");
    for reason in ["queue_bytes", "waiting_checks"] {
        let name = format!("squall_refused_samples_total{{reason=\"{reason}\"}}");
        assert_eq!(metric(&app, &name).await, 1.0);
    }
    app.assert_nothing_stored();
}

#[tokio::test]
async fn refusals_are_remembered_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue");
    for run in 1..3 {
        let app = TestApp::with(|setup| {
            setup.queue.dir.clone_from(&path);
            setup.config.limits.connections_max = 0;
        });
        let answer = app.upload("/api/check", "a", b"x").await;
        answer.assert_refusal(503, "too many uploads");
        let status = app.get("/api/status").await.json();
        assert_eq!(status["denied_requests"], run);
        let history = app.get("/api/deniedHistory").await.json();
        let sum: u64 = history
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!(sum, run);
        app.queue.close_blocking().unwrap();
    }
}

#[tokio::test]
async fn the_counts_add_up() {
    let app = TestApp::new();
    for bytes in [&b"x"[..], b"EVIL", b"FAIL"] {
        app.upload("/api/check", "a", bytes).await;
        let id = app.upload("/api/checkAsync", "a", bytes).await.json()["id"].as_u64();
        app.result("/api/v1", id.unwrap()).await;
    }
    let status = app.get("/api/v1/status").await.json();
    let of = |key: &str| status[format!("{key}_samples")].as_u64().unwrap();
    assert_eq!((of("accepted"), of("scanned"), of("failed")), (6, 4, 2));
    assert_eq!((of("waiting"), of("scanning")), (0, 0));
    // Only the second generation has what the original had not.
    let status = app.get("/api/status").await.json();
    assert!(status.get("accepted_samples").is_none());
}

#[tokio::test]
async fn failed_samples_are_listed_and_retried() {
    let app = TestApp::new();
    let mut ids = Vec::new();
    for n in 0..3 {
        let path = format!("/api/checkAsync?source=web-{n}");
        let answer = app.upload(&path, &format!("/tmp/{n}"), b"FAIL").await;
        ids.push(answer.json()["id"].as_u64().unwrap());
        app.result("/api", ids[n]).await;
    }
    let page = app.get("/api/v1/samples/failed?limit=2").await.json();
    assert_eq!(page["total"], 3);
    assert_eq!(page["next"], ids[1]);
    let second = &page["samples"][1];
    assert_eq!(second["id"], ids[1]);
    assert_eq!(second["reason"], "the engine gave up");
    assert_eq!(second["source"], "web-1");
    assert_eq!(second["file_name"], "/tmp/1");
    assert_eq!(
        (&second["size_bytes"], &second["attempts"]),
        (&4.into(), &0.into())
    );
    assert_eq!(second["retryable"], true);
    assert_eq!(second["sha256"].as_str().unwrap().len(), 64);
    assert!(second["received_at"].as_str().unwrap().ends_with('Z'));
    let next = format!("/api/v1/samples/failed?after={}", ids[1]);
    let rest = app.get(&next).await.json();
    assert_eq!(rest["samples"].as_array().unwrap().len(), 1);
    assert!(rest.get("next").is_none());

    let retried = post(&app, &format!("/api/v1/samples/{}/retry", ids[0])).await;
    assert_eq!(retried.text(), r#"{"retried":1,"not_retried":0}"#);
    // It fails again.
    app.result("/api", ids[0]).await;
    let retried = post(&app, "/api/v1/samples/failed/retry").await;
    assert_eq!(retried.json()["retried"], 3);
    for id in ids {
        app.result("/api", id).await;
    }
    assert_eq!(metric(&app, "squall_failed_samples_kept").await, 3.0);
}

#[tokio::test]
async fn a_retry_of_nothing_says_so() {
    let app = TestApp::new();
    let id = app.upload("/api/checkAsync", "a", b"x").await.json()["id"].as_u64();
    app.result("/api", id.unwrap()).await;
    for (id, status) in [
        (id.unwrap().to_string(), 404),
        ("999".to_owned(), 404),
        ("0".to_owned(), 404),
        ("-1".to_owned(), 404),
        ("x".to_owned(), 400),
        ("99999999999999999999".to_owned(), 400),
        ("%00".to_owned(), 400),
    ] {
        let answer = post(&app, &format!("/api/v1/samples/{id}/retry")).await;
        assert_eq!(answer.status.as_u16(), status, "{id}: {}", answer.text());
        assert!(answer.json()["message"].is_string());
    }
    for query in ["limit=0", "limit=x", "after=1.5"] {
        let answer = app.get(&format!("/api/v1/samples/failed?{query}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{query}");
    }
    let all = app
        .get("/api/v1/samples/failed?limit=999999999&after=-7")
        .await;
    assert_eq!(all.text(), r#"{"total":0,"samples":[]}"#);
    assert_eq!(
        app.get("/api/v1/samples/1/retry").await.status.as_u16(),
        405
    );
    let none = post(&app, "/api/v1/samples/failed/retry").await;
    assert_eq!(none.text(), r#"{"retried":0,"not_retried":0}"#);
}

#[tokio::test]
async fn what_is_queued_is_taken_while_the_signatures_load() {
    let app = TestApp::with(|setup| {
        setup.loaded = false;
        setup.worker = false;
    });
    let answer = app.upload("/api/check", "a", b"x").await;
    answer.assert_refusal(503, "signatures are still being loaded");
    let queued = app.upload("/api/checkAsync", "a", b"x").await;
    assert_eq!(queued.status.as_u16(), 200, "{}", queued.text());
    assert_eq!(metric(&app, "squall_signatures_loaded").await, 0.0);
    assert_eq!(
        metric(&app, "squall_waiting_samples{lane=\"queue\"}").await,
        1.0
    );
}

#[tokio::test]
async fn metrics_tell_why_files_were_not_looked_at() {
    let app = TestApp::with(|setup| {
        setup.config.outcomes.count(&Outcome {
            incomplete: vec![Incomplete {
                path: "secret.zip|a".to_owned(),
                reason: IncompleteReason::Encrypted,
                description: "no password opens it".to_owned(),
            }],
            ..Outcome::default()
        });
    });
    let of = async |reason: &str| {
        let name = format!("squall_incomplete_total{{reason=\"{reason}\"}}");
        metric(&app, &name).await
    };
    assert_eq!(of("encrypted").await, 1.0);
    assert_eq!(of("corrupt").await, 0.0);
}

#[tokio::test]
async fn metrics_tell_how_the_logs_fare() {
    let health = Arc::new(LogHealth::default());
    health.count_refused_lines(3);
    health.note_backlog(700, Some(SystemTime::now() - Duration::from_secs(60)));
    health.count_unlogged();
    let app = TestApp::with(|setup| setup.config.logs = vec![("jsonfile", health)]);
    let of = async |name: &str| metric(&app, &format!("{name}{{log=\"jsonfile\"}}")).await;
    assert_eq!(of("squall_log_refused_lines_total").await, 3.0);
    assert_eq!(of("squall_log_unlogged_total").await, 1.0);
    assert_eq!(of("squall_log_backlog_bytes").await, 700.0);
    assert!(of("squall_log_backlog_age_seconds").await >= 60.0);
    assert_eq!(of("squall_log_hangs").await, 0.0);
}

#[tokio::test]
async fn metrics_tell_what_happened_and_name_nobody() {
    let app = TestApp::new();
    app.upload("/api/check?source=hostname-7", "/secret/name", b"EVIL")
        .await;
    app.get("/api/nothing/at/all").await;
    app.get("/api/v1/samples/failed").await;
    let answer = app.get("/metrics").await;
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = answer.text();
    assert!(!text.contains("hostname-7") && !text.contains("secret") && !text.contains("nothing"));
    for line in [
        r#"squall_http_requests_total{endpoint="/api/check",status="200"} 1"#,
        r#"squall_http_requests_total{endpoint="none",status="404"} 1"#,
        "squall_accepted_samples_total 1",
        "squall_scanned_samples_total 1",
        "squall_scan_seconds_count 1",
        "squall_scan_seconds_sum 0.004",
        r#"squall_signatures{kind="rules"} 42"#,
        r#"squall_refused_samples_total{reason="disk_reserve"} 0"#,
        "squall_uploads 0",
        "squall_storage_ok 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert!(metric(&app, "squall_received_bytes_total").await > 100.0);
    assert!(metric(&app, "squall_disk_free_bytes").await > 0.0);
    assert!(metric(&app, "process_start_time_seconds").await > 1.7e9);
    assert!(metric(&app, "squall_signature_age_seconds").await > 0.0);
    // Every series has its type and its help.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let parts = ["_sum", "_count", "_bucket"];
        let name = parts
            .iter()
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(name);
        assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
}
