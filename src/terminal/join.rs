//! Finds or starts the game to play, and builds the commands that join it from elsewhere.

use std::io;

use uuid::Uuid;

use super::error::TerminalError;
use super::keyboard::{Lines, is_quit};
use super::session::Session;
use super::settings::{DEFAULT_SERVER, PlaySettings};
use super::text::shell_word;
use super::token_file::{KnownTokens, TokenFile};
use super::tokens::Tokens;
use crate::client::{ClientError, Game, IdempotencyKey, PlayerToken, PlayerTokens};
use crate::domain::PlayerName;

/// The computer's name, unless the service was started with another. Nobody has to join in its place.
const COMPUTER: &str = "computer";

/// The players whose moves are typed in this terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LocalPlayers {
    /// Two people share the keyboard.
    Both,
    /// One player, with this name; the opponent plays elsewhere.
    One(String),
}

impl LocalPlayers {
    /// Whether this player's moves are typed here.
    pub(super) fn include(&self, player: &str) -> bool {
        match self {
            LocalPlayers::Both => true,
            LocalPlayers::One(name) => name == player,
        }
    }
}

/// Loads or starts the game that the settings name; `None` if the user quits.
pub(super) async fn join(
    settings: &PlaySettings,
    session: &mut Session,
    keyboard: &mut Lines,
) -> Result<Option<(Game, LocalPlayers)>, TerminalError> {
    let client = session.client.clone();
    let name = match (&settings.as_player, &settings.against, &settings.game) {
        (Some(name), _, _) => name.clone(),
        (None, None, game) => {
            let names = [settings.player_one.clone(), settings.player_two.clone()];
            let game = match game {
                Some(game) => {
                    let found = session.wait_for(client.game(game.id)).await?;
                    Some(found.map_err(|error| session.error(error))?)
                }
                None => start(names, true, session, keyboard).await?,
            };
            return Ok(game.map(|game| (game, LocalPlayers::Both)));
        }
        (None, Some(against), None) => {
            let game = start(
                [None, Some(against.clone())],
                settings.open,
                session,
                keyboard,
            )
            .await?;
            return Ok(game.map(|game| {
                let [starter, _] = game.players().map(ToString::to_string);
                (game, LocalPlayers::One(starter))
            }));
        }
        (None, Some(_), Some(_)) => {
            session.ask(vec![], "Your name: ".to_owned())?;
            match session.wait_for(keyboard.next()).await? {
                Some(line) if !is_quit(&line) => {
                    session.answered();
                    line
                }
                Some(_) | None => return Ok(None),
            }
        }
    };
    let name = &name;
    let game = match (&settings.game, &settings.against) {
        (Some(game), against) => {
            let found = session.wait_for(client.game(game.id)).await?;
            let game = match (found, against) {
                (Err(error), Some(against)) if error.is("game-not-found") => {
                    let names = [name.as_str(), against.as_str()];
                    match settings.open {
                        true => session.wait_for(client.put_game(game.id, names)).await?,
                        false => start_protected(game.id, names, session).await?,
                    }
                }
                (found, _) => found,
            };
            Some(game.map_err(|error| session.error(error))?)
        }
        (None, against) => {
            let names = [Some(name.clone()), against.clone()];
            start(names, settings.open, session, keyboard).await?
        }
    };
    let Some(game) = game else {
        return Ok(None);
    };
    match game.find_player(name) {
        Some(player) => Ok(Some((game, LocalPlayers::One(player.to_string())))),
        None => Err(TerminalError::NotAPlayer {
            name: name.clone(),
            players: game.players().map(|player| player.as_str().to_owned()),
        }),
    }
}

/// The command that joins the game as the opponent of this player, with the opponent's token if it is known.
/// `None` if the opponent is the computer.
pub(super) fn opponent_command(
    session: &Session,
    game: &Game,
    name: &str,
    tokens: Option<&Tokens>,
) -> Option<String> {
    let opponent = game
        .players()
        .into_iter()
        .map(PlayerName::as_str)
        .find(|player| *player != name && *player != COMPUTER)?;
    let token = tokens.and_then(|tokens| tokens.kept_of(game, opponent));
    let local = LocalPlayers::One(opponent.to_owned());
    Some(with_token(token, command(session, game, &local)))
}

/// The command that continues the game, with the player's token if it is not kept on this machine.
pub(super) fn resume_command(
    session: &Session,
    game: &Game,
    local: &LocalPlayers,
    tokens: Option<&Tokens>,
) -> String {
    let token = match (local, tokens) {
        (LocalPlayers::One(name), Some(tokens)) if tokens.is_only_given(game, name) => {
            tokens.of_player(game, name)
        }
        (LocalPlayers::One(_) | LocalPlayers::Both, _) => None,
    };
    with_token(token, command(session, game, local))
}

/// The token is in a variable, because every user of a machine can see the arguments of programs.
fn with_token(token: Option<&PlayerToken>, command: String) -> String {
    match token {
        Some(token) => format!("PLAYER_TOKEN={} {command}", token.reveal()),
        None => command,
    }
}

fn command(session: &Session, game: &Game, local: &LocalPlayers) -> String {
    let server = session.client.server();
    let game = match server == DEFAULT_SERVER {
        true => game.id.to_string(),
        false => shell_word(&format!("{server}/games/{}", game.id)),
    };
    match local {
        LocalPlayers::Both => format!("connect-four play --game {game}"),
        LocalPlayers::One(name) => {
            format!("connect-four play --as {} --game {game}", shell_word(name))
        }
    }
}

/// Starts a game between these players. Asks for missing names until the service accepts them;
/// `None` if the user quits.
async fn start(
    given: [Option<String>; 2],
    is_open: bool,
    session: &mut Session,
    keyboard: &mut Lines,
) -> Result<Option<Game>, TerminalError> {
    let client = session.client.clone();
    // Before the questions, so that nobody answers them in vain.
    let pinged = session.wait_for(client.ping()).await?;
    pinged.map_err(|error| session.error(error))?;
    let mut reason = vec![];
    let id = Uuid::now_v7();
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
                    match session.wait_for(keyboard.next()).await? {
                        Some(line) if !is_quit(&line) => line,
                        Some(_) | None => return Ok(None),
                    }
                }
            };
            session.answered();
        }
        let names = [names[0].as_str(), names[1].as_str()];
        let started = match is_open {
            true => {
                let key = IdempotencyKey::new();
                session.wait_for(client.start_game(names, &key)).await?
            }
            false => start_protected(id, names, session).await?,
        };
        match started {
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

/// Starts a protected game with tokens that this program chooses. They are in their file before the request is
/// sent, so neither a lost answer nor the end of this program loses them.
async fn start_protected(
    id: Uuid,
    names: [&str; 2],
    session: &mut Session,
) -> Result<Result<Game, ClientError>, TerminalError> {
    let client = session.client.clone();
    let file = TokenFile::of(client.server(), id)?;
    // An earlier attempt may still start the game.
    let tokens = match file.read()?.both() {
        Some(tokens) => tokens,
        None => PlayerTokens::generate().map_err(io::Error::from)?,
    };
    file.write(KnownTokens::from(&tokens))?;
    let put = client.put_protected_game(id, names, &tokens);
    let started = session.wait_for(put).await?;
    if let Err(ClientError::Refused(problem)) = &started
        && (400..500).contains(&problem.status)
    {
        file.forget()?;
    }
    Ok(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_both_players_move_in_this_terminal() {
        assert!(LocalPlayers::Both.include("alice") && LocalPlayers::Both.include("bob"));
        let alice = LocalPlayers::One("alice".to_owned());
        assert!(alice.include("alice") && !alice.include("bob"));
    }
}
