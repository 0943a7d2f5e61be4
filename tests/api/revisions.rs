//! `?revision=n`: the game at an earlier revision.

use connect_four::domain::{Column, Game as State, PlayerName, Players};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::generated::{Played, any_game};
use crate::service::{Game, Service, on_every_store};

/// Plays the game on the service, and asserts that each move has the same answer as a GET of its
/// `Content-Location`.
async fn play<'a>(service: &'a Service, played: &Played) -> Game<'a> {
    let game = service.start_game("ada", "grace").await;
    for (player, column) in ["ada", "grace"].iter().cycle().zip(&played.columns) {
        let made = game.move_by(player, column.as_str()).await.is(201);
        let shown = service.get(made.header("content-location")).await.is(200);
        assert_eq!(shown.body, made.body);
        assert_eq!(shown.header("etag"), made.header("etag"));
    }
    game
}

async fn assert_each_revision_is_the_fold_of_its_events(service: &Service, played: &Played) {
    let game = play(service, played).await;
    for (revision, state) in played.states.iter().enumerate() {
        let shown = game
            .get(&format!("?revision={revision}"))
            .await
            .is(200)
            .json();
        assert_eq!(shown["revision"], revision);
        assert_eq!(shown["next_player"], json!(state.next_player()));
        assert_eq!(shown["is_finished"], matches!(state, State::Finished(_)));
        assert_eq!(shown["result"], json!(state.result()));
        assert_eq!(
            shown["legal_columns"],
            json!(state.legal_columns().collect::<Vec<_>>())
        );
        assert_eq!(
            shown["last_move"]["number"],
            json!(state.last_move().map(|last| last.number))
        );
        for column in Column::ALL {
            let discs: Vec<_> = state.board().discs(column).collect();
            assert_eq!(shown["board"][column.as_str()], json!(discs));
        }
    }
    let last = played.states.len() - 1;
    let shown = game.get(&format!("?revision={last}")).await;
    assert_eq!(shown.body, game.get("").await.body);
}

fn ada_and_grace() -> Players {
    let name = |name| PlayerName::parse(name).expect("a name");
    Players::new(name("ada"), name("grace")).expect("two players")
}

on_every_store! {
    async fn each_revision_is_the_fold_of_its_events(service: Service) {
        let mut runner = TestRunner::new(Config::default());
        for _ in 0..4 {
            let generated = any_game().new_tree(&mut runner).expect("a game").current();
            let mut played = Played::started(ada_and_grace());
            generated.columns.iter().for_each(|column| played.play(*column));
            assert_each_revision_is_the_fold_of_its_events(&service, &played).await;
        }
    }

    async fn the_answer_for_a_revision_never_changes(service: Service) {
        let game = service.game_with("DC").await;
        let before = game.get("?revision=1").await.is(200);
        assert_eq!(before.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(before.header("etag"), "\"1\"");
        game.move_by("ada", "D").await.is(201);
        let after = game.get("?revision=1").await.is(200);
        assert_eq!(after.body, before.body);

        let request = service.request(reqwest::Method::GET, &game.path("?revision=1"));
        let known = request.header("if-none-match", "\"1\"").send().await.is(304);
        assert_eq!(known.header("cache-control"), after.header("cache-control"));
        assert_eq!(known.header("link"), after.header("link"));
    }

    async fn a_revision_that_was_not_reached_yet_is_not_found(service: Service) {
        let game = service.game_with("DC").await;
        for number in ["3", "44", "18446744073709551615"] {
            let answer = game.get(&format!("?revision={number}")).await;
            let problem = answer.is_problem(404, "revision-not-found");
            assert_eq!(problem["current_revision"], 2);
        }
        for number in ["-1", "x", "", "18446744073709551616"] {
            let answer = game.get(&format!("?revision={number}")).await;
            assert_eq!(answer.is_problem(400, "invalid-query")["parameter"], "revision");
        }
        game.move_by("ada", "D").await.is(201);
        game.get("?revision=3").await.is(200);
        let nowhere = "/games/01a20715-267e-7489-b4cd-306001f15c27?revision=0";
        service.get(nowhere).await.is_problem(404, "game-not-found");
    }

    async fn links_point_to_the_history_and_to_the_neighbouring_revisions(service: Service) {
        let game = service.game_with("DC").await;
        let link = |rest: &str, relation: &str| format!("<{}>; rel=\"{relation}\"", game.path(rest));
        let history = link("/events", "version-history");
        assert_eq!(game.get("").await.header("link"), history);
        let latest = link("", "latest-version");
        let expected = [
            vec![history.clone(), latest.clone(), link("?revision=1", "successor-version")],
            vec![history.clone(), latest.clone(), link("?revision=0", "predecessor-version"),
                link("?revision=2", "successor-version")],
            vec![history.clone(), latest, link("?revision=1", "predecessor-version")],
        ];
        for (revision, links) in expected.iter().enumerate() {
            let shown = game.get(&format!("?revision={revision}")).await;
            assert_eq!(shown.header("link"), links.join(", "));
        }
        let moved = game.move_by("ada", "D").await.is(201);
        assert_eq!(moved.header("link"), history);
    }
}
