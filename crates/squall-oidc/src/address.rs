//! Which addresses are good enough for secrets to be sent there.

use std::net::IpAddr;

use reqwest::Url;

/// Longest address.
const ADDRESS_LEN_MAX: usize = 2048;

/// Reads an address that secrets may be sent to: of TLS, or of this machine,
/// where nobody listens in on the way. No user or password, since it is shown;
/// no fragment, which RFC 6749 (section 3.1) forbids.
pub(crate) fn parse(text: &str) -> Option<Url> {
    // The parser would pass over white space and control characters.
    let is_plain =
        text.len() <= ADDRESS_LEN_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(text).ok().filter(|_| is_plain)?;
    let is_protected = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_this_machine(&url),
        _ => false,
    };
    let is_public = url.username().is_empty() && url.password().is_none();
    (is_protected && is_public && url.fragment().is_none()).then_some(url)
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Tells whether `text` is an address that a log-in may go through: `https://`,
/// or `http://` of this machine, without a user, a query or a fragment.
#[must_use]
pub fn is_safe_address(text: &str) -> bool {
    parse(text).is_some_and(|url| url.query().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for good in [
            "https://sso.example",
            "https://sso.example:8443/realms/a",
            "http://127.0.0.1:8080/x",
            "http://[::1]/",
            "http://localhost:5556/dex",
        ] {
            assert!(is_safe_address(good), "{good}");
        }
        for bad in [
            "",
            "sso.example",
            "http://sso.example/",
            "http://127.0.0.1.sso.example/",
            "http://localhost.sso.example/",
            "ftp://127.0.0.1/",
            "https://ana@sso.example/",
            "https://ana:pw@sso.example/",
            "https://sso.example/#a",
            "https://sso.example/?a=b",
            "https://sso.example/a b",
            "https://sso.\texample/",
            " https://sso.example/",
            "javascript:alert(1)",
        ] {
            assert!(!is_safe_address(bad), "{bad}");
        }
        // What a provider names may have a query.
        assert!(parse("https://sso.example/authorize?tenant=a").is_some());
        assert!(
            parse(&format!(
                "https://sso.example/{}",
                "a".repeat(ADDRESS_LEN_MAX)
            ))
            .is_none()
        );
    }
}
