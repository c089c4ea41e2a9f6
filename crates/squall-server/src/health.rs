//! Whether the service lives, and whether it is ready: found out by trying, on
//! a timer, so that a question costs nothing and is answered even where a
//! trial never ends.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use squall_api::v1::{HealthCheck, Readiness, ReadinessChecks};

use crate::lock;
use crate::service::Service;

/// How often the disk and the scan threads are tried.
const INTERVAL: Duration = Duration::from_secs(10);
/// How soon they are tried again when they failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long a trial that passed counts, and how long a scan thread has to take
/// one up.
const PASSED_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether the service is still ready, to log it.
const LOOK: Duration = Duration::from_secs(1);

/// How the trials went.
#[derive(Debug, Default)]
pub(crate) struct Health {
    disk: Mutex<Trial>,
    scan: Mutex<Trial>,
}

/// Something that is tried now and then.
#[derive(Debug, Default)]
struct Trial {
    /// When it passed last.
    passed: Option<Instant>,
    /// Why it did not pass the last time.
    failure: Option<String>,
}

impl Trial {
    fn note(&mut self, result: Result<(), String>, now: Instant) {
        match result {
            Ok(()) => {
                self.passed = Some(now);
                self.failure = None;
            }
            Err(reason) => self.failure = Some(reason),
        }
    }

    fn check(&self, now: Instant) -> HealthCheck {
        let age = self.passed.map(|at| now.saturating_duration_since(at));
        let reason = match (&self.failure, age) {
            (Some(reason), _) => Some(reason.clone()),
            (None, None) => Some("not tried yet".to_owned()),
            (None, Some(age)) if age > PASSED_MAX => Some(format!(
                "passed {} s ago, expected within {} s",
                age.as_secs(),
                PASSED_MAX.as_secs()
            )),
            (None, Some(_)) => None,
        };
        HealthCheck {
            ok: reason.is_none(),
            reason,
            // Milliseconds are enough.
            passed_seconds_ago: age.map(|age| age.as_millis() as f64 / 1000.0),
        }
    }
}

impl Service {
    /// Tells whether samples can be sent. It is the service's trials that tell,
    /// which [`serve`](crate::serve) makes.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let now = Instant::now();
        let checks = ReadinessChecks {
            running: fact(!self.stopping().is_cancelled(), "the service is stopped"),
            signatures: fact(
                self.signatures().is_some(),
                "the signatures are being loaded",
            ),
            queue: self.disk_check(now),
            scan: lock(&self.health().scan).check(now),
        };
        Readiness {
            ready: checks.named().iter().all(|(_, check)| check.ok),
            version: self.config().version.clone(),
            checks,
        }
    }

    /// What the last commit and the last trial say, whichever is worse.
    fn disk_check(&self, now: Instant) -> HealthCheck {
        let tried = lock(&self.health().disk).check(now);
        if tried.ok && !self.queue().stats().storage_ok {
            return HealthCheck {
                ok: false,
                reason: Some("the disk or the database refuses".to_owned()),
                ..tried
            };
        }
        tried
    }

    /// Tells whether the process does its work: somebody answers, the queue is
    /// not locked up, and a scan thread is left that does not hang.
    ///
    /// # Errors
    ///
    /// Returns why not. Only a new process helps then.
    pub fn alive(&self) -> Result<(), &'static str> {
        // Comes back, or does not.
        let _ = self.queue().stats();
        if self.config().scan_threads.stalled() {
            return Err("all scan threads hang");
        }
        Ok(())
    }

    /// Says in a line what the service does, for who looks at its status.
    #[must_use]
    pub fn summary(&self) -> String {
        let stats = self.queue().stats();
        let readiness = self.readiness();
        let failed = readiness.checks.named();
        let failed = failed.iter().find(|(_, check)| !check.ok);
        let state = match failed {
            None => "ready".to_owned(),
            Some((name, check)) => {
                let reason = check.reason.as_deref().unwrap_or_default();
                format!("not ready ({name}: {reason})")
            }
        };
        format!(
            "{state}: {} of {} threads scan, {} samples wait, {} scanned, {} failed",
            stats.scanning + stats.immediate_scanning,
            self.config().threads,
            stats.waiting + stats.immediate_waiting,
            stats.scanned,
            stats.failed,
        )
    }
}

fn fact(ok: bool, otherwise: &str) -> HealthCheck {
    HealthCheck {
        ok,
        reason: (!ok).then(|| otherwise.to_owned()),
        passed_seconds_ago: None,
    }
}

/// Tries the disk and the scan threads now and then until the service is
/// stopped.
pub(crate) async fn watch(service: Service) {
    let trials = async {
        tokio::join!(try_disk(&service), try_scan(&service), tell(&service));
    };
    tokio::select! {
        () = trials => {}
        () = service.stopping().cancelled() => {}
    }
}

async fn try_disk(service: &Service) {
    loop {
        let queue = service.queue().clone();
        // It may never come back.
        let tried = tokio::task::spawn_blocking(move || queue.test_write()).await;
        let result = match tried {
            // Anybody may ask: what the disk says, but no path.
            Ok(result) => result.map_err(|error| format!("the disk refuses: {}", error.kind())),
            Err(_) => Err("the disk could not be tried".to_owned()),
        };
        pause(&service.health().disk, result).await;
    }
}

async fn try_scan(service: &Service) {
    loop {
        // Before there are signatures the scan threads wait for them.
        let tried = tokio::time::timeout(PASSED_MAX, service.queue().probe()).await;
        let result = match tried {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "no scan thread took the test within {} s",
                PASSED_MAX.as_secs()
            )),
        };
        pause(&service.health().scan, result).await;
    }
}

async fn pause(trial: &Mutex<Trial>, result: Result<(), String>) {
    let pause = if result.is_ok() { INTERVAL } else { RETRY };
    lock(trial).note(result, Instant::now());
    tokio::time::sleep(pause).await;
}

/// Logs when the service is no longer ready, and when it is again.
async fn tell(service: &Service) {
    let mut was_ready = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let readiness = service.readiness();
        match (was_ready, readiness.ready) {
            (Some(true), false) => {
                let failed = readiness.checks.named();
                let failed = failed.iter().filter(|(_, check)| !check.ok);
                let reasons: Vec<String> = failed
                    .map(|(name, check)| {
                        format!("{name}: {}", check.reason.as_deref().unwrap_or_default())
                    })
                    .collect();
                tracing::error!(reasons = reasons.join("; "), "not ready any more");
            }
            (Some(false), true) => tracing::info!("ready again"),
            _ => {}
        }
        // Before it was ready for the first time there is nothing to tell.
        if was_ready.is_some() || readiness.ready {
            was_ready = Some(readiness.ready);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_counts_for_a_minute_and_a_failure_at_once() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut trial = Trial::default();
        assert!(!trial.check(start).ok);
        trial.note(Ok(()), start);
        assert!(trial.check(later(60)).ok);
        let stale = trial.check(later(61));
        assert_eq!(
            (stale.ok, stale.reason.as_deref(), stale.passed_seconds_ago),
            (
                false,
                Some("passed 61 s ago, expected within 60 s"),
                Some(61.0)
            )
        );
        trial.note(Err("no".to_owned()), later(1));
        let failed = trial.check(later(1));
        assert_eq!((failed.ok, failed.reason.as_deref()), (false, Some("no")));
        trial.note(Ok(()), later(2));
        assert!(trial.check(later(2)).ok);
    }
}
