//! The state that handlers share.

use crate::http::response::event_stream::{render, render_in_store_order};
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use tokio::sync::watch;

use crate::application::{CommandHandler, GameRepository, LatestPosition};
use crate::computer::{ComputerPlayer, Playing, ProcessManager};
use crate::domain::PlayerName;
use crate::event_store::EventStore;
use crate::http::forgetting::Forgetting;
use crate::http::response::deadline::HANDLER_TIMEOUT;
use crate::live::{Live, Renders};
use crate::metrics::{MeasuredStore, Metrics};
use crate::read_model::{Projecting, ReadModel};
use crate::telemetry::Logs;

const RENDERS: Renders = Renders {
    of_a_game: render,
    of_all_games: render_in_store_order,
};

/// The state that handlers share. It is one `Arc`, because axum clones it several times per request.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] consists of.
#[derive(Debug, Clone)]
pub struct Parts {
    pub(crate) games: Arc<GameRepository>,
    pub(crate) commands: Arc<CommandHandler>,
    pub(crate) live: Arc<Live>,
    pub(crate) read_model: Arc<ReadModel>,
    /// The projector stops when the last clone of the [`App`] is dropped.
    _projecting: Arc<Projecting>,
    /// `None` unless the computer plays. It stops like the projector.
    _playing: Option<Arc<Playing>>,
    store_restored: watch::Receiver<u64>,
    /// The name under which the computer plays.
    pub(crate) computer: Option<PlayerName>,
    pub(crate) metrics: Metrics,
    /// The last write that this process has acknowledged, so that its lists include it by default.
    pub(crate) acknowledged: Arc<LatestPosition>,
    pub(crate) requires_if_match: bool,
    pub(crate) logs: Option<Logs>,
    pub(crate) handler_timeout: Duration,
}

impl App {
    /// The service on this store, with a read model in memory. Must be called within a Tokio runtime, because
    /// it spawns the projector.
    pub fn new(store: Arc<dyn EventStore>) -> App {
        App::with_read_model(store, Arc::new(ReadModel::in_memory()))
    }

    /// The service on this store, with this read model. The read model follows the store until the last clone of
    /// the service is dropped. Must be called within a Tokio runtime.
    pub fn with_read_model(store: Arc<dyn EventStore>, read_model: Arc<ReadModel>) -> App {
        let metrics = Metrics::default();
        let measured = Arc::new(MeasuredStore::new(store.clone(), metrics.clone()));
        let games = Arc::new(GameRepository::new(measured.clone()));
        let live = Arc::new(Live::new(measured, RENDERS));
        let acknowledged = Arc::new(LatestPosition::default());
        let (restored, store_restored) = watch::channel(0);
        let forgetting = Forgetting {
            games: games.clone(),
            live: live.clone(),
            acknowledged: acknowledged.clone(),
            store_restored: restored,
        };
        let projecting = read_model.start(store, Arc::new(forgetting));
        App(Arc::new(Parts {
            commands: Arc::new(CommandHandler::new(games.clone())),
            games,
            live,
            read_model,
            _projecting: Arc::new(projecting),
            _playing: None,
            store_restored,
            computer: None,
            metrics,
            acknowledged,
            requires_if_match: false,
            logs: None,
            handler_timeout: HANDLER_TIMEOUT,
        }))
    }

    /// The computer plays in every game that has this player. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// The system starts no thread for the solver.
    pub fn with_computer(mut self, computer: ComputerPlayer) -> io::Result<App> {
        let name = computer.name.clone();
        let manager = ProcessManager {
            computer,
            games: self.games.clone(),
            commands: self.commands.clone(),
            read_model: self.read_model.clone(),
            metrics: self.metrics.clone(),
            store_restored: self.store_restored.clone(),
        };
        let parts = Arc::make_mut(&mut self.0);
        parts._playing = Some(Arc::new(manager.start()?));
        parts.computer = Some(name);
        Ok(self)
    }

    /// Whether moves and resignations need `If-Match`.
    #[must_use]
    pub fn requiring_if_match(mut self, requires_if_match: bool) -> App {
        Arc::make_mut(&mut self.0).requires_if_match = requires_if_match;
        self
    }

    /// Shows in the metrics how many lines these logs have lost.
    #[must_use]
    pub fn counting_lost_lines(mut self, logs: Logs) -> App {
        Arc::make_mut(&mut self.0).logs = Some(logs);
        self
    }

    /// How long a handler may take until its request is answered with an error: five seconds by
    /// default. A test that measures no time sets more, so that a busy machine does not fail it.
    #[must_use]
    pub fn with_handler_timeout(mut self, handler_timeout: Duration) -> App {
        Arc::make_mut(&mut self.0).handler_timeout = handler_timeout;
        self
    }

    /// The metrics of this service. The server counts its connections in them.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The hub of the clients that watch games. Stop it before the server, which waits for open streams.
    pub fn live(&self) -> Arc<Live> {
        self.live.clone()
    }
}

impl FromRef<App> for Arc<Live> {
    fn from_ref(app: &App) -> Arc<Live> {
        app.live.clone()
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
