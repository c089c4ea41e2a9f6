//! Every way a request can fail, and the one place that turns it into a
//! status and a body.

use std::any::Any;
use std::borrow::Cow;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use squall_access::Role;
use squall_api::{v0, v1};

use crate::query::Query;
use crate::reply;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The sender's fault: the request makes no sense.
    BadRequest(Cow<'static, str>),
    /// There is nothing at that path.
    NotFound,
    /// A page of another site made a browser send it.
    OtherSite,
    /// Nothing says who sends it, or nothing that is good.
    NoCredentials(&'static str),
    /// Whoever sends it may not.
    Forbidden(&'static str),
    /// Whoever sends it may do less.
    TooWeak {
        /// What the sender's token or certificate is for.
        role: Role,
        /// What it would have to be for.
        needed: Role,
    },
    /// It comes from an address that may not ask for this.
    NoAnalyst,
    /// No sample of the kind asked for has that id.
    UnknownSample(String),
    /// There is nothing of that name, or it is not kept.
    Absent(Cow<'static, str>),
    /// What is asked for is not possible, or not any more.
    Conflict(String),
    /// It is not what the sender took it for: a condition of the request does
    /// not hold.
    NotAsExpected(&'static str),
    /// The path does not know that method.
    MethodNotAllowed,
    /// The sender was too slow.
    TooSlow(Duration),
    /// The sample is larger than the limit.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// A request's body that is no sample is larger than the limit.
    MessageTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Nobody's fault: come back later. For a sample it is made by
    /// `Service::deny`, which counts it.
    Unavailable {
        /// What is short, in words.
        reason: Cow<'static, str>,
        /// When to come back.
        retry_after: Duration,
    },
    /// The sample could not be scanned.
    NotScanned(String),
    /// Our fault, or the machine's. Details are in the log only.
    Internal,
}

impl Failure {
    const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NoCredentials(_) => StatusCode::UNAUTHORIZED,
            Self::OtherSite | Self::NoAnalyst | Self::Forbidden(_) | Self::TooWeak { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound | Self::UnknownSample(_) | Self::Absent(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotAsExpected(_) => StatusCode::PRECONDITION_FAILED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } | Self::MessageTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotScanned(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn reason(&self) -> Cow<'_, str> {
        match self {
            Self::BadRequest(reason) | Self::Absent(reason) | Self::Unavailable { reason, .. } => {
                Cow::Borrowed(reason)
            }
            Self::UnknownSample(reason) | Self::Conflict(reason) => reason.into(),
            Self::OtherSite => "a page of another site may not ask for this".into(),
            Self::NoCredentials(reason) | Self::Forbidden(reason) | Self::NotAsExpected(reason) => {
                (*reason).into()
            }
            Self::TooWeak { role, needed } => {
                format!("this needs a token or a client certificate with the role `{needed}`; the role of this one is `{role}`").into()
            }
            Self::NoAnalyst => {
                "only requests from the machine of the service and from addresses of the setting `analyst` may do this".into()
            }
            Self::NotFound => "there is nothing at this path".into(),
            Self::MethodNotAllowed => "this path does not know this method".into(),
            Self::TooSlow(timeout) => format!(
                "the upload made no progress for {} s",
                timeout.as_secs_f64()
            )
            .into(),
            Self::TooLarge { limit } => {
                format!("the sample is larger than the limit of {limit} bytes").into()
            }
            Self::MessageTooLarge { limit } => {
                format!("the message is larger than the limit of {limit} bytes").into()
            }
            Self::NotScanned(reason) => format!("the sample could not be scanned: {reason}").into(),
            Self::Internal => "internal error; the service's log says more".into(),
        }
    }
}

impl IntoResponse for Failure {
    /// Carries the failure to [`render`], which knows the form the request's
    /// API generation asks for.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::Unavailable { retry_after, .. } = &self {
            response.headers_mut().insert(
                header::RETRY_AFTER,
                HeaderValue::from(whole_seconds(*retry_after)),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Returns the seconds that a sender is told, rounded up: half a second is not
/// 0, which means "now".
pub(crate) fn whole_seconds(retry_after: Duration) -> u32 {
    let seconds = retry_after.as_nanos().div_ceil(1_000_000_000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// Gives failures their body.
pub(crate) async fn render(request: Request, next: Next) -> Response {
    let second_generation = request.uri().path().starts_with("/api/v1/");
    let pretty = Query::of(request.uri()).pretty();
    let response = next.run(request).await;
    let Some(failure) = response.extensions().get::<Failure>() else {
        return response;
    };
    let reason = failure.reason();
    let body = if second_generation {
        reply::json(&v1::Error::new(reason), pretty)
    } else {
        reply::json(&v0::Error::new(reason), pretty)
    };
    let (mut parts, _) = response.into_parts();
    let (body_parts, body) = body.into_parts();
    parts.headers.extend(body_parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

/// Turns a panic of a handler into an ordinary failure.
pub(crate) fn from_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = text, "a request handler panicked");
    Failure::Internal.into_response()
}
