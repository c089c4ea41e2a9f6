//! What is told of the signatures, and asking for others, with a loader that
//! does as the test says.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use squall_api::v1;
use squall_server::{Change, ChangeOutcome, LoadedSet, Pending, SignatureControl, SignatureState};
use squall_types::SignatureSummary;

use crate::app::TestApp;

/// Refuses a reload and does a roll-back.
#[derive(Default)]
struct Loader(Mutex<SignatureState>);

impl Loader {
    fn answer(&self, outcome: ChangeOutcome, result: Result<(), String>) -> Pending {
        let (sender, pending) = tokio::sync::oneshot::channel();
        let mut state = self.0.lock().unwrap();
        state.last_change = Some(Change {
            at: "2026-11-24T08:30:00Z".parse().unwrap(),
            trigger: "request",
            outcome,
            error: result.clone().err(),
            duration_ms: 7,
        });
        sender.send(result).unwrap();
        pending
    }
}

impl SignatureControl for Loader {
    fn state(&self) -> SignatureState {
        self.0.lock().unwrap().clone()
    }

    fn reload(&self) -> Pending {
        self.answer(ChangeOutcome::Failed, Err("no usable rule".to_owned()))
    }

    fn roll_back(&self) -> Pending {
        self.answer(ChangeOutcome::RolledBack, Ok(()))
    }

    fn sources(&self) -> v1::SignatureSources {
        v1::SignatureSources {
            update_interval_hours: Some(6),
            ..v1::SignatureSources::default()
        }
    }

    fn update(&self) -> Pending {
        self.answer(ChangeOutcome::Failed, Err("no answer".to_owned()))
    }
}

fn post(path: &str) -> axum::http::request::Builder {
    Request::post(format!("/api/v1/signatures/{path}"))
}

#[tokio::test]
async fn the_set_in_force_and_the_last_change_are_told() {
    let app = TestApp::new();
    let loader = Loader::default();
    loader.0.lock().unwrap().current = Some(LoadedSet {
        summary: SignatureSummary {
            version: "2026/11/24-083000".to_owned(),
            rules: 7,
            ..SignatureSummary::default()
        },
        fingerprint: "ab".repeat(32),
        load_time_ms: 12,
        from_cache: true,
        ..LoadedSet::default()
    });
    app.service.set_signature_control(Arc::new(loader));
    let answer = app.get("/api/v1/signatures").await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(body["current"]["version"], "2026/11/24-083000");
    assert_eq!(body["current"]["rules"], 7);
    assert_eq!(body["current"]["loaded_at"], "1970-01-01T00:00:00Z");
    assert_eq!(body["problems"], json!([]));
    assert!(body.get("previous").is_none() && body.get("last_change").is_none());

    let answer = app.send(post("rollback").body("".into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["last_change"]["outcome"], "rolled_back");
}

#[tokio::test]
async fn a_change_that_fails_is_a_conflict_with_its_reason() {
    let app = TestApp::new();
    app.service
        .set_signature_control(Arc::new(Loader::default()));
    let answer = app.send(post("reload").body("".into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json(), json!({"message": "no usable rule"}));
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let app = TestApp::new();
    let loader = Arc::new(Loader::default());
    app.service.set_signature_control(loader.clone());
    for path in ["reload", "rollback"] {
        let request = post(path).header("sec-fetch-site", "cross-site");
        let answer = app.send(request.body("".into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert!(loader.state().last_change.is_none());
}

#[tokio::test]
async fn a_service_that_does_not_load_signatures_says_so() {
    let app = TestApp::new();
    assert_eq!(
        app.get("/api/v1/signatures").await.status,
        StatusCode::NOT_FOUND
    );
    let answer = app.send(post("reload").body("".into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sources_are_listed_and_asked() {
    let app = TestApp::new();
    let sources = "/api/v1/signatures/sources";
    assert_eq!(app.get(sources).await.status, StatusCode::NOT_FOUND);
    app.service.set_signature_control(Arc::<Loader>::default());
    let listed = app.get(sources).await.json();
    assert_eq!(
        listed,
        json!({"sources": [], "update_interval_hours": 6, "updating": false})
    );
    let answer = app.send(post("update").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["message"], "no answer");
}
