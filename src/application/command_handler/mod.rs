//! Carries out commands: load, decide, append, and again when the race was lost.

mod races;

use std::sync::Arc;

use super::command_error::CommandError;
use super::command_options::{CommandOptions, IdempotencyKey, Precondition};
use super::deduplication::{Found, find_after, find_by_key, is_used};
use super::game_id::GameId;
use super::game_repository::{GameAtRevision, GameRepository, HistoricEvent};
use crate::domain::{Command, Game, MakeMove, Rejection, Resign, StartGame, decide};
use races::Races;

/// How often a command is decided again after its append lost a race. A game has two
/// players, so the second decision is nearly always the last.
const DECISIONS_AFTER_A_LOST_RACE: usize = 5;

/// What a command came to.
#[derive(Debug, Clone)]
pub struct Handled {
    /// The game as the command left it.
    pub game: Arc<GameAtRevision>,
    /// It was carried out before; this time nothing was done.
    pub is_repeated: bool,
}

impl Handled {
    fn now(game: Arc<GameAtRevision>) -> Handled {
        Handled {
            game,
            is_repeated: false,
        }
    }

    fn before(game: impl Into<Arc<GameAtRevision>>) -> Handled {
        Handled {
            game: game.into(),
            is_repeated: true,
        }
    }
}

/// Turns commands into events of the games' streams.
#[derive(Debug)]
pub struct CommandHandler {
    games: Arc<GameRepository>,
}

impl CommandHandler {
    /// A handler for the games of this store.
    pub fn new(games: Arc<GameRepository>) -> CommandHandler {
        CommandHandler { games }
    }

    /// Starts a game under an id that was made up for it, and returns it.
    ///
    /// A new id needs no look at the store: that no stream has it is what the append
    /// expects, and a used id is found out by it.
    pub async fn start_game(
        &self,
        id: GameId,
        start: StartGame,
        terms: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let command = Command::StartGame(start);
        let started = match self.attempt(id, Arc::default(), &command, terms).await {
            Err(error) => match error.lost_race() {
                Some(race) => {
                    let mut races = Races::default();
                    races.lost(race);
                    let loaded = races.load(&self.games, id).await?;
                    self.attempt(id, loaded, &command, terms).await
                }
                None => Err(error),
            },
            started => started,
        };
        started.map(Handled::now)
    }

    /// Starts a game under an id that the client chose, unless the same players have started
    /// it already; then it is returned as it is now.
    pub async fn start_game_at(
        &self,
        id: GameId,
        start: StartGame,
        terms: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let precondition = &terms.precondition;
        let command = Command::StartGame(start.clone());
        let mut races = Races::default();
        for _ in 0..=DECISIONS_AFTER_A_LOST_RACE {
            let loaded = races.load(&self.games, id).await?;
            if !precondition.holds(loaded.revision) {
                let history = self.games.history(id).await?;
                return Err(precondition_failed(precondition, &loaded, history));
            }
            if loaded.game.players() == Some(&start.players) {
                return Ok(Handled::before(loaded));
            }
            match self.attempt(id, loaded, &command, terms).await {
                Ok(game) => return Ok(Handled::now(game)),
                Err(error) => races.lost(error.lost_race().ok_or(error)?),
            }
        }
        Err(CommandError::Contention)
    }

    /// Starts the game that this key leads to, once: as often as it is asked for, it is
    /// returned as it was then.
    pub async fn start_keyed_game(
        &self,
        key: &IdempotencyKey,
        start: StartGame,
        terms: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let id = key.game_id();
        let unconditional = CommandOptions {
            precondition: Precondition::default(),
            ..terms.clone()
        };
        match self.start_game_at(id, start, &unconditional).await {
            Ok(handled) if handled.is_repeated => {
                let history = self.games.history(id).await?;
                let first = history.get(..1).unwrap_or_default();
                Ok(Handled::before(GameAtRevision::as_of(first)))
            }
            Err(CommandError::Rejected {
                rejection: Rejection::GameAlreadyStarted { players },
                ..
            }) => Err(CommandError::KeyReused {
                original: Command::StartGame(StartGame { players }),
            }),
            other => other,
        }
    }

    /// Makes a move, once if the terms let a repetition be known, and returns the game after
    /// it.
    pub async fn make_move(
        &self,
        id: GameId,
        asked: MakeMove,
        terms: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let command = Command::MakeMove(asked);
        self.once(id, &command, terms).await
    }

    /// Gives the game up for a player, once as a move is made once, and returns the game after
    /// it.
    pub async fn resign(
        &self,
        id: GameId,
        asked: Resign,
        terms: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let command = Command::Resign(asked);
        self.once(id, &command, terms).await
    }

    async fn once(
        &self,
        id: GameId,
        command: &Command,
        terms: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let mut races = Races::default();
        for _ in 0..=DECISIONS_AFTER_A_LOST_RACE {
            let loaded = races.load(&self.games, id).await?;
            if loaded.game != Game::NotStarted
                && let Some(done) = self.settled(id, &loaded, command, terms).await?
            {
                return Ok(done);
            }
            match self.attempt(id, loaded, command, terms).await {
                Ok(game) => return Ok(Handled::now(game)),
                Err(error) => races.lost(error.lost_race().ok_or(error)?),
            }
        }
        Err(CommandError::Contention)
    }

    /// What the terms say of this command before the rules are asked: it was carried out before,
    /// or it is refused, or nothing.
    async fn settled(
        &self,
        id: GameId,
        loaded: &GameAtRevision,
        asked: &Command,
        terms: &CommandOptions,
    ) -> Result<Option<Handled>, CommandError> {
        let CommandOptions {
            key, precondition, ..
        } = terms;
        if let Some(key) = key
            && is_used(id, loaded, key)
        {
            let history = self.games.history(id).await?;
            match find_by_key(id, &history, key, asked) {
                Some(Found::Done(game)) => return Ok(Some(Handled::before(game))),
                Some(Found::Another(original)) => {
                    return Err(CommandError::KeyReused { original });
                }
                None => {}
            }
        }
        if precondition.is_required && precondition.at.is_none() {
            let current = loaded.revision;
            return Err(CommandError::PreconditionRequired { current });
        }
        if precondition.holds(loaded.revision) {
            return Ok(None);
        }
        let history = self.games.history(id).await?;
        precondition
            .left_behind(loaded.revision)
            .and_then(|revision| find_after(&history, revision, asked))
            .map(|game| Some(Handled::before(game)))
            .ok_or_else(|| precondition_failed(precondition, loaded, history))
    }

    async fn attempt(
        &self,
        id: GameId,
        loaded: Arc<GameAtRevision>,
        command: &Command,
        terms: &CommandOptions,
    ) -> Result<Arc<GameAtRevision>, CommandError> {
        let decided_on = loaded.revision;
        let events = decide(&loaded.game, command).map_err(|rejection| CommandError::Rejected {
            rejection,
            revision: decided_on,
        })?;
        let appended = self.games.append(id, loaded, command, terms, events).await;
        appended.map_err(|error| CommandError::Append { decided_on, error })
    }
}

/// The history was read after the game was judged, and may have gone on: what came then is not
/// told, so that the answer is of one moment.
fn precondition_failed(
    precondition: &Precondition,
    judged: &GameAtRevision,
    mut history: Vec<HistoricEvent>,
) -> CommandError {
    let current = judged.revision;
    let seen = precondition.seen();
    history.retain(|event| {
        let revision = Some(event.recorded.revision);
        revision > seen && revision <= current
    });
    let missed = history;
    CommandError::PreconditionFailed { current, missed }
}

#[cfg(test)]
mod tests;
