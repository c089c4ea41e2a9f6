//! What was found before: searched, shown, reviewed and exported.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use squall_findings::{Findings, FindingsConfig};
use squall_server::LookupLink;

use crate::app::{Answer, Setup, TestApp};

/// An app with a store; what its worker finds is offered as the real one does.
struct Kept {
    app: TestApp,
    findings: Findings,
}

impl Kept {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(adjust: impl FnOnce(&mut Setup)) -> Self {
        let mut app = TestApp::with(adjust);
        let config = FindingsConfig::new(app.dir.path().join("findings.db"));
        let (findings, _) = Findings::open(config).unwrap();
        app.service = app.service.clone().with_findings(findings.clone());
        Self { app, findings }
    }

    /// Has a sample scanned and stored; returns its event id, if any.
    async fn scan(&self, query: &str, name: &str, bytes: &[u8]) -> Option<String> {
        let path = format!("/api/v1/check?{query}");
        let answer = self.app.upload(&path, name, bytes).await;
        let found = answer.json();
        for finding in found.as_array().unwrap() {
            let finding = serde_json::from_value(finding.clone()).unwrap();
            self.findings.offer_again(finding, None).unwrap();
        }
        assert!(self.findings.flush(Duration::from_secs(10)));
        found[0]["meta"]["event_id"].as_str().map(str::to_owned)
    }

    async fn review(&self, event_id: &str, content_type: &str, body: &str) -> Answer {
        let request = Request::post(format!("/api/v1/findings/{event_id}/review"))
            .header("content-type", content_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.app.send(request).await
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.findings.close();
    }
}

fn names(page: &Value) -> Vec<&str> {
    let rows = page["findings"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

const HOSTILE: &str = "=cmd()|'\\\"><img src=x onerror=alert(1)>.exe";

#[tokio::test]
async fn findings_are_searched_page_by_page() {
    let kept = Kept::new();
    for n in 0..5 {
        kept.scan(
            &format!("source=web-{}", n % 2),
            &format!("/tmp/f{n}"),
            b"EVIL",
        )
        .await;
    }
    let first = kept.app.get("/api/v1/findings?limit=2").await.json();
    assert_eq!(first["findings"].as_array().unwrap().len(), 2);
    let cursor = first["cursor"].as_str().unwrap();
    let path = format!("/api/v1/findings?limit=10&cursor={cursor}");
    let rest = kept.app.get(&path).await.json();
    assert_eq!(rest["findings"].as_array().unwrap().len(), 3);
    assert_eq!(rest["cursor"], Value::Null);
    let found = kept
        .app
        .get("/api/v1/findings?source=web-1&level=alert&q=evil")
        .await
        .json();
    let mut found = names(&found);
    found.sort_unstable();
    assert_eq!(found, ["/tmp/f1", "/tmp/f3"]);
    let found = kept
        .app
        .get("/api/v1/findings?name=F4&score_min=90&rule=Evil_Test")
        .await;
    assert_eq!(names(&found.json()), ["/tmp/f4"]);
    let found = kept.app.get("/api/v1/findings?source=nobody").await;
    assert_eq!(found.text(), r#"{"findings":[],"cursor":null}"#);
}

#[tokio::test]
async fn the_history_has_every_minute() {
    let kept = Kept::new();
    // The worker says that it scanned long ago.
    kept.scan("", "/tmp/a", b"EVIL").await.unwrap();
    let path = "/api/v1/findings/history?minutes=3";
    let history = kept.app.get(path).await.json();
    let minutes = history["minutes"].as_array().unwrap();
    assert_eq!(minutes.len(), 3);
    assert!(minutes[0]["time"].as_str().unwrap().ends_with(":00Z"));
    let none = json!({"alert": 0, "warning": 0, "notice": 0});
    assert_eq!(minutes[2]["findings"], none);
}

#[tokio::test]
async fn a_parameter_that_makes_no_sense_is_named() {
    let kept = Kept::new();
    for (query, words) in [
        ("level=high", "`level` is `high`"),
        ("score_min=x", "`score_min` is `x`"),
        ("since=tomorrow", "`since` is `tomorrow`"),
        ("hash=12", "`hash` is `12`"),
        ("q=*", "expected a word"),
        ("review=done", "`review` is `done`"),
        ("limit=0", "`limit` is below 1"),
        ("limit=x", "`limit` is no integer"),
        ("cursor=x", "the cursor is not one"),
    ] {
        let answer = kept.app.get(&format!("/api/v1/findings?{query}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{query}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words), "`{message}` lacks `{words}`");
    }
    let answer = kept.app.get("/api/v1/findings/export?format=xml").await;
    assert_eq!(answer.status.as_u16(), 400);
    let answer = kept.app.get("/api/v1/collections?state=done").await;
    assert_eq!(answer.status.as_u16(), 400);
}

#[tokio::test]
async fn a_finding_is_shown_with_its_shares_and_sightings() {
    let kept = Kept::new();
    let id = kept.scan("source=web-01", "/tmp/a", b"EVIL").await.unwrap();
    kept.scan("source=db-07", "/tmp/b", b"EVIL").await;
    let details = kept.app.get(&format!("/api/v1/findings/{id}")).await.json();
    assert_eq!(details["finding"]["meta"]["event_id"], id);
    assert_eq!(details["shares"][0]["points"], 85.0);
    assert_eq!(details["review"], Value::Null);
    let by_hash = &details["sightings"][0];
    assert_eq!(
        (&by_hash["by"], &by_hash["findings"]),
        (&json!("hash"), &json!(1))
    );
    assert_eq!(by_hash["latest"][0]["source"], "db-07");
    let answer = kept.app.get("/api/v1/findings/unknown").await;
    assert_eq!(answer.status.as_u16(), 404);
    let answer = kept.app.get("/api/v1/findings/%ff").await;
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
    assert!(answer.json()["message"].is_string());
}

#[tokio::test]
async fn a_file_can_be_looked_up_elsewhere_where_that_is_set() {
    let kept = Kept::with(|setup| {
        setup.config.lookup_links = vec![LookupLink {
            name: "Ours".to_owned(),
            url: "https://h/{sha256}?m={md5}&s={sha1}".to_owned(),
        }];
    });
    let id = kept.scan("source=web-01", "/tmp/a", b"EVIL").await.unwrap();
    let details = kept.app.get(&format!("/api/v1/findings/{id}")).await.json();
    let hashes = &details["finding"]["subject"]["hashes"];
    let text = |name: &str| hashes[name].as_str().unwrap().to_owned();
    let (md5, sha1, sha256) = (text("md5"), text("sha1"), text("sha256"));
    let url = format!("https://h/{sha256}?m={md5}&s={sha1}");
    assert_eq!(details["lookups"], json!([{"name": "Ours", "url": url}]));
}

#[tokio::test]
async fn a_review_is_stored_and_a_form_is_not_enough() {
    let kept = Kept::new();
    let id = kept.scan("source=a", "/tmp/a", b"EVIL").await.unwrap();
    let body = r#"{"state":"false_positive","note":"our tool","who":"ana"}"#;
    let answer = kept
        .review(&id, "application/json; charset=utf-8", body)
        .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert_eq!(answer.json()["note"], "our tool");
    let found = kept
        .app
        .get("/api/v1/findings?review=false_positive")
        .await
        .json();
    assert_eq!(found["findings"][0]["event_id"], id);
    let long = format!(r#"{{"state":"open","note":"{}"}}"#, "x".repeat(4097));
    for (id, content_type, body, status) in [
        (id.as_str(), "text/plain", body, 400),
        (&id, "application/x-www-form-urlencoded", "state=open", 400),
        (&id, "application/json", "{", 400),
        (&id, "application/json", r#"{"state":"gone"}"#, 400),
        (&id, "application/json", r#"{"state":"open","more":1}"#, 400),
        (&id, "application/json", &long, 400),
        ("unknown", "application/json", r#"{"state":"open"}"#, 404),
    ] {
        let answer = kept.review(id, content_type, body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text());
    }
    let huge = format!(r#"{{"state":"open","note":"{}"}}"#, "x".repeat(70_000));
    let answer = kept.review(&id, "application/json", &huge).await;
    assert_eq!(answer.status.as_u16(), 413);
}

#[tokio::test]
async fn an_export_is_what_was_searched_and_harmless() {
    let kept = Kept::new();
    kept.scan("source=@SUM(A1)", HOSTILE, b"EVIL").await;
    kept.scan("source=b", "/tmp/b", b"EVIL").await;
    let lines = kept.app.get("/api/v1/findings/export").await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert!(
        lines
            .header("content-disposition")
            .starts_with("attachment")
    );
    let text = lines.text();
    let paths: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["subject"]["path"].clone())
        .collect();
    assert_eq!(paths, ["/tmp/b", HOSTILE.replace("\\\"", "\"").as_str()]);
    let csv = kept
        .app
        .get("/api/v1/findings/export?format=csv&name=cmd")
        .await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = csv.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains(r#""'@SUM(A1)","'=cmd()|'""><img src=x"#),
        "{text}"
    );
    for (format, content_type, key) in [
        ("stix", "application/stix+json;version=2.1", "objects"),
        ("misp", "application/json", "Event"),
    ] {
        let path = format!("/api/v1/findings/export?format={format}");
        let document = kept.app.get(&path).await;
        assert_eq!(document.header("content-type"), content_type);
        assert!(!document.json()[key].is_null(), "{}", document.text());
    }
    let none = kept.app.get("/api/v1/findings/export?source=nobody").await;
    assert_eq!((none.status.as_u16(), none.text().as_str()), (200, ""));
}

#[tokio::test]
async fn sources_are_listed_with_clean_samples_and_runs() {
    let kept = Kept::new();
    let begin = Request::post("/api/collection")
        .body(Body::from(
            r#"{"type":"begin","source":"a/b \"x\"","collector":"bash/1"}"#,
        ))
        .unwrap();
    let run = kept.app.send(begin).await.json()["scan_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let query = format!("source=a%2Fb%20%22x%22&scan_id={run}");
    assert_eq!(kept.scan(&query, "/tmp/good", b"good").await, None);
    kept.scan(&query, "/tmp/evil", b"EVIL").await;
    kept.findings.close();
    let sources = kept.app.get("/api/v1/sources").await.json();
    let source = &sources["sources"][0];
    assert_eq!(
        (&source["source"], &source["samples"]),
        (&json!("a/b \"x\""), &json!(2))
    );
    assert_eq!(
        source["findings"],
        json!({"alert": 1, "warning": 0, "notice": 0})
    );
    let details = kept
        .app
        .get("/api/v1/source?name=a%2Fb%20%22x%22")
        .await
        .json();
    let of_source = &details["collections"][0];
    assert_eq!(
        (&of_source["state"], &of_source["samples"]),
        (&json!("incomplete"), &json!(2))
    );
    let runs = kept
        .app
        .get("/api/v1/collections?state=incomplete")
        .await
        .json();
    assert_eq!(&runs["collections"][0], of_source);
    assert_eq!(runs["collections"][0]["scan_id"], run);
    let answer = kept.app.get("/api/v1/source?name=nobody").await;
    assert_eq!(answer.status.as_u16(), 404);
    for path in ["/api/v1/source", "/api/v1/source?name="] {
        assert_eq!(kept.app.get(path).await.status.as_u16(), 400, "{path}");
    }
}

#[tokio::test]
async fn a_source_may_be_called_like_a_part_of_a_path() {
    let kept = Kept::new();
    for name in ["..", ".", "a/../b", "%2e%2e"] {
        let name = name.replace('%', "%25").replace('/', "%2F");
        let query = format!("source={name}");
        kept.scan(&query, "/tmp/evil", b"EVIL").await;
    }
    kept.findings.close();
    for name in ["..", ".", "a/../b", "%2e%2e"] {
        let asked = name.replace('%', "%25").replace('/', "%2F");
        let path = format!("/api/v1/source?name={asked}");
        let details = kept.app.get(&path).await.json();
        assert_eq!(details["source"]["source"], name);
        assert_eq!(details["source"]["findings"]["alert"], 1);
    }
}

#[tokio::test]
async fn a_finding_of_just_now_is_waited_for() {
    let kept = Kept::new();
    let id = kept.scan("", "/tmp/a", b"EVIL").await.unwrap();
    let details = kept.app.get(&format!("/api/v1/findings/{id}?wait=5")).await;
    assert_eq!(details.status.as_u16(), 200);
    let levels = &details.json()["levels"];
    assert_eq!(
        levels,
        &json!({"notice": 40, "warning": 60, "alert": 81, "alert_subscore_above": 75})
    );
    assert_eq!(details.json()["sample_kept"], false);
    // Everything is stored: there is nothing to wait for.
    assert!(kept.findings.take_behind());
    let begun = std::time::Instant::now();
    let none = kept.app.get("/api/v1/findings/nothing?wait=10").await;
    assert_eq!(none.status.as_u16(), 404);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let wrong = kept.app.get("/api/v1/findings/nothing?wait=x").await;
    assert_eq!(wrong.status.as_u16(), 400);
}

#[tokio::test]
async fn without_a_store_every_path_says_so() {
    let app = TestApp::new();
    for path in [
        "/api/v1/findings",
        "/api/v1/findings/x",
        "/api/v1/findings/export",
        "/api/v1/sources",
        "/api/v1/source?name=x",
        "/api/v1/collections",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("keeps no findings"), "{message}");
    }
}
