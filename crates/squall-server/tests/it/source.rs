//! Who sent a sample.

use axum::http::HeaderValue;

use crate::app::{TestApp, form, part, upload_request};

/// Returns the source that an upload with these headers is shown with.
async fn source(app: &TestApp, path: &str, headers: &[(&'static str, &str)]) -> String {
    let mut request = upload_request(path, form(&[part("a", b"EVIL")]));
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, HeaderValue::from_str(value).unwrap());
    }
    let answer = app.send(request).await;
    answer.json()[0]["meta"]["hostname"]
        .as_str()
        .unwrap()
        .to_owned()
}

const CHECK: &str = "/api/v1/check";

#[tokio::test]
async fn the_parameter_wins() {
    let app = TestApp::new();
    assert_eq!(
        source(&app, "/api/v1/check?source=web-01", &[]).await,
        "web-01"
    );
    assert_eq!(
        source(&app, "/api/v1/check?source=a&source=b", &[]).await,
        "a"
    );
    assert_eq!(
        source(&app, "/api/v1/check?source=%3Cb%3E%0A%ff", &[]).await,
        "<b>\n\u{fffd}"
    );
    let long = format!("/api/v1/check?source={}", "x".repeat(5000));
    assert_eq!(source(&app, &long, &[]).await.len(), 1024);
    assert_eq!(
        source(&app, "/api/v1/check?source=", &[]).await,
        "127.0.0.1"
    );
}

#[tokio::test]
async fn forwarded_addresses_count_only_from_trusted_proxies() {
    let forwarded = [("x-forwarded-for", "203.0.113.9, 198.51.100.7")];
    let app = TestApp::new();
    assert_eq!(source(&app, CHECK, &forwarded).await, "127.0.0.1");

    let app = TestApp::with(|setup| {
        setup.config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    assert_eq!(source(&app, CHECK, &forwarded).await, "198.51.100.7");
    let standard = [("forwarded", "for=\"[2001:db8::1]:80\"")];
    assert_eq!(source(&app, CHECK, &standard).await, "2001:db8::1");
    assert_eq!(source(&app, CHECK, &[]).await, "127.0.0.1");
}

#[tokio::test]
async fn a_collector_run_becomes_the_scan_id() {
    let app = TestApp::with(|setup| setup.worker = false);
    let submission = async |query: &str| {
        let path = format!("/api/checkAsync?{query}");
        app.upload(&path, "a", b"x").await;
        let claim = app.queue.claim(squall_queue::Lanes::All, 0).unwrap();
        let submission = squall_report::stored::decode_submission(claim.submission()).unwrap();
        app.queue
            .complete(
                claim,
                squall_queue::Completion {
                    verdict: squall_queue::Verdict::Failed(String::new()),
                    scan_time: std::time::Duration::ZERO,
                },
            )
            .unwrap();
        submission
    };
    let first = submission("scan_id=run-7&source=s").await;
    assert_eq!(first.origin.collector_run.as_deref(), Some("run-7"));
    assert_eq!(first.origin.source, "s");
    assert!(!first.synchronous);
    assert!(first.received_at_us > 1_700_000_000_000_000);
    let second = submission("scan_id=a%20b").await;
    assert_eq!(second.origin.collector_run, None);
    assert_ne!(first.nonce, second.nonce);
}
