//! Whether everything is as it should be, as far as the service can tell.

use std::error::Error as _;

use axum::extract::{Request, State};
use axum::response::Response;
use squall_api::v1::{self, CheckState};
use squall_types::LogHealth;

use super::parameters::PrettyParameter;
use crate::analyst::Analyst;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Tells whether everything is as it should be
///
/// What was found when the service was started, and how its disk, its queue,
/// its logs, its signatures and its findings store are doing now.
#[utoipa::path(
    get,
    path = "/api/v1/self-check",
    operation_id = "selfCheck",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Everything that was looked at", body = v1::SelfCheck),
        (status = 403, description = "The address is no analyst's", body = v1::Error),
    )
)]
pub(crate) async fn self_check(
    _: Analyst,
    State(service): State<Service>,
    request: Request,
) -> Response {
    let mut checks = vec![
        intake(&service),
        disk(&service),
        signatures(&service),
        failed_samples(&service),
    ];
    checks.extend(findings(&service));
    let logs = service.config().logs.iter();
    checks.extend(logs.map(|(name, health)| log(name, health)));
    checks.extend(service.access().audit_failures().map(audit));
    checks.extend(service.config().start_checks.iter().cloned());
    let worst = checks.iter().map(|check| check.state).max();
    let body = v1::SelfCheck {
        state: worst.unwrap_or(CheckState::Ok),
        checks,
    };
    reply::json(&body, Query::of(request.uri()).pretty())
}

fn check(name: &str, state: CheckState, message: String) -> v1::Check {
    v1::Check {
        name: name.to_owned(),
        state,
        message,
        details: Vec::new(),
    }
}

/// Whether a sample would be taken.
fn intake(service: &Service) -> v1::Check {
    const NAME: &str = "Intake";
    let stats = service.queue().stats();
    if !stats.storage_ok {
        let message = "the disk or the database refuses; it is tried again every second";
        return check(NAME, CheckState::Bad, message.to_owned());
    }
    match service.queue().has_room(1) {
        Ok(()) => check(NAME, CheckState::Ok, "samples are taken".to_owned()),
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}"));
            let message = format!("samples are refused: {error}{}", cause.unwrap_or_default());
            check(NAME, CheckState::Bad, message)
        }
    }
}

fn disk(service: &Service) -> v1::Check {
    const NAME: &str = "Disk";
    let reserve = service.queue().limits().free_bytes_min;
    match service.queue().free_bytes() {
        None => {
            let message = "the disk of the queue does not tell how much is free";
            check(NAME, CheckState::Attention, message.to_owned())
        }
        Some(free) => {
            // Before it is too late to do something about it.
            let state = match free {
                free if free < reserve => CheckState::Bad,
                free if free < reserve.saturating_mul(2) => CheckState::Attention,
                _ => CheckState::Ok,
            };
            let message = format!("{free} bytes are free, {reserve} are reserved");
            check(NAME, state, message)
        }
    }
}

fn signatures(service: &Service) -> v1::Check {
    const NAME: &str = "Signatures";
    let Some(set) = service.signatures() else {
        let message = "being loaded; what is queued waits for them";
        return check(NAME, CheckState::Attention, message.to_owned());
    };
    let state = service.signature_control().map(|control| control.state());
    let state = state.unwrap_or_default();
    let failed = state.last_change.and_then(|change| change.error);
    if let Some(error) = failed {
        let message = format!("the last change failed, version {} stays", set.version);
        return v1::Check {
            details: vec![error],
            ..check(NAME, CheckState::Bad, message)
        };
    }
    let (level, message) = if let Some(version) = state.rolled_back {
        let message = format!("version {version} was rolled back to {}", set.version);
        (CheckState::Attention, message)
    } else if set.skipped > 0 {
        let message = format!("{} rules or lines could not be used", set.skipped);
        (CheckState::Attention, message)
    } else {
        let message = format!(
            "version {} passed its self-test and is in force",
            set.version
        );
        (CheckState::Ok, message)
    };
    check(NAME, level, message)
}

fn failed_samples(service: &Service) -> v1::Check {
    const NAME: &str = "Failed samples";
    match service.queue().stats().failed {
        0 => check(NAME, CheckState::Ok, "none".to_owned()),
        failed => {
            let message = format!("{failed} could not be scanned");
            check(NAME, CheckState::Attention, message)
        }
    }
}

fn findings(service: &Service) -> Option<v1::Check> {
    let stats = service.findings()?.stats();
    let (state, message) = if stats.behind {
        let message = "some were put off and are stored later, from the JSON log and the results";
        (CheckState::Attention, message.to_owned())
    } else {
        let message = format!("{} stored, {} wait", stats.stored, stats.waiting);
        (CheckState::Ok, message)
    };
    Some(check("Findings store", state, message))
}

fn log(name: &str, health: &LogHealth) -> v1::Check {
    let waiting = health.backlog_bytes();
    let (state, message) = if health.hangs() {
        (CheckState::Bad, "the file does not answer".to_owned())
    } else if waiting > 0 {
        let age = health.backlog_age().as_secs();
        let message = format!("the file refuses lines: {waiting} bytes wait, for {age} s");
        (CheckState::Bad, message)
    } else if health.unlogged() > 0 {
        let message = format!(
            "{} findings could be put nowhere since the start",
            health.unlogged()
        );
        (CheckState::Attention, message)
    } else {
        (CheckState::Ok, "everything is written".to_owned())
    };
    check(&format!("Log `{name}`"), state, message)
}

/// Whether every act is written down; one that was done without cannot be undone.
fn audit(failures: u64) -> v1::Check {
    let (state, message) = match failures {
        0 => (CheckState::Ok, "everything is written".to_owned()),
        _ => {
            let message = format!("{failures} acts could not be written since the start");
            (CheckState::Bad, message)
        }
    };
    check("Audit log", state, message)
}
