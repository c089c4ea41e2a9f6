//! The bare loop: the engine over bytes in memory, and nothing else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use squall_engine::{Sample, Scanner, digests};
use squall_types::Digests;

use crate::Failure;
use crate::queued::Plan;

/// A file as the intake hands it on: hashed already.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) digests: Digests,
}

/// What the loop did.
pub(crate) struct Scanned {
    pub(crate) elapsed: Duration,
    /// Of each file, in no order.
    pub(crate) latencies_us: Vec<u32>,
    /// Files that were not clean.
    pub(crate) found: u64,
}

/// Reads the files of a list.
pub(crate) fn read(list: &str) -> Result<Vec<File>, Failure> {
    let text = std::fs::read_to_string(list)?;
    let read = |path: &str| -> Result<File, Failure> {
        let content = std::fs::read(path)?;
        Ok(File {
            name: path.to_owned(),
            digests: digests(&content),
            content,
        })
    };
    text.lines().map(read).collect()
}

/// Scans all files with the threads of the plan.
pub(crate) fn scan(plan: &Plan, files: &[File]) -> Scanned {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let parts: Vec<(Vec<u32>, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.threads)
            .map(|_| scope.spawn(|| scan_part(plan, files, &next)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    let elapsed = begun.elapsed();
    Scanned {
        elapsed,
        found: parts.iter().map(|(_, found)| found).sum(),
        latencies_us: parts.into_iter().flat_map(|(times, _)| times).collect(),
    }
}

fn scan_part(plan: &Plan, files: &[File], next: &AtomicUsize) -> (Vec<u32>, u64) {
    let mut scanner = Scanner::new(&plan.set, plan.limits.clone());
    let (mut latencies_us, mut found) = (Vec::new(), 0);
    while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let begun = Instant::now();
        let outcome = scanner.scan(&Sample {
            content: &file.content,
            file_name: &file.name,
            digests: file.digests,
        });
        latencies_us.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        found += u64::from(!outcome.is_clean());
    }
    (latencies_us, found)
}
