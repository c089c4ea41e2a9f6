//! One scan: its threads, and what is done with what they find.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use squall_engine::{ScanLimits, SignatureSet};

use crate::counters::Counters;
use crate::filesystem::FileSystems;
use crate::memory::Memory;
use crate::outputs::{OutputError, Outputs};
use crate::progress::Progress;
use crate::read::FileId;
use crate::roots;
use crate::select::Selection;
use crate::stop::Stop;
use crate::summary::{About, Summary};
use crate::walk::Walker;
use crate::worker::{Message, Worker, now_us, shown_path};

/// What is scanned, and how.
pub struct Job {
    /// Files and directories, all of which are looked at.
    pub roots: Vec<PathBuf>,
    /// Which files of theirs.
    pub selection: Selection,
    /// The signatures.
    pub set: Arc<SignatureSet>,
    /// What the scan of one file may cost.
    pub limits: ScanLimits,
    /// Number of scan threads, at least 1.
    pub threads: usize,
    /// The share of one processor that each of them takes, 1 to 100.
    pub cpu_percent: u8,
    /// Random bytes of this run, of which the ids of its events are made.
    pub nonce: [u8; 6],
    /// What the outputs say of the run.
    pub about: About,
}

/// Why a scan failed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A thread cannot be started.
    #[error("cannot start a scan thread")]
    Thread(#[source] io::Error),
    /// The current directory is gone, so that a relative path means nothing.
    #[error("cannot find `{}`", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What all threads of a scan share.
pub(crate) struct Shared {
    pub(crate) selection: Selection,
    pub(crate) set: Arc<SignatureSet>,
    pub(crate) limits: ScanLimits,
    pub(crate) cpu_percent: u8,
    pub(crate) memory: Memory,
    pub(crate) file_systems: FileSystems,
    pub(crate) output_files: Vec<FileId>,
    pub(crate) counters: Counters,
    pub(crate) reports: AtomicU64,
    pub(crate) nonce: [u8; 6],
    pub(crate) host: String,
    pub(crate) scan_id: String,
    pub(crate) stop: Arc<Stop>,
}

/// Paths found ahead of the scan threads.
const CANDIDATES_MAX: usize = 4096;

/// Reports that wait for a slow output.
const MESSAGES_MAX: usize = 64;

/// Bytes of files in memory, all threads together, unless a single file may be
/// larger.
const MEMORY_BYTES: u64 = 512 * 1024 * 1024;

/// How often the progress is shown and the wish to end is looked for.
const TICK: Duration = Duration::from_millis(100);

/// Scans everything the job names, writes what is found to the outputs as it is
/// found, and returns what was done.
///
/// What cannot be read is in the outputs and in the summary, and no error here.
///
/// # Errors
///
/// Fails if a thread cannot be started or an output cannot be written.
pub fn run(job: Job, mut outputs: Outputs, stop: &Arc<Stop>) -> Result<Summary, ScanError> {
    let roots = absolute(&job.roots)?;
    let size_max = job.selection.size_bytes_max;
    let shared = Arc::new(Shared {
        memory: Memory::new(MEMORY_BYTES.max(size_max.saturating_add(1))),
        selection: job.selection,
        set: job.set,
        limits: job.limits,
        cpu_percent: job.cpu_percent,
        file_systems: FileSystems::default(),
        output_files: outputs.files(),
        counters: Counters::default(),
        reports: AtomicU64::new(0),
        nonce: job.nonce,
        host: job.about.host.clone(),
        scan_id: job.about.scan_id.clone(),
        stop: Arc::clone(stop),
    });
    let shown = roots.iter().map(|root| shown_path(root)).collect();
    let mut summary = Summary::new(job.about, shown, now_us());
    let started = Instant::now();
    let (threads, messages) = start(&shared, roots, job.threads)?;
    let progress = Progress::start();
    let collected = collect(&shared, &messages, &mut outputs, &mut summary, &progress);
    progress.finish();
    if collected.is_err() {
        stop.request();
    }
    drop(messages);
    let mut ended_well = true;
    if !stop.urgent() {
        for thread in threads {
            // What a thread that panicked had in hand is not known.
            ended_well &= thread.join().is_ok();
        }
    }
    collected?;
    summary.finish(&shared.counters, started.elapsed(), now_us());
    summary.interrupted = stop.requested();
    summary.broken = !ended_well;
    outputs.finish(&summary)?;
    Ok(summary)
}

fn absolute(roots: &[PathBuf]) -> Result<Vec<PathBuf>, ScanError> {
    roots
        .iter()
        .map(|root| {
            roots::absolute(root).map_err(|source| ScanError::Path {
                path: root.clone(),
                source,
            })
        })
        .collect()
}

/// Starts the threads: one that walks, the others scan.
fn start(
    shared: &Arc<Shared>,
    roots: Vec<PathBuf>,
    threads: usize,
) -> Result<(Vec<JoinHandle<()>>, Receiver<Message>), ScanError> {
    let (found, candidates) = bounded(CANDIDATES_MAX);
    let (sender, messages) = bounded(MESSAGES_MAX);
    let mut handles = Vec::with_capacity(threads + 1);
    for number in 0..threads.max(1) {
        let shared = Arc::clone(shared);
        let (candidates, messages) = (candidates.clone(), sender.clone());
        let run = move || {
            Worker {
                shared: &shared,
                candidates,
                messages,
            }
            .run();
        };
        let name = format!("scan-{number}");
        handles.push(
            Builder::new()
                .name(name)
                .spawn(run)
                .map_err(ScanError::Thread)?,
        );
    }
    let shared = Arc::clone(shared);
    let walk = move || {
        Walker {
            shared: &shared,
            candidates: found,
            messages: sender,
        }
        .run(&roots);
    };
    let name = "walk".to_owned();
    handles.push(
        Builder::new()
            .name(name)
            .spawn(walk)
            .map_err(ScanError::Thread)?,
    );
    Ok((handles, messages))
}

/// Writes what the threads tell until they have ended, or are not to be waited
/// for.
fn collect(
    shared: &Shared,
    messages: &Receiver<Message>,
    outputs: &mut Outputs,
    summary: &mut Summary,
    progress: &Progress,
) -> Result<(), OutputError> {
    while !shared.stop.urgent() {
        match messages.recv_timeout(TICK) {
            Ok(message) => {
                summary.count(&message);
                progress.aside(|| outputs.write(&message.report))?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        progress.show(&shared.counters, summary);
    }
    // What is already told is not lost.
    for message in messages.try_iter() {
        summary.count(&message);
        outputs.write(&message.report)?;
    }
    Ok(())
}
