//! The pages for browsers. They use only the public API. Their files are in `web/` and are embedded in the program.

pub(crate) mod assets;
pub(crate) mod docs;
pub(crate) mod game;
pub(crate) mod lobby;
mod shell;
mod swagger_ui;
