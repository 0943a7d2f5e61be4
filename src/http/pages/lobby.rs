//! `GET /`: the lobby for browsers, the index for programs.

use axum::response::Response;

use super::shell::page;
use crate::http::documents::description::{description_links, index};
use crate::http::request::accept::PageForm;

const PAGE: &str = include_str!("../../../web/lobby.html");

/// `GET /`
pub(crate) async fn show_lobby(form: PageForm) -> Response {
    match form {
        PageForm::Json => index(),
        PageForm::Html => page(PAGE, [], [description_links()]),
    }
}
