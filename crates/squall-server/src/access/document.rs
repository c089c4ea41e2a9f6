//! What the API document says of access: the same that the table does.

use axum::http::Method;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder, path::Operation,
};

use super::table::{self, Entry};

/// The ways to say who is asking, by their names in the document.
const SCHEMES: [&str; 4] = ["bearer", "basic", "apiKey", "mutualTls"];

/// Adds to the document how tokens are shown, and to each operation which role
/// it needs and how it is refused.
pub(crate) fn describe(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for name in SCHEMES {
        components.add_security_scheme(name, scheme(name));
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let Entry::Rule(rule) = table::entry(&method, path) else {
                continue;
            };
            let Some(role) = rule.role else { continue };
            let needs = SCHEMES.map(|name| SecurityRequirement::new(name, [role.name()]));
            let mut security = needs.to_vec();
            // Where the service listens on loopback only, nobody is asked.
            security.push(SecurityRequirement::default());
            operation.security = Some(security);
            let error = if path.starts_with("/api/") && !path.starts_with("/api/v1/") {
                "v0.Error"
            } else {
                "v1.Error"
            };
            let responses = &mut operation.responses.responses;
            for (status, why) in [
                (
                    "401",
                    "A token or a client certificate is needed, or the one shown is not good"
                        .to_owned(),
                ),
                (
                    "403",
                    format!("The caller is not let in from there, or its role is below `{role}`"),
                ),
            ] {
                let refused = responses.entry(status.to_owned());
                let refused = refused.or_insert_with(|| response(error));
                if let RefOr::T(refused) = refused {
                    if !refused.description.is_empty() {
                        refused.description.push_str("; ");
                    }
                    refused.description.push_str(&why);
                }
            }
        }
    }
}

fn scheme(name: &str) -> SecurityScheme {
    match name {
        "bearer" => SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        "basic" => SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Basic)
                .description(Some("The token is the password; any user name will do."))
                .build(),
        ),
        "mutualTls" => SecurityScheme::MutualTls {
            description: Some(
                "A client certificate that the settings give a role. A token beside it counts."
                    .to_owned(),
            ),
            deprecated: None,
            extensions: None,
        },
        _ => SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
    }
}

/// Returns the operations of a path.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::PATCH, &mut item.patch),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn response(error: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name(error);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .content("application/json", content)
        .build()
        .into()
}
