//! The configuration in force as the service shows it: without what is secret.

use squall_api::v1::SettingInForce;

use super::Loaded;
use super::error::Origin;
use super::flags::TEMPLATE;
use super::kind::Kind;
use super::table::SECTIONS;
use super::values::InForce;

/// What stands for a secret.
pub(super) const HIDDEN: &str = "(hidden)";

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
        values: public_texts(in_force),
        origin: in_force.origin.to_string(),
    });
    settings.collect()
}

/// Returns the command line as the service shows it: made of what was
/// understood, since in what was typed a secret can be anywhere.
pub(crate) fn arguments(loaded: &Loaded) -> Vec<String> {
    let template = loaded.template_flag.as_ref();
    let template = template.map(|path| format!("--{TEMPLATE}={}", path.to_string_lossy()));
    let flags = loaded.values.iter().flat_map(|in_force| {
        let texts = match &in_force.origin {
            Origin::Flag { flag } => public_texts(in_force)
                .into_iter()
                .map(|text| format!("{flag}={text}"))
                .collect(),
            _ => Vec::new(),
        };
        texts.into_iter()
    });
    std::iter::once("serve".to_owned())
        .chain(template)
        .chain(flags)
        .collect()
}

/// Returns the values of a setting without what of them is secret.
pub(super) fn public_texts(in_force: &InForce) -> Vec<String> {
    let texts = in_force.value.texts().into_iter();
    match in_force.setting.kind {
        kind if kind.is_secret() => texts.map(|_| HIDDEN.to_owned()).collect(),
        // What is behind the host is often what lets anybody in.
        Kind::Address | Kind::Addresses => texts.map(|url| origin(&url)).collect(),
        // Shown at every finding anyway.
        Kind::Links => texts.collect(),
        _ => texts.map(|text| public(&text)).collect(),
    }
}

/// Returns the part of an address that is no secret, as receivers are called.
pub(crate) fn origin(url: &str) -> String {
    match reqwest::Url::parse(url).map(|url| url.origin()) {
        Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
        // Of what is no address nobody can say what is secret.
        _ => HIDDEN.to_owned(),
    }
}

/// Hides what of an address may be a secret: the user and the query.
pub(crate) fn public(text: &str) -> String {
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

    #[test]
    fn of_a_receiver_only_its_origin_is_shown() {
        for (url, expected) in [
            ("https://ana:pw@h:8443/T0/key?token=1#f", "https://h:8443"),
            ("http://[::1]/x", "http://[::1]"),
            ("slack:T0/key", HIDDEN),
            ("h/key", HIDDEN),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
