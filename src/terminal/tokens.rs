//! The tokens with which players move in this terminal.

use super::error::TerminalError;
use super::token_file::{KnownTokens, TokenFile};
use crate::client::{Game, PlayerToken};

/// The tokens of one protected game, from its file and from the command line.
#[derive(Debug)]
pub(super) struct Tokens {
    file: TokenFile,
    kept: KnownTokens,
    /// The token of the only player at this terminal, from the command line.
    given: Option<PlayerToken>,
}

impl Tokens {
    /// Reads the tokens of the game. Keeps a given token if none is known for the player yet.
    pub(super) fn of(
        server: &str,
        game: &Game,
        local: Option<&str>,
        given: Option<PlayerToken>,
    ) -> Result<Tokens, TerminalError> {
        let file = TokenFile::of(server, game.id)?;
        let given = given.filter(|_| local.is_some());
        let kept = match file.read() {
            Ok(kept) => kept,
            // The player has a token and can play without the file.
            Err(_) if given.is_some() => KnownTokens::default(),
            Err(error) => return Err(error),
        };
        let mut tokens = Tokens { file, kept, given };
        if let Some(player) = local
            && tokens.kept_of(game, player).is_none()
        {
            tokens.keep(game, player);
        }
        Ok(tokens)
    }

    /// The token with which this player moves here.
    pub(super) fn of_player(&self, game: &Game, player: &str) -> Option<&PlayerToken> {
        self.given.as_ref().or_else(|| self.kept_of(game, player))
    }

    /// The token of this player, if it is in the file.
    pub(super) fn kept_of(&self, game: &Game, player: &str) -> Option<&PlayerToken> {
        match game.player_one.as_str() == player {
            true => self.kept.player_one.as_ref(),
            false => self.kept.player_two.as_ref(),
        }
    }

    /// Whether the player's token has to be given again to continue the game.
    pub(super) fn is_only_given(&self, game: &Game, player: &str) -> bool {
        self.given.is_some() && self.of_player(game, player) != self.kept_of(game, player)
    }

    /// Keeps the given token of this player. It remains only given if the file cannot be written.
    pub(super) fn keep(&mut self, game: &Game, player: &str) {
        let Some(given) = &self.given else {
            return;
        };
        let mut changed = self.kept.clone();
        match game.player_one.as_str() == player {
            true => changed.player_one = Some(given.clone()),
            false => changed.player_two = Some(given.clone()),
        }
        if changed != self.kept && self.file.write(changed.clone()).is_ok() {
            self.kept = changed;
        }
    }
}
