//! The service's own messages.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Sends the service's messages of `level` and above to standard error, and
/// panics among them: a panic costs one sample or one request, not the service.
pub(crate) fn start(level: &str) {
    // What libraries say below a warning is of no use to an operator.
    let filter = format!(
        "warn,squall={level},squall_server={level},squall_queue={level},squall_worker={level},squall_scan={level}"
    );
    let filter = match level {
        "off" | "error" | "trace" => EnvFilter::new(level),
        _ => EnvFilter::new(filter),
    };
    // Fails only where a subscriber is set already, which is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(
            thread = thread.name().unwrap_or("unnamed"),
            %backtrace,
            "panic: {panic}"
        );
    }));
}
