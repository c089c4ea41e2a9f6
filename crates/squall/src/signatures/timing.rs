//! Which rules of the running service cost most: measured with copies of samples
//! of lately, once there is nothing else to do, or on request, beside the scans.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use squall_api::v1;
use squall_engine::{Cost, Fingerprint, Sample, Wanted, costs};
use squall_server::LibraryError;
use squall_worker::{Recent, RecentSample, Signatures};

use super::Selection;

/// How many of the most expensive rules, and files, are told.
const SHOWN_MAX: usize = 10;

/// Microseconds that a rule may add to the scan of a sample, on average, before
/// it is warned of. A whole set of 5,900 rules takes no more for a file of some
/// kilobytes.
pub(crate) const SLOW_RULE_MICROSECONDS: u64 = 1000;

/// How long nothing was scanned before it is measured without request, and how
/// often it is looked for that.
const IDLE: Duration = Duration::from_secs(10);
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// How many times as many samples as were measured with are worth another
/// measurement of the same set.
const MORE_SAMPLES: usize = 4;

/// How much lower than the workers' the priority of a measurement is: samples
/// come first.
const NICENESS: i32 = 19;

/// Measures, one measurement at a time; cheap to clone.
#[derive(Clone)]
pub(crate) struct Timing {
    selection: Selection,
    signatures: Arc<Signatures>,
    recent: Arc<Recent>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    costs: v1::RuleCosts,
    /// The set that was last measured, or that was tried to be, and with how
    /// many samples.
    last: Option<(Fingerprint, usize)>,
    /// The set that the measured costs are of.
    of: Option<Fingerprint>,
}

impl Timing {
    /// Will measure the rules of `selection`, of which `signatures` are in force,
    /// with samples of `recent`.
    pub(crate) fn new(
        selection: Selection,
        signatures: Arc<Signatures>,
        recent: Arc<Recent>,
    ) -> Self {
        Self {
            selection,
            signatures,
            recent,
            state: Arc::default(),
        }
    }

    /// Returns the last measurement, and how far the one under way is.
    pub(crate) fn costs(&self) -> v1::RuleCosts {
        let available = self.recent.samples().len();
        let current = self.current();
        let state = self.state();
        let mut costs = v1::RuleCosts {
            samples_available: available as u64,
            ..state.costs.clone()
        };
        if let Some(measured) = &mut costs.measured {
            measured.of_older_set = state.of != current;
        }
        costs
    }

    /// Measures from now on by itself: each set once, when nothing was scanned
    /// for a while, and again when there are many more samples to do it with.
    pub(crate) fn measure_when_idle(&self) -> std::io::Result<()> {
        let timing = self.clone();
        let watch = move || {
            loop {
                std::thread::sleep(LOOK_INTERVAL);
                if timing.is_due() {
                    // What hinders it is told where the costs are.
                    let _ = timing.measure();
                }
            }
        };
        let thread = std::thread::Builder::new().name("rule-times-due".to_owned());
        thread.spawn(watch).map(drop)
    }

    fn is_due(&self) -> bool {
        let samples = self.recent.samples().len();
        if samples == 0 || self.recent.idle() < IDLE {
            return false;
        }
        let state = self.state();
        let is_worth_it = match (&state.last, self.current()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((set, with)), Some(current)) => {
                *set != current || samples >= with.saturating_mul(MORE_SAMPLES)
            }
        };
        is_worth_it && !state.costs.running
    }

    fn current(&self) -> Option<Fingerprint> {
        self.signatures.current().map(|set| *set.fingerprint())
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
        let set = self.current();
        {
            let mut state = self.state();
            if state.costs.running {
                let reason = "the rules are being timed already";
                return Err(LibraryError::NotNow(reason.to_owned()));
            }
            state.costs.running = true;
            state.costs.files_done = 0;
            state.costs.files_total = 0;
            state.last = set.map(|set| (set, samples.len()));
        }
        let timing = self.clone();
        let started = std::thread::Builder::new()
            .name("rule-times".to_owned())
            .spawn(move || timing.run(&samples, set));
        started.map(drop).map_err(|source| {
            self.state().costs.running = false;
            LibraryError::Io {
                operation: "starting a thread",
                source,
            }
        })
    }

    fn run(&self, samples: &[RecentSample], set: Option<Fingerprint>) {
        // Of this thread. Not critical.
        let _ = rustix::process::nice(NICENESS);
        let measured = catch_unwind(AssertUnwindSafe(|| self.measured(samples)))
            .unwrap_or_else(|_| Err(anyhow::anyhow!("timing the rules panicked")));
        let mut state = self.state();
        state.costs.running = false;
        match measured {
            Ok(measured) => {
                state.costs.error = None;
                state.costs.measured = Some(measured);
                state.of = set;
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!("the rules could not be timed: {error}");
                state.costs.error = Some(error);
            }
        }
    }

    fn measured(&self, samples: &[RecentSample]) -> anyhow::Result<v1::MeasuredCosts> {
        let begun = Instant::now();
        let files = self.selection.read_what_is_whole()?.files;
        self.state().costs.files_total = files.len() as u64;
        let found = costs(
            &files,
            &as_samples(samples),
            Wanted::worst(SHOWN_MAX),
            |done| {
                self.state().costs.files_done = done as u64;
            },
        );
        let found = found.context("cannot set up the engine")?;
        let taken = begun.elapsed();
        for cost in &found.rules {
            let microseconds = average(cost.time, samples.len());
            if microseconds > SLOW_RULE_MICROSECONDS as f64 {
                let rule = cost.rule.as_deref();
                let file = cost.file.as_str();
                tracing::warn!(rule, file, microseconds, "a rule slows every scan");
            }
        }
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
            of_older_set: false,
            rules: shown(&found.rules),
            files: shown(&found.files),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
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
pub(super) fn average(time: Duration, samples: usize) -> f64 {
    let samples = u32::try_from(samples).unwrap_or(u32::MAX).max(1);
    time.as_secs_f64() * 1e6 / f64::from(samples)
}

#[cfg(test)]
mod tests {
    use squall_engine::SourceFile;

    use super::*;

    #[test]
    fn without_samples_there_is_nothing_to_measure_with() {
        let timing = Timing::new(Selection::default(), Arc::default(), Arc::default());
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
        let found = costs(
            &files,
            &as_samples(&samples),
            Wanted::worst(SHOWN_MAX),
            |_| {},
        )
        .unwrap();
        let worst = row(&found.rules[0], samples.len());
        assert_eq!(worst.rule.as_deref(), Some("Slow"));
        assert!(worst.microseconds > 1000.0, "{worst:?}");
    }
}
