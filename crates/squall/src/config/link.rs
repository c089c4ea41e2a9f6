//! Links to look up a file elsewhere, as settings write them.

use std::fmt;

/// Longest name and longest address.
const NAME_CHARS_MAX: usize = 40;
const URL_LEN_MAX: usize = 1000;

/// What stands for a digest in an address.
const PLACEHOLDERS: [&str; 3] = ["{md5}", "{sha1}", "{sha256}"];

/// A link to look up a file elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookupLink {
    /// What it is called.
    pub(crate) name: String,
    /// Its address, with a placeholder for a digest.
    pub(crate) url: String,
}

impl fmt::Display for LookupLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.url)
    }
}

/// Reads `NAME=URL`. The address is one of a page and has at least one digest
/// in it; everybody who sees findings sees it, so it has no password.
pub(super) fn parse_link(text: &str) -> Option<LookupLink> {
    let (name, url) = text.split_once('=')?;
    let (name, url) = (name.trim_matches(' '), url.trim_matches(' '));
    let is_name =
        (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_authority = !authority.is_empty() && !authority.contains(['@', '{', '}', '\\']);
    let is_url = url.len() <= URL_LEN_MAX && url.chars().all(|c| c.is_ascii_graphic());
    let bare = PLACEHOLDERS
        .iter()
        .fold(url.to_owned(), |left, placeholder| {
            left.replace(placeholder, "")
        });
    let has_digest = bare.len() < url.len() && !bare.contains(['{', '}']);
    (is_name && is_authority && is_url && has_digest).then(|| LookupLink {
        name: name.to_owned(),
        url: url.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_name_and_the_address_of_a_page_with_a_digest() {
        let link =
            parse_link("Virus Total = https://www.virustotal.com/gui/file/{sha256}").unwrap();
        assert_eq!(link.name, "Virus Total");
        assert_eq!(link.url, "https://www.virustotal.com/gui/file/{sha256}");
        assert_eq!(parse_link(&link.to_string()), Some(link));
        assert!(parse_link("x=http://10.0.0.1:8080/?q={md5}&r={sha1}").is_some());
        for text in [
            "",
            "x",
            "=https://h/{sha256}",
            "x=https://h/",
            "x=https:///{sha256}",
            "x=https://h/{sha512}",
            "x=https://h/{sha256}{",
            "x=javascript:alert({sha256})",
            "x=JAVASCRIPT://h/{sha256}",
            "x=//h/{sha256}",
            "x=data:text/html,{sha256}",
            "x=https://ana:pw@h/{sha256}",
            "x=https://{sha256}.h/",
            "x=https://h/ {sha256}",
            "x=https://h/{sha256}\n",
            "a\nb=https://h/{sha256}",
        ] {
            assert_eq!(parse_link(text), None, "{text:?}");
        }
    }
}
