//! Administrative acts that nobody sends a request for, in the audit log.

use std::sync::Arc;

use squall_access::{Act, AuditLog, Outcome};

/// Writes down what was done without a request: for whom, and how it ended.
pub(crate) async fn write_down(
    audit: Option<Arc<AuditLog>>,
    who: &'static str,
    from: &'static str,
    what: &str,
    done: bool,
) {
    let Some(audit) = audit else { return };
    let act = Act {
        who: who.to_owned(),
        token: None,
        certificate: None,
        subject: None,
        role: None,
        from: from.to_owned(),
        what: what.to_owned(),
        outcome: if done { Outcome::Done } else { Outcome::Failed },
        status: None,
    };
    let written = tokio::task::spawn_blocking(move || audit.write(&act)).await;
    let failed = match written {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::error!(
        error = failed,
        who,
        what,
        "cannot write an act into the audit log"
    );
}
