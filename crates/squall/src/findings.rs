//! The findings store beside the running service: opened, and caught up with
//! what it missed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use squall_api::v1::Check;
use squall_findings::{Findings, FindingsConfig, FindingsError, SampleRef, read_log_end};
use squall_queue::{Queue, SampleState};
use squall_report::stored::{self, StoredResult};
use squall_types::SampleId;

use crate::config::{Settings, settings};
use crate::start_checks;

/// How often it is looked whether the store misses something.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// How much of the JSON log's end is offered again.
const LOG_END_BYTES: u64 = 64 * 1024 * 1024;

/// Returns how the store is kept.
pub(crate) fn config(wanted: &settings::Findings) -> FindingsConfig {
    FindingsConfig {
        age_max: wanted.age_max,
        findings_max: wanted.findings_max,
        ..FindingsConfig::new(&wanted.path)
    }
}

/// Opens the store; `None` if there is to be none. It is a copy, so one that
/// cannot be opened keeps no sample from being scanned: that is logged, and
/// told in `checks`.
pub(crate) fn open(settings: &Settings, checks: &mut Vec<Check>) -> Option<Findings> {
    let wanted = settings.findings.as_ref()?;
    let opened = Findings::open(config(wanted));
    checks.push(start_checks::findings(
        opened.as_ref().map(|(_, opened)| opened),
    ));
    match opened {
        Ok((findings, opened)) => {
            if let Some(aside) = &opened.set_aside {
                tracing::error!(
                    moved_to = %aside.display(),
                    reviews_restored = opened.reviews_restored,
                    "the findings store was damaged, it is made anew; \
                     `squall findings rebuild` brings back what the JSON log has"
                );
            }
            tracing::info!(findings = opened.stored, "findings store opened");
            Some(findings)
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the service runs without its findings store"
            );
            None
        }
    }
}

/// The thread that offers the store what it missed: what was found when the
/// service ended without order, while the writer was behind, or before the
/// database was made anew.
pub(crate) struct CatchUp {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl CatchUp {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be started.
    pub(crate) fn start(
        findings: &Findings,
        queue: &Queue,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let source = Source {
            findings: findings.clone(),
            queue: queue.clone(),
            // Another form does not say all that the store keeps.
            log: settings
                .outputs
                .jsonfile
                .clone()
                .filter(|_| settings.outputs.json_format == settings::JsonFormat::V3),
            stop: Arc::clone(&stop),
        };
        let thread = Builder::new()
            .name("findings-again".to_owned())
            .spawn(move || source.run())
            .context("cannot start the thread that catches up")?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread; what was not caught up with is at the next start.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the thread that catches up panicked");
        }
    }
}

/// Where findings can be had from again.
struct Source {
    findings: Findings,
    queue: Queue,
    log: Option<PathBuf>,
    stop: Arc<AtomicBool>,
}

impl Source {
    fn run(&self) {
        let mut unfinished = false;
        while !self.stopped() {
            if self.findings.take_behind() || unfinished {
                unfinished = match self.offer_all() {
                    Ok(missed) => {
                        if missed > 0 {
                            tracing::info!(missed, "the findings store has caught up");
                        }
                        false
                    }
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the findings store cannot catch up yet"
                        );
                        true
                    }
                };
            }
            if !self.stopped() {
                std::thread::park_timeout(LOOK_INTERVAL);
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Offers everything once more; returns how much of it was missing.
    fn offer_all(&self) -> Result<u64, FindingsError> {
        let mut missed = 0;
        if let Some(log) = &self.log {
            missed += self.offer_log(log)?;
        }
        let ids = self.queue.results_kept().unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the findings store cannot catch up with the results"
            );
            Vec::new()
        });
        for &id in ids.iter().rev() {
            if self.stopped() {
                break;
            }
            missed += self.offer_result(id)?;
        }
        Ok(missed)
    }

    fn offer_result(&self, id: SampleId) -> Result<u64, FindingsError> {
        let Ok(Some(SampleState::Complete(result))) = self.queue.status(id) else {
            return Ok(0);
        };
        let Ok(StoredResult::Report(report)) = stored::decode_result(&result) else {
            return Ok(0);
        };
        let sample = SampleRef {
            id: id.value(),
            sha256: Some(report.submission.digests.sha256),
        };
        let mut missed = 0;
        for finding in squall_report::v1::findings(&report) {
            missed += u64::from(self.findings.offer_again(finding, Some(sample))?);
        }
        Ok(missed)
    }

    /// Offers the end of the JSON log: it has the synchronous checks too.
    fn offer_log(&self, log: &Path) -> Result<u64, FindingsError> {
        // A pipe or the console has no end to be read.
        if !log.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(0);
        }
        let mut missed = 0;
        let mut failed = None;
        let read = read_log_end(log, LOG_END_BYTES, |finding| {
            match self.findings.offer_again(finding, None) {
                Ok(missing) => missed += u64::from(missing),
                Err(error) => failed = Some(error),
            }
            failed.is_none() && !self.stopped()
        });
        if let Err(error) = read {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the findings store cannot catch up with the log"
            );
        }
        failed.map_or(Ok(missed), Err)
    }
}
