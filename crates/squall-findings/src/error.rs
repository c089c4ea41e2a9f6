//! What can go wrong with the store.

use std::io;
use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum FindingsError {
    /// The query took longer than it may.
    #[error("the query takes too long, narrow it down")]
    TooSlow,
    /// The page token is not one that the store gave.
    #[error("the cursor is not one that a page ended with")]
    Cursor,
    /// Another process writes to the store.
    #[error("the findings store `{}` is in use by another process", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// A newer version of the program made the database.
    #[error("the findings store has the schema version {found}, expected {known} or less")]
    Version {
        /// The version it has.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// The writer has ended.
    #[error("the findings store is closed")]
    Closed,
    /// A stored document cannot be read.
    #[error("the stored finding is damaged")]
    Document,
    /// SQLite says no.
    #[error("the findings store cannot {what}")]
    Database {
        /// What was to be done.
        what: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl FindingsError {
    /// Returns a function that turns an error of SQLite into one that names
    /// the operation.
    pub(crate) fn during(what: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::TooSlow,
            _ => Self::Database { what, source },
        }
    }

    /// Returns an error that says the same, for another one who waits.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io { what, path, source } => Self::Io {
                what,
                path: path.clone(),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            _ => Self::Closed,
        }
    }

    /// Tells whether the database file itself is damaged.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Database { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(DatabaseCorrupt | NotADatabase)
            ),
            _ => false,
        }
    }
}

/// Returns a function that turns an I/O error into one that names the file.
pub(crate) fn io_error(
    what: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(io::Error) -> FindingsError {
    let path = path.to_owned();
    move |source| FindingsError::Io { what, path, source }
}
