//! Client certificates, over real connections.

mod authority;
mod service;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};
use reqwest::{Response, StatusCode};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use serde_json::{Value, json};
use squall_access::Role;
use squall_server::tls::{ClientAuth, Tls, TlsError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::access::operations;
use authority::{Authority, Issued, common};
use service::{Mutual, Wanted};

/// The files are looked at every two seconds.
const RELOADED: Duration = Duration::from_millis(2100);
async fn text(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_certificate_is_a_caller_like_a_token() {
    let mutual = Mutual::start(Wanted::default()).await;
    let ana = mutual.named("ana");
    assert_eq!(
        mutual.session(&ana).await,
        json!({
            "required": true,
            "name": "ana",
            "role": "admin",
            "analyst": true,
            "address": "127.0.0.1",
        })
    );
    let host = mutual.hosts(&["H1.site-a.example"]);
    let name = "h1.site-a.example";
    assert_eq!(
        mutual.session(&host).await,
        json!({
            "required": true,
            "name": name,
            "role": "submit",
            "analyst": false,
            "address": "127.0.0.1",
        })
    );
    let url = mutual.url("/api/v1/samples/failed/retry");
    let done = ana.post(&url).send().await.unwrap();
    assert_eq!(done.status(), StatusCode::OK);
    let weak = text(host.post(&url).send().await.unwrap()).await;
    assert!(weak.0 == 403 && weak.1.contains("`submit`"), "{weak:?}");
    let acts = mutual.guarded.acts();
    for (act, who, outcome) in [(&acts[0], "ana", "done"), (&acts[1], name, "refused")] {
        assert_eq!(
            (&act["who"], &act["outcome"]),
            (&who.into(), &outcome.into())
        );
        let digits = act["certificate"].as_str().unwrap();
        assert!(digits.len() == 64 && act.get("token").is_none(), "{act}");
    }
    // A page of another site has the browser show it as well.
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let foreign = ana.post(&url).header(name, value).send().await.unwrap();
        assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "{name}");
    }
}

#[tokio::test]
async fn a_submitter_sees_its_own_results_also_with_its_next_certificate() {
    let mutual = Mutual::start(Wanted::default()).await;
    let host = mutual.hosts(&["h1.site-a.example"]);
    let form = reqwest::multipart::Form::new();
    let part = reqwest::multipart::Part::bytes(b"EVIL".to_vec()).file_name("a");
    let url = mutual.url("/api/checkAsync");
    let sent = host.post(&url).multipart(form.part("file", part)).send();
    let sent = text(sent.await.unwrap()).await.1;
    let id = serde_json::from_str::<Value>(&sent).unwrap()["id"].clone();
    let path = format!("/api/getAsyncResults?id={id}");
    let other = mutual.hosts(&["h2.site-a.example"]);
    let next = mutual.hosts(&["h1.site-a.example"]);
    assert_eq!(mutual.get(&host, &path).await.status(), StatusCode::OK);
    assert_eq!(mutual.get(&next, &path).await.status(), StatusCode::OK);
    let hidden = text(mutual.get(&other, &path).await).await;
    let unknown = text(mutual.get(&other, "/api/getAsyncResults?id=99999").await).await;
    assert_eq!(hidden.0, 400);
    assert_eq!(hidden.1.replace(&id.to_string(), "99999"), unknown.1);
    let reader = mutual.named("siem");
    assert_eq!(mutual.get(&reader, &path).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_beside_a_certificate_counts() {
    let mutual = Mutual::start(Wanted::default()).await;
    let ana = mutual.named("ana");
    let with = async |token: &str| {
        let request = ana.get(mutual.url("/api/v1/log")).bearer_auth(token);
        text(request.send().await.unwrap()).await
    };
    let weak = with(mutual.guarded.read.reveal()).await;
    assert!(
        weak.0 == 403 && weak.1.contains("the role of this one is `read`"),
        "{weak:?}"
    );
    for wrong in [mutual.guarded.revoked.reveal(), "letmein"] {
        assert_eq!(with(wrong).await.0, 401);
    }
    // Without one the certificate is good, also beside a cookie that is not.
    let over = ana.get(mutual.url("/api/v1/log"));
    let over = over
        .header("cookie", "squall_session=ab")
        .send()
        .await
        .unwrap();
    assert_eq!(over.status(), StatusCode::OK);
    // A certificate without a role stands in nobody's way.
    let gate = mutual.named("nobody");
    let request = gate.get(mutual.url("/api/v1/log"));
    let request = request.bearer_auth(mutual.guarded.admin.reveal());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_does_not_connect() {
    for required in [false, true] {
        let wanted = Wanted {
            required,
            revoked: Some(vec![7]),
            ..Wanted::default()
        };
        let mutual = Mutual::start(wanted).await;
        let foreign = Authority::new("clients").issue("ana", &[], 1);
        let revoked = mutual.authority.issue("ana", &[], 7);
        let mut expired = CertificateParams::default();
        expired.distinguished_name = common("ana");
        expired.not_after = date_time_ymd(2025, 1, 1);
        let expired = mutual.authority.sign(&expired);
        let mut server = CertificateParams::default();
        server.distinguished_name = common("ana");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server = mutual.authority.sign(&server);
        for bad in [foreign, revoked, expired, server] {
            let client = mutual.client(Some(&bad));
            assert!(client.get(mutual.url("/healthz")).send().await.is_err());
        }
        let none = mutual.client(None).get(mutual.url("/healthz")).send().await;
        assert_eq!(none.is_err(), required);
        let good = mutual.named("ana");
        assert_eq!(
            mutual.get(&good, "/api/v1/log").await.status(),
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn every_operation_refuses_certificates_that_may_not() {
    let mutual = Mutual::start(Wanted {
        networks: &["admin=192.0.2.0/24"],
        ..Wanted::default()
    })
    .await;
    let nobody = ("no certificate", mutual.client(None), 401);
    let without = ("one without a role", mutual.named("nobody"), 401);
    let two_roles = mutual.authority.issue("both", &["both.example"], 1);
    let two_roles = ("one with two roles", mutual.client(Some(&two_roles)), 403);
    let names = ["h1.site-a.example", "h2.site-a.example"];
    let two_names = ("one with two names", mutual.hosts(&names), 403);
    let elsewhere = ("one of another network", mutual.named("ana"), 403);
    let reader = ("a reader's", mutual.named("siem"), 403);
    let submitter = ("a submitter's", mutual.hosts(&names[..1]), 403);
    for (method, path, role) in operations() {
        let Some(role) = role else { continue };
        let always = [&nobody, &without, &two_roles, &two_names, &elsewhere];
        let weak: &[_] = match role {
            Role::Submit => &[],
            Role::Read => &[&submitter],
            Role::Admin => &[&submitter, &reader],
        };
        for (what, client, status) in always.into_iter().chain(weak.iter().copied()) {
            let request = client.request(method.clone(), mutual.url(&path));
            let answer = text(request.send().await.unwrap()).await;
            let at = format!("{method} {path} with {what}: {answer:?}");
            assert_eq!(answer.0, *status, "{at}");
            assert!(
                answer.1.contains("certificate") || answer.1.contains("token"),
                "{at}"
            );
        }
    }
    mutual.server.app.assert_nothing_stored();
    let acts = mutual.guarded.acts();
    assert!(!acts.is_empty() && acts.iter().all(|act| act["outcome"] == "refused"));
}

#[tokio::test]
async fn every_operation_lets_certificates_pass_that_may() {
    let mutual = Mutual::start(Wanted::default()).await;
    let clients = [
        (Role::Submit, mutual.hosts(&["h1.site-a.example"])),
        (Role::Read, mutual.named("siem")),
        (Role::Admin, mutual.named("ana")),
    ];
    for (method, path, role) in operations() {
        // The stream of events never ends.
        if path.ends_with("/events") {
            continue;
        }
        for (held, client) in &clients {
            let request = client.request(method.clone(), mutual.url(&path));
            let answer = text(request.send().await.unwrap()).await;
            let may = role.is_none_or(|role| held.may(role));
            let refused = matches!(answer.0, 401 | 403);
            assert_eq!(refused, !may, "{method} {path} as {held}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn networks_of_a_role_count_for_tokens_sessions_and_certificates() {
    let mutual = Mutual::start(Wanted {
        networks: &["admin=192.0.2.0/24", "submit=127.0.0.0/8"],
        ..Wanted::default()
    })
    .await;
    let ana = text(mutual.get(&mutual.named("ana"), "/api/v1/log").await).await;
    assert!(
        ana.0 == 403 && ana.1.contains("from this address"),
        "{ana:?}"
    );
    let host = mutual.hosts(&["h1.site-a.example"]);
    assert_eq!(
        mutual.get(&host, "/api/status").await.status(),
        StatusCode::OK
    );
    let siem = mutual.named("siem");
    assert_eq!(mutual.get(&siem, "/metrics").await.status(), StatusCode::OK);
    let bare = mutual.client(None);
    let admin = mutual.guarded.admin.reveal().to_owned();
    let request = bare.get(mutual.url("/api/v1/log")).bearer_auth(&admin);
    let answer = text(request.send().await.unwrap()).await;
    assert!(
        answer.0 == 403 && answer.1.contains("from this address"),
        "{answer:?}"
    );
    let log_in = bare
        .post(mutual.url("/api/v1/session"))
        .header("x-squall-console", "1")
        .header("content-type", "application/json")
        .body(json!({ "token": admin }).to_string());
    assert_eq!(log_in.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_certificate_of_a_proxy_is_not_its_clients() {
    let mutual = Mutual::start(Wanted {
        proxies: true,
        networks: &["admin=10.0.0.0/8"],
        ..Wanted::default()
    })
    .await;
    let proxy = mutual.named("ana");
    let with = async |address: &str, token: Option<&str>| {
        let request = proxy.get(mutual.url("/api/v1/log"));
        let request = request.header("x-forwarded-for", address);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(with("10.0.0.7", None).await, 401);
    let admin = mutual.guarded.admin.reveal();
    // The network is that of whom the proxy speaks for.
    assert_eq!(with("10.0.0.7", Some(admin)).await, 200);
    assert_eq!(with("192.0.2.7", Some(admin)).await, 403);
}

#[tokio::test]
async fn a_certificate_that_is_revoked_is_good_for_nothing_at_once() {
    let mutual = Mutual::start(Wanted {
        revoked: Some(Vec::new()),
        ..Wanted::default()
    })
    .await;
    let ana = mutual.client(Some(&mutual.authority.issue("ana", &[], 7)));
    let other = mutual.client(Some(&mutual.authority.issue("ana", &[], 8)));
    for client in [&ana, &other] {
        assert_eq!(
            mutual.get(client, "/api/v1/log").await.status(),
            StatusCode::OK
        );
    }
    mutual.write_crl(&[7], 2100);
    tokio::time::sleep(RELOADED).await;
    // On the connection that is open, whatever is asked for and beside a token.
    let request = ana.get(mutual.url("/healthz"));
    let request = request.bearer_auth(mutual.guarded.admin.reveal());
    let stale = text(request.send().await.unwrap()).await;
    assert!(
        stale.0 == 403 && stale.1.contains("not good any more"),
        "{stale:?}"
    );
    assert_eq!(
        mutual.get(&other, "/api/v1/log").await.status(),
        StatusCode::OK
    );
    let again = mutual.client(Some(&mutual.authority.issue("ana", &[], 7)));
    assert!(again.get(mutual.url("/healthz")).send().await.is_err());
    // What cannot be used changes nothing.
    std::fs::write(mutual.files.path().join("crl.pem"), "broken").unwrap();
    tokio::time::sleep(RELOADED).await;
    assert_eq!(
        mutual.get(&other, "/api/v1/log").await.status(),
        StatusCode::OK
    );
    assert!(again.get(mutual.url("/healthz")).send().await.is_err());
    // A list that is out of date says nothing of today.
    mutual.write_crl(&[], 2025);
    tokio::time::sleep(RELOADED).await;
    let stale = mutual.get(&other, "/api/v1/log").await.status();
    assert_eq!(stale, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_authority_takes_over_without_a_restart() {
    let mutual = Mutual::start(Wanted::default()).await;
    let ana = mutual.named("ana");
    assert_eq!(
        mutual.get(&ana, "/api/v1/log").await.status(),
        StatusCode::OK
    );
    let next = Authority::new("next");
    std::fs::write(mutual.files.path().join("ca.pem"), &next.pem).unwrap();
    tokio::time::sleep(RELOADED).await;
    let stale = mutual.get(&ana, "/api/v1/log").await.status();
    assert_eq!(stale, StatusCode::FORBIDDEN);
    let ana = mutual.client(Some(&next.issue("ana", &[], 1)));
    assert_eq!(
        mutual.get(&ana, "/api/v1/log").await.status(),
        StatusCode::OK
    );
}

/// Asks who is asking, on a connection of its own; returns the answer and how
/// the connection began.
async fn ask(connector: &TlsConnector, port: u16) -> (String, Option<HandshakeKind>) {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The end may come without a goodbye.
    let _ = stream.read_to_end(&mut answer).await;
    let kind = stream.get_ref().1.handshake_kind();
    (String::from_utf8(answer).unwrap(), kind)
}

fn connector(
    files: &Path,
    issued: &Issued,
    version: &'static rustls::SupportedProtocolVersion,
) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let server = CertificateDer::from_pem_file(files.join("server-cert.pem")).unwrap();
    roots.add(server).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(issued.cert.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap(),
        )
        .unwrap();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn a_session_that_is_resumed_is_still_that_of_its_certificate() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mutual = Mutual::start(Wanted {
            revoked: Some(Vec::new()),
            ..Wanted::default()
        })
        .await;
        let port = mutual.server.address.port();
        let ana = mutual.authority.issue("ana", &[], 7);
        let connector = connector(mutual.files.path(), &ana, version);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let (answer, kind) = ask(&connector, port).await;
            assert!(answer.contains(r#""name":"ana""#), "{answer}");
            assert_eq!(kind, Some(expected));
        }
        // Revoked: what the client kept is of no use.
        mutual.write_crl(&[7], 2100);
        tokio::time::sleep(RELOADED).await;
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let refused = match connector.connect(name, stream).await {
            Err(_) => true,
            // The client learns of it with the first answer only.
            Ok(mut stream) => {
                let _ = stream
                    .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    .await;
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.is_err() && answer.is_empty()
            }
        };
        assert!(refused);
    }
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, crl) = (dir.path().join("ca.pem"), dir.path().join("crl.pem"));
    let with = |crl: Option<&Path>| {
        let tls = Tls::self_signed(dir.path(), &["localhost".to_owned()]).unwrap();
        let auth = ClientAuth {
            ca: ca.clone(),
            crl: crl.map(Path::to_owned),
            required: false,
        };
        tls.with_clients(auth)
    };
    let missing = with(None).unwrap_err();
    assert!(missing.to_string().contains("ca.pem"), "{missing}");
    std::fs::write(&ca, "nothing").unwrap();
    let empty = with(None).unwrap_err();
    assert!(matches!(empty, TlsError::NoCertificate { .. }), "{empty:?}");
    std::fs::write(&ca, Authority::new("clients").pem).unwrap();
    assert!(with(None).is_ok());
    std::fs::copy(&ca, &crl).unwrap();
    let none = with(Some(&crl)).unwrap_err();
    assert!(
        matches!(none, TlsError::NoRevocationList { .. }),
        "{none:?}"
    );
    let broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    std::fs::write(&crl, broken).unwrap();
    let broken = with(Some(&crl)).unwrap_err();
    assert!(matches!(broken, TlsError::Clients { .. }), "{broken:?}");
}
