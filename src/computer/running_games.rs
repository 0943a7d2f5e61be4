//! The computer's games at the start, from the read model.

use super::player::ComputerPlayer;
use crate::application::GameId;
use crate::domain::PlayerName;
use crate::event_store::GlobalPosition;
use crate::read_model::{GameStatus, GameSummary, GamesQuery, ReadModel, ReadModelError};

const PAGE: usize = 500;

/// The games that the computer plays in and that have not ended.
#[derive(Debug)]
pub(super) struct RunningGames {
    /// Each game, and whether it is the computer's turn.
    pub(super) games: Vec<(GameId, bool)>,
    /// The games reflect this position or later ones. A subscription after it delivers every event
    /// that they lack.
    pub(super) position: Option<GlobalPosition>,
}

/// Waits until the read model has caught up, and reads the games.
///
/// The order needs care. Every page is read with the position that it reflects, and the first
/// position counts. A game that is missing in a later page has ended after that position, so the
/// subscription delivers its end; a game whose turn changed in between is delivered, too.
pub(super) async fn running_games(
    read_model: &ReadModel,
    computer: &ComputerPlayer,
) -> Result<RunningGames, ReadModelError> {
    loop {
        read_model.caught_up().await;
        let read = read(read_model, computer).await?;
        // A rebuild may have emptied the tables between two pages.
        if let Some(games) = read
            && read_model.has_caught_up()
        {
            return Ok(games);
        }
        tokio::task::yield_now().await;
    }
}

/// `None` if a later page reflects an earlier position than the first one.
async fn read(
    read_model: &ReadModel,
    computer: &ComputerPlayer,
) -> Result<Option<RunningGames>, ReadModelError> {
    let mut games = Vec::new();
    let mut first: Option<Option<GlobalPosition>> = None;
    let [composed, decomposed] = computer.name.normal_forms();
    let mut names = vec![composed, decomposed];
    names.dedup();
    for name in names {
        let mut before = None;
        loop {
            let query = GamesQuery {
                status: Some(GameStatus::InProgress),
                player: Some(name.as_str().to_owned()),
                before,
                limit: PAGE,
                ..GamesQuery::default()
            };
            let page = read_model.games(&query).await?;
            if page.position < *first.get_or_insert(page.position) {
                return Ok(None);
            }
            games.extend(page.games.iter().filter_map(|game| turn(computer, game)));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
    }
    let position = first.flatten();
    Ok(Some(RunningGames { games, position }))
}

/// The game, and whether it is the computer's turn; `None` if the computer does not play in it.
fn turn(computer: &ComputerPlayer, game: &GameSummary) -> Option<(GameId, bool)> {
    let is_computer = |name: &str| computer.is(&PlayerName::recorded(name));
    let plays = is_computer(&game.player_one) != is_computer(&game.player_two);
    let is_turn = game.next_player.as_deref().is_some_and(is_computer);
    plays.then_some((game.id, is_turn))
}
