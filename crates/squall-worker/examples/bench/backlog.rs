//! How the rate at which samples leave the queue, and the memory of the
//! process, change with the number that waits.

use std::time::{Duration, Instant};

use squall_engine::digests;
use squall_types::Submission;

use crate::Failure;
use crate::queued::{Plan, Service, enqueue, submission};

/// Bytes of a sample: the least that is worth sending.
const SAMPLE_LEN: usize = 300;

pub(crate) fn run(
    plan: &Plan,
    count: usize,
    measured: u64,
    rounds: usize,
) -> Result<serde_json::Value, Failure> {
    let short_len = usize::try_from(measured)?;
    let (mut long, mut short) = (Vec::new(), Vec::new());
    let (mut grown_bytes, mut fill_rates) = (Vec::new(), Vec::new());
    // A round that nobody counts.
    drain(plan, short_len, measured)?;
    for _ in 0..rounds {
        short.push(measured as f64 / drain(plan, short_len, measured)?.taken.as_secs_f64());
        let drained = drain(plan, count, measured)?;
        long.push(measured as f64 / drained.taken.as_secs_f64());
        grown_bytes.push(drained.grown_bytes);
        fill_rates.push(count as f64 / drained.filled.as_secs_f64());
    }
    Ok(serde_json::json!({
        "waiting": count,
        "measured": measured,
        "short_per_second": short,
        "long_per_second": long,
        "grown_bytes": grown_bytes,
        "fill_per_second": fill_rates,
    }))
}

struct Drained {
    /// Of the samples that were measured.
    taken: Duration,
    /// Of all samples, until they were queued.
    filled: Duration,
    /// How much more memory is resident with all of them queued.
    grown_bytes: i64,
}

fn drain(plan: &Plan, count: usize, measured: u64) -> Result<Drained, Failure> {
    let dir = tempfile::tempdir()?;
    let service = Service::open(plan, dir.path())?;
    let before = resident_bytes()?;
    let begun = Instant::now();
    enqueue(&service.queue, count, make)?;
    let filled = begun.elapsed();
    let grown_bytes = resident_bytes()? - before;
    let taken = service.drain(plan, measured)?;
    service.close()?;
    Ok(Drained {
        taken,
        filled,
        grown_bytes,
    })
}

/// Makes sample `number`, unlike any other.
fn make(number: usize) -> (Vec<u8>, Submission) {
    let mut content = format!("sample {number:016} ").into_bytes();
    content.resize(SAMPLE_LEN, b'.');
    let name = format!("/srv/data/{number:08}.txt");
    let record = submission(&name, content.len(), digests(&content));
    (content, record)
}

fn resident_bytes() -> Result<i64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kibibytes.ok_or("no VmRSS")?.parse::<i64>()? * 1024)
}
