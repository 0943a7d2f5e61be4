//! Moves that are decided on a remembered game: an accepted one costs one call of KurrentDB, and no
//! answer differs from that of a replica that reads the game first.

use reqwest::Method;
use serde_json::json;

use crate::double::Double;
use crate::kurrentdb_rules::{listed, replicas_on, stream, until};
use crate::service::{Answer, Client, Game, Request, Service};

/// The number of reads and appends during the request.
async fn cost(double: &Double, request: Request) -> (Answer, (u64, u64)) {
    let before = double.calls();
    let answer = request.send().await;
    let after = double.calls();
    let cost = (after.reads - before.reads, after.appends - before.appends);
    (answer, cost)
}

/// Starts games until a move in one of them costs no read: the service remembers games.
async fn until_it_remembers(double: &Double, service: &Service) {
    until("a move costs no read", async || {
        let game = service.game_with("").await;
        let (made, cost) = cost(double, game.move_request("ada", "A")).await;
        made.is(201);
        cost == (0, 1)
    })
    .await;
}

fn move_at(replica: &Client, game: &Game<'_>, player: &str, column: &str) -> Request {
    let body = json!({"player": player, "column": column});
    let request = replica.request(Method::POST, &game.path("/moves"));
    request.json(&body)
}

/// A replica that remembers a game at revision 0, and does not hear of what another replica has stored
/// since.
struct Outdated {
    double: Double,
    current: Service,
    outdated: Service,
    id: String,
}

impl Outdated {
    /// The other replica has made these moves.
    async fn since(columns: &str) -> Outdated {
        let double = Double::start().await;
        let [current, outdated] = replicas_on(&double).await;
        let id = current.game_with("").await.id.clone();
        until_it_remembers(&double, &outdated).await;
        outdated.game(&id).get("").await.is(200);
        double.stall_subscriptions();
        let game = current.game(&id);
        for (player, column) in ["ada", "grace"].iter().cycle().zip(columns.chars()) {
            game.move_by(player, &column.to_string()).await.is(201);
        }
        Outdated {
            id,
            double,
            current,
            outdated,
        }
    }

    /// The game at the other replica.
    fn game(&self) -> Game<'_> {
        self.current.game(&self.id)
    }

    /// A move at the outdated replica.
    fn move_request(&self, player: &str, column: &str) -> Request {
        self.outdated.game(&self.id).move_request(player, column)
    }

    fn events(&self) -> usize {
        self.double.stored(&stream(&self.game())).len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_move_costs_one_append_and_with_a_key_one_read_more() {
    let double = Double::start().await;
    let service = Service::at(&double.connection_string()).await;
    until_it_remembers(&double, &service).await;
    // The read model and the checks of the connection read as well, and an append that takes long is
    // looked up. So the cheapest of several moves counts.
    let mut costs = Vec::new();
    let game = service.game_with("DDEEFF").await;
    for (number, player) in ["ada", "grace"].into_iter().cycle().take(6).enumerate() {
        let column = &"ABABAB"[number..=number];
        let key = (number % 2 == 0).then(|| format!("a-key-of-this-move-{number}"));
        let request = game.move_request(player, column);
        let request = key.iter().fold(request, |request, key| {
            request.header("idempotency-key", key)
        });
        let (answer, cost) = cost(&double, request).await;
        answer.is(201);
        costs.push((key.is_some(), cost));
    }
    let least = |keyed| costs.iter().filter(|cost| cost.0 == keyed).min();
    assert_eq!(least(false), Some(&(false, (0, 1))), "{costs:?}");
    assert_eq!(least(true), Some(&(true, (1, 1))), "{costs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_remembers_what_the_other_one_has_stored() {
    let double = Double::start().await;
    let replicas = replicas_on(&double).await;
    for replica in &replicas {
        until_it_remembers(&double, replica).await;
    }
    let game = replicas[0].game_with("").await;
    replicas[1].get(&game.path("")).await.is(200);
    let mut costs = Vec::new();
    let mut position = String::new();
    for (number, column) in ["D", "D", "E", "E", "F", "A", "F"].iter().enumerate() {
        let replica = &replicas[number % 2];
        if !position.is_empty() {
            let list = replica.request(Method::GET, "/games");
            let list = list.header("event-position", &position);
            list.header("prefer", "wait=5").send().await.is(200);
        }
        let player = ["ada", "grace"][number % 2];
        let (made, cost) = cost(&double, move_at(replica, &game, player, column)).await;
        position = made.is(201).header("event-position").to_owned();
        costs.push(cost);
    }
    assert_eq!(costs[1..].iter().min(), Some(&(0, 1)), "{costs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_only_the_remembered_game_refuses_is_made() {
    let replica = Outdated::since("D").await;
    let made = replica.move_request("grace", "D").send().await.is(201);
    assert_eq!(made.json()["revision"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_only_the_newest_game_refuses_is_refused_with_the_newest_state() {
    let replica = Outdated::since("D").await;
    let refused = replica.move_request("ada", "E").send().await;
    let problem = refused.is_problem(409, "not-your-turn");
    assert_eq!(problem["next_player"], "grace");
    assert_eq!(refused.header("etag"), "\"1\"");
    assert_eq!(replica.events(), 2);
}

/// The store has the same move right after the remembered revision.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_move_as_in_an_earlier_turn_is_a_new_move() {
    let replica = Outdated::since("DD").await;
    let made = replica.move_request("ada", "D").send().await.is(201);
    assert_eq!(made.json()["revision"], 3);
    assert_eq!(replica.events(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resignation_that_the_other_replica_has_stored_is_not_repeated() {
    let replica = Outdated::since("").await;
    let resigned = json!({"player": "ada"});
    let path = replica.game().path("/resignation");
    replica.current.post(&path, resigned.clone()).await.is(200);
    let again = replica.outdated.post(&path, resigned).await;
    again.is_problem(409, "game-finished");
    assert_eq!(replica.events(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_if_match_is_compared_with_the_newest_revision() {
    let replica = Outdated::since("DC").await;
    let stale = replica.move_request("ada", "E").header("if-match", "\"0\"");
    let stale = stale.send().await;
    let problem = stale.is_problem(412, "revision-mismatch");
    assert_eq!(problem["current_revision"], 2);
    let missed = problem["missed_events"].as_array().map(Vec::len);
    assert_eq!(missed, Some(2));
    assert_eq!(replica.events(), 3);

    // Newer than what the replica remembers.
    replica.game().move_by("ada", "E").await.is(201);
    let current = replica
        .move_request("grace", "E")
        .header("if-match", "\"3\"");
    assert_eq!(current.send().await.is(201).json()["revision"], 4);
}

const KEY: (&str, &str) = ("idempotency-key", "the-key-of-adas-first-move");

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_move_gets_the_first_answer_however_old_the_remembered_game_is() {
    for (header, value) in [KEY, ("if-match", "\"0\"")] {
        let replica = Outdated::since("").await;
        let first = replica
            .game()
            .move_request("ada", "D")
            .header(header, value);
        let first = first.send().await.is(201);
        replica.game().move_by("grace", "C").await.is(201);
        let again = replica.move_request("ada", "D").header(header, value);
        assert_eq!(again.send().await.is(201).body, first.body);
        assert_eq!(replica.events(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_other_replica_has_seen_is_not_used_for_another_move() {
    let replica = Outdated::since("").await;
    let first = replica.game().move_request("ada", "D").header(KEY.0, KEY.1);
    first.send().await.is(201);
    let reused = replica.move_request("ada", "E").header(KEY.0, KEY.1);
    let reused = reused.send().await;
    reused.is_problem(422, "idempotency-key-reused");
    assert_eq!(replica.events(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_confirmed_by_a_read() {
    let double = Double::start().await;
    let service = Service::at(&double.connection_string()).await;
    until_it_remembers(&double, &service).await;
    let game = service.game_with("DC").await;
    let names = json!({"player_one": "ada", "player_two": "grace", "protected": true});
    let protected = service.post("/games", names).await.is(201).json();
    let id = protected["id"].as_str().expect("an id").to_owned();
    let graces = protected["tokens"]["player_two"].as_str().expect("a token");
    let protected = service.game(&id);
    let bearer = format!("Bearer {graces}");
    for (request, status) in [
        (game.move_request("grace", "D"), 409),
        (
            game.move_request("ada", "D").header("if-match", "\"1\""),
            412,
        ),
        (protected.move_request("ada", "D"), 401),
        (
            protected
                .move_request("ada", "D")
                .header("authorization", &bearer),
            403,
        ),
    ] {
        let (answer, (reads, appends)) = cost(&double, request).await;
        assert_eq!(answer.status, status);
        assert!(reads >= 1, "{status}");
        assert_eq!(appends, 0);
    }
}

/// How a stream loses its events.
const ENDS: [fn(&Double, &str); 5] = [
    |double, stream| double.delete(stream),
    |double, stream| double.tombstone(stream),
    |double, stream| double.set_metadata(stream, r#"{"$tb":1}"#),
    |double, stream| double.set_metadata(stream, r#"{"$tb":10}"#),
    |double, stream| double.set_metadata(stream, r#"{"$maxCount":1}"#),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_move_is_made_in_a_deleted_game_that_was_remembered() {
    for end in ENDS {
        let double = Double::start().await;
        let replicas = replicas_on(&double).await;
        let game = replicas[0].game_with("D").await;
        for replica in &replicas {
            until_it_remembers(&double, replica).await;
            replica.get(&game.path("")).await.is(200);
            let is_listed = async || listed(replica).await.contains(&game.id);
            until("the game is listed", is_listed).await;
        }
        end(&double, &stream(&game));
        for replica in &replicas {
            // Not the game itself, since a read would show that the stream was deleted.
            let is_heard = async || !listed(replica).await.contains(&game.id);
            until("the game leaves the list", is_heard).await;
            let refused = move_at(replica, &game, "grace", "D").send().await;
            refused.is_problem(410, "game-deleted");
        }
        assert!(double.stored(&stream(&game)).len() <= 3);
        let ours = double.stored(&stream(&game)).into_iter();
        assert_eq!(
            ours.filter(|event| event.event_type == "MoveMade").count(),
            1
        );
    }
}

/// A stream that another program has just soft-deleted accepts a move until the subscription delivers the
/// deletion. It is as if the move had been made before the deletion.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_game_is_gone_once_the_deletion_is_heard_even_if_it_got_one_more_move() {
    for end in ENDS {
        let double = Double::start().await;
        let replicas = replicas_on(&double).await;
        let game = replicas[0].game_with("D").await;
        for replica in &replicas {
            until_it_remembers(&double, replica).await;
            replica.get(&game.path("")).await.is(200);
        }
        double.stall_subscriptions();
        end(&double, &stream(&game));
        let late = move_at(&replicas[1], &game, "grace", "D").send().await;
        assert!(matches!(late.status.as_u16(), 201 | 410), "{late:?}");
        double.cut_connections();
        for replica in &replicas {
            let is_gone = async || {
                let refused = move_at(replica, &game, "ada", "E").send().await;
                refused.status == 410
            };
            until("no more move is made", is_gone).await;
            replica
                .get(&game.path(""))
                .await
                .is_problem(410, "game-deleted");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_subscription_a_service_reads_a_game_before_it_decides() {
    let double = Double::start().await;
    let service = Service::at(&double.connection_string()).await;
    until_it_remembers(&double, &service).await;
    let deleted = service.game_with("D").await;
    let kept = service.game_with("D").await;
    double.forbid_reading_all(true);
    double.cut_connections();
    until("the subscription is lost", async || {
        let metrics = service.get("/metrics").await.body;
        String::from_utf8_lossy(&metrics).contains("connect_four_read_model_caught_up 0")
    })
    .await;
    double.delete(&stream(&deleted));
    let refused = move_at(&service, &deleted, "grace", "D").send().await;
    refused.is_problem(410, "game-deleted");
    assert_eq!(double.stored(&stream(&deleted)).len(), 2);
    let (made, (reads, appends)) = cost(&double, kept.move_request("grace", "D")).await;
    made.is(201);
    assert!(reads >= 1);
    assert_eq!(appends, 1);

    double.forbid_reading_all(false);
    until_it_remembers(&double, &service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_no_move_is_decided_on_a_game_of_before() {
    let mut double = Double::start().await;
    let [one, other] = replicas_on(&double).await;
    let game = one.game_with("D").await;
    let backup = double.snapshot();
    for replica in [&one, &other] {
        until_it_remembers(&double, replica).await;
    }
    game.move_by("grace", "D").await.is(201);
    other.get(&game.path("")).await.is(200);
    // The positions of these moves are not reached again.
    for _ in 0..20 {
        other.game_with("D").await;
    }
    double.stop().await;
    double.restore(&backup);
    double.start_again();
    // What the replicas remember says that it is ada's turn.
    until("the store answers", async || {
        let refused = move_at(&other, &game, "ada", "E").send().await;
        let is_answered = !matches!(refused.status.as_u16(), 503 | 504);
        is_answered && refused.is_problem(409, "not-your-turn")["next_player"] == "grace"
    })
    .await;
    until("the restore is noticed", async || {
        listed(&other).await == [game.id.as_str()]
    })
    .await;
    until_it_remembers(&double, &other).await;
    let moved = move_at(&other, &game, "grace", "C").send().await.is(201);
    assert_eq!(moved.json()["revision"], 2);
    let stored = double.stored(&stream(&game));
    assert_eq!(stored.len(), 3);
    assert_eq!(&*stored[2].data, br#"{"player":"grace","column":"C"}"#);
}
