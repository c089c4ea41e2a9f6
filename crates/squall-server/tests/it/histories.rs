//! Histories and their parameters.

use serde_json::Map;

use crate::app::TestApp;

async fn history(app: &TestApp, path: &str) -> Map<String, serde_json::Value> {
    let answer = app.get(path).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    answer.json().as_object().unwrap().clone()
}

#[tokio::test]
async fn events_appear_in_their_minute() {
    let app = TestApp::new();
    app.upload("/api/check", "a", b"x").await;
    app.upload("/api/check", "b", b"x").await;
    for base in ["/api", "/api/v1"] {
        let samples = history(&app, &format!("{base}/sampleHistory")).await;
        let total: u64 = samples.values().map(|value| value.as_u64().unwrap()).sum();
        assert_eq!(total, 2);
        let key = samples.keys().next().unwrap();
        assert_eq!(key.len(), "2026-11-24 08:00".len());
        let denied = history(&app, &format!("{base}/deniedHistory")).await;
        assert!(!denied.is_empty());
        assert!(denied.values().all(|value| value == 0));
        assert!(
            !history(&app, &format!("{base}/queueHistory"))
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn parameters_are_checked() {
    let app = TestApp::new();
    for name in ["queueHistory", "sampleHistory", "deniedHistory"] {
        for query in [
            "aggregate=x",
            "aggregate=0",
            "aggregate=-5",
            "aggregate=1.5",
            "limit=x",
            "limit=-1",
        ] {
            let answer = app.get(&format!("/api/{name}?{query}")).await;
            answer.assert_refusal(400, "the parameter");
            let answer = app.get(&format!("/api/v1/{name}?{query}")).await;
            assert_eq!(answer.status.as_u16(), 400, "{query}");
        }
        for query in [
            "aggregate=",
            "limit=",
            "aggregate=60&limit=1440",
            "other=%ff",
        ] {
            history(&app, &format!("/api/{name}?{query}")).await;
        }
        let answer = app.get(&format!("/api/{name}?limit=0")).await;
        assert_eq!(answer.text(), "{}");
        let huge = "aggregate=9223372036854775807&limit=9223372036854775807";
        assert_eq!(history(&app, &format!("/api/{name}?{huge}")).await.len(), 1);
    }
}
