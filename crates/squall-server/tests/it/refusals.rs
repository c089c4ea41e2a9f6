//! Every row of the list of errors, and that none of them stores anything.

use axum::body::Body;
use axum::http::Request;

use crate::app::{BOUNDARY, TestApp, form, part, upload_request};

const PATHS: [&str; 2] = ["/api/check", "/api/checkAsync"];

#[tokio::test]
async fn no_file() {
    let app = TestApp::new();
    let other = b"Content-Disposition: form-data; name=\"other\"\r\n\r\nx".to_vec();
    let nameless = b"X-Nothing: 1\r\n\r\nx".to_vec();
    for path in PATHS {
        for body in [
            form(&[]),
            form(std::slice::from_ref(&other)),
            form(std::slice::from_ref(&nameless)),
        ] {
            app.send(upload_request(path, body))
                .await
                .assert_refusal(400, "no part named `file`");
        }
    }
    app.assert_nothing_stored();
}

#[tokio::test]
async fn several_files() {
    let app = TestApp::new();
    for path in PATHS {
        let body = form(&[part("a", b"EVIL"), part("b", b"x")]);
        app.send(upload_request(path, body))
            .await
            .assert_refusal(400, "several parts named `file`");
    }
    app.assert_nothing_stored();
}

#[tokio::test]
async fn not_multipart() {
    let app = TestApp::new();
    for path in PATHS {
        for content_type in [
            "",
            "text/plain",
            "application/json",
            "multipart/mixed; boundary=x",
            "\u{e4}",
        ] {
            let request = Request::post(path)
                .header("content-type", content_type.as_bytes())
                .body(Body::from("{}"))
                .unwrap();
            let answer = app.send(request).await;
            answer.assert_refusal(400, "");
        }
        let request = Request::post(path).body(Body::from("x")).unwrap();
        app.send(request).await.assert_refusal(400, "not multipart");
        for content_type in [
            "multipart/form-data",
            "multipart/form-data; charset=utf-8",
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
        ] {
            let request = Request::post(path)
                .header("content-type", content_type)
                .body(Body::from("x"))
                .unwrap();
            app.send(request).await.assert_refusal(400, "boundary");
        }
    }
    app.assert_nothing_stored();
}

#[tokio::test]
async fn a_truncated_body_is_never_scanned() {
    let app = TestApp::new();
    let whole = form(&[part("/tmp/a", b"some EVIL bytes")]);
    let needed = whole.len() - "\r\n".len();
    for len in 0..needed {
        let answer = app
            .send(upload_request("/api/check", whole[..len].to_vec()))
            .await;
        answer.assert_refusal(400, "ends before its closing boundary");
        let answer = app
            .send(upload_request("/api/checkAsync", whole[..len].to_vec()))
            .await;
        answer.assert_refusal(400, "ends before its closing boundary");
    }
    app.assert_nothing_stored();
    let answer = app
        .send(upload_request("/api/check", whole[..needed].to_vec()))
        .await;
    assert_eq!(answer.json()[0]["context"]["size"], 15);
}

#[tokio::test]
async fn a_wrong_boundary() {
    let app = TestApp::new();
    let body = form(&[part("a", b"EVIL")]);
    let wrong = String::from_utf8(body).unwrap().replace(BOUNDARY, "other");
    app.send(upload_request("/api/checkAsync", wrong))
        .await
        .assert_refusal(400, "closing boundary");
    app.assert_nothing_stored();
}

#[tokio::test]
async fn malformed_parts() {
    let app = TestApp::new();
    for head in ["no colon here\r\n\r\n", ": x\r\n\r\n", "A b: x\r\n\r\n"] {
        let body = form(&[[head.as_bytes(), b"EVIL"].concat()]);
        app.send(upload_request("/api/check", body))
            .await
            .assert_refusal(400, "malformed");
    }
    let long = format!("A: {}\r\n\r\nx", "y".repeat(200_000));
    app.send(upload_request("/api/check", form(&[long.into_bytes()])))
        .await
        .assert_refusal(400, "headers of a part are longer");
    let many = vec![b"A: b\r\n\r\nx".to_vec(); 100];
    app.send(upload_request("/api/check", form(&many)))
        .await
        .assert_refusal(400, "more than 64 parts");
    app.assert_nothing_stored();
}

#[tokio::test]
async fn too_large() {
    let app = TestApp::with(|setup| setup.config.limits.max_file_size_bytes = 1000);
    let fits = app.upload("/api/check", "a", &[b'x'; 1000]).await;
    assert_eq!(fits.status.as_u16(), 200);
    let accepted = app.queue.stats().accepted;
    for path in PATHS {
        app.upload(path, "a", &[b'x'; 1001])
            .await
            .assert_refusal(413, "1000 bytes");
        // Refused by the length it announces, before anything is read.
        let mut request = upload_request(path, Body::empty());
        request
            .headers_mut()
            .insert("content-length", "99999999999".parse().unwrap());
        app.send(request).await.assert_refusal(413, "1000 bytes");
        // Other parts count too.
        let other = [
            &b"Content-Disposition: form-data; name=\"other\"\r\n\r\n"[..],
            &vec![b'x'; 3_000_000],
        ];
        let body = form(&[other.concat(), part("a", b"x")]);
        app.send(upload_request(path, body))
            .await
            .assert_refusal(413, "1000 bytes");
    }
    assert_eq!(app.queue.stats().accepted, accepted);
    assert_eq!(app.spool_files(), Vec::<String>::new());
}

#[tokio::test]
async fn ids_that_name_no_sample() {
    let app = TestApp::new();
    for base in ["/api", "/api/v1"] {
        for (query, words) in [
            ("", "`id` is missing"),
            ("?id=", "no integer"),
            ("?id=abc", "no integer"),
            ("?id=1.5", "no integer"),
            ("?id=99999999999999999999", "no integer"),
            ("?id=0", "no sample"),
            ("?id=-1", "no sample"),
            ("?id=9223372036854775807", "no sample"),
            ("?id=7", "no sample"),
        ] {
            let answer = app.get(&format!("{base}/getAsyncResults{query}")).await;
            assert_eq!(answer.status.as_u16(), 400, "{query}");
            assert!(answer.text().contains(words), "{query}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods() {
    let app = TestApp::new();
    for path in [
        "/nothing",
        "/api/",
        "/api/nothing",
        "/api/check/x",
        "/static/../etc",
    ] {
        app.get(path)
            .await
            .assert_refusal(404, "nothing at this path");
    }
    let answer = app.get("/api/v1/nothing").await;
    assert_eq!(answer.status.as_u16(), 404);
    assert_eq!(
        answer.text(),
        r#"{"message":"there is nothing at this path"}"#
    );

    for path in PATHS {
        let answer = app.get(path).await;
        answer.assert_refusal(405, "method");
        assert_eq!(answer.header("allow"), "POST");
    }
    let delete = Request::delete("/api/v1/info").body(Body::empty()).unwrap();
    let answer = app.send(delete).await;
    assert_eq!(answer.status.as_u16(), 405);
    assert_eq!(answer.header("allow"), "GET,HEAD");
    assert!(answer.json().get("reason").is_none());
}

#[tokio::test]
async fn a_full_queue_is_a_503_that_is_counted() {
    let app = TestApp::with(|setup| {
        setup.worker = false;
        setup.queue.limits.samples_max = 1;
    });
    app.upload("/api/checkAsync", "a", b"x").await;
    let answer = app.upload("/api/checkAsync", "b", b"x").await;
    answer.assert_refusal(503, "queue is full");
    let answer = app.upload("/api/v1/checkAsync", "b", b"x").await;
    assert_eq!(answer.status.as_u16(), 503);
    assert_eq!(answer.text(), r#"{"message":"the queue is full"}"#);
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);

    let status = app.get("/api/status").await.json();
    assert_eq!(status["denied_requests"], 2);
    assert_eq!(status["queued_async_requests"], 1);
    let proportion = status["denied_request_proportion"].as_f64().unwrap();
    assert!((proportion - 2.0 / 3.0).abs() < 1e-9);
    let history = app.get("/api/deniedHistory").await.json();
    let total: u64 = history
        .as_object()
        .unwrap()
        .values()
        .filter_map(|v| v.as_u64())
        .sum();
    assert_eq!(total, 2);
}

#[tokio::test]
async fn checks_that_nobody_can_take_are_a_503() {
    let app = TestApp::with(|setup| {
        setup.worker = false;
        setup.config.limits.sync_wait_max = std::time::Duration::from_millis(50);
    });
    let answer = app.upload("/api/check", "a", b"x").await;
    answer.assert_refusal(503, "no scan thread");

    let app = TestApp::with(|setup| {
        setup.worker = false;
        setup.queue.limits.immediate_max = 0;
    });
    let answer = app.upload("/api/check", "a", b"x").await;
    answer.assert_refusal(503, "too many synchronous checks");
}

#[tokio::test]
async fn a_stopping_service_is_a_503() {
    let app = TestApp::with(|setup| {
        setup.config.limits.sync_wait_max = std::time::Duration::from_secs(2)
    });
    app.queue.stop_claims();
    app.upload("/api/check", "a", b"x")
        .await
        .assert_refusal(503, "");
}

#[tokio::test]
async fn more_uploads_than_places() {
    let app = TestApp::with(|setup| setup.config.limits.uploads_max = 0);
    let large = form(&[part("a", &[b'x'; 100_000])]);
    for path in PATHS {
        // Known from the length it announces, or only when it has come.
        for announced in [true, false] {
            let mut request = upload_request(path, large.clone());
            if announced {
                let len = large.len().to_string().parse().unwrap();
                request.headers_mut().insert("content-length", len);
            }
            app.send(request)
                .await
                .assert_refusal(503, "too many uploads");
        }
    }
    app.assert_nothing_stored();
    assert_eq!(app.upload("/api/check", "a", b"x").await.text(), "[]");

    let app = TestApp::with(|setup| setup.config.limits.connections_max = 0);
    app.upload("/api/check", "a", b"x")
        .await
        .assert_refusal(503, "too many uploads");
}

#[tokio::test]
async fn a_disk_that_is_nearly_full() {
    let app = TestApp::with(|setup| setup.queue.limits.free_bytes_min = u64::MAX);
    app.upload("/api/checkAsync", "a", b"x")
        .await
        .assert_refusal(503, "disk is nearly full");
    // What needs a file is refused on either lane, what fits into memory is not.
    for path in PATHS {
        app.upload(path, "a", &vec![b'x'; 2_000_000])
            .await
            .assert_refusal(503, "disk is nearly full");
    }
    app.assert_nothing_stored();
    assert_eq!(app.upload("/api/check", "a", b"x").await.text(), "[]");
}
