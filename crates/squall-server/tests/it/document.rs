//! The API document: current, complete, and a superset of the original.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(squall_server::openapi()).unwrap()
}

#[test]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/squall.json");
    let current = squall_server::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("SQUALL_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "`{}` is out of date; run this test with SQUALL_UPDATE=1",
        path.display()
    );
}

#[test]
fn both_generations_are_complete() {
    let document = document();
    for base in ["/api", "/api/v1"] {
        for (method, name) in [
            ("post", "check"),
            ("post", "checkAsync"),
            ("get", "getAsyncResults"),
            ("get", "queueHistory"),
            ("get", "sampleHistory"),
            ("get", "deniedHistory"),
            ("get", "info"),
            ("get", "status"),
            ("post", "collection"),
        ] {
            let operation = &document["paths"][format!("{base}/{name}")][method];
            assert!(operation["summary"].is_string(), "{base}/{name}");
            assert!(operation["responses"]["200"].is_object(), "{base}/{name}");
        }
    }
}

#[test]
fn every_reference_has_its_target_and_every_operation_its_own_name() {
    let document = document();
    let text = document.to_string();
    let mut references = 0;
    for piece in text.split("\"$ref\":\"#").skip(1) {
        let pointer = piece.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is missing");
        references += 1;
    }
    assert!(references > 20);
    let mut ids: Vec<&str> = text
        .split("\"operationId\":\"")
        .skip(1)
        .map(|piece| piece.split('"').next().unwrap())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (58, 58));
}

#[test]
fn everything_of_the_original_document_is_kept() {
    let shared = std::env::var_os("SQUALL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("reference/thunderstorm-openapi-v0.json");
    let Ok(original) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: `{}` is not there", path.display());
        return;
    };
    let original: Value = serde_json::from_str(&original).unwrap();
    let document = document();
    for (path, item) in original["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let ours = &document["paths"][path][method];
            assert!(ours.is_object(), "{method} {path} is missing");
            assert_eq!(ours["operationId"], operation["operationId"]);
            let names = |operation: &Value| -> Vec<(String, String)> {
                let parameters = operation["parameters"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let pair = |p: &Value| (p["name"].to_string(), p["in"].to_string());
                parameters.iter().map(pair).collect()
            };
            let our_names = names(ours);
            for name in names(operation) {
                assert!(our_names.contains(&name), "{name:?} of {method} {path}");
            }
            for status in operation["responses"].as_object().unwrap().keys() {
                assert!(ours["responses"][status].is_object(), "{status} of {path}");
            }
            if let Some(body) = operation.pointer("/requestBody/content") {
                for media in body.as_object().unwrap().keys() {
                    let ours = &ours["requestBody"]["content"][media];
                    assert!(ours.is_object(), "{media} of {path}");
                }
            }
        }
    }
}
