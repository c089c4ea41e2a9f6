//! Which rules of the running service cost most: measured on request, with
//! copies of samples of lately, beside the scans.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use squall_api::v1;
use squall_engine::{Cost, Sample, costs};
use squall_server::LibraryError;
use squall_worker::{Recent, RecentSample};

use super::Selection;

/// How many of the most expensive rules, and files, are told.
const SHOWN_MAX: usize = 10;

/// How much lower than the workers' the priority of a measurement is: samples
/// come first.
const NICENESS: i32 = 19;

/// Measures, one measurement at a time; cheap to clone.
#[derive(Clone)]
pub(crate) struct Timing {
    selection: Selection,
    recent: Arc<Recent>,
    state: Arc<Mutex<v1::RuleCosts>>,
}

impl Timing {
    /// Will measure the rules of `selection` with samples of `recent`.
    pub(crate) fn new(selection: Selection, recent: Arc<Recent>) -> Self {
        Self {
            selection,
            recent,
            state: Arc::default(),
        }
    }

    /// Returns the last measurement, and how far the one under way is.
    pub(crate) fn costs(&self) -> v1::RuleCosts {
        let available = self.recent.samples().len();
        v1::RuleCosts {
            samples_available: available as u64,
            ..self.state().clone()
        }
    }

    /// Begins to measure.
    ///
    /// # Errors
    ///
    /// Fails if a measurement is under way, or if there is no sample.
    pub(crate) fn measure(&self) -> Result<(), LibraryError> {
        let samples = self.recent.samples();
        if samples.is_empty() {
            let reason =
                "no sample was scanned since the start: there is nothing to time rules with";
            return Err(LibraryError::NotNow(reason.to_owned()));
        }
        {
            let mut state = self.state();
            if state.running {
                let reason = "the rules are being timed already";
                return Err(LibraryError::NotNow(reason.to_owned()));
            }
            state.running = true;
            state.files_done = 0;
            state.files_total = 0;
        }
        let timing = self.clone();
        let started = std::thread::Builder::new()
            .name("rule-times".to_owned())
            .spawn(move || timing.run(&samples));
        started.map(drop).map_err(|source| {
            self.state().running = false;
            LibraryError::Io {
                operation: "starting a thread",
                source,
            }
        })
    }

    fn run(&self, samples: &[RecentSample]) {
        // Of this thread. Not critical.
        let _ = rustix::process::nice(NICENESS);
        let measured = catch_unwind(AssertUnwindSafe(|| self.measured(samples)))
            .unwrap_or_else(|_| Err(anyhow::anyhow!("timing the rules panicked")));
        let mut state = self.state();
        state.running = false;
        match measured {
            Ok(measured) => {
                state.error = None;
                state.measured = Some(measured);
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!("the rules could not be timed: {error}");
                state.error = Some(error);
            }
        }
    }

    fn measured(&self, samples: &[RecentSample]) -> anyhow::Result<v1::MeasuredCosts> {
        let begun = Instant::now();
        let files = self.selection.read()?.files;
        self.state().files_total = files.len() as u64;
        let found = costs(&files, &as_samples(samples), SHOWN_MAX, |done| {
            self.state().files_done = done as u64;
        });
        let found = found.context("cannot set up the engine")?;
        let taken = begun.elapsed();
        let shown = |costs: &[Cost]| {
            let costs = costs.iter().take(SHOWN_MAX);
            costs.map(|cost| row(cost, samples.len())).collect()
        };
        Ok(v1::MeasuredCosts {
            at: Timestamp::now().to_string(),
            duration_milliseconds: u64::try_from(taken.as_millis()).unwrap_or(u64::MAX),
            samples: samples.len() as u64,
            bytes: samples.iter().map(|one| one.content.len() as u64).sum(),
            base_microseconds: average(found.base, samples.len()),
            rules: shown(&found.rules),
            files: shown(&found.files),
        })
    }

    fn state(&self) -> MutexGuard<'_, v1::RuleCosts> {
        // What it holds is valid at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn as_samples(samples: &[RecentSample]) -> Vec<Sample<'_>> {
    let samples = samples.iter().map(|sample| Sample {
        content: &sample.content,
        file_name: &sample.file_name,
        digests: sample.digests,
    });
    samples.collect()
}

fn row(cost: &Cost, samples: usize) -> v1::RuleCost {
    v1::RuleCost {
        file: cost.file.clone(),
        rule: cost.rule.clone(),
        microseconds: average(cost.time, samples),
        hits: None,
    }
}

/// The share of one of `samples` in a time, in microseconds.
fn average(time: Duration, samples: usize) -> f64 {
    let samples = u32::try_from(samples).unwrap_or(u32::MAX).max(1);
    time.as_secs_f64() * 1e6 / f64::from(samples)
}

#[cfg(test)]
mod tests {
    use squall_engine::SourceFile;

    use super::*;

    #[test]
    fn without_samples_there_is_nothing_to_measure_with() {
        let timing = Timing::new(Selection::default(), Arc::default());
        let refused = timing.measure().unwrap_err().to_string();
        assert!(refused.contains("no sample was scanned"), "{refused}");
        assert_eq!(timing.costs(), v1::RuleCosts::default());
    }

    #[test]
    fn the_expensive_rule_is_told_with_its_time() {
        let files = [SourceFile {
            name: "a.yar".to_owned(),
            content: b"rule Quick { condition: filesize > 4 }\n\
                rule Slow { condition: for all i in (0..3000000) : (uint8(i % 7) != 300) }"
                .to_vec(),
            origin: squall_types::SignatureOrigin::Custom,
            modified: None,
            included: squall_engine::Included::default(),
        }];
        let samples = [RecentSample {
            content: b"0123456789".as_slice().into(),
            file_name: "/tmp/a".to_owned(),
            digests: squall_types::Digests::default(),
        }];
        let found = costs(&files, &as_samples(&samples), SHOWN_MAX, |_| {}).unwrap();
        let worst = row(&found.rules[0], samples.len());
        assert_eq!(worst.rule.as_deref(), Some("Slow"));
        assert!(worst.microseconds > 1000.0, "{worst:?}");
    }
}
