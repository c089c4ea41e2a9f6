//! What the service may ask about its signatures, answered: the set in force,
//! its sources, and their updates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use squall_access::AuditLog;
use squall_api::v1;
use squall_engine::{Severity, SignatureSet};
use squall_server::{Pending, SignatureControl, SignatureState};
use squall_worker::Signatures;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::control::{Control, Trigger};
use super::store::{Slot, Store};
use super::update::{Asked, fetch_all};
use super::{own_dir, starter};
use crate::acts;
use crate::config::{self, Settings};

/// How long after the start the first update is.
const FIRST_AFTER: Duration = Duration::from_secs(5);

/// Looks after the signatures of the running service; cheap to clone.
#[derive(Clone)]
pub(crate) struct Administration(Arc<Inner>);

struct Inner {
    settings: Settings,
    signatures: Arc<Signatures>,
    control: Control,
    /// Where updates run.
    runtime: Handle,
    /// How each source answered, by its location.
    checked: Mutex<BTreeMap<String, v1::SourceCheck>>,
    /// Held by the update that is under way.
    turn: tokio::sync::Mutex<()>,
    updating: AtomicBool,
}

impl Administration {
    pub(crate) fn new(
        settings: Settings,
        signatures: Arc<Signatures>,
        control: Control,
        runtime: Handle,
    ) -> Self {
        Self(Arc::new(Inner {
            settings,
            signatures,
            control,
            runtime,
            checked: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            updating: AtomicBool::new(false),
        }))
    }

    /// Updates shortly after the start and every `interval` after it, for ever.
    /// What goes wrong is logged and tried again the next time.
    /// An update that changes something or fails is an act, and goes into
    /// `audit`.
    pub(crate) async fn keep_updating(self, interval: Duration, audit: Option<Arc<AuditLog>>) {
        tokio::time::sleep(FIRST_AFTER).await;
        loop {
            let updated = self.update_now().await;
            if updated != Ok(false) {
                let (done, from) = (updated.is_ok(), "signature-update-interval");
                let audit = audit.clone();
                acts::write_down(audit, "timer", from, "signatures update", done).await;
            }
            tokio::time::sleep(interval).await;
        }
    }

    /// Asks all sources and puts what is new in force; tells whether anything
    /// was.
    async fn update_now(&self) -> Result<bool, String> {
        let _turn = self.0.turn.lock().await;
        self.0.updating.store(true, Ordering::Relaxed);
        let result = self.update_in_turn().await;
        self.0.updating.store(false, Ordering::Relaxed);
        result
    }

    async fn update_in_turn(&self) -> Result<bool, String> {
        let Inner {
            settings, control, ..
        } = &*self.0;
        let fresh = match fetch_all(settings).await {
            Ok(fresh) => fresh,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!("signatures not updated: {error}");
                control.note_failed_update(&error);
                return Err(error);
            }
        };
        let mut failed = Vec::new();
        for asked in &fresh.asked {
            if let Err(error) = &asked.result {
                tracing::error!("signatures not updated: {error}");
                control.note_failed_update(error);
                failed.push(error.clone());
            }
        }
        // Logged by the thread that loads; the lock of the store is held until
        // then.
        let adopted = match &fresh.candidates[..] {
            [] => Ok(()),
            candidates => control
                .adopt(candidates.to_vec())
                .await
                .unwrap_or_else(|_| Err("the service is stopping".to_owned())),
        };
        self.note(&fresh.asked, &adopted);
        failed.extend(adopted.err());
        if failed.is_empty() {
            Ok(!fresh.candidates.is_empty())
        } else {
            Err(failed.join("; "))
        }
    }

    /// Remembers how each source answered. What it offered and is not fit
    /// counts as failed.
    fn note(&self, asked: &[Asked], adopted: &Result<(), String>) {
        let at = Timestamp::now().to_string();
        let mut checked = self
            .0
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for Asked { location, result } in asked {
            let (outcome, error) = match (result, adopted) {
                (Ok(false), _) => (v1::SourceCheckOutcome::Unchanged, None),
                (Ok(true), Ok(())) => (v1::SourceCheckOutcome::Updated, None),
                (Ok(true), Err(error)) | (Err(error), _) => {
                    (v1::SourceCheckOutcome::Failed, Some(error.clone()))
                }
            };
            let check = v1::SourceCheck {
                at: at.clone(),
                outcome,
                error,
            };
            checked.insert(location.clone(), check);
        }
    }
}

impl SignatureControl for Administration {
    fn state(&self) -> SignatureState {
        self.0.control.state()
    }

    fn reload(&self) -> Pending {
        self.0.control.load(Trigger::Request)
    }

    fn roll_back(&self) -> Pending {
        self.0.control.roll_back()
    }

    fn sources(&self) -> v1::SignatureSources {
        let Inner {
            settings,
            signatures,
            ..
        } = &*self.0;
        let set = signatures.current();
        let checked = self
            .0
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sources = places(settings).into_iter().map(|place| {
            let (rules, skipped) = set.as_deref().map_or((0, 0), |set| place.count(set));
            v1::SignatureSource {
                kind: place.kind,
                rules,
                skipped,
                bundle: place.slot.as_ref().and_then(bundle),
                checked: checked.get(&place.location).cloned(),
                location: config::public(&place.location),
            }
        });
        v1::SignatureSources {
            sources: sources
                .filter(|source| {
                    source.kind != v1::SignatureSourceKind::ByHand || source.bundle.is_some()
                })
                .collect(),
            update_interval_hours: settings.signatures.update_interval_hours,
            updating: self.0.updating.load(Ordering::Relaxed),
        }
    }

    fn update(&self) -> Pending {
        let (reply, pending) = oneshot::channel();
        if self.0.settings.signatures.sources.is_empty() {
            let reason = "there is nothing to update from: `signature-sources` is empty";
            let _ = reply.send(Err(reason.to_owned()));
            return pending;
        }
        let administration = self.clone();
        self.0.runtime.spawn(async move {
            let updated = administration.update_now().await;
            let _ = reply.send(updated.map(|_| ()));
        });
        pending
    }
}

/// A place that signatures are read from.
struct Place {
    kind: v1::SignatureSourceKind,
    /// As settings name it.
    location: String,
    /// What the names of its files in the set begin with.
    files: PathBuf,
    /// Where what is fetched from it is kept.
    slot: Option<Slot>,
}

impl Place {
    /// Counts the rules in force that come from here, and what could not be
    /// used.
    fn count(&self, set: &SignatureSet) -> (u64, u64) {
        let is_inside = |file: &str| Path::new(file).starts_with(&self.files);
        let rules = set.rule_list().filter(|(file, _)| is_inside(file)).count();
        let problems = set.problems().iter();
        let skipped = problems
            .filter(|problem| problem.severity == Severity::Skipped && is_inside(&problem.file));
        (rules as u64, skipped.count() as u64)
    }
}

/// Returns all places, in the order that they are read in.
fn places(settings: &Settings) -> Vec<Place> {
    use v1::SignatureSourceKind::{BuiltIn, ByHand, Custom, Fetched, Own, Packaged};
    let wanted = &settings.signatures;
    let store = Store::of(&settings.data_dir);
    let named = |kind, path: &PathBuf| Place {
        kind,
        location: path.display().to_string(),
        files: path.clone(),
        slot: None,
    };
    let stored = |kind, location: &str, slot: Slot| Place {
        kind,
        location: location.to_owned(),
        files: slot.current(),
        slot: Some(slot),
    };
    let built_in = Place {
        kind: BuiltIn,
        location: "the program".to_owned(),
        files: starter::FOLDER.into(),
        slot: None,
    };
    let mut places: Vec<Place> = wanted.builtin.then_some(built_in).into_iter().collect();
    places.extend(wanted.dirs.iter().map(|path| named(Packaged, path)));
    for source in &wanted.sources {
        let slot = store.slot(&source.location);
        places.push(stored(Fetched, &source.location, slot));
    }
    places.push(stored(ByHand, "brought by hand", store.offline()));
    places.extend(wanted.custom.iter().map(|path| named(Custom, path)));
    places.push(named(Own, &own_dir(settings)));
    places
}

/// Returns what is in force of what was fetched.
fn bundle(slot: &Slot) -> Option<v1::SignatureBundle> {
    let path = slot.target()?;
    let found = path.metadata().ok()?;
    let fetched = found.modified().ok()?;
    Some(v1::SignatureBundle {
        // Bundles are named by it.
        sha256: path.file_stem()?.to_string_lossy().into_owned(),
        size_bytes: found.len(),
        fetched_at: Timestamp::try_from(fetched).ok()?.to_string(),
    })
}
