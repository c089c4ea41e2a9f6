//! Fills a queue for the fault tests: `fill DIR COUNT SOURCE` copies the last
//! sample that waits in the queue under `DIR` so many times, all of them sent
//! by `SOURCE`.

use std::{error::Error, io, time::Instant};

use squall_queue::{Body, Lanes, Limits, Queue, QueueConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(count), Some(source)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: fill DIR COUNT SOURCE".into());
    };
    let count: usize = count.parse()?;
    let mut config = QueueConfig::new(dir);
    config.limits = Limits {
        samples_max: u64::MAX,
        bytes_max: u64::MAX,
        free_bytes_min: 0,
        ..Limits::default()
    };
    let (queue, recovery) = Queue::open(config)?;
    let (body, submission) = last_waiting(&queue, recovery.waiting)?;
    let started = Instant::now();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(enqueue(&queue, count, &body, &submission, &source))?;
    let waiting = queue.stats().waiting;
    queue.close_blocking()?;
    let seconds = started.elapsed().as_secs_f64();
    // The test shows it when something goes wrong.
    io::Write::write_all(
        &mut io::stdout(),
        format!("{waiting} wait after {seconds:.1} s\n").as_bytes(),
    )?;
    Ok(())
}

/// Reads the sample that came last, and leaves all in the queue.
fn last_waiting(queue: &Queue, waiting: u64) -> Result<(Vec<u8>, Vec<u8>), Box<dyn Error>> {
    let mut claims = Vec::new();
    // A suspect is handed out once nothing else is being scanned, so there may
    // be one claim less than samples.
    for slot in 0..usize::try_from(waiting)? {
        claims.extend(queue.claim(Lanes::All, slot));
    }
    claims.sort_by_key(squall_queue::Claim::id);
    let last = claims.last().ok_or("no sample waits in this queue")?;
    let mut body = Vec::new();
    last.read_body(&mut body)?;
    let submission = last.submission().to_vec();
    for claim in claims {
        queue.hand_back(claim);
    }
    Ok((body, submission))
}

/// Queues the copies, many at a time: they share a flush.
async fn enqueue(
    queue: &Queue,
    count: usize,
    body: &[u8],
    submission: &[u8],
    source: &str,
) -> Result<(), Box<dyn Error>> {
    const AT_A_TIME: usize = 4096;
    let mut left = count;
    while left > 0 {
        let now = left.min(AT_A_TIME);
        let tasks: Vec<_> = (0..now)
            .map(|_| {
                let (queue, source) = (queue.clone(), source.to_owned());
                let (body, submission) = (Body::from_bytes(body.to_vec()), submission.to_vec());
                tokio::spawn(async move { queue.enqueue(body, submission, &source).await })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        left -= now;
    }
    Ok(())
}
