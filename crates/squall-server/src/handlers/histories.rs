//! How busy the service was, minute by minute.

use axum::extract::{Request, State};
use axum::response::Response;
use jiff::Timestamp;
use squall_api::{v0, v1};
use squall_queue::History;

use super::parameters::HistoryParameters;
use crate::failure::Failure;
use crate::history::{Combine, Minutes, Span};
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Defines the handlers of one history in both generations.
macro_rules! history {
    ($name:ident, $name_v1:ident, $path:literal, $id:literal, $history:expr, $summary:literal) => {
        #[doc = $summary]
        #[utoipa::path(
            get,
            path = concat!("/api/", $path),
            operation_id = $path,
            tag = "v0",
            params(HistoryParameters),
            responses(
                (status = 200, description = "The end of each period, `YYYY-MM-DD HH:MM`, with its value", body = squall_api::History),
                (status = 400, description = "A parameter is no valid integer", body = v0::Error),
            )
        )]
        pub(crate) async fn $name(
            State(service): State<Service>,
            request: Request,
        ) -> Result<Response, Failure> {
            answer(service, request, $history).await
        }

        #[doc = $summary]
        #[utoipa::path(
            get,
            path = concat!("/api/v1/", $path),
            operation_id = $id,
            tag = "v1",
            params(HistoryParameters),
            responses(
                (status = 200, description = "The end of each period, `YYYY-MM-DD HH:MM`, with its value", body = squall_api::History),
                (status = 400, description = "A parameter is no valid integer", body = v1::Error),
            )
        )]
        pub(crate) async fn $name_v1(
            State(service): State<Service>,
            request: Request,
        ) -> Result<Response, Failure> {
            answer(service, request, $history).await
        }
    };
}

history!(
    queue_history,
    queue_history_v1,
    "queueHistory",
    "queueHistoryV1",
    History::Queue,
    "Shows how long the queue was: the highest length in each period"
);
history!(
    sample_history,
    sample_history_v1,
    "sampleHistory",
    "sampleHistoryV1",
    History::Samples,
    "Shows how many samples were scanned in each period"
);
history!(
    denied_history,
    denied_history_v1,
    "deniedHistory",
    "deniedHistoryV1",
    History::Denied,
    "Shows how many samples were refused in each period"
);

async fn answer(service: Service, request: Request, history: History) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let span = span(&query)?;
    let pretty = query.pretty();
    let Ok(_permit) = service.histories().acquire().await else {
        return Err(Failure::Internal);
    };
    let shared = service.clone();
    // A year of minutes takes a while.
    let made = tokio::task::spawn_blocking(move || {
        let minutes = Minutes {
            counts: shared.queue().history(history),
            started: minute(shared.started_at()),
            now: minute(Timestamp::now()),
        };
        let combine = match history {
            History::Queue => Combine::Highest,
            History::Samples | History::Denied => Combine::Sum,
        };
        reply::json(&minutes.history(span, combine, shared.zone()), pretty)
    });
    made.await.map_err(|error| {
        tracing::error!(%error, "making a history panicked");
        Failure::Internal
    })
}

fn span(query: &Query) -> Result<Span, Failure> {
    let aggregate = query.integer("aggregate")?.unwrap_or(1);
    if aggregate < 1 {
        let reason = "the parameter `aggregate` is below 1";
        return Err(Failure::BadRequest(reason.into()));
    }
    let limit = query.integer("limit")?;
    if limit.is_some_and(|limit| limit < 0) {
        let reason = "the parameter `limit` is below 0";
        return Err(Failure::BadRequest(reason.into()));
    }
    Ok(Span { aggregate, limit })
}

fn minute(time: Timestamp) -> i64 {
    time.as_second().div_euclid(60)
}
