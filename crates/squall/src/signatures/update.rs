//! Fetching signatures from the configured sources, and putting them in force
//! together: by the service every so many hours, or by `squall signatures
//! update`.

use anyhow::Context as _;

use super::fetch::{self, Fetched};
use super::store::{Candidate, SourceState, Store, StoreLock};
use crate::config::Settings;
use crate::config::settings::SignatureSource;

/// New bundles, and who may put them in force.
pub(crate) struct Fresh {
    pub(crate) candidates: Vec<Candidate>,
    /// How each source answered, in the settings' order.
    pub(crate) asked: Vec<Asked>,
    _lock: StoreLock,
}

/// How a source answered.
pub(crate) struct Asked {
    /// The source.
    pub(crate) location: String,
    /// Whether it offers something new, or what went wrong.
    pub(crate) result: Result<bool, String>,
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
        asked: Vec::new(),
        _lock: lock,
    };
    for source in &settings.signatures.sources {
        let slot = store.slot(&source.location);
        let result = match fetch_one(settings, source, slot.state()).await {
            Ok(Fetched::Unchanged) => Ok(false),
            Ok(Fetched::Bundle(bytes, state)) => {
                let kept = slot.keep(&bytes, state);
                let kept = kept.context("cannot keep the fetched signatures")?;
                fresh.candidates.push(kept);
                Ok(true)
            }
            Err(error) => Err(format!("{error:#}")),
        };
        fresh.asked.push(Asked {
            location: source.location.clone(),
            result,
        });
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
        asked: Vec::new(),
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
