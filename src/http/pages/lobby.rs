//! `GET /`: the lobby for browsers, the index for programs.

use axum::extract::State;
use axum::response::Response;

use super::shell::page;
use crate::domain::PlayerName;
use crate::http::app::App;
use crate::http::documents::description::{description_links, index};
use crate::http::documents::page::escape;
use crate::http::request::accept::PageForm;

const PAGE: &str = include_str!("../../../web/lobby.html");

/// `GET /`
pub(crate) async fn show_lobby(State(app): State<App>, form: PageForm) -> Response {
    match form {
        PageForm::Json => index(),
        PageForm::Html => page(
            PAGE,
            [("{against}", against(app.computer.as_ref()))],
            [description_links()],
        ),
    }
}

/// The choice to play against the computer, if it plays.
fn against(computer: Option<&PlayerName>) -> String {
    computer.map_or_else(String::new, |name| {
        let name = escape(name.as_str());
        format!(
            r#"<label><input type="radio" name="seat" value="one" data-against="{name}">Yellow, against the computer</label>"#
        )
    })
}
