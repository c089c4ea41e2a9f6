//! TLS with certificates from files and made by the service.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use squall_server::tls::{Tls, TlsError};

use crate::app::TestApp;
use crate::stop::Server;

fn names() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}

/// A client that trusts the certificate in `dir` and nothing else.
fn client(dir: &std::path::Path, http2: bool) -> reqwest::Client {
    // Fails if another test was faster, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(dir.join("server-cert.pem")).unwrap();
    let certificate = reqwest::Certificate::from_pem(&pem).unwrap();
    let builder = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .no_proxy();
    let builder = if http2 { builder } else { builder.http1_only() };
    builder.build().unwrap()
}

#[tokio::test]
async fn both_protocols_over_tls() {
    let certs = tempfile::tempdir().unwrap();
    let tls = Tls::self_signed(certs.path(), &names()).unwrap();
    let server = Server::start_with(TestApp::new(), Some(tls), Duration::from_secs(5)).await;
    for (http2, version) in [
        (false, reqwest::Version::HTTP_11),
        (true, reqwest::Version::HTTP_2),
    ] {
        let client = client(certs.path(), http2);
        let mut content = vec![b'x'; 2_000_000];
        content[..4].copy_from_slice(b"EVIL");
        let part = Part::bytes(content).file_name("a.exe");
        let url = format!("https://127.0.0.1:{}/api/check", server.address.port());
        let answer = client
            .post(&url)
            .multipart(Form::new().part("file", part))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.version(), version);
        let text = answer.text().await.unwrap();
        assert!(text.contains("\"size\":2000000"), "{text}");
        // A refusal comes through as well, though the body is never read.
        let unread = client
            .post(&url)
            .body(vec![0; 2_000_000])
            .send()
            .await
            .unwrap();
        assert_eq!(unread.status().as_u16(), 400);
    }
}

#[tokio::test]
async fn http_on_the_tls_port_is_closed() {
    let certs = tempfile::tempdir().unwrap();
    let tls = Tls::self_signed(certs.path(), &names()).unwrap();
    let server = Server::start_with(TestApp::new(), Some(tls), Duration::from_secs(5)).await;
    let url = format!("http://{}/api/info", server.address);
    let plain = reqwest::Client::builder().no_proxy();
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert!(plain.build().unwrap().get(url).send().await.is_err());
}

#[test]
fn a_self_signed_certificate_is_private_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let first = Tls::self_signed(dir.path(), &names()).unwrap();
    let mode = std::fs::metadata(dir.path().join("server-key.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = Tls::self_signed(dir.path(), &names()).unwrap();
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert_eq!(first.fingerprint().len(), 64);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn unusable_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    Tls::self_signed(dir.path(), &names()).unwrap();
    Tls::self_signed(other.path(), &names()).unwrap();
    let cert = dir.path().join("server-cert.pem");
    let key = dir.path().join("server-key.pem");
    let missing = Tls::from_files(dir.path().join("none.pem"), &key).unwrap_err();
    assert!(missing.to_string().contains("none.pem"), "{missing}");
    let mixed = Tls::from_files(&cert, other.path().join("server-key.pem")).unwrap_err();
    assert!(matches!(mixed, TlsError::Unusable { .. }), "{mixed:?}");
    let swapped = Tls::from_files(&key, &cert).unwrap_err();
    assert!(
        matches!(swapped, TlsError::NoCertificate { .. }),
        "{swapped:?}"
    );
}

#[tokio::test]
async fn changed_files_are_loaded_and_broken_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let tls = Tls::self_signed(dir.path(), &names()).unwrap();
    let before = tls.fingerprint();
    let server =
        Server::start_with(TestApp::new(), Some(tls.clone()), Duration::from_secs(5)).await;
    let touch = async || {
        tokio::time::sleep(Duration::from_millis(2100)).await;
        let stream = server.connect().await;
        drop(stream);
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    std::fs::write(dir.path().join("server-cert.pem"), "broken").unwrap();
    touch().await;
    assert_eq!(tls.fingerprint(), before);

    let fresh = tempfile::tempdir().unwrap();
    let fingerprint = Tls::self_signed(fresh.path(), &names())
        .unwrap()
        .fingerprint();
    for name in ["server-key.pem", "server-cert.pem"] {
        std::fs::copy(fresh.path().join(name), dir.path().join(name)).unwrap();
    }
    touch().await;
    assert_eq!(tls.fingerprint(), fingerprint);
    assert_ne!(fingerprint, before);
}
