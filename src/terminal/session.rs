//! A client and a screen together: whatever the client waits for, the screen says how it goes.

use std::pin::pin;

use tokio::sync::watch;

use super::error::TerminalError;
use super::scene::{closing, picture};
use super::screen::{Frame, Screen};
use crate::client::{Client, ClientError, Connection, Game};

/// What a subcommand works with.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    connection: watch::Receiver<Connection>,
    screen: Screen,
    frame: Frame,
    /// What is wrong with the connection; shown below everything else.
    trouble: Option<String>,
}

impl Session {
    pub(super) fn new(server: &str) -> Result<Session, TerminalError> {
        let client = Client::new(server)?;
        Ok(Session {
            connection: client.connection(),
            client,
            screen: Screen::of_stdout(),
            frame: Frame::default(),
            trouble: None,
        })
    }

    /// Shows the game with these lines below it, and asks this.
    pub(super) fn show(
        &mut self,
        game: &Game,
        notes: Vec<String>,
        question: Option<String>,
    ) -> Result<(), TerminalError> {
        self.frame = Frame {
            picture: picture(game, self.screen.style().palette()),
            notes,
            question,
        };
        self.redraw()
    }

    /// Shows how the game ended.
    pub(super) fn close(&mut self, game: &Game) -> Result<(), TerminalError> {
        self.show(game, closing(game), None)
    }

    /// Asks something else about the same.
    pub(super) fn ask(
        &mut self,
        notes: Vec<String>,
        question: String,
    ) -> Result<(), TerminalError> {
        self.frame.notes = notes;
        self.frame.question = Some(question);
        self.redraw()
    }

    /// Says something instead of asking.
    pub(super) fn say(&mut self, notes: Vec<String>) -> Result<(), TerminalError> {
        self.frame.notes = notes;
        self.frame.question = None;
        self.redraw()
    }

    /// An answer was typed.
    pub(super) fn answered(&mut self) {
        self.frame.question = None;
        self.frame.notes.clear();
        self.screen.answered();
    }

    /// Waits for the call, and shows meanwhile what is wrong with the connection.
    pub(super) async fn during<T>(
        &mut self,
        call: impl Future<Output = T>,
    ) -> Result<T, TerminalError> {
        let mut call = pin!(call);
        loop {
            tokio::select! {
                biased;
                done = &mut call => {
                    self.look_at_connection()?;
                    return Ok(done);
                }
                // The client, which would close it, is in this session.
                _ = self.connection.changed() => self.look_at_connection()?,
            }
        }
    }

    /// What this error of the client means to whoever plays.
    pub(super) fn error(&self, error: ClientError) -> TerminalError {
        let server = self.client.server().to_owned();
        match error {
            ClientError::Unreachable(cause) => TerminalError::Unreachable { server, cause },
            error @ (ClientError::Refused(_) | ClientError::Unintelligible(_)) => {
                TerminalError::Client { server, error }
            }
        }
    }

    fn look_at_connection(&mut self) -> Result<(), TerminalError> {
        let trouble = match &*self.connection.borrow_and_update() {
            Connection::Lost { cause } => {
                Some(format!("The service is away ({cause}); reconnecting…"))
            }
            Connection::Untried | Connection::Well => None,
        };
        if trouble == self.trouble {
            return Ok(());
        }
        self.trouble = trouble;
        self.redraw()
    }

    fn redraw(&mut self) -> Result<(), TerminalError> {
        let mut frame = self.frame.clone();
        frame.notes.extend(self.trouble.clone());
        self.screen.show(&frame)?;
        Ok(())
    }
}
