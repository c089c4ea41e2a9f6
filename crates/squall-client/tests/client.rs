//! The client against a service that answers anything.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use squall_client::{Client, ClientConfig, ClientError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn client(url: &str) -> Result<Client, ClientError> {
    Client::new(&ClientConfig {
        url: url.to_owned(),
        token: Some("sqt_other".to_owned()),
        insecure: false,
        certificate: None,
    })
}

/// Answers one request with `answer`; returns the address and the request.
async fn service(answer: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            let mut more = [0; 1024];
            let len = stream.read(&mut more).await.unwrap();
            request.extend_from_slice(&more[..len]);
        }
        // The client may have read enough.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(request).unwrap()
    });
    (format!("http://{address}"), served)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body.as_bytes()].concat()
}

#[tokio::test]
async fn requests_go_where_the_address_says() {
    let body = r#"{"total":1,"samples":[]}"#;
    let (url, served) = service(answer("200 OK", body)).await;
    let client = client(&format!("{url}/behind/a/proxy/?x#y")).unwrap();
    let page = client.failed_samples(Some(7), 5).await.unwrap();
    assert_eq!((page.total, page.next), (1, None));
    let request = served.await.unwrap();
    let start = "GET /behind/a/proxy/api/v1/samples/failed?limit=5&after=7 HTTP/1.1\r\n";
    assert!(request.starts_with(start), "{request}");
    assert!(request.contains("user-agent: squall/"), "{request}");
}

#[tokio::test]
async fn the_token_is_shown_and_never_told() {
    let body = r#"{"total":0,"samples":[]}"#;
    for (before, token) in [
        ("", "sqt_other"),
        ("x:s%5Fcret@", "s_cret"),
        ("s_cret@", "s_cret"),
    ] {
        let (url, served) = service(answer("200 OK", body)).await;
        let url = url.replace("://", &format!("://{before}"));
        let client = client(&url).unwrap();
        assert!(!client.base().as_str().contains('@'), "{}", client.base());
        client.failed_samples(None, 5).await.unwrap();
        let request = served.await.unwrap();
        let header = format!("authorization: Bearer {token}\r\n");
        assert!(request.contains(&header), "{request}");
        // Nobody listens there any more.
        let error = client.failed_samples(None, 5).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("cret@"), "{error:?}");
    }
    for url in ["ftp://x:s_cret@h", "http://x:s_cret@"] {
        let error = client(url).unwrap_err();
        assert!(
            !format!("{error:?} {error}").contains("s_cret"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn what_the_service_says_no_to_is_a_refusal() {
    let body = r#"{"message":"no failed sample has the id 3"}"#;
    let (url, served) = service(answer("404 Not Found", body)).await;
    let error = client(&url).unwrap().retry_sample(3).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no failed sample has the id 3 (status 404)"
    );
    let request = served.await.unwrap();
    assert!(request.starts_with("POST /api/v1/samples/3/retry HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_answer_of_something_else_is_an_error() {
    let endless = answer("200 OK", &" ".repeat(33 << 20));
    for (answer, part) in [
        (answer("200 OK", "<html>"), "is not the expected JSON"),
        (answer("200 OK", "{}"), "is not the expected JSON"),
        (answer("302 Found", ""), "without a reason (status 302)"),
        (endless, "more than 33554432 bytes"),
        (b"SSH-2.0-x\r\n".to_vec(), "cannot reach the service"),
        (Vec::new(), "cannot reach the service"),
    ] {
        let (url, _served) = service(answer).await;
        let client = client(&url).unwrap();
        let error = client.retry_failed_samples().await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}: {part}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).unwrap().retry_sample(1).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    for url in [
        "",
        "localhost:8080",
        "ftp://x",
        "http://",
        "/x",
        "http://[::",
    ] {
        let error = client(url).unwrap_err();
        assert!(
            matches!(error, ClientError::Address { .. }),
            "{url}: {error}"
        );
    }
}
