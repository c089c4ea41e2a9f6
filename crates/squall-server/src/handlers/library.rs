//! What the handlers of rules and signature files have in common: questions to
//! the library beside the runtime, and changes one after the other.

use std::sync::Arc;

use crate::bound::Bound;
use crate::failure::Failure;
use crate::library::{LibraryError, SignatureLibrary};
use crate::service::Service;

/// Longest text of a file.
pub(super) const TEXT_LEN_MAX: usize = 1024 * 1024;

pub(super) async fn change(
    service: &Service,
    name: String,
    text: Option<String>,
) -> Result<(), Failure> {
    let turn = Arc::clone(service.writing()).lock_owned().await;
    change_in_turn(service, name, text, turn).await
}

/// Writes or removes a file and reloads; where the set is not fit then, the
/// file is made what it was. Goes on when the client does not wait.
pub(super) async fn change_in_turn(
    service: &Service,
    name: String,
    text: Option<String>,
    turn: tokio::sync::OwnedMutexGuard<()>,
) -> Result<(), Failure> {
    let service = service.clone();
    let changed = tokio::spawn(async move {
        let _turn = turn;
        let control = service.signature_control().ok_or(Failure::NotFound)?;
        let (file, new) = (name.clone(), text);
        let before = ask(&service, move |library| {
            let before = library.read(&file)?;
            library.write(&file, new.as_deref())?;
            Ok(before)
        })
        .await?;
        let reloaded = control
            .reload()
            .await
            .map_err(|_| service.deny(Bound::Stopping))?;
        if let Err(reason) = reloaded {
            ask(&service, move |library| {
                library.write(&name, before.as_deref())
            })
            .await?;
            return Err(Failure::Conflict(reason));
        }
        Ok(())
    });
    changed.await.map_err(|error| {
        tracing::error!(%error, "a change of the signatures panicked");
        Failure::Internal
    })?
}

pub(super) fn library(service: &Service) -> Result<Arc<dyn SignatureLibrary>, Failure> {
    service.library().ok_or(Failure::NotFound)
}

/// Asks the library, beside the runtime.
pub(super) async fn ask<T: Send + 'static>(
    service: &Service,
    ask: impl FnOnce(&dyn SignatureLibrary) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, Failure> {
    let library = library(service)?;
    let answer = tokio::task::spawn_blocking(move || ask(&*library));
    let answer = answer.await.map_err(|error| {
        tracing::error!(%error, "reading signatures panicked");
        Failure::Internal
    })?;
    answer.map_err(|error| match error {
        LibraryError::Name(_) => Failure::BadRequest(error.to_string().into()),
        LibraryError::TooMany(_) | LibraryError::NotNow(_) => Failure::Conflict(error.to_string()),
        error @ LibraryError::Io { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "signature files");
            Failure::Internal
        }
    })
}
