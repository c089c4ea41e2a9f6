//! The load generator.

mod connection;
mod plan;
mod tally;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::args::Args;
use crate::say;
use connection::{Answer, Client, Request};
use plan::{Plan, Upload};
use tally::Tally;

/// Longest that one upload is tried again after a 503.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends a plan and prints what came of it, as one line of JSON.
pub(crate) fn run(mut args: Args) -> anyhow::Result<()> {
    let load = Load {
        address: args.required("address")?,
        path: args
            .optional("path")?
            .unwrap_or_else(|| "/api/check".to_owned()),
        new_connections: args.switch("new-connections"),
        tls: args
            .switch("tls")
            .then(|| tls::config(args.switch("resume")))
            .transpose()?,
        pause: Duration::from_micros(args.optional("pause-us")?.unwrap_or(0)),
    };
    let connections: usize = args.optional("connections")?.unwrap_or(1);
    let plan = Plan::of(&mut args)?;
    args.finish()?;
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let cpu_before = tally::cpu_time();
    let tallies: Vec<anyhow::Result<Tally>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| load.send(&plan, &next)))
            .collect();
        let joined = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a sending thread panicked")))
        });
        joined.collect()
    });
    let elapsed = begun.elapsed();
    let cpu = tally::cpu_time().saturating_sub(cpu_before);
    let mut total = Tally::default();
    for tally in tallies {
        total.add(tally?);
    }
    say(&total.json(elapsed, cpu).to_string())
}

/// What all sending threads share.
struct Load {
    address: SocketAddr,
    path: String,
    new_connections: bool,
    tls: Option<Arc<rustls::ClientConfig>>,
    /// Between two requests of one connection.
    pause: Duration,
}

impl Load {
    /// Sends uploads of the plan until there are no more.
    fn send(&self, plan: &Plan, next: &AtomicUsize) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        let mut client = None;
        let mut upload = Upload::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if !plan.fill(number, &mut upload)? {
                return Ok(tally);
            }
            self.send_one(&upload, &mut client, &mut tally)
                .with_context(|| format!("upload {number} of `{}`", upload.name))?;
            if !self.pause.is_zero() {
                thread::sleep(self.pause);
            }
        }
    }

    fn send_one(
        &self,
        upload: &Upload,
        client: &mut Option<Client>,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let first_try = Instant::now();
        loop {
            let begun = Instant::now();
            if self.new_connections {
                *client = None;
            }
            let connected = match client.take() {
                Some(connected) => connected,
                None => Client::connect(self.address, self.tls.as_ref())?,
            };
            let connected = client.insert(connected);
            let answer = connected.exchange(&Request {
                path: &self.path,
                upload,
                close: self.new_connections,
            })?;
            if answer.closes {
                *client = None;
            }
            let Answer {
                status,
                retry_after,
                ..
            } = answer;
            match retry_after.filter(|_| status == 503 && first_try.elapsed() < PATIENCE) {
                Some(wait) => {
                    tally.refused += 1;
                    thread::sleep(wait);
                }
                None => {
                    tally.note(status, answer.found, upload.content.len(), begun.elapsed());
                    return Ok(());
                }
            }
        }
    }
}
