//! `connect-four replay`: steps through a game, forward and back.

use std::io::{self, IsTerminal};

use super::error::TerminalError;
use super::keyboard::{Key, Keys};
use super::session::Session;
use super::settings::ViewSettings;
use super::text::result_lines;
use crate::client::{Client, Game};

pub(super) async fn replay(settings: &ViewSettings) -> Result<(), TerminalError> {
    let mut session = Session::new(settings.server.of(Some(&settings.game)))?;
    let client = session.client.clone();
    let latest = session.wait_for(client.game(settings.game.id)).await?;
    let latest = latest.map_err(|error| session.error(error))?;
    let mut history = History {
        client,
        latest,
        loaded: vec![],
    };
    match io::stdin().is_terminal() {
        true => step(&mut session, &mut history).await,
        false => print(&mut session, &mut history).await,
    }
}

async fn step(session: &mut Session, history: &mut History) -> Result<(), TerminalError> {
    session.read_single_keys()?;
    let mut keys = Keys::of_stdin();
    let mut step = 0;
    loop {
        let game = history.at(session, step).await?;
        let place = format!(
            "Revision {step} of {}.  Enter: next  b: back  q: quit",
            history.latest.revision
        );
        let notes = result_lines(&game).into_iter().chain([place]).collect();
        session.show(&game, notes, None)?;
        match session.wait_for(keys.next()).await? {
            Key::Next => step = (step + 1).min(history.last(session).await?),
            Key::Back => step = step.saturating_sub(1),
            Key::Quit => return Ok(()),
        }
    }
}

async fn print(session: &mut Session, history: &mut History) -> Result<(), TerminalError> {
    for step in 0..=history.latest.revision {
        let game = history.at(session, step).await?;
        session.show_result(&game)?;
    }
    Ok(())
}

/// The game at each of its revisions. Each one is loaded once, since it never changes.
struct History {
    client: Client,
    latest: Game,
    loaded: Vec<Game>,
}

impl History {
    async fn at(&mut self, session: &mut Session, revision: u64) -> Result<Game, TerminalError> {
        if let Some(game) = self.loaded.iter().find(|game| game.revision == revision) {
            return Ok(game.clone());
        }
        let game = self.client.game_at(self.latest.id, revision);
        let game = session.wait_for(game).await?;
        let game = game.map_err(|error| session.error(error))?;
        self.loaded.push(game.clone());
        Ok(game)
    }

    /// The latest revision; asks the service while the game is in progress.
    async fn last(&mut self, session: &mut Session) -> Result<u64, TerminalError> {
        if self.latest.result.is_none() {
            let latest = session.wait_for(self.client.game(self.latest.id)).await?;
            self.latest = latest.map_err(|error| session.error(error))?;
        }
        Ok(self.latest.revision)
    }
}
