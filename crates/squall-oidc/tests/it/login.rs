//! What is sent to a provider, and what is made of its answers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use squall_access::Role;
use squall_oidc::{Answer, Begun, IdTokenError, Identity, LoginError, Provider, SetUpError};

use crate::provider::{CLIENT, Fake, REDIRECT, encode, key, pairs, value};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn begin(fake: &Fake, provider: &Provider) -> (Begun, Answer) {
    let begun = provider.begin(HERE).await.unwrap();
    let sent = fake.visit(&begun);
    let answer = Answer {
        code: Some("c/1+2".to_owned()),
        state: Some(value(&sent, "state").to_owned()),
        ..Answer::default()
    };
    (begun, answer)
}

/// Logs in.
async fn log_in(fake: &Fake, provider: &Provider) -> Result<(Identity, Role), LoginError> {
    let (begun, answer) = begin(fake, provider).await;
    provider.finish(&begun.cookie, &answer).await
}

#[tokio::test]
async fn somebody_logs_in_once() {
    let fake = Fake::start().await;
    let provider = fake.provider();
    let (begun, answer) = begin(&fake, &provider).await;
    let sent = fake.visit(&begun);
    for (name, expected) in [
        ("tenant", "a"),
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(value(&sent, name), expected);
    }
    assert!(!begun.address.contains(&begun.cookie));
    let (identity, role) = provider.finish(&begun.cookie, &answer).await.unwrap();
    assert_eq!(
        (identity.subject.as_str(), identity.name.as_str()),
        ("s-1", "ana")
    );
    assert_eq!(role, Role::Read);
    let [(form, who)] = &fake.with(|script| script.forms.clone())[..] else {
        panic!("one code is changed once");
    };
    let form = pairs(form);
    for (name, expected) in [
        ("grant_type", "authorization_code"),
        ("code", "c/1+2"),
        ("redirect_uri", REDIRECT),
        ("client_id", CLIENT),
    ] {
        assert_eq!(value(&form, name), expected);
    }
    let challenge = encode(Sha256::digest(value(&form, "code_verifier")));
    assert_eq!(value(&sent, "code_challenge"), challenge);
    assert_eq!(*who, None);
    // Brought again it is good for nothing, and nobody is asked.
    let again = provider.finish(&begun.cookie, &answer).await;
    assert!(matches!(again, Err(LoginError::NotUnderWay)), "{again:?}");
    assert_eq!(fake.with(|script| script.forms.len()), 1);
}

#[tokio::test]
async fn an_answer_is_for_the_browser_that_began() {
    let fake = Fake::start().await;
    let provider = fake.provider();
    let (mine, my_answer) = begin(&fake, &provider).await;
    let (_, others) = begin(&fake, &provider).await;
    for (cookie, answer) in [
        (mine.cookie.as_str(), &others),
        (mine.cookie.as_str(), &Answer::default()),
        ("", &my_answer),
        ("forged", &my_answer),
    ] {
        let refused = provider.finish(cookie, answer).await;
        assert!(
            matches!(refused, Err(LoginError::NotUnderWay)),
            "{refused:?}"
        );
    }
    assert_eq!(fake.with(|script| script.forms.len()), 0);
}

#[tokio::test]
async fn what_the_provider_answers_is_looked_at() {
    let fake = Fake::start().await;
    let provider = fake.provider();
    let issuer = provider.issuer().to_owned();
    for (change, expected) in [
        (
            Answer {
                error: Some("access_denied\n".to_owned()),
                ..Answer::default()
            },
            "refuses: access_denied",
        ),
        (
            Answer {
                code: None,
                ..Answer::default()
            },
            "without a code",
        ),
        (
            Answer {
                code: Some("c".repeat(10_000)),
                ..Answer::default()
            },
            "without a code",
        ),
        (
            Answer {
                code: Some("c".to_owned()),
                issuer: Some("https://evil.example".to_owned()),
                ..Answer::default()
            },
            "another issuer",
        ),
    ] {
        let (begun, answer) = begin(&fake, &provider).await;
        let answer = Answer {
            state: answer.state,
            ..change
        };
        let refused = provider.finish(&begun.cookie, &answer).await.unwrap_err();
        assert!(refused.to_string().ends_with(expected), "{refused}");
    }
    assert_eq!(fake.with(|script| script.forms.len()), 0);
    // One that always says who it is says so this time too.
    fake.with(|script| {
        script.discovery = json!({"authorization_response_iss_parameter_supported": true});
    });
    let provider = fake.provider();
    let (begun, answer) = begin(&fake, &provider).await;
    let refused = provider.finish(&begun.cookie, &answer).await.unwrap_err();
    assert!(refused.to_string().ends_with("another issuer"), "{refused}");
    let (begun, answer) = begin(&fake, &provider).await;
    let answer = Answer {
        issuer: Some(issuer),
        ..answer
    };
    assert!(provider.finish(&begun.cookie, &answer).await.is_ok());
}

#[tokio::test]
async fn who_has_no_role_or_a_token_of_another_login_is_refused() {
    let fake = Fake::start().await;
    let provider = fake.provider();
    fake.with(|script| script.claims = json!({"groups": ["others"]}));
    match log_in(&fake, &provider).await {
        Err(LoginError::NoRole(identity)) => assert_eq!(identity.name, "ana"),
        other => panic!("{other:?}"),
    }
    for (claims, expected) in [
        (json!({"nonce": "another"}), IdTokenError::Nonce),
        (json!({"aud": "another"}), IdTokenError::Audience),
        (
            json!({"iss": "https://another.example"}),
            IdTokenError::Issuer,
        ),
        (json!({"exp": 1}), IdTokenError::Expired),
    ] {
        fake.with(|script| script.claims = claims);
        match log_in(&fake, &provider).await {
            Err(LoginError::IdToken(refused)) => assert_eq!(refused, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_secret_is_shown_as_the_provider_takes_it_and_read_anew() {
    let fake = Fake::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let mut config = fake.config();
    config.client_secret_file = Some(path.clone());
    assert!(matches!(
        Provider::new(config.clone()),
        Err(SetUpError::Read { .. })
    ));
    std::fs::write(&path, "s:1 ä\n").unwrap();
    let last = || fake.with(|script| script.forms.last().cloned().unwrap());
    let provider = Provider::new(config.clone()).unwrap();
    log_in(&fake, &provider).await.unwrap();
    let (form, who) = last();
    assert!(!form.contains("secret") && !form.contains("client_id"));
    let basic = |secret: &str| {
        format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("squall%20%26%20co:{secret}"))
        )
    };
    assert_eq!(who, Some(basic("s%3A1%20%C3%A4")));
    std::fs::write(&path, "s2").unwrap();
    log_in(&fake, &provider).await.unwrap();
    assert_eq!(last().1, Some(basic("s2")));
    fake.with(|script| {
        script.discovery = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    });
    let provider = Provider::new(config).unwrap();
    log_in(&fake, &provider).await.unwrap();
    let (form, who) = last();
    let form = pairs(&form);
    assert_eq!(
        (value(&form, "client_secret"), value(&form, "client_id")),
        ("s2", CLIENT)
    );
    assert_eq!(who, None);
    std::fs::remove_file(&path).unwrap();
    let refused = log_in(&fake, &provider).await;
    assert!(matches!(refused, Err(LoginError::Secret(_))), "{refused:?}");
}

#[tokio::test]
async fn a_new_key_is_asked_for_but_not_all_the_time() {
    let fake = Fake::start().await;
    let provider = fake.provider();
    for _ in 0..3 {
        log_in(&fake, &provider).await.unwrap();
    }
    let asked = || fake.with(|script| (script.discovered, script.keys_asked));
    assert_eq!(asked(), (1, 1));
    fake.with(|script| {
        script.key = key();
        script.kid = "k2".to_owned();
    });
    for _ in 0..3 {
        let refused = log_in(&fake, &provider).await;
        let expected = matches!(refused, Err(LoginError::IdToken(IdTokenError::UnknownKey)));
        assert!(expected, "{refused:?}");
    }
    assert_eq!(asked(), (1, 1));
    tokio::time::sleep(Duration::from_millis(5100)).await;
    for _ in 0..3 {
        log_in(&fake, &provider).await.unwrap();
    }
    assert_eq!(asked(), (1, 2));
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_followed_nor_read_to_the_end() {
    let fake = Fake::start().await;
    let provider = fake.provider();
    let large = "x".repeat(2 << 20);
    for (status, location, body, expected) in [
        (
            StatusCode::FOUND,
            "/elsewhere",
            String::new(),
            "with status 302",
        ),
        (
            StatusCode::TEMPORARY_REDIRECT,
            "/elsewhere",
            String::new(),
            "with status 307",
        ),
        (
            StatusCode::BAD_REQUEST,
            "",
            r#"{"error":"invalid_grant"}"#.to_owned(),
            "with status 400 invalid_grant",
        ),
        (
            StatusCode::BAD_GATEWAY,
            "",
            "<html>".to_owned(),
            "with status 502",
        ),
        (StatusCode::OK, "", "{}".to_owned(), "without an ID token"),
        (StatusCode::OK, "", "[".to_owned(), "without an ID token"),
        (
            StatusCode::OK,
            "",
            large.clone(),
            "with more than 1048576 bytes",
        ),
        (
            StatusCode::OK,
            "",
            r#"{"id_token":"a.b.c"}"#.to_owned(),
            "the ID token is not good",
        ),
    ] {
        fake.with(|script| script.token_answer = Some((status, location, body)));
        let refused = log_in(&fake, &provider).await.unwrap_err();
        assert!(refused.to_string().ends_with(expected), "{refused}");
    }
    assert_eq!(fake.with(|script| script.elsewhere), 0);
    // Neither is a document that says it is another's.
    fake.with(|script| script.discovery = json!({"issuer": "https://another.example"}));
    let refused = fake.provider().begin(HERE).await.unwrap_err();
    assert!(matches!(refused, LoginError::Answer(_)), "{refused}");
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_not_asked_all_the_time() {
    let fake = Fake::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = fake.config();
    config.issuer = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let provider = Provider::new(config).unwrap();
    let refused = provider.begin(HERE).await.unwrap_err();
    assert!(matches!(refused, LoginError::Unreachable(_)), "{refused}");
    let begun = Instant::now();
    let refused = provider.begin(HERE).await.unwrap_err();
    assert!(
        refused.to_string().ends_with("it did not a moment ago"),
        "{refused}"
    );
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let config = runtime
        .unwrap()
        .block_on(async { Fake::start().await.config() });
    let file = |text: &str| {
        let path = dir.path().join("file");
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let set_up = |change: &dyn Fn(&mut squall_oidc::ProviderConfig)| {
        let mut config = config.clone();
        change(&mut config);
        Provider::new(config)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(set_up(&|_| ()), Ok(()));
    let issuer = |issuer: &str| set_up(&|config| config.issuer = issuer.to_owned());
    assert!(
        issuer("http://sso.example")
            .unwrap_err()
            .contains("no https:// address")
    );
    let empty = set_up(&|config| config.client_secret_file = file("\n"));
    assert!(empty.unwrap_err().contains("holds no secret"));
    let none = set_up(&|config| config.ca = file("none"));
    assert!(none.unwrap_err().contains("holds no certificate"));
    let missing = set_up(&|config| config.ca = Some(dir.path().join("missing")));
    assert!(missing.unwrap_err().contains("cannot read"));
}
