//! Before the first move: who plays, and which game.

use super::error::TerminalError;
use super::keyboard::{Lines, leaves};
use super::scene::shell_word;
use super::session::Session;
use super::settings::{DEFAULT_SERVER, PlaySettings};
use crate::client::{ClientError, Game, Intention};

/// Whose moves are typed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hands {
    /// Two people share the keyboard.
    Both,
    /// One of the two; the other is elsewhere.
    Of(String),
}

impl Hands {
    /// Whether this player's moves are typed here.
    pub(super) fn hold(&self, player: &str) -> bool {
        match self {
            Hands::Both => true,
            Hands::Of(name) => name == player,
        }
    }
}

/// The game that the settings ask for, found or started; `None` if somebody would rather leave.
pub(super) async fn open(
    settings: &PlaySettings,
    session: &mut Session,
    keyboard: &mut Lines,
) -> Result<Option<(Game, Hands)>, TerminalError> {
    let client = session.client.clone();
    let Some(name) = &settings.as_player else {
        let names = [settings.player_one.clone(), settings.player_two.clone()];
        let game = match &settings.game {
            Some(game) => {
                let found = session.during(client.game(game.id)).await?;
                Some(found.map_err(|error| session.error(error))?)
            }
            None => start(names, session, keyboard).await?,
        };
        return Ok(game.map(|game| (game, Hands::Both)));
    };
    let game = match (&settings.game, &settings.against) {
        (Some(game), against) => {
            let found = session.during(client.game(game.id)).await?;
            let game = match (found, against) {
                (Err(error), Some(against)) if error.is("game-not-found") => {
                    let put = client.put_game(game.id, [name, against]);
                    session.during(put).await?
                }
                (found, _) => found,
            };
            Some(game.map_err(|error| session.error(error))?)
        }
        (None, against) => start([Some(name.clone()), against.clone()], session, keyboard).await?,
    };
    let Some(game) = game else {
        return Ok(None);
    };
    let players = game.players().map(|player| player.as_str().to_owned());
    match players.contains(name) {
        true => Ok(Some((game, Hands::Of(name.clone())))),
        false => Err(TerminalError::Stranger {
            name: name.clone(),
            players,
        }),
    }
}

/// What to type in the terminal of the opponent of this player.
pub(super) fn invitation(session: &Session, game: &Game, name: &str) -> Option<String> {
    let opponent = game
        .players()
        .into_iter()
        .find(|player| player.as_str() != name)?;
    Some(resumption(session, game, &Hands::Of(opponent.to_string())))
}

/// What to type to go on with a game.
pub(super) fn resumption(session: &Session, game: &Game, hands: &Hands) -> String {
    let server = session.client.server();
    let game = match server == DEFAULT_SERVER {
        true => game.id.to_string(),
        false => shell_word(&format!("{server}/games/{}", game.id)),
    };
    match hands {
        Hands::Both => format!("connect-four play --game {game}"),
        Hands::Of(name) => format!("connect-four play --as {} --game {game}", shell_word(name)),
    }
}

/// Starts a game between these two; the names that are missing are asked for until the
/// service takes them.
async fn start(
    given: [Option<String>; 2],
    session: &mut Session,
    keyboard: &mut Lines,
) -> Result<Option<Game>, TerminalError> {
    let client = session.client.clone();
    // Before anybody is bothered with questions.
    let reached = session.during(client.reach()).await?;
    reached.map_err(|error| session.error(error))?;
    let mut reason = vec![];
    loop {
        let mut names = [String::new(), String::new()];
        for (name, (given, colour)) in names
            .iter_mut()
            .zip(given.iter().zip(["one, yellow", "two, red"]))
        {
            *name = match given {
                Some(given) => given.clone(),
                None => {
                    let question = format!("Player {colour}: ");
                    session.ask(std::mem::take(&mut reason), question)?;
                    match session.during(keyboard.next()).await? {
                        Some(line) if !leaves(&line) => line,
                        Some(_) | None => return Ok(None),
                    }
                }
            };
            session.answered();
        }
        let intention = Intention::new();
        let [one, two] = &names;
        let start = client.start_game([one, two], &intention);
        match session.during(start).await? {
            Ok(game) => return Ok(Some(game)),
            Err(ClientError::Refused(problem))
                if problem.status == 422 && given.iter().any(Option::is_none) =>
            {
                reason = vec![problem.reason().to_owned()];
            }
            Err(error) => return Err(session.error(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_move_for_one_or_for_both() {
        assert!(Hands::Both.hold("alice") && Hands::Both.hold("bob"));
        let alice = Hands::Of("alice".to_owned());
        assert!(alice.hold("alice") && !alice.hold("bob"));
    }
}
