//! Measures the scan path alone, for `tests/bench/run`.
//!
//!     bench drain SIGNATURES LIST THREADS ROUNDS [pure]
//!     bench backlog SIGNATURES COUNT MEASURED ROUNDS
//!
//! `drain` reads the files of LIST (one path a line) into memory and scans
//! them, by turns, in a bare loop over the engine and out of the durable queue
//! with the workers of the service; a queue is a new one each time. With `pure`
//! YARA rules alone are applied and archives stay closed, which is what other
//! scanners do. `backlog` compares how fast the first MEASURED samples leave a
//! queue of COUNT and a queue that holds no more than those, and tells what the
//! long queue costs in memory. Both print one line of JSON.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool")]

mod backlog;
mod bare;
mod queued;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use squall_engine::{
    CompileOptions, ScanLimits, Severity, SignatureSet, SourceFile, UnpackLimits, read_directory,
};
use squall_types::{SignatureOrigin, Thresholds};

/// That of the service.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let answer = match words[..] {
        ["drain", signatures, list, threads, rounds, ref rest @ ..] => {
            let pure = rest == ["pure"];
            let plan = queued::Plan {
                set: compile(signatures, pure)?,
                limits: limits(pure),
                threads: threads.parse()?,
            };
            drain(&plan, list, rounds.parse()?)?
        }
        ["backlog", signatures, count, measured, rounds] => {
            let plan = queued::Plan {
                set: compile(signatures, false)?,
                limits: limits(false),
                threads: 2,
            };
            backlog::run(&plan, count.parse()?, measured.parse()?, rounds.parse()?)?
        }
        _ => return Err("see the beginning of examples/bench/main.rs".into()),
    };
    println!("{answer}");
    Ok(())
}

/// What a service with the default settings takes.
fn limits(pure: bool) -> ScanLimits {
    ScanLimits {
        time_max: Duration::from_secs(60),
        thresholds: Thresholds::default(),
        unpack: (!pure).then(UnpackLimits::default),
    }
}

fn compile(dir: &str, pure: bool) -> Result<Arc<SignatureSet>, Failure> {
    let (files, errors): (Vec<SourceFile>, _) =
        read_directory(Path::new(dir), SignatureOrigin::Internal)?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let options = CompileOptions { pure_yara: pure };
    let set = SignatureSet::compile(&files, options, |_progress| {})?;
    let skipped = set.problems().iter();
    let skipped = skipped.filter(|problem| problem.severity == Severity::Skipped);
    assert_eq!(skipped.count(), 0, "a part of the signatures was skipped");
    Ok(Arc::new(set))
}

fn drain(plan: &queued::Plan, list: &str, rounds: usize) -> Result<serde_json::Value, Failure> {
    let files = bare::read(list)?;
    let bytes: u64 = files.iter().map(|file| file.content.len() as u64).sum();
    let (mut bare, mut drained) = (Vec::new(), Vec::new());
    let mut latencies = Vec::new();
    // A round that nobody counts: caches are filled, pages are there.
    bare::scan(plan, &files);
    for _ in 0..rounds {
        let scanned = bare::scan(plan, &files);
        bare.push(scanned.elapsed.as_secs_f64());
        latencies.extend(scanned.latencies_us);
        let (elapsed, found) = queued::drain(plan, &files)?;
        drained.push(elapsed.as_secs_f64());
        assert_eq!(found, scanned.found, "the queue finds what the loop finds");
    }
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() * percent).div_ceil(100) - 1];
    Ok(serde_json::json!({
        "files": files.len(),
        "bytes": bytes,
        "bare_seconds": bare,
        "drain_seconds": drained,
        "bare_p50_us": at(50),
        "bare_p99_us": at(99),
    }))
}
