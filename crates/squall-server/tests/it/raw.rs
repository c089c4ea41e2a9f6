//! Clients that are not libraries: bytes on a socket, in the order and at the
//! speed that real and hostile ones send them.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::{BOUNDARY, Setup, TestApp, form, part};
use crate::stop::Server;

fn quick(setup: &mut Setup) {
    let limits = &mut setup.config.limits;
    limits.header_timeout = Duration::from_millis(300);
    limits.body_timeout = Duration::from_millis(300);
    limits.idle_timeout = Duration::from_millis(900);
}

fn head(path: &str, extra: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{extra}\r\n"
    )
}

/// Reads one answer: its head and the body its length announces.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let deadline = Duration::from_secs(10);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |len| len.parse().unwrap());
            if body.len() >= len {
                return text;
            }
        }
        let read = tokio::time::timeout(deadline, stream.read_buf(&mut bytes));
        assert!(read.await.unwrap().unwrap() > 0, "closed after `{text}`");
    }
}

/// Waits until the server closes the connection.
async fn assert_closed(stream: &mut TcpStream, within: Duration) {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(within, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "still open");
}

#[tokio::test]
async fn a_chunked_body_in_tiny_pieces() {
    let server = Server::start(TestApp::new()).await;
    let mut stream = server.connect().await;
    let head = head("/api/check", "Transfer-Encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in form(&[part("a", b"EVIL")]).chunks(7) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"level\":\"Alert\""));
    // The connection is good for the next request.
    stream
        .write_all(b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(
        read_answer(&mut stream)
            .await
            .contains("\"scanned_samples\":1")
    );
}

#[tokio::test]
async fn expect_100_continue() {
    let server = Server::start(TestApp::new()).await;
    let mut stream = server.connect().await;
    let body = form(&[part("a", b"EVIL")]);
    let extra = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    stream
        .write_all(head("/api/check", &extra).as_bytes())
        .await
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body).await.unwrap();
    assert!(read_answer(&mut stream).await.contains("Alert"));

    // What is too large is refused without being asked for.
    let mut stream = server.connect().await;
    let extra = "Content-Length: 99999999999\r\nExpect: 100-continue\r\n";
    stream
        .write_all(head("/api/check", extra).as_bytes())
        .await
        .unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn http_1_0_and_connection_close() {
    let server = Server::start(TestApp::new()).await;
    let body = form(&[part("a", b"EVIL")]);
    let length = format!("Content-Length: {}\r\n", body.len());
    let old = head("/api/check", &length).replace("HTTP/1.1", "HTTP/1.0");
    let closing = head("/api/check", &format!("{length}Connection: close\r\n"));
    for head in [old, closing] {
        let mut stream = server.connect().await;
        stream
            .write_all(&[head.as_bytes(), &body].concat())
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(" 200 OK"), "{answer}");
        assert!(answer.ends_with("}]"), "{answer}");
    }
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let server = Server::start(TestApp::new()).await;
    let content = vec![b'x'; 1_500_000];
    let body = form(&[part("a", &content)]);
    let mut streams = Vec::new();
    for path in ["/api/check", "/api/checkAsync"] {
        let mut stream = server.connect().await;
        let head = head(path, &format!("Content-Length: {}\r\n", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..1_200_000]).await.unwrap();
        streams.push(stream);
    }
    server
        .app
        .eventually(|app| app.spool_files().len() == 2)
        .await;
    drop(streams);
    server
        .app
        .eventually(|app| app.spool_files().is_empty())
        .await;
    server.app.assert_nothing_stored();
}

#[tokio::test]
async fn a_chunked_upload_that_ends_too_early_leaves_nothing() {
    let server = Server::start(TestApp::new()).await;
    let mut stream = server.connect().await;
    let head = head("/api/checkAsync", "Transfer-Encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let body = form(&[part("a", b"EVIL")]);
    let half = &body[..body.len() / 2 + 60];
    let chunk = [
        format!("{:x}\r\n", half.len()).as_bytes(),
        half,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    stream.write_all(&chunk).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    server.app.assert_nothing_stored();
}

#[tokio::test]
async fn a_refusal_is_heard_by_a_client_that_sends_everything_first() {
    let app = TestApp::with(|setup| setup.config.limits.uploads_max = 0);
    let server = Server::start(app).await;
    let body = form(&[part("a", &vec![b'x'; 20_000_000])]);
    for _ in 0..3 {
        let mut stream = server.connect().await;
        let head = head(
            "/api/checkAsync",
            &format!("Content-Length: {}\r\n", body.len()),
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("retry-after: "));
    }
}

#[tokio::test]
async fn too_much_is_refused_while_it_is_sent() {
    let app = TestApp::with(|setup| setup.config.limits.max_file_size_bytes = 100_000);
    let server = Server::start(app).await;
    let mut stream = server.connect().await;
    let head = head("/api/check", "Transfer-Encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let body = form(&[part("a", &vec![b'x'; 5_000_000])]);
    let chunk = [
        format!("{:x}\r\n", body.len()).as_bytes(),
        &body,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    stream.write_all(&chunk).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.app.assert_nothing_stored();
}

#[tokio::test]
async fn silent_clients_are_cut() {
    let server = Server::start(TestApp::with(quick)).await;
    for sent in [
        "",
        "GET",
        "GET /api/status HTTP/1.1\r\nHost: x\r\n",
        "PRI * HT",
    ] {
        let begun = Instant::now();
        let mut stream = server.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        assert_closed(&mut stream, Duration::from_secs(5)).await;
        assert!(begun.elapsed() >= Duration::from_millis(250), "{sent}");
    }
}

#[tokio::test]
async fn a_head_that_drips_is_cut() {
    let server = Server::start(TestApp::with(quick)).await;
    let mut stream = server.connect().await;
    let begun = Instant::now();
    for byte in head("/api/check", "").bytes().cycle() {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "still open");
    }
}

#[tokio::test]
async fn a_body_that_stalls_or_drips_is_cut() {
    let server = Server::start(TestApp::with(quick)).await;
    for drips in [false, true] {
        let mut stream = server.connect().await;
        let head = head("/api/checkAsync", "Content-Length: 100000\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
            .write_all(&form(&[part("a", b"EVIL")])[..150])
            .await
            .unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let dripping = async {
            while drips && writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut answer = vec![0; 16];
        tokio::select! {
            () = dripping => {}
            read = tokio::time::timeout(Duration::from_secs(5), reader.read_exact(&mut answer)) => {
                read.unwrap().unwrap();
            }
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 408"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    server.app.assert_nothing_stored();
}

#[tokio::test]
async fn an_idle_connection_lasts_longer_than_a_silent_one() {
    let server = Server::start(TestApp::with(quick)).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream
            .write_all(b"GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert_closed(&mut stream, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so() {
    let app = TestApp::with(|setup| setup.config.limits.connections_max = 2);
    let server = Server::start(app).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        read_answer(&mut stream).await;
        held.push(stream);
    }
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("too many connections"));
    drop(stream);
    held.clear();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_place() {
    let app = TestApp::with(|setup| {
        setup.worker = false;
        setup.config.limits.uploads_max = 1;
    });
    let server = Server::start(app).await;
    let body = form(&[part("a", b"x")]);
    let mut stream = server.connect().await;
    let head = head("/api/check", &format!("Content-Length: {}\r\n", body.len()));
    stream
        .write_all(&[head.as_bytes(), &body].concat())
        .await
        .unwrap();
    server
        .app
        .eventually(|app| app.queue.stats().immediate_waiting == 1)
        .await;
    drop(stream);
    server
        .app
        .eventually(|app| app.queue.stats().immediate_waiting == 0)
        .await;
}

#[tokio::test]
async fn garbage_is_answered_or_closed() {
    let server = Server::start(TestApp::with(quick)).await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\x00\x00\x00\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"POST /api/check HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/check HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(garbage).await.unwrap();
        assert_closed(&mut stream, Duration::from_secs(5)).await;
    }
    let status = server.app.get("/api/status").await;
    assert_eq!(status.status.as_u16(), 200);
}

#[tokio::test]
async fn slow_uploads_keep_nobody_out() {
    let app = TestApp::with(|setup| {
        setup.config.limits.uploads_max = 1;
        setup.config.limits.body_timeout = Duration::from_secs(5);
    });
    let server = Server::start(app).await;
    let body = form(&[part("a", &[b'x'; 100_000])]);
    let head = head("/api/check", &format!("Content-Length: {}\r\n", body.len()));
    let mut small = server.connect().await;
    let small_head = head.replace(&body.len().to_string(), "5000");
    small.write_all(small_head.as_bytes()).await.unwrap();
    // The one large place is taken by a client that falls silent.
    let mut silent = server.connect().await;
    silent.write_all(head.as_bytes()).await.unwrap();
    silent.write_all(&body[..90_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let mut refused = 0;
    loop {
        let mut stream = server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let answer = read_answer(&mut stream).await;
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        refused += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(refused > 0);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "the place was held"
    );
    assert!(read_answer(&mut silent).await.starts_with("HTTP/1.1 408"));
}
