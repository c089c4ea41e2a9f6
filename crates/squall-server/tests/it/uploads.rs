//! Uploads that are unusual and right, and hostile names.

use axum::http::Request;

use crate::app::{BOUNDARY, TestApp, form, part, upload_request};

/// Uploads a part with this disposition and returns the file name shown.
async fn shown_name(app: &TestApp, disposition: &[u8]) -> String {
    let head = [b"Content-Disposition: ", disposition, b"\r\n\r\nEVIL"].concat();
    let answer = app.send(upload_request("/api/check", form(&[head]))).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json[0]["context"]["size"], 4);
    json[0]["context"]["file"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn names_are_data() {
    let app = TestApp::new();
    for name in [
        r"C:\Users\x\a.exe",
        "../../etc/passwd",
        "/var/www/a b.php",
        r"\\server\share\dir\",
        "%00%2e%2e",
        "\u{202e}txt.exe",
        "<script>alert(1)</script>",
        "日本語.txt",
    ] {
        let disposition = format!("form-data; name=\"file\"; filename=\"{name}\"");
        assert_eq!(shown_name(&app, disposition.as_bytes()).await, name);
    }
    let extended =
        b"form-data; name=\"file\"; filename=\"x\"; filename*=UTF-8''%E2%82%AC%20a%0Ab.txt";
    assert_eq!(shown_name(&app, extended).await, "€ a\nb.txt");
    let newline = b"form-data; name=\"file\"; filename=\"a%0D%0Ab.txt\"";
    assert_eq!(shown_name(&app, newline).await, "a\r\nb.txt");
    assert_eq!(shown_name(&app, b"form-data; name=\"file\"").await, "");
    assert_eq!(
        shown_name(&app, b"form-data; name=file; filename=a.txt").await,
        "a.txt"
    );
}

#[tokio::test]
async fn control_characters_do_not_keep_a_file_from_being_scanned() {
    let app = TestApp::new();
    let name = shown_name(
        &app,
        b"form-data; name=\"file\"; filename=\"a\x00\x01\nb\x7f.exe\"",
    )
    .await;
    assert_eq!(name, "a\u{2400}\u{2401}\u{240a}b\u{2421}.exe");
    let name = shown_name(&app, b"form-data; name=\"file\"; filename=\"\xe4\xff.exe\"").await;
    assert_eq!(name, "\u{fffd}\u{fffd}.exe");
}

#[tokio::test]
async fn a_name_of_64_kib_is_shortened() {
    let app = TestApp::new();
    let disposition = format!(
        "form-data; name=\"file\"; filename=\"/{}.exe\"",
        "a".repeat(65_536)
    );
    let name = shown_name(&app, disposition.as_bytes()).await;
    assert_eq!(name.chars().count(), 4096);
    assert!(name.starts_with("/a") && name.ends_with("a.exe"));
}

#[tokio::test]
async fn nothing_is_created_outside_the_queue() {
    let app = TestApp::new();
    for name in ["../../../x", "/tmp/../x", "..\\x", "queue/../x"] {
        app.upload("/api/checkAsync", name, b"x").await;
    }
    let names: Vec<_> = std::fs::read_dir(app.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(names.iter().all(|name| name == "queue"), "{names:?}");
}

#[tokio::test]
async fn preamble_epilogue_and_other_parts_are_ignored() {
    let app = TestApp::new();
    let other = b"Content-Disposition: form-data; name=\"hostname\"\r\n\r\nEVIL".to_vec();
    let body = [
        b"This is a message in MIME format.\r\n".to_vec(),
        form(&[other.clone(), part("a", b"EVIL"), other]),
        b"bye\r\n--x\r\n".to_vec(),
    ];
    let answer = app.send(upload_request("/api/check", body.concat())).await;
    assert_eq!(answer.json()[0]["context"]["size"], 4);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let app = TestApp::new();
    let answer = app.upload("/api/check", "empty", b"").await;
    assert_eq!(answer.text(), "[]");
    assert_eq!(app.queue.stats().accepted, 1);
}

#[tokio::test]
async fn bytes_that_look_like_boundaries_stay_bytes() {
    let app = TestApp::new();
    let content = format!("EVIL\r\n--{}\r\n\r\n-\r\r\n--", &BOUNDARY[..10]);
    let answer = app.upload("/api/check", "a", content.as_bytes()).await;
    assert_eq!(answer.json()[0]["context"]["size"], content.len());
}

#[tokio::test]
async fn a_quoted_boundary_with_odd_characters_works() {
    let app = TestApp::new();
    let boundary = "a=b?c(d)'e/f:g,h";
    let body = form(&[part("a", b"EVIL")]);
    let body = String::from_utf8(body).unwrap().replace(BOUNDARY, boundary);
    let request = Request::post("/api/check")
        .header(
            "content-type",
            format!("Multipart/Form-Data; Boundary=\"{boundary}\""),
        )
        .body(body.into())
        .unwrap();
    let answer = app.send(request).await;
    assert_eq!(answer.json()[0]["level"], "Alert", "{}", answer.text());
}

#[tokio::test]
async fn a_large_file_has_the_right_digests() {
    let app = TestApp::new();
    let mut content = vec![0_u8; 3_000_000];
    content[..4].copy_from_slice(b"EVIL");
    let answer = app.upload("/api/check", "zeros", &content).await;
    let context = &answer.json()[0]["context"];
    assert_eq!(context["size"], 3_000_000);
    assert_eq!(context["md5"].as_str().unwrap(), {
        use md5::Digest as _;
        let digest = md5::Md5::digest(&content);
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    // The answer may be quicker than the thread that lets go of the file.
    for _ in 0..100 {
        if app.spool_files().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(app.spool_files(), Vec::<String>::new());
}
