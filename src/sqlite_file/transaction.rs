//! Transactions that are begun and committed with prepared statements.

use std::ops::Deref;

use rusqlite::Connection;

/// A transaction, which is rolled back when it is dropped.
///
/// rusqlite's own parses its `BEGIN` and `COMMIT` each time. For a transaction that stores one event,
/// that is a third of the work.
#[derive(Debug)]
pub(crate) struct Transaction<'c>(&'c Connection);

impl<'c> Transaction<'c> {
    /// Locks nothing until the first read, and others out from the first write on.
    pub(crate) fn deferred(connection: &'c mut Connection) -> rusqlite::Result<Transaction<'c>> {
        Transaction::begin(connection, "BEGIN")
    }

    /// Locks other writers out.
    pub(crate) fn immediate(connection: &'c mut Connection) -> rusqlite::Result<Transaction<'c>> {
        Transaction::begin(connection, "BEGIN IMMEDIATE")
    }

    /// The connection is borrowed mutably, so that no second transaction can begin in this one.
    fn begin(connection: &'c mut Connection, sql: &str) -> rusqlite::Result<Transaction<'c>> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(Transaction(connection))
    }

    /// Stores what was written. Rolls it back if that fails.
    pub(crate) fn commit(self) -> rusqlite::Result<()> {
        self.prepare_cached("COMMIT")?.execute([]).map(drop)
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // After a commit, and after some errors, no transaction is open any more.
        if !self.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK", [])
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        let create = connection.execute("CREATE TABLE numbers (number INTEGER)", []);
        create.expect("a table");
        connection
    }

    fn numbers(connection: &Connection) -> i64 {
        let count = connection.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0));
        count.expect("a number")
    }

    fn insert(connection: &Connection) {
        let inserted = connection.execute("INSERT INTO numbers VALUES (1)", []);
        inserted.expect("a row");
    }

    #[test]
    fn a_transaction_that_is_dropped_stores_nothing() {
        let mut connection = connection();
        let transaction = Transaction::deferred(&mut connection).expect("a transaction");
        insert(&transaction);
        drop(transaction);
        assert_eq!(numbers(&connection), 0);
        let transaction = Transaction::immediate(&mut connection).expect("a transaction");
        insert(&transaction);
        drop(transaction);
        assert_eq!(numbers(&connection), 0);
    }

    #[test]
    fn a_committed_transaction_is_stored_and_the_next_one_can_begin() {
        let mut connection = connection();
        for expected in 1..=3 {
            let transaction = Transaction::immediate(&mut connection).expect("a transaction");
            insert(&transaction);
            transaction.commit().expect("a commit");
            assert_eq!(numbers(&connection), expected);
        }
    }
}
