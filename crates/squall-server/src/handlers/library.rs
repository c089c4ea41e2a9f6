//! What the handlers of rules and signature files have in common: questions to
//! the library beside the runtime, and changes one after the other.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};

use crate::bound::Bound;
use crate::failure::Failure;
use crate::library::{LibraryError, SignatureLibrary, text_digest};
use crate::service::Service;

/// Longest text of a file.
pub(super) const TEXT_LEN_MAX: usize = 1024 * 1024;

/// A change of a file that was, or is to be, written through the API.
pub(super) struct FileChange {
    /// The file.
    pub(super) name: String,
    /// Its text from then on; without one it is removed.
    pub(super) text: Option<String>,
    /// What the file is to be before; another is left alone.
    pub(super) expected: Expected,
}

/// What somebody who changes a file takes it for: the conditions of a request,
/// RFC 9110, 13.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Whatever it is.
    Anything,
    /// It is not there.
    Absent,
    /// It is there.
    Present,
    /// It has the text with one of these digests.
    OneOf(Vec<String>),
}

impl Expected {
    /// Reads the conditions `If-Match` and `If-None-Match: *`.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
        match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
            (None, None) => Ok(Self::Anything),
            (Some("*"), None) => Ok(Self::Present),
            (Some(tags), None) => {
                let tags = tags.split(',').map(|tag| tag.trim().trim_matches('"'));
                Ok(Self::OneOf(tags.map(str::to_owned).collect()))
            }
            (None, Some("*")) => Ok(Self::Absent),
            _ => {
                let reason =
                    "of conditions, `If-Match` and `If-None-Match: *` are understood, one of them";
                Err(Failure::BadRequest(reason.into()))
            }
        }
    }

    fn check(&self, text: Option<&str>) -> Result<(), LibraryError> {
        match (self, text) {
            (Self::Anything, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Absent, Some(_)) => Err(LibraryError::Changed("there is a file of that name")),
            (Self::Present | Self::OneOf(_), None) => Err(LibraryError::Changed(
                "there is no file of that name any more",
            )),
            (Self::OneOf(digests), Some(text)) if digests.contains(&text_digest(text)) => Ok(()),
            (Self::OneOf(_), Some(_)) => {
                Err(LibraryError::Changed("somebody changed the file meanwhile"))
            }
        }
    }
}

pub(super) async fn change(service: &Service, change: FileChange) -> Result<(), Failure> {
    let turn = Arc::clone(service.writing()).lock_owned().await;
    change_in_turn(service, change, turn).await
}

/// Writes or removes a file and reloads; where the set is not fit then, the
/// file is made what it was. Goes on when the client does not wait.
pub(super) async fn change_in_turn(
    service: &Service,
    change: FileChange,
    turn: tokio::sync::OwnedMutexGuard<()>,
) -> Result<(), Failure> {
    let service = service.clone();
    let changed = tokio::spawn(async move {
        let _turn = turn;
        let control = service.signature_control().ok_or(Failure::NotFound)?;
        let FileChange {
            name,
            text,
            expected,
        } = change;
        let file = name.clone();
        let before = ask(&service, move |library| {
            let before = library.read(&file)?;
            expected.check(before.as_deref())?;
            library.write(&file, text.as_deref())?;
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
        LibraryError::Changed(reason) => Failure::NotAsExpected(reason),
        LibraryError::TooMany(_) | LibraryError::NotNow(_) => Failure::Conflict(error.to_string()),
        error @ LibraryError::Io { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "signature files");
            Failure::Internal
        }
    })
}
