//! A baseline that stores the moves, without events: it updates a row of a database.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use rusqlite::Connection;
use tokio::task::spawn_blocking;

use crate::support::bare::{Move, answer, routes_with};

/// The bare handlers. Each move updates a row of this new database, durably, before it is answered.
pub(crate) fn routes(file: &Path) -> Router {
    let connection = Connection::open(file).expect("a database");
    let created = connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE games (id INTEGER PRIMARY KEY, player TEXT, columns TEXT);
         INSERT INTO games VALUES (1, '', '');",
    );
    created.expect("a table");
    let connection = Arc::new(Mutex::new(connection));
    let update = |connection: &Connection, made: &Move| {
        let sql = "UPDATE games SET player = ?1, columns = substr(columns || ?2, -42) WHERE id = 1";
        connection
            .prepare_cached(sql)?
            .execute([&made.player, &made.column])
    };
    routes_with(post(async move |Json(made): Json<Move>| {
        let made = spawn_blocking(move || {
            let connection = connection.lock().expect("no panic while it was locked");
            update(&connection, &made).map(|_| made)
        });
        let made = made.await.expect("an update that does not panic");
        let made = made.expect("an update that is stored");
        answer(made.player, made.column).await
    }))
}
