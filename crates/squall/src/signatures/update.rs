//! Fetching signatures from the configured sources, and putting them in force
//! together: by the service every so many hours, or by `squall signatures
//! update`.

use std::time::Duration;

use anyhow::Context as _;

use super::control::Control;
use super::fetch::{self, Fetched};
use super::store::{Candidate, SourceState, Store, StoreLock};
use crate::config::Settings;
use crate::config::settings::SignatureSource;

/// How long after the start the first update is.
const FIRST_AFTER: Duration = Duration::from_secs(5);

/// New bundles, and who may put them in force.
pub(crate) struct Fresh {
    pub(crate) candidates: Vec<Candidate>,
    /// What each source that failed said.
    pub(crate) errors: Vec<anyhow::Error>,
    _lock: StoreLock,
}

/// Asks all sources.
///
/// # Errors
///
/// Fails if the store cannot be used or the public key cannot be read. A source
/// that fails is told of in the result: the others count.
pub(crate) async fn fetch_all(settings: &Settings) -> anyhow::Result<Fresh> {
    let store = Store::of(&settings.data_dir);
    let lock = store.lock()?;
    let mut fresh = Fresh {
        candidates: Vec::new(),
        errors: Vec::new(),
        _lock: lock,
    };
    for source in &settings.signatures.sources {
        let slot = store.slot(&source.location);
        match fetch_one(settings, source, slot.state()).await {
            Ok(Fetched::Unchanged) => {}
            Ok(Fetched::Bundle(bytes, state)) => fresh.candidates.push(
                slot.keep(&bytes, state)
                    .context("cannot keep the fetched signatures")?,
            ),
            Err(error) => fresh.errors.push(error),
        }
    }
    Ok(fresh)
}

/// Takes a bundle or a directory brought by hand.
///
/// # Errors
///
/// Fails like a source does.
pub(crate) async fn fetch_offline(
    settings: &Settings,
    source: &SignatureSource,
) -> anyhow::Result<Fresh> {
    let store = Store::of(&settings.data_dir);
    let lock = store.lock()?;
    let slot = store.offline();
    let candidates = match fetch_one(settings, source, slot.state()).await? {
        Fetched::Unchanged => Vec::new(),
        Fetched::Bundle(bytes, state) => vec![slot.keep(&bytes, state)?],
    };
    Ok(Fresh {
        candidates,
        errors: Vec::new(),
        _lock: lock,
    })
}

async fn fetch_one(
    settings: &Settings,
    source: &SignatureSource,
    known: Option<SourceState>,
) -> anyhow::Result<Fetched> {
    let key = settings.signatures.public_key.as_deref();
    let key = key.map(fetch::read_key).transpose()?;
    fetch::fetch(source, known.as_ref(), key.as_ref()).await
}

/// Updates at the start and every `interval` after it, for ever. What goes
/// wrong is logged and tried again the next time.
pub(crate) async fn keep_updating(settings: Settings, interval: Duration, control: Control) {
    tokio::time::sleep(FIRST_AFTER).await;
    loop {
        match fetch_all(&settings).await {
            Ok(fresh) => {
                for error in &fresh.errors {
                    tracing::error!("signatures not updated: {error:#}");
                    control.note_failed_update(&format!("{error:#}"));
                }
                if !fresh.candidates.is_empty() {
                    // Logged by the thread that loads; the lock is held until
                    // then.
                    let _ = control.adopt(fresh.candidates.clone()).await;
                }
            }
            Err(error) => {
                tracing::error!("signatures not updated: {error:#}");
                control.note_failed_update(&format!("{error:#}"));
            }
        }
        tokio::time::sleep(interval).await;
    }
}
