//! A client and a screen: the screen shows when the client loses its connection, and the terminal is
//! given back while the program is stopped.

use std::io;
use std::pin::pin;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use super::error::TerminalError;
use super::screen::{Frame, Screen};
use super::single_keys::{SingleKeys, is_in_foreground};
use super::text::{board_text, result_lines};
use crate::client::{Client, ClientError, Connection, Game};

/// The client and the screen of one subcommand.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    connection: watch::Receiver<Connection>,
    screen: Screen,
    frame: Frame,
    /// A warning about a lost connection, shown below everything else.
    warning: Option<String>,
    single_keys: Option<SingleKeys>,
    /// Whether the program continued in the background and waits for the terminal.
    is_in_background: bool,
    /// SIGTSTP: Ctrl-Z.
    stop: unix::Signal,
    /// SIGCONT: the program goes on after it was stopped.
    resume: unix::Signal,
}

impl Session {
    pub(super) fn new(server: &str) -> Result<Session, TerminalError> {
        let client = Client::new(server)?;
        Ok(Session {
            connection: client.connection(),
            client,
            screen: Screen::of_stdout(),
            frame: Frame::default(),
            warning: None,
            single_keys: None,
            is_in_background: false,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            resume: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    /// Puts the terminal into the mode in which single keys are read. It leaves this mode when the
    /// session ends, and while the program is stopped.
    pub(super) fn read_single_keys(&mut self) -> Result<(), TerminalError> {
        self.single_keys = Some(SingleKeys::take()?);
        Ok(())
    }

    /// Shows the game, these lines below it, and the question.
    pub(super) fn show(
        &mut self,
        game: &Game,
        notes: Vec<String>,
        question: Option<String>,
    ) -> Result<(), TerminalError> {
        self.frame = Frame {
            board: board_text(game, self.screen.mode().palette()),
            notes,
            question,
        };
        self.redraw()
    }

    /// Shows the game and how it ended.
    pub(super) fn show_result(&mut self, game: &Game) -> Result<(), TerminalError> {
        self.show(game, result_lines(game), None)
    }

    /// Replaces the notes and the question; the board stays.
    pub(super) fn ask(
        &mut self,
        notes: Vec<String>,
        question: String,
    ) -> Result<(), TerminalError> {
        self.frame.notes = notes;
        self.frame.question = Some(question);
        self.redraw()
    }

    /// Replaces the notes and removes the question; the board stays.
    pub(super) fn show_notes(&mut self, notes: Vec<String>) -> Result<(), TerminalError> {
        self.frame.notes = notes;
        self.frame.question = None;
        self.redraw()
    }

    /// The user has answered the question.
    pub(super) fn answered(&mut self) {
        self.frame.question = None;
        self.frame.notes.clear();
        self.screen.answered();
    }

    /// Waits for the call. Shows a warning while the connection is lost. Every wait must be in this
    /// function, because it also stops and continues the program.
    pub(super) async fn wait_for<T>(
        &mut self,
        call: impl Future<Output = T>,
    ) -> Result<T, TerminalError> {
        let mut call = pin!(call);
        loop {
            tokio::select! {
                biased;
                done = &mut call => {
                    self.update_warning()?;
                    return Ok(done);
                }
                // Never fails: the client in this session keeps the sender.
                _ = self.connection.changed() => self.update_warning()?,
                _ = self.stop.recv() => self.stop()?,
                _ = self.resume.recv() => self.resume()?,
                () = until_in_foreground(), if self.is_in_background => self.resume()?,
            }
        }
    }

    /// Gives the terminal back and stops this process, until it gets SIGCONT.
    fn stop(&mut self) -> Result<(), TerminalError> {
        if let Some(mode) = &self.single_keys {
            mode.release();
        }
        kill_process(getpid(), Signal::STOP).map_err(io::Error::from)?;
        Ok(())
    }

    /// Takes the terminal again. Other programs have written to it meanwhile.
    fn resume(&mut self) -> Result<(), TerminalError> {
        self.is_in_background = !is_in_foreground();
        if self.is_in_background {
            return Ok(());
        }
        if let Some(mode) = &self.single_keys {
            mode.take_again()?;
        }
        self.screen.forget();
        self.redraw()
    }

    /// Adds the URL of the service to an error of the client.
    pub(super) fn error(&self, error: ClientError) -> TerminalError {
        let server = self.client.server().to_owned();
        match error {
            ClientError::Unreachable(cause) => TerminalError::Unreachable { server, cause },
            ClientError::Redirected { location, service } => TerminalError::Redirected {
                server,
                location,
                service,
            },
            error @ (ClientError::Refused(_) | ClientError::InvalidResponse(_)) => {
                TerminalError::Client { server, error }
            }
        }
    }

    fn update_warning(&mut self) -> Result<(), TerminalError> {
        let warning = match &*self.connection.borrow_and_update() {
            Connection::Lost { cause } => {
                Some(format!("The service is away ({cause}); reconnecting…"))
            }
            Connection::Untried | Connection::Connected => None,
        };
        if warning == self.warning {
            return Ok(());
        }
        self.warning = warning;
        self.redraw()
    }

    fn redraw(&mut self) -> Result<(), TerminalError> {
        let mut frame = self.frame.clone();
        frame.notes.extend(self.warning.clone());
        self.screen.show(&frame)?;
        Ok(())
    }
}

/// A shell sends no signal when it brings a running program to the foreground.
async fn until_in_foreground() {
    while !is_in_foreground() {
        sleep(Duration::from_millis(100)).await;
    }
}
