//! What a request shows to say who sends it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use squall_access::Token;

use super::session::session_id;
use crate::query::Query;

/// The header of programs that cannot set `Authorization`.
const API_KEY: &str = "x-api-key";
/// The parameter, where it is allowed.
const PARAMETER: &str = "token";

/// What a request shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing.
    Nothing,
    /// Something that is no token, not even a wrong one.
    NoToken,
    /// A token.
    Token(Token),
    /// What stands for the token of a browser.
    Session(String),
}

impl Shown {
    /// Reads a request's head. Of several places the first that has anything
    /// counts.
    pub(crate) fn of(head: &Parts, in_url: bool) -> Self {
        let text = from_headers(&head.headers).or_else(|| {
            let query = in_url.then(|| Query::of(&head.uri))?;
            query.first(PARAMETER).map(str::to_owned)
        });
        match text.as_deref().map(str::trim) {
            None | Some("") => session_id(&head.headers).map_or(Self::Nothing, Self::Session),
            Some(text) => Token::parse(text).map_or(Self::NoToken, Self::Token),
        }
    }
}

/// Returns what the headers show, whether it is a token or not.
fn from_headers(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let Some(authorization) = text(header::AUTHORIZATION.as_str()) else {
        return text(API_KEY);
    };
    let (scheme, rest) = authorization.trim().split_once(' ').unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().to_owned()),
        "basic" => Some(password(rest.trim())),
        _ => Some(authorization),
    }
}

/// Returns the password, or the name where there is no password: some clients
/// take nothing else from a URL. What is no base64 is returned as it is: it is
/// not nothing.
fn password(encoded: &str) -> String {
    let Ok(decoded) = BASE64_STANDARD.decode(encoded) else {
        return encoded.to_owned();
    };
    let text = String::from_utf8_lossy(&decoded);
    match text.split_once(':') {
        Some((name, "")) => name.to_owned(),
        Some((_, password)) => password.to_owned(),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn shown(uri: &str, headers: &[(&str, &str)], in_url: bool) -> Shown {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        Shown::of(&head, in_url)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    #[test]
    fn a_token_is_found_wherever_clients_can_put_it() {
        let token = Token::draw().unwrap();
        let text = token.reveal();
        for (name, value) in [
            ("authorization", format!("Bearer {text}")),
            ("authorization", format!("bearer  {text} ")),
            ("authorization", basic(&format!("collector:{text}"))),
            ("authorization", basic(&format!(":{text}"))),
            ("authorization", basic(&format!("{text}:"))),
            ("authorization", basic(text)),
            ("x-api-key", text.to_owned()),
        ] {
            let found = shown("/", &[(name, &value)], false);
            assert_eq!(found, Shown::Token(token.clone()), "{name}: {value}");
        }
        let in_url = format!("/?a=1&token={text}");
        assert_eq!(shown(&in_url, &[], false), Shown::Nothing);
        assert_eq!(shown(&in_url, &[], true), Shown::Token(token));
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_nothing() {
        assert_eq!(shown("/", &[], true), Shown::Nothing);
        for value in ["Bearer x", "Basic !", "Negotiate abc", "x", &basic("a:b")] {
            let found = shown("/", &[("authorization", value)], true);
            assert_eq!(found, Shown::NoToken, "{value}");
        }
        assert_eq!(shown("/", &[("x-api-key", "x")], true), Shown::NoToken);
        assert_eq!(shown("/?token=x", &[], true), Shown::NoToken);
        assert_eq!(shown("/?token=", &[], true), Shown::Nothing);
    }
}
