//! The query parameters, as the API document describes them, and what else only
//! the document needs a type for. Requests are read with
//! [`Query`](crate::query::Query).
#![expect(dead_code, reason = "these types only describe")]

use utoipa::{IntoParams, ToSchema};

/// Parameters of an upload.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParameters {
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
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
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
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
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Parameters of a search in the rules in force.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RuleParameters {
    /// Words that are all in name, description, tags, author or file.
    q: Option<String>,
    /// Only rules from there.
    #[param(inline)]
    origin: Option<Origin>,
    /// Most rules in the answer, 50 by default, 500 at most.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Rules left out: the `next` of the page before.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Parameters of the text of a rule.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RuleSourceParameters {
    /// The file it is in, where several have a rule of that name.
    file: Option<String>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Parameters of the tail of the log.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogParameters {
    /// Lines, 200 by default, 1000 at most.
    #[param(minimum = 1)]
    lines: Option<i64>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Parameters of a count by minute.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MinutesParameters {
    /// Minutes back from now, 60 by default, 1440 at most.
    #[param(minimum = 1)]
    minutes: Option<i64>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
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
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Which findings are wanted: those that meet every condition.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingParameters {
    /// Of this level: `Alert`, `Warning` or `Notice`; several with commas.
    level: Option<String>,
    /// With this score or a higher one.
    #[param(minimum = 0, maximum = 100)]
    score_min: Option<u8>,
    /// With this score or a lower one.
    #[param(minimum = 0, maximum = 100)]
    score_max: Option<u8>,
    /// Of samples from this source.
    source: Option<String>,
    /// With a match of this rule; of signatures without a name, this kind.
    rule: Option<String>,
    /// With a match of a rule with this tag.
    tag: Option<String>,
    /// Scanned at this time or later: RFC 3339, a date, seconds since 1970, or
    /// how long ago it was, such as `24h` or `7d`.
    since: Option<String>,
    /// Scanned before this time, written in the same ways.
    until: Option<String>,
    /// The file has this MD5, SHA-1 or SHA-256.
    hash: Option<String>,
    /// The name on the sender holds this, whatever the case of its letters.
    name: Option<String>,
    /// Of this run of a collector or of the service.
    scan_id: Option<String>,
    /// Every word of this is in the name, the rules or what matched; `mimi*`
    /// finds words that begin like that.
    q: Option<String>,
    /// Reviewed like this.
    #[param(inline)]
    review: Option<Review>,
}

/// Which page of a list is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// Most entries, 50 by default, 1000 at most.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// The `cursor` of the page before.
    cursor: Option<String>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// How findings are exported.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParameters {
    /// JSON lines by default.
    #[param(inline)]
    format: Option<ExportFormat>,
    /// Most findings, the newest; all by default.
    #[param(minimum = 1)]
    limit: Option<i64>,
}

/// Which sources are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SourceParameters {
    /// The name holds this, whatever the case of its letters.
    name: Option<String>,
}

/// Which source is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SourceNameParameter {
    /// The source.
    #[param(required = true, min_length = 1)]
    name: Option<String>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// How long a finding is waited for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitParameters {
    /// Seconds to wait for a finding of just now that is not stored yet; less
    /// than 0 counts as 0, the default, and more than 10 as 10.
    wait: Option<i64>,
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Which collector runs are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CollectionParameters {
    /// Of this source, as the collector names it.
    source: Option<String>,
    /// `incomplete` for those that have not said how they ended.
    #[param(inline)]
    state: Option<CollectionState>,
}

/// The parameter that everything knows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PrettyParameter {
    /// Indents the answer by four if it is `true` or `1`.
    #[param(example = "true")]
    pretty: Option<String>,
}

/// Where rules are from.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Origin {
    Internal,
    Custom,
    External,
}

/// What analysts made of a finding.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Review {
    Open,
    Reviewed,
    FalsePositive,
}

/// A form of exported findings.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum ExportFormat {
    Jsonl,
    Csv,
    Stix,
    Misp,
}

/// How far a collector's run got.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum CollectionState {
    Incomplete,
}

/// A server-sent event.
#[derive(ToSchema)]
pub(crate) struct OverviewEvent {
    /// `overview`.
    event: String,
    /// What `overview` answers, as text.
    data: String,
}
