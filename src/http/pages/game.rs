//! `GET /games/{id}`: a page to play the game for browsers, the game as data for programs.

use axum::RequestPartsExt;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use mediatype::MediaType;
use mediatype::names::{HTML, PLAIN, TEXT};

use super::shell::{page, problem_page};
use crate::application::GameId;
use crate::drawing::Palette;
use crate::http::app::App;
use crate::http::documents::page::escape;
use crate::http::games::representation;
use crate::http::games::revision::show_revision;
use crate::http::games::show::show_game;
use crate::http::problem::Problem;
use crate::http::request::accept::{APPLICATION_JSON, GameForm, negotiate};
use crate::http::request::path::GamePath;
use crate::http::request::query::Query;
use crate::http::response::game_url::GameUrl;
use crate::http::response::links::history_link;

const PAGE: &str = include_str!("../../../web/game.html");
const TEXT_BOARD: GameForm = GameForm::Text(Palette::Plain);

/// The form of a game that a client prefers.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// JSON or text.
    Data(GameForm),
    /// The page to play the game.
    Page,
}

/// `GET /games/{id}`
pub(crate) async fn show_game_or_page(State(app): State<App>, request: Request) -> Response {
    let mut head = request.into_parts().0;
    let wanted = negotiate(
        &head.headers,
        [
            (APPLICATION_JSON, Wanted::Data(GameForm::Json)),
            (MediaType::new(TEXT, PLAIN), Wanted::Data(TEXT_BOARD)),
            (MediaType::new(TEXT, HTML), Wanted::Page),
        ],
    );
    match wanted {
        Ok(Wanted::Data(form)) => show_game(&app, &mut head, form).await.into_response(),
        Ok(Wanted::Page) => match game_page(&app, &mut head).await {
            Ok(page) => page,
            Err(problem) => problem_page(&problem),
        },
        Err(problem) => problem.into_response(),
    }
}

/// The page. Its scripts build the board from the game's events. The text board is for browsers without
/// JavaScript. There is no page for a game or a revision that does not exist.
async fn game_page(app: &App, head: &mut Parts) -> Result<Response, Problem> {
    let GamePath(id) = head.extract().await?;
    // Other parameters are ignored: sites that link to a page add their own.
    let mut query: Query = head.extract().await?;
    let revision = query.number("revision", 0..=u64::MAX)?;
    let board = text_board(app, id, revision).await?;
    let places = [("{board}", escape(&board))];
    Ok(page(PAGE, places, [history_link(&GameUrl::of(id))]))
}

async fn text_board(app: &App, id: GameId, revision: Option<u64>) -> Result<String, Problem> {
    let drawn = match revision {
        Some(revision) => show_revision(app, id, TEXT_BOARD, revision).await?,
        None => {
            let loaded = app.games.load(id).await;
            let loaded = loaded.map_err(|error| Problem::of_load(id, error))?;
            representation::game(&GameUrl::of(id), TEXT_BOARD, &loaded, [])?
        }
    };
    let board = to_bytes(drawn.into_body(), usize::MAX).await;
    let board = board.map_err(|_| Problem::internal_error())?;
    Ok(String::from_utf8_lossy(&board).into_owned())
}
