//! Reads a request's query. Unknown parameters are ignored, broken encoding is
//! replaced, and of several the first wins, but where two cannot both be meant.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::percent_decode;

use crate::failure::Failure;

/// Most parameters that are looked at.
const PARAMETERS_MAX: usize = 64;

/// The parameters of one request.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of `uri`.
    pub(crate) fn of(uri: &Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&');
        Self(
            pairs
                .filter(|pair| !pair.is_empty())
                .take(PARAMETERS_MAX)
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// Returns the first parameter called `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Returns the parameter called `name`, which must not be there twice: an
    /// answer to one of two questions would pass for the answer to both.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&str>, Failure> {
        let mut values = self.0.iter().filter(|(n, _)| n == name);
        let value = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            let reason = format!("the parameter `{name}` is there more than once");
            return Err(Failure::BadRequest(reason.into()));
        }
        Ok(value)
    }

    /// Reads an integer; an empty parameter counts as none.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        match self.single(name)? {
            None | Some("") => Ok(None),
            Some(text) => text.trim().parse().map(Some).map_err(|_| {
                Failure::BadRequest(format!("the parameter `{name}` is no integer").into())
            }),
        }
    }

    /// Tells whether the answer shall be indented.
    pub(crate) fn pretty(&self) -> bool {
        self.first("pretty")
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }
}

fn decode(text: &str) -> String {
    let spaced = if text.contains('+') {
        Cow::Owned(text.replace('+', " "))
    } else {
        Cow::Borrowed(text)
    };
    percent_decode(spaced.as_bytes())
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&format!("/x?{text}").parse().unwrap())
    }

    #[test]
    fn the_first_of_several_wins() {
        assert_eq!(query("a=1&b=2&a=3").first("a"), Some("1"));
        assert_eq!(query("a=1").first("b"), None);
        assert_eq!(query("").first(""), None);
    }

    #[test]
    fn what_can_be_meant_once_is_refused_twice() {
        assert_eq!(query("a=1&b=2").single("a").unwrap(), Some("1"));
        assert_eq!(query("b=2").single("a").unwrap(), None);
        assert!(query("a=1&a=1").single("a").is_err());
        assert!(query("a=&a=x").integer("a").is_err());
        assert_eq!(query("a=&b=x").integer("a").unwrap(), None);
        assert_eq!(query("a=+7+").integer("a").unwrap(), Some(7));
        assert!(query("a=+").integer("a").is_err());
    }

    #[test]
    fn values_are_decoded() {
        assert_eq!(query("a=x+y%2B%c3%a4%00").first("a"), Some("x y+ä\0"));
        assert_eq!(query("a=%ff%zz%").first("a"), Some("\u{fffd}%zz%"));
    }

    #[test]
    fn pretty_takes_what_clients_send() {
        for yes in ["pretty=true", "pretty=1", "pretty=True", "x&pretty=TRUE"] {
            assert!(query(yes).pretty(), "{yes}");
        }
        for no in ["", "pretty", "pretty=", "pretty=false", "pretty=0"] {
            assert!(!query(no).pretty(), "{no}");
        }
    }

    #[test]
    fn absurd_numbers_of_parameters_are_cut() {
        let text = "x=1&".repeat(10_000) + "a=1";
        assert_eq!(query(&text).first("a"), None);
    }
}
