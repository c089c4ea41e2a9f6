//! The document that describes the API.

use utoipa::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Required};

use crate::{access, router};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Squall",
        description = "Send files to be scanned, and ask about the service that scans them. \
            `/api/…` is compatible with the Thunderstorm API; `/api/v1/…` answers findings in \
            the v3 log form. Every refusal has a JSON body that says why. A 503 carries \
            `Retry-After`: the sample was not taken and shall be sent again. Where tokens or \
            client certificates are needed, each operation names the role that the caller must \
            have: `submit`, `read` or `admin`, each of which includes those before it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    tags(
        (name = "v0", description = "First generation: findings in the short form"),
        (name = "v1", description = "Second generation: findings in the v3 log form"),
        (name = "findings", description = "What was found before, and who sent it"),
        (name = "console", description = "What the console shows besides"),
        (name = "monitoring", description = "For monitoring systems"),
    )
)]
pub(crate) struct Document;

/// Returns the description of the whole API, both generations.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = router::api().into_openapi();
    complete(&mut document);
    document
}

/// Adds what is the same for many operations.
pub(crate) fn complete(document: &mut utoipa::openapi::OpenApi) {
    access::describe(document);
    describe_parameters(document);
}

/// Says of all parameters in a query what [`Query`](crate::query::Query) makes of
/// them: one without a value is as good as none. The library knows no other way
/// to say so.
fn describe_parameters(document: &mut utoipa::openapi::OpenApi) {
    let items = document.paths.paths.values_mut();
    let operations = items.flat_map(access::operations);
    for parameter in operations.flat_map(|(_, operation)| operation.parameters.iter_mut().flatten())
    {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        let is_optional = parameter.required != Required::True;
        if is_optional && parameter.parameter_in == ParameterIn::Query {
            parameter.extensions = Some(Extensions::from_iter([("allowEmptyValue", true)]));
        }
    }
}
