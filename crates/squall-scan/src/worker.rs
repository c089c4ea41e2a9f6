//! The scan threads.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender};
use squall_engine::{Sample, Scanner};
use squall_types::{
    Digests, FileFacts, Incomplete, IncompleteReason, Origin, Outcome, Report, SampleId, ScanFacts,
    Submission,
};

use crate::read::{Reader, Refused};
use crate::run::Shared;
use crate::throttle::Throttle;
use crate::walk::Candidate;

/// What a thread has to tell of a file.
pub(crate) struct Message {
    /// What came of it.
    pub(crate) fate: Fate,
    /// The same for the outputs.
    pub(crate) report: Box<Report>,
}

/// What came of a file that is not clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was scanned; something was found, or not all of it could be looked at.
    Scanned,
    /// It is larger than the limit.
    TooLarge,
    /// It, or a directory, could not be read, or scanning it broke the engine.
    Failed,
}

/// A buffer larger than this is given back after a large file.
const BUFFER_KEPT_MAX_BYTES: usize = 16 * 1024 * 1024;

/// One scan thread.
pub(crate) struct Worker<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) candidates: Receiver<Candidate>,
    pub(crate) messages: Sender<Message>,
}

/// Why a thread stopped using a scanner.
enum Next {
    /// It may have been left half changed by a panic.
    Renew,
    /// There are no more files, or the scan is to end.
    End,
}

impl Worker<'_> {
    /// Scans files until there are no more or the scan is to end.
    pub(crate) fn run(&self) {
        let mut buffer = Vec::new();
        let mut throttle = Throttle::new(self.shared.cpu_percent);
        while let Next::Renew = self.run_with_scanner(&mut buffer, &mut throttle) {}
    }

    fn run_with_scanner(&self, buffer: &mut Vec<u8>, throttle: &mut Throttle) -> Next {
        let shared = self.shared;
        let mut scanner = Scanner::new(&shared.set, shared.limits.clone());
        while !shared.stop.requested() {
            let Ok(candidate) = self.candidates.recv() else {
                return Next::End;
            };
            // The whole of it: a file whose report breaks is not to be lost
            // either, nor the files behind it.
            let done = catch_unwind(AssertUnwindSafe(|| {
                process(shared, &candidate, &mut scanner, buffer)
            }));
            let spoiled = done.is_err();
            let message = done.unwrap_or_else(|panic| Some(panicked(shared, &candidate, &*panic)));
            shared.counters.count_done();
            buffer.clear();
            if buffer.capacity() > BUFFER_KEPT_MAX_BYTES {
                buffer.shrink_to(BUFFER_KEPT_MAX_BYTES);
            }
            if message.is_some_and(|message| self.messages.send(message).is_err()) {
                return Next::End;
            }
            throttle.pause(&shared.stop);
            if spoiled {
                return Next::Renew;
            }
        }
        Next::End
    }
}

/// Scans one file. Returns what is to be told of it, nothing if it is clean or
/// not to be looked at.
fn process(
    shared: &Shared,
    candidate: &Candidate,
    scanner: &mut Scanner<'_>,
    buffer: &mut Vec<u8>,
) -> Option<Message> {
    let path = &candidate.path;
    let reader = Reader {
        selection: &shared.selection,
        memory: &shared.memory,
        file_systems: &shared.file_systems,
        outputs: &shared.output_files,
    };
    // Held until the scan is done.
    let _taken = match reader.read(candidate, buffer) {
        Ok(taken) => taken,
        Err(Refused::Skip(skip)) => {
            shared.counters.count_skipped(skip);
            return None;
        }
        Err(Refused::TooLarge(size_bytes)) => return Some(too_large(shared, path, size_bytes)),
        Err(Refused::Failed(error)) => return Some(unreadable(shared, path, &error)),
    };
    let name = shown_path(path);
    let started = Instant::now();
    let digests = squall_engine::digests(buffer);
    let outcome = scanner.scan(&Sample {
        content: buffer,
        file_name: &name,
        digests,
    });
    shared.counters.count_scanned(buffer.len() as u64);
    (!outcome.is_clean()).then(|| Message {
        fate: Fate::Scanned,
        report: report(shared, &name, digests, started.elapsed(), outcome),
    })
}

fn panicked(shared: &Shared, candidate: &Candidate, panic: &(dyn Any + Send)) -> Message {
    let path = &candidate.path;
    let description = format!("the scan panicked: {}", panic_text(panic));
    tracing::error!(path = shown_path(path), description, "file failed");
    failed(shared, path, IncompleteReason::Corrupt, description)
}

/// Returns what is told of a file or a directory that cannot be read.
pub(crate) fn unreadable(shared: &Shared, path: &Path, error: &io::Error) -> Message {
    let description = format!("cannot be read: {error}");
    failed(shared, path, IncompleteReason::Unreadable, description)
}

fn failed(shared: &Shared, path: &Path, reason: IncompleteReason, description: String) -> Message {
    not_scanned(shared, path, reason, description, Fate::Failed)
}

fn too_large(shared: &Shared, path: &Path, size_bytes: u64) -> Message {
    let limit = shared.selection.size_bytes_max;
    let description = format!("not scanned: the file has {size_bytes} bytes, limit is {limit}");
    let reason = IncompleteReason::Limit;
    not_scanned(shared, path, reason, description, Fate::TooLarge)
}

fn not_scanned(
    shared: &Shared,
    path: &Path,
    reason: IncompleteReason,
    description: String,
    fate: Fate,
) -> Message {
    let name = shown_path(path);
    let outcome = Outcome {
        // Its facts are not known, so there are none under its name.
        sample: FileFacts::default(),
        findings: Vec::new(),
        incomplete: vec![Incomplete {
            path: name.clone(),
            reason,
            description,
        }],
    };
    Message {
        fate,
        report: report(shared, &name, Digests::default(), Duration::ZERO, outcome),
    }
}

fn report(
    shared: &Shared,
    name: &str,
    digests: Digests,
    scan_time: Duration,
    outcome: Outcome,
) -> Box<Report> {
    let number = shared.reports.fetch_add(1, Ordering::Relaxed) + 1;
    let now_us = now_us();
    // The run's random bytes and the number: no two events have the same id.
    let mut nonce = [0; 12];
    nonce[..6].copy_from_slice(&shared.nonce);
    nonce[6..].copy_from_slice(&number.to_be_bytes()[2..]);
    Box::new(Report {
        id: SampleId::new(number).unwrap_or(FIRST_ID),
        submission: Submission {
            origin: Origin {
                source: shared.host.clone(),
                ..Origin::default()
            },
            file_name: name.to_owned(),
            size_bytes: outcome.sample.size_bytes,
            digests,
            received_at_us: now_us,
            synchronous: true,
            nonce,
        },
        scan: ScanFacts {
            scan_id: shared.scan_id.clone(),
            scanned_at_us: now_us,
            scan_time_us: u64::try_from(scan_time.as_micros()).unwrap_or(u64::MAX),
            signature_version: shared.set.summary().version.clone(),
        },
        outcome,
    })
}

/// Stands in for a number that no id can have; 2^53 files are never scanned.
const FIRST_ID: SampleId = match SampleId::new(1) {
    Some(id) => id,
    None => panic!("1 is an id"),
};

/// Returns the time in microseconds since 1970-01-01 UTC.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Returns a path as text: bytes that are no UTF-8 become `\xNN`, so that two
/// names never look the same for that.
pub(crate) fn shown_path(path: &Path) -> String {
    let mut name = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        name.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut name, format_args!("\\x{byte:02x}"));
        }
    }
    name
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn names_that_are_no_text_stay_apart() {
        let shown = |bytes| shown_path(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(shown(b"/a/\xff\xfe.x"), "/a/\\xff\\xfe.x");
        assert_ne!(shown(b"/a/\xff"), shown(b"/a/\xfe"));
        assert_eq!(shown("/ä\n".as_bytes()), "/ä\n");
    }
}
