//! `connect-four play`: two people at one keyboard, or one at each of two.

use super::error::TerminalError;
use super::keyboard::{Lines, leaves};
use super::opening::{Hands, invitation, open, resumption};
use super::session::Session;
use super::settings::PlaySettings;
use crate::client::{Client, ClientError, Following, Game, Intention, Move};
use crate::domain::PlayerName;
use crate::drawing::Shown;

pub(super) async fn play(settings: &PlaySettings) -> Result<(), TerminalError> {
    let server = settings.server.of(settings.game.as_ref());
    let mut session = Session::new(server)?;
    let mut keyboard = Lines::of_stdin();
    let Some((game, hands)) = open(settings, &mut session, &mut keyboard).await? else {
        return session.say(vec![]);
    };
    let client = session.client.clone();
    let mut table = Table {
        news: client.follow(game.id, Some(game.revision)),
        client,
        session,
        keyboard,
        hands,
        game,
        reason: None,
    };
    let outcome = table.play().await;
    if outcome.is_err() {
        // The game is not lost with the connection.
        table.part()?;
    }
    outcome
}

/// What a player types who gives up.
const RESIGN: &str = "resign";

/// Where a game is played.
struct Table {
    client: Client,
    session: Session,
    keyboard: Lines,
    hands: Hands,
    game: Game,
    /// What the service does elsewhere: the other one's moves, and a resignation in mid-thought.
    news: Following,
    /// Why the last column was not taken.
    reason: Option<String>,
}

/// What comes first at somebody's turn.
enum Turn {
    Typed(String),
    /// The game went on without.
    News,
    Leave,
}

impl Table {
    async fn play(&mut self) -> Result<(), TerminalError> {
        while let Some(next) = self.game.next_player.clone() {
            let turn = match self.hands.hold(next.as_str()) {
                true => self.ask(&next).await?,
                false => self.wait(&next).await?,
            };
            match turn {
                Turn::Typed(line) => self.act(&next, &line).await?,
                Turn::News => self.look_again().await?,
                Turn::Leave => return self.part(),
            }
        }
        self.session.close(&self.game)
    }

    /// Asks for a column.
    async fn ask(&mut self, next: &PlayerName) -> Result<Turn, TerminalError> {
        // An answer to a question that was refused follows at once; the rest is type-ahead.
        if self.reason.is_none() && self.hands != Hands::Both {
            self.keyboard.forget();
        }
        let notes = self.notes(self.reason.clone());
        let question = format!("{}, your column (or resign; q to leave): ", Shown(next));
        self.session.show(&self.game, notes, Some(question))?;
        let seen = self.game.revision;
        let (keyboard, news) = (&mut self.keyboard, &mut self.news);
        let turn = async {
            tokio::select! {
                biased;
                typed = keyboard.next() => Ok(match typed {
                    Some(line) if !leaves(&line) => Turn::Typed(line),
                    Some(_) | None => Turn::Leave,
                }),
                news = after(news, seen) => news.map(|()| Turn::News),
            }
        };
        let turn = self.session.during(turn).await?;
        self.session.answered();
        turn.map_err(|error| self.session.error(error))
    }

    /// Waits for a move that is made elsewhere.
    async fn wait(&mut self, next: &PlayerName) -> Result<Turn, TerminalError> {
        let notes = self.notes(Some(format!("Waiting for {}… (q to leave)", Shown(next))));
        self.session.show(&self.game, notes, None)?;
        let seen = self.game.revision;
        let (keyboard, news) = (&mut self.keyboard, &mut self.news);
        let turn = async {
            tokio::select! {
                biased;
                () = keyboard.leave() => Ok(Turn::Leave),
                news = after(news, seen) => news.map(|()| Turn::News),
            }
        };
        let turn = self.session.during(turn).await?;
        turn.map_err(|error| self.session.error(error))
    }

    /// Does what a player typed: a column, or to give up.
    async fn act(&mut self, player: &PlayerName, line: &str) -> Result<(), TerminalError> {
        if line.is_empty() {
            return Ok(());
        }
        let (id, player, seen) = (self.game.id, player.as_str(), self.game.revision);
        let intention = Intention::new();
        let answer = if line.eq_ignore_ascii_case(RESIGN) {
            let sent = self.client.resign(id, player, seen, &intention);
            self.session.during(sent).await?
        } else {
            let column = &line.to_uppercase();
            let wanted = Move {
                player,
                column,
                seen,
            };
            let sent = self.client.make_move(id, &wanted, &intention);
            self.session.during(sent).await?
        };
        match answer {
            Ok(game) => {
                self.game = game;
                self.reason = None;
                Ok(())
            }
            // The rules forbid it, the board is another by now, or it is no column at all.
            Err(ClientError::Refused(problem)) if [409, 412, 422].contains(&problem.status) => {
                let reason = problem.reason().to_owned();
                if problem.slug != "invalid-request" {
                    self.look_again().await?;
                }
                self.reason = Some(reason);
                Ok(())
            }
            Err(error) => Err(self.session.error(error)),
        }
    }

    /// Takes in what happened elsewhere.
    async fn look_again(&mut self) -> Result<(), TerminalError> {
        let game = self.session.during(self.client.game(self.game.id)).await?;
        self.game = game.map_err(|error| self.session.error(error))?;
        self.reason = None;
        Ok(())
    }

    /// What stands below the board: this, and how the opponent comes to the game, until the
    /// first move shows that they found it.
    fn notes(&self, note: Option<String>) -> Vec<String> {
        let mut notes = vec![];
        if let Hands::Of(name) = &self.hands {
            let is_known = match &self.game.last_move {
                Some(last) => last.number > 1 || last.player.as_str() != name,
                None => self.game.player_one.as_str() != name,
            };
            if let Some(line) = invitation(&self.session, &self.game, name)
                && !is_known
            {
                notes.push("To play from another terminal:".to_owned());
                notes.push(format!("  {line}"));
            }
        }
        notes.extend(note);
        notes
    }

    fn part(&mut self) -> Result<(), TerminalError> {
        let line = resumption(&self.session, &self.game, &self.hands);
        self.session.say(vec![
            "To go on with this game:".to_owned(),
            format!("  {line}"),
        ])
    }
}

/// Comes when the game is beyond this revision.
async fn after(news: &mut Following, revision: u64) -> Result<(), ClientError> {
    while let Some(event) = news.next().await? {
        if event.revision > revision {
            break;
        }
    }
    Ok(())
}
