//! Opens the database: once for writing, and as often as needed for reading.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::error::{FindingsError, io_error};
use crate::{schema, text};

/// Readers that are kept open.
const IDLE_READERS_MAX: usize = 8;
/// Virtual machine instructions of SQLite between two looks at the clock.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 1000;
/// Statements that a connection keeps compiled.
const STATEMENTS_CACHED: usize = 64;

/// Held by the one process that writes.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock of the database at `path`, making its directory.
///
/// # Errors
///
/// Fails if another process has it.
pub(crate) fn lock(path: &Path) -> Result<Lock, FindingsError> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(io_error("make the directory", dir))?;
    }
    let lock_path = beside(path, ".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(&lock_path)
        .map_err(io_error("open", &lock_path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(fs::TryLockError::WouldBlock) => Err(FindingsError::InUse {
            path: path.to_owned(),
        }),
        Err(fs::TryLockError::Error(error)) => Err(io_error("lock", &lock_path)(error)),
    }
}

/// Opens the database for writing, making it where it is missing.
///
/// # Errors
///
/// Fails if it cannot be opened, is damaged, or is of a newer version.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, FindingsError> {
    if !path.exists() {
        // SQLite would make it readable for all.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(path)
            .map_err(io_error("make", path))?;
    }
    let failed = FindingsError::during("open its database");
    let mut connection = Connection::open(path).map_err(&failed)?;
    connection
        .execute_batch(
            "PRAGMA page_size = 8192;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA cache_size = -32768;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(&failed)?;
    connection
        .busy_timeout(Duration::from_secs(10))
        .map_err(&failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    schema::migrate(&mut connection)?;
    // What is damaged shows itself at the latest when these are read.
    connection
        .query_row(
            "SELECT count(*) FROM (SELECT 1 FROM finding LIMIT 100)",
            [],
            |_| Ok(()),
        )
        .map_err(&failed)?;
    Ok(connection)
}

/// Moves the database out of the way; returns where it is now.
///
/// # Errors
///
/// Fails if it cannot be renamed.
pub(crate) fn move_aside(path: &Path) -> Result<PathBuf, FindingsError> {
    let now = jiff::Timestamp::now().as_microsecond();
    let aside = beside(path, &format!(".damaged-{now}"));
    fs::rename(path, &aside).map_err(io_error("move aside", path))?;
    for suffix in ["-wal", "-shm"] {
        // They belong to the damaged file; a new one must not find them.
        let _ = fs::rename(beside(path, suffix), beside(&aside, suffix));
    }
    Ok(aside)
}

/// Returns the path of a file beside the database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Connections for reading. Each query has a time limit.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    time_max: Duration,
    /// Counts how often the file was replaced.
    generation: AtomicU64,
    idle: Mutex<Vec<(u64, Connection)>>,
}

impl Readers {
    pub(crate) fn new(path: &Path, time_max: Duration) -> Self {
        Self {
            path: path.to_owned(),
            time_max,
            generation: AtomicU64::new(0),
            idle: Mutex::default(),
        }
    }

    /// Forgets the open connections: the file under the path is another.
    pub(crate) fn renew(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.idle().clear();
    }

    /// Runs a query within the time limit.
    ///
    /// # Errors
    ///
    /// Whatever the query returns; [`FindingsError::TooSlow`] if it takes too
    /// long.
    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, FindingsError>,
    ) -> Result<T, FindingsError> {
        let generation = self.generation.load(Ordering::Acquire);
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some((of, connection)) if of == generation => connection,
            _ => self.open()?,
        };
        let deadline = Instant::now() + self.time_max;
        connection
            .progress_handler(
                INSTRUCTIONS_BETWEEN_LOOKS,
                Some(move || Instant::now() > deadline),
            )
            .map_err(FindingsError::during("limit the time of a query"))?;
        let answer = query(&connection);
        let mut idle = self.idle();
        if idle.len() < IDLE_READERS_MAX && !matches!(&answer, Err(error) if error.is_damage()) {
            idle.push((generation, connection));
        }
        answer
    }

    fn open(&self) -> Result<Connection, FindingsError> {
        let failed = FindingsError::during("open its database for reading");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(&failed)?;
        connection
            .execute_batch("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;")
            .map_err(&failed)?;
        connection
            .busy_timeout(Duration::from_secs(2))
            .map_err(&failed)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        add_functions(&connection).map_err(&failed)?;
        Ok(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the functions that searches use to SQL.
pub(crate) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    add_function(connection, "folded_contains", text::folded_contains)?;
    add_function(connection, "has_terms", text::has_terms)
}

/// Adds a function of two texts to SQL.
fn add_function(
    connection: &Connection,
    name: &str,
    function: fn(&str, &str) -> bool,
) -> rusqlite::Result<()> {
    connection.create_scalar_function(
        name,
        2,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        move |context| {
            let first = context.get_raw(0).as_str().unwrap_or_default();
            let second = context.get_raw(1).as_str().unwrap_or_default();
            Ok(function(first, second))
        },
    )
}
