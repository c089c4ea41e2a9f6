//! A second listener, for administrators and the console.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::Request;
use reqwest::{Client, Method, Response};
use squall_access::Role;

use crate::access::{Guarded, operations};
use crate::app::TestApp;
use crate::stop::Server;

struct Doors {
    guarded: Guarded,
    server: Server,
    client: Client,
}

impl Doors {
    async fn open() -> Self {
        let mut guarded = Guarded::with_proxies(|_| {}, false);
        let server = Server::start_two(guarded.take_app()).await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            guarded,
            server,
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn admin(&self) -> SocketAddr {
        self.server.admin.unwrap()
    }

    async fn ask(&self, at: SocketAddr, method: &Method, path: &str, token: bool) -> Response {
        let request = self
            .client
            .request(method.clone(), format!("http://{at}{path}"));
        let request = match token {
            true => request.bearer_auth(self.guarded.admin.reveal()),
            false => request,
        };
        request.send().await.unwrap()
    }
}

/// What is to be seen of an answer, but for when it was given.
async fn seen(answer: Response) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<_> = answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (
        answer.status().as_u16(),
        headers,
        answer.text().await.unwrap(),
    )
}

/// Paths that are no operations of the API.
const PAGES: [&str; 8] = [
    "/",
    "/static/console.js",
    "/static/api.json",
    "/openapi.json",
    "/docs",
    "/docs/",
    "/docs/index.html",
    "/metrics",
];

#[tokio::test]
async fn what_is_elsewhere_looks_like_what_is_nowhere() {
    let doors = Doors::open().await;
    let (public, mut elsewhere) = (doors.server.address, 0);
    let operations = operations();
    let pages = PAGES.map(|path| (Method::GET, path.to_owned(), None));
    for (method, path, role) in operations.into_iter().chain(pages) {
        let is_health = matches!(path.as_str(), "/healthz" | "/readyz");
        if role == Some(Role::Submit) || is_health {
            continue;
        }
        elsewhere += 1;
        let unknown = match path.starts_with("/api/v1/") {
            true => "/api/v1/nothing/here",
            false => "/nothing/here",
        };
        for method in [method, Method::OPTIONS, Method::PUT] {
            for token in [false, true] {
                let is = seen(doors.ask(public, &method, &path, token).await).await;
                let expected = seen(doors.ask(public, &method, unknown, token).await).await;
                assert_eq!(is, expected, "{method} {path}");
                assert_eq!(is.0, if token { 404 } else { 401 }, "{method} {path}");
            }
        }
    }
    assert!(elsewhere > 35, "{elsewhere}");
    // Nor does it count as what it would be.
    let figures = doors
        .ask(doors.admin(), &Method::GET, "/metrics", true)
        .await;
    let figures = figures.text().await.unwrap();
    assert!(figures.contains(r#"endpoint="none""#), "{figures}");
    assert!(
        !figures.contains(r#"endpoint="/api/v1/findings""#),
        "{figures}"
    );
    // Nobody did anything.
    assert_eq!(doors.guarded.acts(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn collectors_have_what_they_need_and_administrators_everything() {
    let doors = Doors::open().await;
    for (method, path, role) in operations() {
        if path.ends_with("/events") {
            continue;
        }
        let request = Request::builder()
            .method(&method)
            .uri(&path)
            .header("x-api-key", doors.guarded.admin.reveal());
        // As it is where there is one listener.
        let usual = doors.server.app.send(request.body(Body::empty()).unwrap());
        let usual = usual.await.status.as_u16();
        assert!(!matches!(usual, 401 | 405), "{method} {path}: {usual}");
        let is_health = matches!(path.as_str(), "/healthz" | "/readyz");
        let is_public = role == Some(Role::Submit) || is_health;
        let public = is_public.then_some(doors.server.address);
        for at in public.into_iter().chain([doors.admin()]) {
            let answer = doors.ask(at, &method, &path, true).await;
            assert_eq!(answer.status().as_u16(), usual, "{method} {path}");
        }
    }
    for path in PAGES {
        let page = doors.ask(doors.admin(), &Method::GET, path, true).await;
        assert!(page.status().is_success(), "{path}");
    }
    // A path that is there, with a method that is not.
    let other = doors
        .ask(doors.server.address, &Method::DELETE, "/api/status", true)
        .await;
    assert_eq!(other.status().as_u16(), 405);
}

#[tokio::test]
async fn without_another_there_is_everything_at_one() {
    let server = Server::start(TestApp::new()).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    for path in PAGES.into_iter().chain(["/api/v1/overview", "/api/status"]) {
        let answer = client
            .get(format!("http://{}{path}", server.address))
            .send();
        assert!(answer.await.unwrap().status().is_success(), "{path}");
    }
}

#[tokio::test]
async fn whoever_fills_one_listener_does_not_shut_out_administrators() {
    let app = TestApp::with(|setup| setup.config.limits.connections_max = 2);
    let server = Server::start_two(app).await;
    let mut taken = Vec::new();
    // Those with a place, and those who are told that there is none.
    for _ in 0..80 {
        taken.push(server.connect().await);
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/v1/overview", server.admin.unwrap());
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}
