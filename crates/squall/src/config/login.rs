//! Where people may log in to the console, of several settings.

use squall_oidc::{ClaimRoles, ProviderConfig};

use super::error::ConfigError;
use super::settings::Login;
use super::values::Values;

/// The setting that asks for all of it.
const ISSUER: &str = "oidc-issuer";
/// Those that are good for nothing without it, beside what has a default.
const OTHERS: [&str; 5] = [
    "oidc-client-id",
    "oidc-client-secret-file",
    "oidc-redirect-url",
    "oidc-role",
    "oidc-ca",
];
/// Where the console takes browsers back, as the server has it.
const CALLBACK: &str = "/oidc/callback";
/// The scope without which there is no ID token (OpenID Connect Core 1.0,
/// section 3.1.2.1).
const OPENID: &str = "openid";

/// Says where people may log in, if that is anywhere but here.
///
/// # Errors
///
/// Returns an error if something is missing, or contradicts another.
pub(super) fn login(values: &Values) -> Result<Option<Login>, ConfigError> {
    let Some(issuer) = values.address(ISSUER)? else {
        return pointless(values).map(|()| None);
    };
    Ok(Some(Login {
        provider: ProviderConfig {
            issuer,
            client_id: needed(
                values,
                "oidc-client-id",
                "register the console as a client at the provider and name it in `oidc-client-id`",
            )?,
            client_secret_file: values.path("oidc-client-secret-file")?,
            redirect_url: redirect_url(values)?,
            scopes: scopes(values)?,
            role_claim: filled(values, "oidc-role-claim")?,
            roles: roles(values)?,
            name_claim: filled(values, "oidc-name-claim")?,
            ca: values.path("oidc-ca")?,
        },
        label: filled(values, "oidc-label")?,
    }))
}

/// Refuses what is good for nothing without an issuer.
fn pointless(values: &Values) -> Result<(), ConfigError> {
    let set = values.iter().find(|in_force| {
        let is_set = !in_force.value.texts().is_empty();
        OTHERS.contains(&in_force.setting.name) && is_set
    });
    match set {
        None => Ok(()),
        Some(in_force) => Err(ConfigError::Contradiction {
            problem: format!("`{}` is set but `{ISSUER}` is not", in_force.setting.name),
            origin: in_force.origin.clone(),
            remedy: "name the provider to log in at in `oidc-issuer`, as its discovery \
                         document has it",
        }),
    }
}

fn needed(
    values: &Values,
    setting: &'static str,
    remedy: &'static str,
) -> Result<String, ConfigError> {
    let missing = || {
        Ok(ConfigError::Contradiction {
            problem: format!("`{ISSUER}` is set but `{setting}` is not"),
            origin: values.origin(ISSUER)?,
            remedy,
        })
    };
    match values.address(setting)? {
        Some(text) => Ok(text),
        None => Err(missing().unwrap_or_else(|error| error)),
    }
}

/// Returns where browsers come back to. It is not made of the name that a
/// browser asks for: that is for anybody to choose.
fn redirect_url(values: &Values) -> Result<String, ConfigError> {
    let setting = "oidc-redirect-url";
    let remedy = "set it to the address of the console with /oidc/callback behind it, and \
                  register the same at the provider";
    let text = needed(values, setting, remedy)?;
    let url = reqwest::Url::parse(&text).ok();
    if url.as_ref().is_none_or(|url| url.path() != CALLBACK) {
        return Err(ConfigError::Contradiction {
            problem: format!("the path of `{setting}` is not `{CALLBACK}`"),
            origin: values.origin(setting)?,
            remedy,
        });
    }
    // Such a name would be answered with 403.
    let allowed = values.hosts("allowed-hosts")?;
    let domain = url.as_ref().and_then(|url| url.domain());
    let is_ours = |name: &str| {
        let is_local = name == "localhost" || name.ends_with(".localhost");
        is_local || allowed.iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    match domain {
        Some(name) if !allowed.is_empty() && !is_ours(name) => Err(ConfigError::Contradiction {
            problem: format!("the host of `{setting}` is not in `allowed-hosts`"),
            origin: values.origin(setting)?,
            remedy: "add it there",
        }),
        _ => Ok(text),
    }
}

fn roles(values: &Values) -> Result<ClaimRoles, ConfigError> {
    let rules = values.claim_roles("oidc-role")?;
    if rules.is_empty() {
        return Err(ConfigError::Contradiction {
            problem: format!("`{ISSUER}` is set but `oidc-role` is not: nobody could log in"),
            origin: values.origin(ISSUER)?,
            remedy: "say in `oidc-role` which value of the claim gives which role, such as \
                     admin=squall-admins",
        });
    }
    let origin = values.origin("oidc-role")?;
    ClaimRoles::new(rules).map_err(|error| ConfigError::Contradiction {
        problem: error.to_string(),
        origin,
        remedy: "leave out one of the two",
    })
}

fn scopes(values: &Values) -> Result<String, ConfigError> {
    let setting = "oidc-scopes";
    let scopes = filled(values, setting)?;
    if scopes.split(' ').any(|scope| scope == OPENID) {
        return Ok(scopes);
    }
    Err(ConfigError::Contradiction {
        problem: format!("`{setting}` lacks `{OPENID}`"),
        origin: values.origin(setting)?,
        remedy: "add it: without it a provider does not say who somebody is",
    })
}

/// Returns a setting that must not be empty; by default it is not.
fn filled(values: &Values, setting: &'static str) -> Result<String, ConfigError> {
    match values.address(setting)? {
        Some(text) => Ok(text),
        None => Err(ConfigError::Value {
            setting,
            origin: values.origin(setting)?,
            value: String::new(),
            expected: "a text that is not empty".to_owned(),
        }),
    }
}
