//! Helpers that start services and send requests to them.

use std::sync::Arc;

use connect_four::event_store::{self, EventStore, MemoryStore, SqliteStore};
use connect_four::http::App;
use connect_four::live::Live;
use connect_four::server;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::double::Double;
pub(crate) use crate::exchange::{Answer, Request};
use crate::real_kurrentdb;

/// Runs each test on every event store. The test on a real KurrentDB is ignored by default.
macro_rules! on_every_store {
    ($(async fn $name:ident($service:ident: Service) $body:block)*) => {$(
        async fn $name($service: Service) $body

        mod $name {
            use crate::service::Service;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_memory() {
                super::$name(Service::on_memory().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(Service::on_sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_kurrentdb() {
                super::$name(Service::on_kurrentdb().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a real KurrentDB, named by KURRENTDB_URL"]
            async fn on_a_real_kurrentdb() {
                super::$name(Service::on_a_real_kurrentdb().await).await;
            }
        }
    )*};
}
pub(crate) use on_every_store;

/// A running service.
pub(crate) struct Service {
    client: Client,
    pub(crate) live: Arc<Live>,
    pub(crate) store: Arc<dyn EventStore>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _folder: Option<TempDir>,
    _double: Option<Double>,
}

/// An HTTP client of a service.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) url: String,
    http: reqwest::Client,
}

impl std::ops::Deref for Service {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Service {
    pub(crate) async fn on_memory() -> Service {
        Service::on(Arc::new(MemoryStore::new())).await
    }

    /// On a new file, which is removed when the service is dropped.
    pub(crate) async fn on_sqlite() -> Service {
        let folder = TempDir::new().expect("a folder");
        let store = SqliteStore::open(folder.path().join("games.db")).await;
        Service {
            _folder: Some(folder),
            ..Service::on(Arc::new(store.expect("a new file"))).await
        }
    }

    /// On its own test double of KurrentDB.
    pub(crate) async fn on_kurrentdb() -> Service {
        let double = Double::start().await;
        let service = Service::at(&double.connection_string()).await;
        Service {
            _double: Some(double),
            ..service
        }
    }

    /// On the real database.
    pub(crate) async fn on_a_real_kurrentdb() -> Service {
        Service::at(&real_kurrentdb::url()).await
    }

    /// On the store at this URL.
    pub(crate) async fn at(url: &str) -> Service {
        Service::on(event_store::open(url).await.expect("it opens")).await
    }

    pub(crate) async fn on(store: Arc<dyn EventStore>) -> Service {
        Service::serving(App::new(store.clone()), store).await
    }

    /// Another service on the same store, with an empty cache.
    pub(crate) async fn replica(&self) -> Service {
        Service::on(self.store.clone()).await
    }

    /// Another service on the same store, which requires `If-Match`.
    pub(crate) async fn strict_replica(&self) -> Service {
        let app = App::new(self.store.clone()).requiring_if_match(true);
        Service::serving(app, self.store.clone()).await
    }

    pub(crate) async fn serving(app: App, store: Arc<dyn EventStore>) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let (stop, stopped) = oneshot::channel::<()>();
        let live = app.live();
        let served = tokio::spawn(server::serve(app, listener, async {
            // `stop` sends the signal; otherwise the channel closes when the service is dropped.
            let _ = stopped.await;
        }));
        Service {
            client: Client::of(format!("http://{address}")),
            live,
            store,
            stop,
            served,
            _folder: None,
            _double: None,
        }
    }

    /// Stops the service, and waits until it has stopped.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.served.await.expect("the server does not panic");
    }

    pub(crate) async fn start_game(&self, player_one: &str, player_two: &str) -> Game<'_> {
        let names = json!({"player_one": player_one, "player_two": player_two});
        let answer = self.post("/games", names).await.is(201);
        let id = answer.json()["id"].as_str().expect("an id").to_owned();
        self.game(&id)
    }

    /// A game that already exists.
    pub(crate) fn game(&self, id: &str) -> Game<'_> {
        let id = id.to_owned();
        Game { service: self, id }
    }

    /// A new game between ada and grace, in which they have made these moves in turn.
    pub(crate) async fn game_with(&self, columns: &str) -> Game<'_> {
        let game = self.start_game("ada", "grace").await;
        for (player, column) in ["ada", "grace"].iter().cycle().zip(columns.chars()) {
            game.move_by(player, &column.to_string()).await.is(201);
        }
        game
    }
}

impl Client {
    /// A client of the service at this URL, with its own connections.
    pub(crate) fn of(url: String) -> Client {
        Client {
            url,
            http: plain_http_client(),
        }
    }

    pub(crate) fn another_client(&self) -> Client {
        Client::of(self.url.clone())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.url);
        Request(self.http.request(method, url))
    }

    /// Sends a request that was built before.
    pub(crate) async fn send(&self, request: reqwest::Request) -> Answer {
        let builder = reqwest::RequestBuilder::from_parts(self.http.clone(), request);
        Request(builder).send().await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(&body).send().await
    }
}

/// A game on a running service.
pub(crate) struct Game<'a> {
    pub(crate) service: &'a Service,
    pub(crate) id: String,
}

impl Game<'_> {
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/games/{}{rest}", self.id)
    }

    pub(crate) async fn move_by(&self, player: &str, column: &str) -> Answer {
        let body = json!({"player": player, "column": column});
        self.service.post(&self.path("/moves"), body).await
    }

    /// The request for this move, to which header fields can be added.
    pub(crate) fn move_request(&self, player: &str, column: &str) -> Request {
        let body = json!({"player": player, "column": column});
        let request = self.service.request(Method::POST, &self.path("/moves"));
        request.json(&body)
    }

    pub(crate) async fn get(&self, rest: &str) -> Answer {
        self.service.get(&self.path(rest)).await
    }

    /// The types of the stored events.
    pub(crate) async fn event_types(&self) -> Vec<String> {
        let page = self.get("/events?limit=100").await.is(200).json();
        let events = page["events"].as_array().expect("events").clone();
        events
            .iter()
            .map(|event| event["type"].as_str().expect("a type").to_owned())
            .collect()
    }
}

/// Without root certificates: loading them takes longer than most tests.
pub(crate) fn plain_http_client() -> reqwest::Client {
    let client = reqwest::Client::builder().tls_built_in_root_certs(false);
    client.build().expect("a client needs nothing from outside")
}
