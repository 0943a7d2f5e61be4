//! `connect-four replay`: a game step by step, forth and back.

use std::io::{self, IsTerminal};

use super::error::TerminalError;
use super::keyboard::{Key, Keys};
use super::scene::closing;
use super::session::Session;
use super::settings::LookSettings;
use crate::client::{Client, Game};

pub(super) async fn replay(settings: &LookSettings) -> Result<(), TerminalError> {
    let mut session = Session::new(settings.server.of(Some(&settings.game)))?;
    let client = session.client.clone();
    let now = session.during(client.game(settings.game.id)).await?;
    let now = now.map_err(|error| session.error(error))?;
    let mut history = History {
        client,
        now,
        seen: vec![],
    };
    match io::stdin().is_terminal() {
        true => step(&mut session, &mut history).await,
        false => print(&mut session, &mut history).await,
    }
}

async fn step(session: &mut Session, history: &mut History) -> Result<(), TerminalError> {
    let mut keys = Keys::of_terminal()?;
    let mut step = 0;
    loop {
        let game = history.at(session, step).await?;
        let place = format!(
            "Revision {step} of {}.  Enter: next  b: back  q: quit",
            history.now.revision
        );
        let notes = closing(&game).into_iter().chain([place]).collect();
        session.show(&game, notes, None)?;
        match keys.next().await {
            Key::Next => step = (step + 1).min(history.last(session).await?),
            Key::Back => step = step.saturating_sub(1),
            Key::Quit => return Ok(()),
        }
    }
}

async fn print(session: &mut Session, history: &mut History) -> Result<(), TerminalError> {
    for step in 0..=history.now.revision {
        let game = history.at(session, step).await?;
        session.close(&game)?;
    }
    Ok(())
}

/// The game's revisions, each asked for once: none ever changes.
struct History {
    client: Client,
    now: Game,
    seen: Vec<Game>,
}

impl History {
    async fn at(&mut self, session: &mut Session, revision: u64) -> Result<Game, TerminalError> {
        if let Some(game) = self.seen.iter().find(|game| game.revision == revision) {
            return Ok(game.clone());
        }
        let game = self.client.game_at(self.now.id, revision);
        let game = session.during(game).await?;
        let game = game.map_err(|error| session.error(error))?;
        self.seen.push(game.clone());
        Ok(game)
    }

    /// The last revision that there is, also if somebody moved just now.
    async fn last(&mut self, session: &mut Session) -> Result<u64, TerminalError> {
        if self.now.result.is_none() {
            let now = session.during(self.client.game(self.now.id)).await?;
            self.now = now.map_err(|error| session.error(error))?;
        }
        Ok(self.now.revision)
    }
}
