//! `connect-four play`: both players at one keyboard, or each in a terminal of their own.

use super::error::TerminalError;
use super::join::{LocalPlayers, join, opponent_command, resume_command};
use super::keyboard::{Lines, is_quit};
use super::session::Session;
use super::settings::PlaySettings;
use super::tokens::Tokens;
use crate::client::{Client, ClientError, EventStream, Game, IdempotencyKey, Move};
use crate::domain::PlayerName;

pub(super) async fn play(settings: &PlaySettings) -> Result<(), TerminalError> {
    let server = settings.server.of(settings.game.as_ref());
    let mut session = Session::new(server)?;
    let mut keyboard = Lines::of_stdin();
    let Some((game, local_players)) = join(settings, &mut session, &mut keyboard).await? else {
        return session.show_notes(vec![]);
    };
    let tokens = tokens(settings, &session, &game, &local_players)?;
    let client = session.client.clone();
    let mut played = PlayedGame {
        events: client.follow(game.id, Some(game.revision)),
        client,
        session,
        keyboard,
        local_players,
        tokens,
        game,
        refusal: None,
    };
    let outcome = played.play().await;
    if outcome.is_err() {
        // The game can be continued when the service answers again.
        played.show_resume_command()?;
    }
    outcome
}

/// What a player types to resign.
const RESIGN: &str = "resign";

/// A game with all that it takes to play it here.
struct PlayedGame {
    client: Client,
    session: Session,
    keyboard: Lines,
    local_players: LocalPlayers,
    /// `None` if the game is not protected.
    tokens: Option<Tokens>,
    game: Game,
    /// The events of the game: they report moves and resignations that are made elsewhere.
    events: EventStream,
    /// Why the last input was refused.
    refusal: Option<String>,
}

/// What happens first during a turn.
enum Turn {
    Typed(String),
    /// An event was recorded elsewhere.
    Changed,
    Quit,
}

impl PlayedGame {
    async fn play(&mut self) -> Result<(), TerminalError> {
        while let Some(next) = self.game.next_player.clone() {
            let turn = match self.local_players.include(next.as_str()) {
                true => self.ask(&next).await?,
                false => self.wait(&next).await?,
            };
            match turn {
                Turn::Typed(line) => self.execute(&next, &line).await?,
                Turn::Changed => self.reload().await?,
                Turn::Quit => return self.show_resume_command(),
            }
        }
        self.session.show_result(&self.game)
    }

    /// Asks for a column.
    async fn ask(&mut self, next: &PlayerName) -> Result<Turn, TerminalError> {
        // Input for a question that is asked again is wanted. Other input was typed before the
        // opponent moved.
        if self.refusal.is_none() && self.local_players != LocalPlayers::Both {
            self.keyboard.discard_typed();
        }
        let notes = self.notes(self.refusal.clone());
        let question = format!("{next}, your column (or resign; q to leave): ");
        self.session.show(&self.game, notes, Some(question))?;
        let revision = self.game.revision;
        let (keyboard, events) = (&mut self.keyboard, &mut self.events);
        let turn = async {
            tokio::select! {
                biased;
                typed = keyboard.next() => Ok(match typed {
                    Some(line) if !is_quit(&line) => Turn::Typed(line),
                    Some(_) | None => Turn::Quit,
                }),
                event = event_after(events, revision) => event.map(|()| Turn::Changed),
            }
        };
        let turn = self.session.wait_for(turn).await?;
        self.session.answered();
        turn.map_err(|error| self.session.error(error))
    }

    /// Waits for the opponent's move.
    async fn wait(&mut self, next: &PlayerName) -> Result<Turn, TerminalError> {
        let notes = self.notes(Some(format!("Waiting for {next}… (q to leave)")));
        self.session.show(&self.game, notes, None)?;
        let revision = self.game.revision;
        let (keyboard, events) = (&mut self.keyboard, &mut self.events);
        let turn = async {
            tokio::select! {
                biased;
                () = keyboard.quit() => Ok(Turn::Quit),
                event = event_after(events, revision) => event.map(|()| Turn::Changed),
            }
        };
        let turn = self.session.wait_for(turn).await?;
        turn.map_err(|error| self.session.error(error))
    }

    /// Makes the move or resigns, as the player typed.
    async fn execute(&mut self, player: &PlayerName, line: &str) -> Result<(), TerminalError> {
        if line.is_empty() {
            return Ok(());
        }
        let (id, player, revision) = (self.game.id, player.as_str(), self.game.revision);
        let key = IdempotencyKey::new();
        let tokens = self.tokens.as_ref();
        let token = tokens.and_then(|tokens| tokens.of_player(&self.game, player));
        let client = self.client.clone().with_token(token.cloned());
        let answer = if line.eq_ignore_ascii_case(RESIGN) {
            let sent = client.resign(id, player, revision, &key);
            self.session.wait_for(sent).await?
        } else {
            let column = &line.to_uppercase();
            let player_move = Move {
                player,
                column,
                revision,
            };
            let sent = client.make_move(id, &player_move, &key);
            self.session.wait_for(sent).await?
        };
        match answer {
            Ok(game) => {
                if let (Some(tokens), LocalPlayers::One(_)) =
                    (&mut self.tokens, &self.local_players)
                {
                    tokens.keep(&game, player);
                }
                self.game = game;
                self.refusal = None;
                Ok(())
            }
            // A rule forbids the move, the game has changed, or the input is not a column.
            Err(ClientError::Refused(problem)) if [409, 412, 422].contains(&problem.status) => {
                let reason = problem.reason().to_owned();
                if problem.slug != "invalid-request" {
                    self.reload().await?;
                }
                self.refusal = Some(reason);
                Ok(())
            }
            Err(error) => {
                Err(refused_token(player, &error).unwrap_or_else(|| self.session.error(error)))
            }
        }
    }

    /// Loads the game again after it changed elsewhere.
    async fn reload(&mut self) -> Result<(), TerminalError> {
        let game = self
            .session
            .wait_for(self.client.game(self.game.id))
            .await?;
        self.game = game.map_err(|error| self.session.error(error))?;
        self.refusal = None;
        Ok(())
    }

    /// The lines below the board: this note, and the command that the opponent has to run, until
    /// a move shows that the opponent has joined.
    fn notes(&self, note: Option<String>) -> Vec<String> {
        let mut notes = vec![];
        if let LocalPlayers::One(name) = &self.local_players {
            let has_joined = match &self.game.last_move {
                Some(last) => last.number > 1 || last.player.as_str() != name,
                None => self.game.player_one.as_str() != name,
            };
            if let Some(line) =
                opponent_command(&self.session, &self.game, name, self.tokens.as_ref())
                && !has_joined
            {
                notes.push("To play from another terminal:".to_owned());
                notes.push(format!("  {line}"));
            }
        }
        notes.extend(note);
        notes
    }

    fn show_resume_command(&mut self) -> Result<(), TerminalError> {
        let line = resume_command(
            &self.session,
            &self.game,
            &self.local_players,
            self.tokens.as_ref(),
        );
        self.session.show_notes(vec![
            "To go on with this game:".to_owned(),
            format!("  {line}"),
        ])
    }
}

/// The tokens of a protected game; `None` if the game is not protected. Fails if a player who moves here has none.
fn tokens(
    settings: &PlaySettings,
    session: &Session,
    game: &Game,
    local_players: &LocalPlayers,
) -> Result<Option<Tokens>, TerminalError> {
    if !game.protected {
        return Ok(None);
    }
    let local = match local_players {
        LocalPlayers::One(name) => Some(name.as_str()),
        LocalPlayers::Both => None,
    };
    let given = settings.token.clone();
    let tokens = Tokens::of(session.client.server(), game, local, given)?;
    let mut players = game.players().into_iter().map(PlayerName::as_str);
    let lacks_token =
        |player: &&str| local_players.include(player) && tokens.of_player(game, player).is_none();
    match players.find(lacks_token) {
        Some(player) if game.next_player.is_some() => Err(TerminalError::NoToken {
            player: player.to_owned(),
        }),
        Some(_) | None => Ok(Some(tokens)),
    }
}

/// The error in plain words, if the service refused the player's token.
fn refused_token(player: &str, error: &ClientError) -> Option<TerminalError> {
    let reason = if error.is("invalid-token") {
        format!("the token of {player} belongs to neither player of this game")
    } else if error.is("not-your-seat") {
        format!("the token that was given for {player} belongs to the other player")
    } else if error.is("token-required") {
        format!("the game is protected, and no token of {player} was sent")
    } else {
        return None;
    };
    Some(TerminalError::TokenRefused { reason })
}

/// Resolves when an event after this revision is recorded, or the game is over.
async fn event_after(events: &mut EventStream, revision: u64) -> Result<(), ClientError> {
    while let Some(event) = events.next().await? {
        if event.revision > revision {
            break;
        }
    }
    Ok(())
}
