//! Tells systemd how the service fares, where it wants to know (`Type=notify`,
//! `WatchdogSec=`): when it is ready, reads its files again or stops, what it is
//! doing, and that it lives. A thread of its own tells it, so that a start that
//! takes long is not taken for one that hangs, nor a runtime that hangs for one
//! that works.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use sd_notify::NotifyState;

/// How often it is told what the service does, where no watchdog wants to know
/// more often.
const INTERVAL: Duration = Duration::from_secs(10);
/// How often in the time that the watchdog allows it is told that the service
/// lives.
const BEATS: u32 = 3;
/// For how long a start may go on without a word.
const START_EXTENSION: Duration = Duration::from_secs(60);

/// Feels whether the service lives, for at most the time given. Returns what it
/// does, or why it is not alive.
pub(crate) type Pulse = Box<dyn Fn(Duration) -> Result<String, String> + Send>;

/// A handle on the thread; cheap to clone. Where systemd does not ask, nothing
/// happens.
#[derive(Clone)]
pub(crate) struct Systemd(Option<Sender<Said>>);

enum Said {
    Ready(Pulse),
    Reloading,
    Reloaded,
    Stopping,
}

impl Systemd {
    /// Starts the thread if systemd wants to know.
    ///
    /// # Errors
    ///
    /// Fails if the thread cannot be started.
    pub(crate) fn start() -> io::Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self(None));
        }
        let (said, heard) = channel();
        let teller = Teller {
            watchdog: sd_notify::watchdog_enabled(),
            phase: Phase::Starting,
            reloads: 0,
            beats: true,
        };
        std::thread::Builder::new()
            .name("systemd".to_owned())
            .spawn(move || teller.run(&heard))?;
        Ok(Self(Some(said)))
    }

    /// The service takes samples; from now on its pulse is felt.
    pub(crate) fn ready(&self, pulse: Pulse) {
        self.say(Said::Ready(pulse));
    }

    /// The service reads its files again.
    pub(crate) fn reloading(&self) {
        self.say(Said::Reloading);
    }

    /// It has read them.
    pub(crate) fn reloaded(&self) {
        self.say(Said::Reloaded);
    }

    /// The service ends.
    pub(crate) fn stopping(&self) {
        self.say(Said::Stopping);
    }

    fn say(&self, said: Said) {
        if let Some(teller) = &self.0 {
            // The thread ends with the last handle, so it is there.
            let _ = teller.send(said);
        }
    }
}

enum Phase {
    Starting,
    Running(Pulse),
    Stopping,
}

/// The thread's side.
struct Teller {
    /// How long the watchdog waits for a sign of life.
    watchdog: Option<Duration>,
    phase: Phase,
    /// Reloads under way.
    reloads: u32,
    /// Whether the service lived when it was looked at before.
    beats: bool,
}

impl Teller {
    fn run(mut self, heard: &Receiver<Said>) {
        let interval = self
            .watchdog
            .map_or(INTERVAL, |limit| INTERVAL.min(limit / BEATS));
        tell(&[NotifyState::Status("starting")]);
        loop {
            match heard.recv_timeout(interval) {
                Ok(said) => self.hear(said),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.beat(interval);
        }
    }

    fn hear(&mut self, said: Said) {
        match said {
            // It may have been told to stop meanwhile.
            Said::Ready(_) if matches!(self.phase, Phase::Stopping) => {}
            Said::Ready(pulse) => {
                self.phase = Phase::Running(pulse);
                tell(&[NotifyState::Ready]);
            }
            Said::Reloading => {
                self.reloads += 1;
                if let (Phase::Running(_), Ok(now)) =
                    (&self.phase, NotifyState::monotonic_usec_now())
                {
                    tell(&[NotifyState::Reloading, now]);
                }
            }
            Said::Reloaded => {
                self.reloads = self.reloads.saturating_sub(1);
                if matches!(self.phase, Phase::Running(_)) && self.reloads == 0 {
                    tell(&[NotifyState::Ready]);
                }
            }
            Said::Stopping => {
                self.phase = Phase::Stopping;
                let status = "stopping: what is being scanned is finished";
                tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
            }
        }
    }

    /// Gives the sign of life that is due in this phase.
    fn beat(&mut self, interval: Duration) {
        match &self.phase {
            Phase::Starting => {
                let extension = u32::try_from(START_EXTENSION.as_micros()).unwrap_or(u32::MAX);
                tell(&[NotifyState::ExtendTimeoutUsec(extension)]);
            }
            Phase::Running(pulse) => match pulse(interval) {
                Ok(doing) => {
                    self.beats = true;
                    tell(&[NotifyState::Status(&doing)]);
                    self.pet();
                }
                Err(reason) => {
                    tell(&[NotifyState::Status(&reason)]);
                    if std::mem::replace(&mut self.beats, false) {
                        tracing::error!(reason, "the service does not live any more");
                    }
                }
            },
            // The end has a time limit of its own.
            Phase::Stopping => self.pet(),
        }
    }

    fn pet(&self) {
        if self.watchdog.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot tell systemd how the service fares");
    }
}
