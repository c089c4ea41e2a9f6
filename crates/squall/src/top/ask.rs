//! Asks the service how it is doing, again and again, on a thread of its own.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use squall_api::v1::{FindingRow, Overview, Readiness, SourceRow};
use squall_client::{Client, ClientError};
use tokio::signal::unix::{SignalKind, signal};

use super::Said;

/// How often the service is asked.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sources and findings asked for: more than any screen has lines for is of no
/// use.
const ROWS_MAX: u32 = 50;

/// How a service is doing, each part as far as it tells.
pub(super) struct State {
    /// When it was asked.
    pub(super) at: Instant,
    pub(super) readiness: Result<Readiness, String>,
    pub(super) overview: Result<Overview, String>,
    pub(super) sources: Result<Vec<SourceRow>, String>,
    pub(super) findings: Result<Vec<FindingRow>, String>,
}

/// Starts the thread. It ends when what it says is not listened to any more.
///
/// # Errors
///
/// Fails if it cannot be started.
pub(super) fn start(client: Client, say: Sender<Said>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    std::thread::Builder::new()
        .name("ask".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = ask_for_ever(&client, &say) => {}
                    () = told_to_stop() => {}
                }
            });
            let _ = say.send(Said::Stop);
        })
        .context("cannot start the thread that asks the service")
        .map(drop)
}

async fn ask_for_ever(client: &Client, say: &Sender<Said>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let state = Said::State(Box::new(ask(client).await));
        if say.send(state).is_err() {
            return;
        }
    }
}

async fn ask(client: &Client) -> State {
    let at = Instant::now();
    let readiness = client.readiness(PATIENCE).await.map_err(words);
    if let Err(error) = &readiness {
        // Nobody is there: the rest would say the same.
        return State {
            at,
            overview: Err(error.clone()),
            sources: Err(error.clone()),
            findings: Err(error.clone()),
            readiness,
        };
    }
    let sources = client.newest_sources(ROWS_MAX, PATIENCE).await;
    let findings = client.newest_findings(ROWS_MAX, PATIENCE).await;
    State {
        at,
        readiness,
        overview: client.overview(PATIENCE).await.map_err(words),
        sources: sources.map(|page| page.sources).map_err(words),
        findings: findings.map(|page| page.findings).map_err(words),
    }
}

fn words(error: ClientError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// Waits until the program is told to end. The terminal has to be given back.
async fn told_to_stop() {
    let signals = [SignalKind::terminate(), SignalKind::hangup()];
    let [terminate, hangup] = signals.map(signal);
    match (terminate, hangup) {
        (Ok(mut terminate), Ok(mut hangup)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        // Then they end it the hard way.
        _ => std::future::pending().await,
    }
}
