//! Findings on standard output.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

/// How many blocks of lines wait for a slow terminal before further ones are
/// left out of it.
const CONSOLE_WAITING_MAX: usize = 1024;

/// Prints lines from a thread of its own: a terminal that is stopped, or a pipe
/// nobody reads, must not stop the scanning.
pub struct Console {
    sender: SyncSender<Vec<u8>>,
    dropped: AtomicU64,
}

impl Console {
    /// Starts the thread that writes to standard output.
    ///
    /// # Errors
    ///
    /// Fails if the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let (sender, receiver) = sync_channel::<Vec<u8>>(CONSOLE_WAITING_MAX);
        std::thread::Builder::new()
            .name("console".to_owned())
            .spawn(move || {
                for lines in receiver {
                    // Nothing can be told to a console that is gone.
                    let mut stdout = io::stdout().lock();
                    let _ = stdout.write_all(&lines).and_then(|()| stdout.flush());
                }
            })?;
        Ok(Self {
            sender,
            dropped: AtomicU64::new(0),
        })
    }

    pub(super) fn print(&self, lines: Vec<u8>) {
        match self.sender.try_send(lines) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
                if dropped.is_power_of_two() {
                    tracing::warn!(dropped, "the console is too slow, findings left out of it");
                }
            }
        }
    }
}
