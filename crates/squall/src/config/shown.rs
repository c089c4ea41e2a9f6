//! The configuration in force as the service shows it: without what is secret.

use squall_api::v1::SettingInForce;

use super::Loaded;
use super::table::SECTIONS;
use super::value::Value;

const HIDDEN: &str = "(hidden)";

/// Returns every setting, in the table's order.
pub(crate) fn shown(loaded: &Loaded) -> Vec<SettingInForce> {
    let section = |name: &str| {
        let has = |setting: &super::table::Setting| setting.name == name;
        let found = SECTIONS
            .iter()
            .find(|section| section.settings.iter().any(has));
        found.map_or("", |section| section.heading).to_owned()
    };
    let settings = loaded.values.iter().map(|in_force| SettingInForce {
        section: section(in_force.setting.name),
        name: in_force.setting.name.to_owned(),
        values: match &in_force.value {
            Value::Passwords(passwords) => passwords.iter().map(|_| HIDDEN.to_owned()).collect(),
            // What is behind the host is often what lets anybody in.
            Value::Addresses(addresses) => addresses.iter().map(|url| origin(url)).collect(),
            value => value.texts().iter().map(|text| public(text)).collect(),
        },
        origin: in_force.origin.to_string(),
    });
    settings.collect()
}

/// Returns the part of an address that is no secret, as receivers are called.
pub(crate) fn origin(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(
        |_| HIDDEN.to_owned(),
        |url| url.origin().ascii_serialization(),
    )
}

/// Hides what of an address may be a secret: the user and the query.
fn public(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, query)) => {
            let fragment = query.split_once('#').map(|(_, fragment)| fragment);
            let fragment = fragment.map_or_else(String::new, |text| format!("#{text}"));
            format!("{path}?{HIDDEN}{fragment}")
        }
        None => path.to_owned(),
    };
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_an_address_are_hidden() {
        for (text, expected) in [
            ("200MB", "200MB"),
            ("https://h/x.zip#sha256=ab", "https://h/x.zip#sha256=ab"),
            ("https://ana:pw@h/x.zip", "https://(hidden)@h/x.zip"),
            ("https://a@b:c@h", "https://(hidden)@h"),
            ("https://h/x?token=1#f", "https://h/x?(hidden)#f"),
            ("https://h?token=a@b", "https://h?(hidden)"),
        ] {
            assert_eq!(public(text), expected);
        }
    }
}
