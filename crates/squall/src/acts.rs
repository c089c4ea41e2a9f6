//! Administrative acts that nobody sends a request for, in the audit log.

use std::sync::Arc;

use squall_access::{Act, AuditLog, Outcome};

use crate::banner;
use crate::config::Settings;

/// Writes down what was done without a request: for whom, and how it ended.
pub(crate) async fn write_down(
    audit: Option<Arc<AuditLog>>,
    who: &'static str,
    from: &'static str,
    what: &'static str,
    done: bool,
) {
    let written = tokio::task::spawn_blocking(move || {
        write_down_blocking(audit.as_deref(), who, from, what, done);
    });
    if let Err(error) = written.await {
        tracing::error!(%error, who, what, "writing into the audit log panicked");
    }
}

/// Does the work of [`write_down`] on a thread that may wait for the disk.
pub(crate) fn write_down_blocking(
    audit: Option<&AuditLog>,
    who: &str,
    from: &str,
    what: &str,
    done: bool,
) {
    let Some(audit) = audit else { return };
    if let Err(error) = audit.write(&act(who, from, what, done)) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            who,
            what,
            "cannot write an act into the audit log"
        );
    }
}

/// Returns who runs a command, as the audit log calls them.
pub(crate) fn caller() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

/// Writes down what was done by a command of this program. That this fails
/// undoes nothing.
pub(crate) fn write_down_command(settings: &Settings, who: &str, what: &str, done: bool) {
    let audit = AuditLog::new(settings.access.audit_log.clone());
    if let Err(error) = audit.write(&act(who, "command line", what, done)) {
        banner::error(&format!(
            "warning: cannot write into the audit log `{}`: {error}",
            audit.path().display()
        ));
    }
}

fn act(who: &str, from: &str, what: &str, done: bool) -> Act {
    Act {
        who: who.to_owned(),
        token: None,
        certificate: None,
        subject: None,
        role: None,
        from: from.to_owned(),
        what: what.to_owned(),
        outcome: if done { Outcome::Done } else { Outcome::Failed },
        status: None,
    }
}
