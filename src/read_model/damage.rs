//! Which errors of SQLite mean that the tables are damaged.

use rusqlite::{Error, ErrorCode, ffi};

/// Whether the file has to be built again: SQLite calls it corrupt, a table or column is missing, or
/// its content is nothing that this program writes. Trying again would fail in the same way.
///
/// A disk that is full or fails, a lock and the like are not damage.
pub(super) fn is_damage(error: &Error) -> bool {
    if let Error::SqlInputError { .. } = error {
        return true;
    }
    match error.sqlite_error() {
        Some(failure) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ConstraintViolation
                    | ErrorCode::TypeMismatch
                    // SQLITE_ERROR: the statement does not fit the tables.
                    | ErrorCode::Unknown
            ) || failure.extended_code == ffi::SQLITE_IOERR_SHORT_READ
        }
        // A value has another type or range than every value that this program writes.
        None => matches!(
            error,
            Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::InvalidColumnType(..)
                | Error::QueryReturnedNoRows
                | Error::Utf8Error(..)
        ),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn statements_that_do_not_fit_the_tables_and_values_of_other_types_are_damage() {
        let connection = Connection::open_in_memory().expect("memory");
        let tables =
            "CREATE TABLE a (b INTEGER PRIMARY KEY, c TEXT); INSERT INTO a VALUES (1, 'x');";
        connection.execute_batch(tables).expect("valid SQL");
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        for sql in [
            "SELECT * FROM missing",
            "SELECT missing FROM a",
            "SELECT c FROM a",
            "SELECT b FROM a WHERE b = 2",
            "INSERT INTO a VALUES (1, 'y') RETURNING b",
        ] {
            let error = number(sql).expect_err(sql);
            assert!(is_damage(&error), "{sql}: {error}");
        }
    }

    #[test]
    fn a_disk_that_fails_or_is_full_and_a_lock_are_not_damage() {
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_NOMEM,
        ] {
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(!is_damage(&error), "{error}");
        }
        assert!(!is_damage(&Error::StatementChangedRows(0)));
    }
}
