//! A read model that followed the events live equals a rebuilt one, whatever the history.

use std::sync::Arc;

use connect_four::application::GameId;
use connect_four::domain::GameEvent;
use connect_four::event_store::{EventStore, MemoryStore, SqliteStore, StreamName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use crate::generated::{any_event, any_game};
use crate::support::{Files, Following, append_to, rows};

/// The events of one stream, which often are not a valid game.
fn any_history() -> impl Strategy<Value = Vec<GameEvent>> {
    let played = any_game().prop_map(|game| game.events);
    let cut = (any_game(), any::<Index>()).prop_map(|(game, at)| {
        let end = at.index(game.events.len()) + 1;
        game.events[..end].to_vec()
    });
    let disturbed =
        (any_game(), any::<Index>(), any_event()).prop_map(|(mut game, at, disturbance)| {
            let at = at.index(game.events.len() + 1);
            game.events.insert(at, disturbance);
            game.events
        });
    prop_oneof![2 => played, 2 => cut, 2 => disturbed, 1 => vec(any_event(), 1..6)]
}

#[derive(Debug, Clone, Copy)]
enum Then {
    GoOn,
    Look,
    Restart,
}

/// Which stream gets its next event, and what happens after that.
fn any_steps() -> impl Strategy<Value = Vec<(Index, Then)>> {
    let then = prop_oneof![8 => Just(Then::GoOn), 3 => Just(Then::Look), 1 => Just(Then::Restart)];
    vec((any::<Index>(), then), 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_read_model_that_followed_live_equals_a_rebuilt_one(
        histories in vec(any_history(), 1..6),
        steps in any_steps(),
        in_sqlite in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let files = Files::new();
            let store: Arc<dyn EventStore> = match in_sqlite {
                true => Arc::new(SqliteStore::open(files.path("events.db")).await.expect("it opens")),
                false => Arc::new(MemoryStore::new()),
            };
            let grown = grow(&files, &store, histories, steps).await;
            assert_eq!(grown, files.rebuilt_rows(&store).await);
        });
    }
}

/// Appends to the streams in turns while a read model follows, and returns its rows.
async fn grow(
    files: &Files,
    store: &Arc<dyn EventStore>,
    histories: Vec<Vec<GameEvent>>,
    steps: Vec<(Index, Then)>,
) -> String {
    let path = files.path("grown.db");
    let mut streams: Vec<_> = histories
        .into_iter()
        .enumerate()
        .map(|(number, events)| (stream(number), events.into_iter()))
        .collect();
    let mut following = Following::in_file(&path, store).await;
    let mut last = None;
    for (index, then) in steps {
        let place = index.index(streams.len());
        let (stream, events) = &mut streams[place];
        let Some(event) = events.next() else { continue };
        let position = append_to(store, stream, &[event]).await;
        last = Some(position);
        match then {
            Then::GoOn => {}
            Then::Look => following.sees(position).await,
            Then::Restart => {
                following.sees(position).await;
                following.stop().await;
                following = Following::in_file(&path, store).await;
            }
        }
    }
    if let Some(last) = last {
        following.sees(last).await;
    }
    following.stop().await;
    rows(&path)
}

/// The stream of a game, or sometimes a stream whose name does not contain a game id.
fn stream(number: usize) -> StreamName {
    let uuid = Uuid::from_u128(0xabc + number as u128);
    match number {
        4 => StreamName::new(format!("game-{}", uuid.simple())).expect("a name"),
        _ => GameId::from_uuid(uuid).stream(),
    }
}
