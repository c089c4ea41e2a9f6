//! A service that takes certificates and tokens, with its clients.

use std::time::Duration;

use reqwest::{Client, Identity, Response, StatusCode};
use serde_json::Value;
use squall_access::{CertificateRules, RoleNetworks};
use squall_server::tls::{ClientAuth, Tls};
use tempfile::TempDir;

use super::authority::{Authority, Issued};
use crate::access::Guarded;
use crate::stop::Server;

/// A service that takes certificates and tokens.
pub(super) struct Mutual {
    pub(super) guarded: Guarded,
    pub(super) server: Server,
    pub(super) authority: Authority,
    pub(super) files: TempDir,
}

const RULES: [&str; 5] = [
    "admin=cn:ana",
    "read=cn:siem",
    "submit=dns:*.site-a.example",
    "admin=cn:both",
    "read=dns:both.example",
];

/// What a test may adjust.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) required: bool,
    /// Serial numbers that are revoked from the start.
    pub(super) revoked: Option<Vec<u64>>,
    pub(super) networks: &'static [&'static str],
    pub(super) proxies: bool,
}

impl Mutual {
    pub(super) async fn start(wanted: Wanted) -> Self {
        let Wanted {
            required,
            revoked,
            networks,
            proxies,
        } = wanted;
        let authority = Authority::new("clients");
        let files = tempfile::tempdir().unwrap();
        let (ca, crl) = (files.path().join("ca.pem"), files.path().join("crl.pem"));
        std::fs::write(&ca, &authority.pem).unwrap();
        if let Some(serials) = &revoked {
            std::fs::write(&crl, authority.revoke(serials, 2100)).unwrap();
        }
        let auth = ClientAuth {
            ca,
            crl: revoked.map(|_| crl),
            required,
        };
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let tls = Tls::self_signed(files.path(), &names).unwrap();
        let tls = tls.with_clients(auth).unwrap();
        let rules = RULES.iter().map(|rule| rule.parse().unwrap()).collect();
        let networks: Vec<_> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let mut guarded = Guarded::with_proxies(
            |access| {
                access.certificates = CertificateRules::new(rules).unwrap();
                access.networks = RoleNetworks::new(networks);
            },
            proxies,
        );
        let app = guarded.take_app();
        let server = Server::start_with(app, Some(tls), Duration::from_secs(5)).await;
        Self {
            guarded,
            server,
            authority,
            files,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.server.address.port())
    }

    /// A client that shows a certificate, or none.
    pub(super) fn client(&self, issued: Option<&Issued>) -> Client {
        // Fails if another test was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pem = std::fs::read(self.files.path().join("server-cert.pem")).unwrap();
        let builder = Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
            .no_proxy();
        let builder = match issued {
            Some(Issued { cert, key }) => {
                builder.identity(Identity::from_pem(format!("{cert}{key}").as_bytes()).unwrap())
            }
            None => builder,
        };
        builder.build().unwrap()
    }

    pub(super) async fn get(&self, client: &Client, path: &str) -> Response {
        client.get(self.url(path)).send().await.unwrap()
    }

    pub(super) async fn session(&self, client: &Client) -> Value {
        let answer = self.get(client, "/api/v1/session").await;
        assert_eq!(answer.status(), StatusCode::OK);
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// A client with a certificate for a name.
    pub(super) fn named(&self, name: &str) -> Client {
        self.client(Some(&self.authority.issue(name, &[], 1)))
    }

    /// A client with a certificate for hosts.
    pub(super) fn hosts(&self, hosts: &[&str]) -> Client {
        self.client(Some(&self.authority.issue("a host", hosts, 1)))
    }

    pub(super) fn write_crl(&self, serials: &[u64], year: i32) {
        let path = self.files.path().join("crl.pem");
        std::fs::write(path, self.authority.revoke(serials, year)).unwrap();
    }
}
