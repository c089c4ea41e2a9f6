//! Who somebody is, by the claims of an ID token that is good.

use serde_json::{Map, Value};
use squall_access::Role;

use crate::config::ProviderConfig;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What the provider knows somebody by, for ever (`sub`).
    pub subject: String,
    /// What somebody is called; the subject, where that is not known.
    pub name: String,
}

impl Identity {
    /// Reads claims.
    pub(crate) fn of(subject: &str, claims: &Map<String, Value>, config: &ProviderConfig) -> Self {
        let name = find(claims, &config.name_claim).and_then(Value::as_str);
        Self {
            subject: subject.to_owned(),
            name: name
                .filter(|name| is_name(name))
                .unwrap_or(subject)
                .to_owned(),
        }
    }
}

/// Returns what somebody may do, by the claim for that; `None` where nothing
/// says it.
pub(crate) fn role_of(claims: &Map<String, Value>, config: &ProviderConfig) -> Option<Role> {
    let values = find(claims, &config.role_claim).into_iter().flat_map(texts);
    config.roles.strongest(values)
}

/// Finds a claim by its name or, where there is none of that name, by the path
/// to it: `realm_access.roles` is `roles` in `realm_access`. Names that are
/// addresses have dots in them too.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let by_path = || {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.as_object()?.get(part))
    };
    claims.get(name).or_else(by_path)
}

/// Returns the texts of a claim that is one or several.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::ClaimRoles;

    fn config(role_claim: &str) -> ProviderConfig {
        let rules = ["read=soc", "admin=admins"].map(|text| text.parse().unwrap());
        ProviderConfig {
            issuer: String::new(),
            client_id: String::new(),
            client_secret_file: None,
            redirect_url: String::new(),
            scopes: String::new(),
            role_claim: role_claim.to_owned(),
            roles: ClaimRoles::new(rules.to_vec()).unwrap(),
            name_claim: "preferred_username".to_owned(),
            ca: None,
        }
    }

    #[test]
    fn roles_are_found_by_name_and_by_path() {
        for (claims, claim, expected) in [
            (json!({"groups": ["x", "soc"]}), "groups", Some(Role::Read)),
            (json!({"groups": "admins"}), "groups", Some(Role::Admin)),
            (
                json!({"groups": ["soc", 5, null, ["admins"], "admins"]}),
                "groups",
                Some(Role::Admin),
            ),
            (
                json!({"realm_access": {"roles": ["soc"]}}),
                "realm_access.roles",
                Some(Role::Read),
            ),
            (
                json!({"https://a.example/roles": ["soc"]}),
                "https://a.example/roles",
                Some(Role::Read),
            ),
            (json!({"a.b": ["x"], "a": {"b": ["soc"]}}), "a.b", None),
            (json!({"groups": {"soc": true}}), "groups", None),
            (json!({"groups": "soc admins"}), "groups", None),
            (json!({"a": ["soc"]}), "a.0", None),
            (json!({"groups": ["soc"]}), "roles", None),
            (json!({}), "groups", None),
            (json!({}), "", None),
        ] {
            let found = role_of(claims.as_object().unwrap(), &config(claim));
            assert_eq!(found, expected, "{claims} {claim}");
        }
    }

    #[test]
    fn what_is_no_name_is_not_taken_for_one() {
        for (name, expected) in [
            (json!("ana"), "ana"),
            (json!("Ana Č. <b>"), "Ana Č. <b>"),
            (json!(""), "s-1"),
            (json!(" ana"), "s-1"),
            (json!("a\nb"), "s-1"),
            (json!("a".repeat(65)), "s-1"),
            (json!(5), "s-1"),
            (json!(null), "s-1"),
        ] {
            let claims = json!({ "preferred_username": name });
            let identity = Identity::of("s-1", claims.as_object().unwrap(), &config("groups"));
            assert_eq!(identity.name, expected);
            assert_eq!(identity.subject, "s-1");
        }
    }
}
