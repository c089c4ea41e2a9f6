//! The tables, and how an older database becomes a current one.

use rusqlite::Connection;

use crate::error::FindingsError;

/// The steps from one version of the schema to the next; a database states in
/// `user_version` how many it has behind it. A step is never changed once it
/// was released: what changes is a further step.
const STEPS: [&str; 2] = [include_str!("schema_1.sql"), include_str!("schema_2.sql")];

/// Brings the database to the current schema.
///
/// # Errors
///
/// Fails if a newer version of the program made it.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), FindingsError> {
    let failed = FindingsError::during("bring its tables up to date");
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(&failed)?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    let Some(steps) = STEPS.get(done..) else {
        return Err(FindingsError::Version { found, known });
    };
    for (step, version) in steps.iter().zip(found + 1..) {
        let transaction = connection.transaction().map_err(&failed)?;
        transaction.execute_batch(step).map_err(&failed)?;
        transaction
            .pragma_update(None, "user_version", version)
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_gets_every_step_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 2);
    }

    #[test]
    fn a_database_of_the_future_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, FindingsError::Version { found: 99, .. }));
    }
}
