//! The service's own messages.

use std::io::{self, IsTerminal as _};

use squall_server::LogTail;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// Sends the service's messages of `level` and above to standard error, and
/// panics among them: a panic costs one sample or one request, not the service.
/// Returns the last of them, as they come.
pub(crate) fn start(level: &str) -> LogTail {
    // What libraries say below a warning is of no use to an operator.
    let filter = format!(
        "warn,squall={level},squall_server={level},squall_queue={level},squall_worker={level},squall_scan={level}"
    );
    let filter = match level {
        "off" | "error" | "trace" => EnvFilter::new(level),
        _ => EnvFilter::new(filter),
    };
    let tail = LogTail::default();
    let kept = tail.clone();
    let to_terminal = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let to_tail = fmt::layer()
        .with_writer(move || Tail(kept.clone()))
        .with_ansi(false);
    // Fails only where a subscriber is set already, which is as good.
    let _ = registry()
        .with(filter)
        .with(to_terminal)
        .with(to_tail)
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
    tail
}

/// Writes to the tail what is logged, a message at a time.
struct Tail(LogTail);

impl io::Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
