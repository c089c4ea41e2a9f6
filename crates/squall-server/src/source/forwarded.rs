//! Finds out whose request a proxy forwards.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use super::Network;

/// Most entries that are looked at, nearest first.
const HOPS_MAX: usize = 32;

/// Returns the address the request came from.
///
/// It is the peer's, unless the peer is a trusted proxy: then the entries that
/// the proxies left are walked from the nearest on, and the first that is no
/// trusted proxy wins. What stands further left was written by the client
/// itself and is not believed. `X-Forwarded-For` goes before `Forwarded`.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    for entry in entries(headers).into_iter().take(HOPS_MAX) {
        // An entry that hides or garbles the address ends the walk: the last
        // known hop is the best that is known.
        let Some(address) = entry else {
            return client;
        };
        client = address.to_canonical();
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// Returns the addresses the headers name, nearest hop first.
fn entries(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let forwarded_for = values(headers, "x-forwarded-for");
    if forwarded_for.is_empty() {
        let forwarded = values(headers, header::FORWARDED.as_str());
        return forwarded.iter().rev().map(|e| forwarded_node(e)).collect();
    }
    forwarded_for.iter().rev().map(|e| address(e)).collect()
}

/// Splits all lines of one header at their commas.
fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let pieces = text.split(',').map(|piece| piece.trim().to_owned());
            pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>()
        })
        .collect()
}

/// Reads `for=` of one element of `Forwarded`.
fn forwarded_node(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(())?;
        address(value.trim().trim_matches('"'))
    })
}

/// Reads an address with or without a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let bare = bare.unwrap_or(text);
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let lines = [("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client("203.0.113.9", &lines), "203.0.113.9");
    }

    #[test]
    fn the_nearest_untrusted_entry_wins() {
        let lines = [
            ("x-forwarded-for", "1.1.1.1, 198.51.100.7"),
            ("x-forwarded-for", "10.0.0.2,, 10.0.0.3:80"),
        ];
        assert_eq!(client("10.0.0.1", &lines), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn an_unreadable_entry_ends_the_walk() {
        let lines = [("x-forwarded-for", "1.1.1.1, garbage, 10.0.0.2")];
        assert_eq!(client("10.0.0.1", &lines), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_in_all_its_forms() {
        for (value, expected) in [
            ("for=198.51.100.7", "198.51.100.7"),
            ("For=\"[2001:db8::17]:4711\";proto=https", "2001:db8::17"),
            ("proto=http; for=\"198.51.100.7:80\"", "198.51.100.7"),
            ("for=_hidden, for=10.0.0.9", "10.0.0.9"),
            ("for=unknown", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("forwarded", value)]), expected);
        }
    }

    #[test]
    fn x_forwarded_for_goes_first() {
        let lines = [
            ("forwarded", "for=198.51.100.1"),
            ("x-forwarded-for", "::ffff:198.51.100.2"),
        ];
        assert_eq!(client("::1", &lines), "198.51.100.2");
    }

    #[test]
    fn a_long_chain_is_cut() {
        let chain = ["10.0.0.9"; 1000].join(",");
        let lines = [("x-forwarded-for", chain.as_str())];
        assert_eq!(client("10.0.0.1", &lines), "10.0.0.9");
    }
}
