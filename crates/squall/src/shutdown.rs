//! The signals the service listens to.

use std::sync::Arc;

use squall_worker::Sinks;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
///
/// Fails if the signals cannot be listened to.
pub(crate) async fn requested() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Opens the log files again at every SIGHUP, for log rotation.
///
/// # Errors
///
/// Fails if the signal cannot be listened to.
pub(crate) async fn reopen_logs(sinks: Arc<Sinks>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    while hangup.recv().await.is_some() {
        let errors = sinks.reopen();
        for error in &errors {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a log file could not be opened again"
            );
        }
        if errors.is_empty() {
            tracing::info!("log files opened again");
        }
    }
    Ok(())
}
