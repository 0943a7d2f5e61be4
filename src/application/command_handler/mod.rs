//! Carries out commands: loads the game, decides, and appends the events. Starts over when another
//! append came first.

mod races;

use std::sync::Arc;

use super::command_error::CommandError;
use super::command_options::{Authority, CommandOptions, Precondition};
use super::deduplication::{KeyUse, find_after, find_by_key, is_used};
use super::game_id::GameId;
use super::game_repository::{GameAtRevision, GameRepository, HistoricEvent};
use super::idempotency_key::IdempotencyKey;
use crate::domain::{Command, Game, MakeMove, Rejection, Resign, StartGame, decide};
use crate::event_store::StreamRevision;
use races::Races;

/// How often a command is decided again after another append came first. A game has two players,
/// so the second decision is nearly always the last one.
const DECISIONS_AFTER_A_LOST_RACE: usize = 5;

/// The result of a command.
#[derive(Debug, Clone)]
pub struct Handled {
    /// The game after the command.
    pub game: Arc<GameAtRevision>,
    /// Whether the command was already carried out earlier. If so, this request changed nothing. If
    /// several equal requests run at the same time, at most one of them is not repeated. Replicas on
    /// KurrentDB cannot know that of each other.
    pub is_repeated: bool,
}

impl Handled {
    fn repeated(game: impl Into<Arc<GameAtRevision>>) -> Handled {
        Handled {
            game: game.into(),
            is_repeated: true,
        }
    }
}

/// Turns commands into events, and appends them to the streams of the games.
#[derive(Debug)]
pub struct CommandHandler {
    games: Arc<GameRepository>,
}

impl CommandHandler {
    /// A handler for the games of this repository.
    pub fn new(games: Arc<GameRepository>) -> CommandHandler {
        CommandHandler { games }
    }

    /// Starts a game under an id that the service generated, and returns the game.
    ///
    /// Does not read the store first: the append expects that there is no stream with this id, and
    /// fails if there is one.
    pub async fn start_game(
        &self,
        id: GameId,
        start: StartGame,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let command = Command::StartGame(start);
        match self
            .decide_and_append(id, Arc::default(), &command, options)
            .await
        {
            Err(error) => match error.lost_race() {
                Some(race) => {
                    let mut races = Races::default();
                    races.lost(race);
                    let loaded = races.load(&self.games, id).await?;
                    self.decide_and_append(id, loaded, &command, options).await
                }
                None => Err(error),
            },
            started => started,
        }
    }

    /// Starts a game under an id that the client chose. If the same players have already started
    /// this game, returns it in its current state.
    pub async fn start_game_at(
        &self,
        id: GameId,
        start: StartGame,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let precondition = &options.precondition;
        let command = Command::StartGame(start.clone());
        let mut races = Races::default();
        for _ in 0..=DECISIONS_AFTER_A_LOST_RACE {
            let loaded = races.load(&self.games, id).await?;
            if !precondition.holds(loaded.revision) {
                let history = self.games.history(id).await?;
                return Err(precondition_failed(precondition, &loaded, history));
            }
            let players = loaded.game.players();
            let are_same = players.is_some_and(|players| players.are_same_as(&start.players));
            if are_same && have_same_seats(&loaded, options) {
                return Ok(Handled::repeated(loaded));
            }
            match self.decide_and_append(id, loaded, &command, options).await {
                // An equal request came first, so the game exists now.
                Ok(handled)
                    if handled.is_repeated && !precondition.holds(handled.game.revision) =>
                {
                    let history = self.games.history(id).await?;
                    return Err(precondition_failed(precondition, &handled.game, history));
                }
                Ok(handled) => return Ok(handled),
                Err(error) => races.lost(error.lost_race().ok_or(error)?),
            }
        }
        Err(CommandError::Contention)
    }

    /// Starts the game whose id is derived from this key. A repeated request returns the game as
    /// it was right after the start.
    pub async fn start_keyed_game(
        &self,
        key: &IdempotencyKey,
        start: StartGame,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let id = key.game_id();
        let unconditional = CommandOptions {
            precondition: Precondition::default(),
            ..options.clone()
        };
        match self.start_game_at(id, start, &unconditional).await {
            // The game may have been played since the start.
            Ok(handled)
                if handled.is_repeated && handled.game.revision != Some(StreamRevision::FIRST) =>
            {
                let history = self.games.history(id).await?;
                let first = history.get(..1).unwrap_or_default();
                Ok(Handled::repeated(GameAtRevision::as_of(first)))
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

    /// Makes a move and returns the game after it. A repeated request is recognised by its
    /// idempotency key or its precondition, and changes nothing.
    pub async fn make_move(
        &self,
        id: GameId,
        make_move: MakeMove,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        self.handle(id, &Command::MakeMove(make_move), options)
            .await
    }

    /// Resigns the game for a player and returns the game after it. A repeated request is
    /// recognised as in [`make_move`](CommandHandler::make_move).
    pub async fn resign(
        &self,
        id: GameId,
        resign: Resign,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        self.handle(id, &Command::Resign(resign), options).await
    }

    async fn handle(
        &self,
        id: GameId,
        command: &Command,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let mut races = Races::default();
        match self.try_remembered(id, command, options).await {
            Some(Ok(handled)) => return Ok(handled),
            Some(Err(error)) => races.lost(error.lost_race().ok_or(error)?),
            None => {}
        }
        for _ in 0..=DECISIONS_AFTER_A_LOST_RACE {
            let loaded = races.load(&self.games, id).await?;
            let command = &command.with_the_name_in(&loaded.game);
            // Before anything else is checked, so that no response tells a stranger more than a reader knows.
            check_token(&loaded, command, options)?;
            if loaded.game != Game::NotStarted
                && let Some(repeated) = self.check_options(id, &loaded, command, options).await?
            {
                return Ok(repeated);
            }
            match self.decide_and_append(id, loaded, command, options).await {
                Ok(handled) => return Ok(handled),
                Err(error) => races.lost(error.lost_race().ok_or(error)?),
            }
        }
        Err(CommandError::Contention)
    }

    /// Decides on the game as this process remembers it, which saves a read. Only a move or a
    /// resignation that is made now is answered like this. `None` if the newest game has to be loaded:
    /// no game is remembered, or the answer would be a refusal or the one of an earlier request.
    async fn try_remembered(
        &self,
        id: GameId,
        command: &Command,
        options: &CommandOptions,
    ) -> Option<Result<Handled, CommandError>> {
        let before = self.games.last_append();
        let remembered = self.games.remembered(id)?;
        let command = &command.with_the_name_in(&remembered.game);
        check_token(&remembered, command, options).ok()?;
        let key = options.key.as_ref();
        if key.is_some_and(|key| is_used(id, &remembered, key))
            || !options.precondition.admits(remembered.revision)
        {
            return None;
        }
        match self
            .decide_and_append(id, remembered, command, options)
            .await
        {
            Err(CommandError::Rejected { .. }) => None,
            // The position of an append that this process carried out before the request came. So an
            // outdated game was remembered, and the same move of an earlier turn was found.
            Ok(handled) if handled.game.position <= before => None,
            outcome => Some(outcome),
        }
    }

    /// Applies the idempotency key and the precondition, before the rules of the game are checked.
    /// Returns the earlier result if this is a repeated request, an error if the precondition does
    /// not hold, and `None` if the command is to be decided.
    async fn check_options(
        &self,
        id: GameId,
        loaded: &GameAtRevision,
        command: &Command,
        options: &CommandOptions,
    ) -> Result<Option<Handled>, CommandError> {
        let CommandOptions {
            key, precondition, ..
        } = options;
        if let Some(key) = key
            && is_used(id, loaded, key)
        {
            let history = self.games.history(id).await?;
            match find_by_key(id, &history, key, command) {
                Some(KeyUse::SameCommand(game)) => return Ok(Some(Handled::repeated(game))),
                Some(KeyUse::OtherCommand(original)) => {
                    return Err(CommandError::KeyReused { original });
                }
                None => {}
            }
        }
        if precondition.admits(loaded.revision) {
            return Ok(None);
        }
        if precondition.is_required && precondition.at.is_none() {
            let current = loaded.revision;
            return Err(CommandError::PreconditionRequired { current });
        }
        let history = self.games.history(id).await?;
        precondition
            .outdated_revision(loaded.revision)
            .and_then(|revision| find_after(&history, revision, command))
            .map(|game| Some(Handled::repeated(game)))
            .ok_or_else(|| precondition_failed(precondition, loaded, history))
    }

    async fn decide_and_append(
        &self,
        id: GameId,
        loaded: Arc<GameAtRevision>,
        command: &Command,
        options: &CommandOptions,
    ) -> Result<Handled, CommandError> {
        let decided_on = loaded.revision;
        let events = decide(&loaded.game, command).map_err(|rejection| CommandError::Rejected {
            rejection,
            revision: decided_on,
        })?;
        let appended = self
            .games
            .append(id, loaded, command, options, events)
            .await;
        let (game, is_repeated) =
            appended.map_err(|error| CommandError::Append { decided_on, error })?;
        Ok(Handled { game, is_repeated })
    }
}

/// Whether the loaded game has the tokens that the command to start it has, or none if the command has none.
fn have_same_seats(loaded: &GameAtRevision, options: &CommandOptions) -> bool {
    match (&loaded.seats, &options.seats) {
        (None, None) => true,
        (Some(seats), Some(requested)) => seats.are_those_of(requested),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Checks that the command comes from the player that it names, if the game is protected. A player who is not in
/// the game has no seat; the rules of the game refuse such a command.
fn check_token(
    loaded: &GameAtRevision,
    command: &Command,
    options: &CommandOptions,
) -> Result<(), CommandError> {
    let Some(seats) = &loaded.seats else {
        return Ok(());
    };
    let player = match command {
        Command::MakeMove(make_move) => &make_move.player,
        Command::Resign(resign) => &resign.player,
        Command::StartGame(_) => return Ok(()),
    };
    if let Authority::Player(own) = &options.authority {
        return match player.is_same_as(own) {
            true => Ok(()),
            false => Err(CommandError::NotYourSeat),
        };
    }
    let token = options.token.as_ref().ok_or(CommandError::TokenRequired)?;
    let seat = seats.seat_of(token).ok_or(CommandError::InvalidToken)?;
    let players = loaded.game.players();
    match players.and_then(|players| players.side_of(player)) {
        Some(side) if side != seat => Err(CommandError::NotYourSeat),
        Some(_) | None => Ok(()),
    }
}

/// `history` was read after `checked` and may contain later events. They are left out, so that the
/// answer describes the game at one revision.
fn precondition_failed(
    precondition: &Precondition,
    checked: &GameAtRevision,
    mut history: Vec<HistoricEvent>,
) -> CommandError {
    let current = checked.revision;
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
