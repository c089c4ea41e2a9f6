//! Rules in force, files written through the API, trusted contents, kept
//! samples, configuration and log, with a library that is in memory.

mod memory;

use std::io::{Cursor, Read as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use squall_api::v1::SettingInForce;
use squall_findings::{Findings, FindingsConfig};
use squall_server::LogTail;

use crate::app::{Answer, TestApp};
use memory::Memory;
struct Library {
    app: TestApp,
    memory: Memory,
    findings: Findings,
}

impl Library {
    fn new() -> Self {
        let mut app = TestApp::with(|setup| {
            setup.config.settings = vec![SettingInForce {
                section: "Limits".to_owned(),
                name: "max_file_size".to_owned(),
                values: vec!["200MB".to_owned()],
                origin: "default".to_owned(),
            }];
            setup.config.log = LogTail::default();
            for number in 0..5 {
                setup.config.log.push(&format!("line {number}"));
            }
        });
        let config = FindingsConfig::new(app.dir.path().join("findings.db"));
        let (findings, _) = Findings::open(config).unwrap();
        app.service = app.service.clone().with_findings(findings.clone());
        let memory = Memory::default();
        app.service.set_signature_library(Arc::new(memory.clone()));
        app.service.set_signature_control(Arc::new(memory.clone()));
        app.service.set_kept_samples(Arc::new(memory.clone()));
        Self {
            app,
            memory,
            findings,
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.app.send(request.body(body).unwrap()).await
    }

    async fn write(&self, name: &str, text: &str) -> Answer {
        let path = format!("/api/v1/signatures/own/{name}");
        self.send("PUT", &path, Some(json!({"text": text}))).await
    }

    /// Has a sample scanned and its finding stored; returns the event id.
    async fn finding(&self) -> String {
        let answer = self.app.upload("/api/v1/check", "/tmp/a", b"EVIL").await;
        let found = answer.json()[0].clone();
        let finding = serde_json::from_value(found.clone()).unwrap();
        self.findings.offer_again(finding, None).unwrap();
        assert!(self.findings.flush(Duration::from_secs(10)));
        found["meta"]["event_id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.findings.close();
    }
}

#[tokio::test]
async fn expensive_rules_are_told_with_their_findings() {
    let library = Library::new();
    library.finding().await;
    let path = "/api/v1/signatures/costs";
    let costs = library.app.get(path).await.json();
    let rules = &costs["measured"]["rules"];
    assert_eq!(
        (&rules[0]["rule"], &rules[0]["hits"]),
        (&json!("Evil_Test"), &json!(1))
    );
    assert_eq!(
        (&rules[1]["rule"], &rules[1]["hits"]),
        (&json!("Alpha"), &json!(0))
    );
    let refused = library.send("POST", path, None).await;
    assert_eq!(refused.status.as_u16(), 409);
    assert_eq!(refused.json()["message"], "nothing to measure");
    library.write("a.yar", "rule A { condition: true }").await;
    let begun = library.send("POST", path, None).await;
    assert_eq!(begun.status.as_u16(), 202);
}

#[tokio::test]
async fn with_yara_rules_only_nothing_pretends_to_be_trusted() {
    let library = Library::new();
    library.memory.set_pure_yara();
    let event_id = library.finding().await;
    let path = format!("/api/v1/findings/{event_id}/trust");
    let refused = library.send("POST", &path, Some(json!({}))).await;
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.text());
    assert!(refused.text().contains("pure-yara"), "{}", refused.text());
    let path = format!("/api/v1/findings/{event_id}");
    let details = library.app.get(&path).await.json();
    assert_eq!(details["review"], Value::Null);
    let list = library.write("x-hash-iocs.txt", "").await.json();
    assert_eq!(list["in_force"], false);
    assert!(list["message"].as_str().unwrap().contains("pure-yara"));
    let rules = library.write("x.yar", "rule A { condition: true }").await;
    assert_eq!(rules.json()["in_force"], true);
}

#[tokio::test]
async fn rules_are_searched_and_shown() {
    let library = Library::new();
    library.finding().await;
    let get = async |query: &str| {
        let path = format!("/api/v1/signatures/rules?{query}");
        library.app.get(&path).await.json()
    };
    let all = get("limit=2").await;
    assert_eq!(all["total"], 3);
    assert_eq!(all["next"], 2);
    assert_eq!(all["rules"][0]["name"], "Alpha");
    assert_eq!(all["rules"][1]["name"], "Evil_Test");
    assert_eq!(all["rules"][1]["hits"], 1);
    assert_eq!(all["rules"][0]["hits"], 0);
    assert_eq!(all["rules"][0]["microseconds"], 12.5);
    // That time is of a rule of the same name in another file.
    assert_eq!(all["rules"][1]["microseconds"], Value::Null);
    let rest = get("limit=2&offset=2").await;
    assert_eq!(rest["rules"][0]["name"], "Zeta");
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(get("q=ABOUT%20evil").await["total"], 1);
    assert_eq!(get("origin=internal").await["total"], 2);
    assert_eq!(get("offset=9").await["rules"], json!([]));
    for query in ["limit=0", "offset=-1", "limit=x"] {
        let answer = library
            .app
            .get(&format!("/api/v1/signatures/rules?{query}"))
            .await;
        assert_eq!(answer.status.as_u16(), 400, "{query}");
    }
    let source = library
        .app
        .get("/api/v1/signatures/rules/Alpha")
        .await
        .json();
    assert_eq!(
        source,
        json!({"name": "Alpha", "file": "a.yar", "line": 7, "text": "rule Alpha { } // a.yar"})
    );
    for path in ["Alpha?file=z.yar", "Zeta", "Nothing"] {
        let answer = library
            .app
            .get(&format!("/api/v1/signatures/rules/{path}"))
            .await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_file_is_checked_before_it_is_written() {
    let library = Library::new();
    let answer = library.write("a.yar", "rule A {\n BROKEN").await;
    assert_eq!(answer.status.as_u16(), 422);
    let outcome = answer.json();
    assert_eq!(outcome["in_force"], false);
    assert_eq!(outcome["problems"][0]["line"], 2);
    assert_eq!(outcome["problems"][0]["fatal"], true);
    assert!(library.memory.files().is_empty());

    let path = "/api/v1/signatures/own/a.yar";
    let body = json!({"text": "ODD", "check_only": true});
    let answer = library.send("PUT", path, Some(body)).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.json()["problems"][0]["fatal"], false);
    assert!(library.memory.files().is_empty());

    let answer = library.write("a.yar", "good").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert_eq!(answer.json()["in_force"], true);
    let list = library.app.get("/api/v1/signatures/own").await.json();
    assert_eq!(list["files"][0]["name"], "a.yar");
    assert_eq!(list["files"][0]["size_bytes"], 4);
    assert_eq!(library.app.get(path).await.json()["text"], "good");
}

#[tokio::test]
async fn what_makes_no_fit_set_changes_nothing() {
    let library = Library::new();
    library.write("a.yar", "good").await;
    let answer = library.write("a.yar", "UNFIT").await;
    assert_eq!(answer.status.as_u16(), 409);
    assert!(answer.text().contains("self-test"));
    assert_eq!(library.memory.files()["a.yar"], "good");
    let answer = library.write("b.yar", "UNFIT").await;
    assert_eq!(answer.status.as_u16(), 409);
    assert!(!library.memory.files().contains_key("b.yar"));

    let gone = library
        .send("DELETE", "/api/v1/signatures/own/a.yar", None)
        .await;
    assert_eq!(gone.status.as_u16(), 200);
    assert!(library.memory.files().is_empty());
    for method in ["DELETE", "GET"] {
        let answer = library
            .send(method, "/api/v1/signatures/own/a.yar", None)
            .await;
        assert_eq!(answer.status.as_u16(), 404, "{method}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let library = Library::new();
    let long = "x".repeat(1024 * 1024 + 1);
    for (status, name, body) in [
        (413, "a.yar", json!({"text": long}).to_string()),
        (400, "a%2Fb.yar", json!({"text": ""}).to_string()),
        (400, "a.yar", "{".to_owned()),
        (400, "a.yar", json!({"text": "", "more": 1}).to_string()),
    ] {
        let request = Request::put(format!("/api/v1/signatures/own/{name}"))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let answer = library.app.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    }
    let form = Request::put("/api/v1/signatures/own/a.yar")
        .header("content-type", "text/plain")
        .body(Body::from(r#"{"text": ""}"#))
        .unwrap();
    assert_eq!(library.app.send(form).await.status.as_u16(), 400);
    assert!(library.memory.files().is_empty());
    let without = TestApp::new();
    let answer = without.get("/api/v1/signatures/rules").await;
    assert_eq!(answer.status.as_u16(), 404);
}

#[tokio::test]
async fn a_content_is_trusted_once() {
    let library = Library::new();
    let id = library.finding().await;
    let path = format!("/api/v1/findings/{id}/trust");
    let body = json!({"note": "our tool;\nsee # 7", "who": "ana"});
    let answer = library.send("POST", &path, Some(body.clone())).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let trusted = answer.json();
    assert_eq!(trusted["list"], "console-trusted-hashes.txt");
    assert_eq!(trusted["review"]["state"], "false_positive");
    assert_eq!(trusted["review"]["who"], "ana");
    let sha256 = trusted["sha256"].as_str().unwrap().to_owned();
    let list = library.memory.files()["console-trusted-hashes.txt"].clone();
    assert!(
        list.starts_with(&format!("{sha256};false positive, ana, 20")),
        "{list}"
    );
    assert!(list.ends_with("Z: our tool, see , 7\n"), "{list}");
    library.send("POST", &path, Some(body)).await;
    let again = library.memory.files()["console-trusted-hashes.txt"].clone();
    assert_eq!(again, list);
    let details = library
        .app
        .get(&format!("/api/v1/findings/{id}"))
        .await
        .json();
    assert_eq!(details["summary"]["review"], "false_positive");

    let unknown = library
        .send("POST", "/api/v1/findings/x/trust", Some(json!({})))
        .await;
    assert_eq!(unknown.status.as_u16(), 404);
    let long = json!({"who": "w".repeat(257)});
    assert_eq!(
        library
            .send("POST", &path, Some(long))
            .await
            .status
            .as_u16(),
        400
    );
}

#[tokio::test]
async fn a_content_is_trusted_no_more() {
    let library = Library::new();
    let (first, second) = (library.finding().await, library.finding().await);
    let path = |id: &str| format!("/api/v1/findings/{id}");
    let trust = |id: &str| format!("/api/v1/findings/{id}/trust");
    let none = library
        .send("DELETE", &trust(&first), Some(json!({})))
        .await;
    assert_eq!(none.status.as_u16(), 404, "{}", none.text());
    let asked = json!({"note": "ours", "who": "ana", "same_content": true});
    let trusted = library.send("POST", &trust(&first), Some(asked)).await;
    assert_eq!(trusted.json()["findings"], 2, "{}", trusted.text());
    // Every finding of the content is marked, and says that it is trusted.
    for id in [&first, &second] {
        let details = library.app.get(&path(id)).await.json();
        assert_eq!(details["summary"]["review"], "false_positive");
        assert_eq!(details["review"]["note"], "ours");
        let comment = details["trusted"].as_str().unwrap();
        assert!(comment.starts_with("false positive, ana, 20"), "{comment}");
        assert!(comment.ends_with(": ours"), "{comment}");
    }
    // Others on the list stay there.
    let kept = format!("# ours\n{};theirs\n", "cd".repeat(32));
    let name = "console-trusted-hashes.txt";
    let list = library.memory.files()[name].clone();
    library.write(name, &format!("{kept}{list}")).await;
    let asked = json!({"note": "it is evil", "who": "bob"});
    let open = library.send("DELETE", &trust(&second), Some(asked)).await;
    assert_eq!(open.status.as_u16(), 200, "{}", open.text());
    assert_eq!(open.json()["state"], "open");
    assert_eq!(open.json()["note"], "it is evil");
    assert_eq!(library.memory.files()[name], kept);
    let details = library.app.get(&path(&second)).await.json();
    assert_eq!(details["trusted"], Value::Null);
    assert_eq!(details["summary"]["review"], "open");
    let details = library.app.get(&path(&first)).await.json();
    assert_eq!(details["summary"]["review"], "false_positive");
    // Where the set is not fit without it, it stays.
    library.send("POST", &trust(&first), Some(json!({}))).await;
    library
        .memory
        .files()
        .insert("b.yar".to_owned(), "UNFIT".to_owned());
    let refused = library
        .send("DELETE", &trust(&first), Some(json!({})))
        .await;
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.text());
    let details = library.app.get(&path(&first)).await.json();
    assert!(details["trusted"].is_string());
}

#[tokio::test]
async fn a_kept_sample_comes_in_an_archive() {
    let library = Library::new();
    let name = "ab".repeat(32);
    let answer = library
        .app
        .get(&format!("/api/v1/samples/{name}/zip"))
        .await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.header("content-type"), "application/zip");
    assert_eq!(
        answer.header("content-disposition"),
        format!("attachment; filename=\"{name}.zip\"")
    );
    let mut archive = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
    let mut content = Vec::new();
    let mut file = archive.by_name_decrypt(&name, b"infected").unwrap();
    file.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"MZ evil");
    let missing = format!("/api/v1/samples/{}/zip", "cd".repeat(32));
    for (path, status) in [("/api/v1/samples/12/zip", 400), (&*missing, 404)] {
        assert_eq!(
            library.app.get(path).await.status.as_u16(),
            status,
            "{path}"
        );
    }
    let none = TestApp::new();
    let path = format!("/api/v1/samples/{name}/zip");
    assert_eq!(none.get(&path).await.status.as_u16(), 404);
}

#[tokio::test]
async fn configuration_and_log_are_shown() {
    let library = Library::new();
    let configuration = library.app.get("/api/v1/configuration").await.json();
    assert_eq!(configuration["settings"][0]["name"], "max_file_size");
    assert_eq!(configuration["settings"][0]["values"][0], "200MB");
    let log = library.app.get("/api/v1/log?lines=2").await.json();
    assert_eq!(log, json!({"lines": ["line 3", "line 4"]}));
    let answer = library.app.get("/api/v1/log?lines=0").await;
    assert_eq!(answer.status.as_u16(), 400);
}
