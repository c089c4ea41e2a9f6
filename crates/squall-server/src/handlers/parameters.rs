//! The query parameters, as the API document describes them. Requests are read
//! with [`Query`](crate::query::Query), which refuses nothing.
#![expect(dead_code, reason = "these types only describe")]

use utoipa::{IntoParams, ToSchema};

/// Parameters of an upload.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParameters {
    /// Indents the answer by four.
    pretty: Option<bool>,
    /// The host the file is from, as the log shall show it. By default the
    /// sender's host name, else its address.
    source: Option<String>,
    /// The collector run the file belongs to, as `collection` named it.
    scan_id: Option<String>,
}

/// The body of an upload.
#[derive(ToSchema)]
pub(crate) struct Upload {
    /// The file. Its `filename` is the path on the sender.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Parameters of a question about a sample.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ResultParameters {
    /// The sample's id, as `checkAsync` answered it.
    #[param(required = true, minimum = 1)]
    id: Option<i64>,
    /// Indents the answer by four.
    pretty: Option<bool>,
}

/// Parameters of a history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParameters {
    /// Minutes in one value, 1 by default.
    #[param(minimum = 1)]
    aggregate: Option<i64>,
    /// Minutes back from now, all by default.
    #[param(minimum = 0)]
    limit: Option<i64>,
    /// Indents the answer by four.
    pretty: Option<bool>,
}

/// Parameters of the list of failed samples.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FailedParameters {
    /// Most samples in the answer, 100 by default, 1000 at most.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Only samples whose id is above this one: the `next` of the page before.
    after: Option<i64>,
    /// Indents the answer by four.
    pretty: Option<bool>,
}

/// The parameter that everything knows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PrettyParameter {
    /// Indents the answer by four.
    pretty: Option<bool>,
}
