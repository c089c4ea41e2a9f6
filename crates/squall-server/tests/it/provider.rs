//! Logging in at a provider, as far as that goes without one. From end to end:
//! `tests/e2e`.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use squall_oidc::{ClaimRoles, Provider, ProviderConfig};
use squall_server::LoginProvider;

use crate::access::Guarded;
use crate::app::{Answer, TestApp};

/// A provider at a port where nobody listens.
fn absent() -> LoginProvider {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", free.local_addr().unwrap());
    let provider = Provider::new(ProviderConfig {
        issuer,
        client_id: "squall".to_owned(),
        client_secret_file: None,
        redirect_url: "https://squall.example/oidc/callback".to_owned(),
        scopes: "openid".to_owned(),
        role_claim: "groups".to_owned(),
        roles: ClaimRoles::new(vec!["read=soc".parse().unwrap()]).unwrap(),
        name_claim: "name".to_owned(),
        ca: None,
    });
    LoginProvider {
        provider: Arc::new(provider.unwrap()),
        label: "Log in <here>".to_owned(),
    }
}

async fn ask(app: &TestApp, path: &str, cookie: &str) -> Answer {
    let request = Request::get(path).header("cookie", cookie);
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn without_a_provider_its_paths_are_like_none() {
    let (guarded, open) = (Guarded::new(), TestApp::new());
    for app in [&guarded.app, &open] {
        for path in ["/oidc/login", "/oidc/callback?code=a&state=b"] {
            let answer = app.get(path).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}");
            assert_eq!(answer.header("set-cookie"), "");
        }
        let session = app.get("/api/v1/session").await.json();
        assert!(session.get("provider").is_none() && session.get("subject").is_none());
    }
    // Where nobody is asked who he is, there is nothing to log in to.
    let open = TestApp::with(|setup| setup.config.access.provider = Some(absent()));
    assert_eq!(open.get("/oidc/login").await.status.as_u16(), 404);
}

#[tokio::test]
async fn who_is_not_logged_in_is_told_so_by_a_page_that_runs_nothing() {
    let guarded = Guarded::adjusted(|access| access.provider = Some(absent()));
    let session = guarded.app.get("/api/v1/session").await.json();
    assert_eq!(session["provider"], "Log in <here>");
    let begun = guarded.app.get("/oidc/login").await;
    assert_eq!(begun.status.as_u16(), 503);
    assert_eq!(begun.header("retry-after"), "5");
    let callback = ask(
        &guarded.app,
        "/oidc/callback?code=a&state=b",
        "squall_login=x",
    )
    .await;
    assert_eq!(callback.status.as_u16(), 400);
    for page in [begun, callback] {
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("set-cookie"), "");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        assert!(page.text().contains(r#"<p role="alert">"#));
        assert!(!page.text().contains("127.0.0.1"), "{}", page.text());
    }
}

#[tokio::test]
async fn answers_to_no_login_are_tries_where_the_browser_has_the_cookie() {
    let guarded = Guarded::adjusted(|access| access.provider = Some(absent()));
    let status = async |cookie: &'static str| {
        let answer = ask(&guarded.app, "/oidc/callback?code=a&state=b", cookie).await;
        answer.status.as_u16()
    };
    for _ in 0..20 {
        assert_eq!(status("squall_login=").await, 400);
        assert_eq!(status("other=x").await, 400);
    }
    for _ in 0..10 {
        assert_eq!(status("squall_login=x").await, 400);
    }
    assert_eq!(status("squall_login=x").await, 503);
    assert!(guarded.acts().is_empty());
}
