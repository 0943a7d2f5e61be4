//! The game for browsers. The pages use nothing but the public API; what they consist of lies in
//! `web/` and is compiled in.

pub(crate) mod assets;
pub(crate) mod docs;
pub(crate) mod game;
pub(crate) mod lobby;
mod shell;
mod swagger_ui;
