//! Bodies made of the pieces that matter, in any order and cut anywhere.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::select;

use crate::app::{BOUNDARY, TestApp, upload_request};

/// What hostile bodies are made of.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let fixed = [
        format!("--{BOUNDARY}"),
        format!("\r\n--{BOUNDARY}\r\n"),
        format!("\r\n--{BOUNDARY}--"),
        "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".to_owned(),
        "Content-Disposition: form-data; name=\"file".to_owned(),
        "; filename*=UTF-8''%ff%".to_owned(),
        "\r\n".to_owned(),
        "\r\n\r\n".to_owned(),
        "\r".to_owned(),
        "\n".to_owned(),
        "--".to_owned(),
        "\"".to_owned(),
        "\0".to_owned(),
        ": ".to_owned(),
        " ".to_owned(),
    ];
    prop_oneof![
        4 => select(fixed.map(String::into_bytes).to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

/// The service and a runtime for all cases.
fn shared() -> &'static (TestApp, tokio::runtime::Runtime) {
    static SHARED: OnceLock<(TestApp, tokio::runtime::Runtime)> = OnceLock::new();
    SHARED.get_or_init(|| (TestApp::new(), tokio::runtime::Runtime::new().unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_body_is_scanned_whole_or_refused(pieces in prop::collection::vec(piece(), 0..14)) {
        let (app, runtime) = shared();
        let body = pieces.concat();
        let closing = format!("--{BOUNDARY}--");
        let closed = body.windows(closing.len()).any(|window| window == closing.as_bytes());
        let answer = runtime.block_on(app.send(upload_request("/api/check", body)));
        match answer.status.as_u16() {
            200 => prop_assert!(closed, "scanned without its end"),
            400 => prop_assert!(answer.json()["reason"].is_string()),
            status => prop_assert!(false, "status {status}: {}", answer.text()),
        }
    }

    #[test]
    fn any_query_is_answered(query in "[ -~&&[^#]]{0,60}") {
        let (app, runtime) = shared();
        for path in ["/api/status", "/api/getAsyncResults", "/api/sampleHistory"] {
            let Ok(uri) = format!("{path}?{query}").parse::<axum::http::Uri>() else {
                continue;
            };
            let answer = runtime.block_on(app.get(&uri.to_string()));
            prop_assert!([200, 400].contains(&answer.status.as_u16()));
        }
    }
}
