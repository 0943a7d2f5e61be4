//! `/games` and `/games/{id}`: starting, showing, moving, resigning.

pub(crate) mod board_text;
pub(crate) mod history;
pub(crate) mod long_poll;
pub(crate) mod moves;
mod prepared_json;
pub(crate) mod protection;
pub(crate) mod representation;
pub(crate) mod resignation;
pub(crate) mod revision;
pub(crate) mod show;
pub(crate) mod start;
#[cfg(test)]
mod testing;
pub(crate) mod view;
