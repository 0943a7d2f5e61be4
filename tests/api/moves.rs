//! Making moves.

use serde_json::json;

use crate::service::{Service, on_every_store};

on_every_store! {
    async fn a_move_is_answered_with_the_game_after_it(service: Service) {
        let game = service.game_with("").await;
        let answer = game.move_by("ada", "D").await.is(201);

        let after = answer.json();
        assert_eq!(after["revision"], 1);
        assert_eq!(after["next_player"], "grace");
        assert_eq!(after["board"]["D"], json!(["YELLOW"]));
        assert_eq!(after["last_move"], json!({
            "number": 1, "player": "ada", "column": "D", "row": 1, "disc": "YELLOW",
        }));
        assert_eq!(answer.header("location"), game.path("/moves/1"));
        assert_eq!(answer.header("content-location"), game.path("?revision=1"));
        assert_eq!(answer.header("etag"), "\"1\"");
    }

    async fn discs_in_one_column_are_stacked(service: Service) {
        let game = service.game_with("DD").await;
        let after = game.move_by("ada", "D").await.is(201).json();
        assert_eq!(after["board"]["D"], json!(["YELLOW", "RED", "YELLOW"]));
        assert_eq!(after["last_move"]["row"], 3);
    }

    async fn players_move_in_turns(service: Service) {
        let game = service.game_with("").await;
        let problem = game.move_by("grace", "D").await.is_problem(409, "not-your-turn");
        assert_eq!(problem["next_player"], "ada");
        assert_eq!(problem["revision"], 0);
        game.move_by("ada", "D").await.is(201);
        let again = game.move_by("ada", "D").await;
        assert_eq!(again.header("etag"), "\"1\"");
        again.is_problem(409, "not-your-turn");
    }

    async fn a_move_of_somebody_who_does_not_play_the_game_is_refused(service: Service) {
        let game = service.game_with("").await;
        let problem = game.move_by("mallory", "D").await.is_problem(409, "player-not-in-game");
        assert_eq!(problem["players"], json!(["ada", "grace"]));
    }

    async fn a_full_column_takes_no_more_discs(service: Service) {
        let game = service.game_with("DDDDDD").await;
        let problem = game.move_by("ada", "D").await.is_problem(409, "column-full");
        assert_eq!(problem["column"], "D");
        assert_eq!(problem["legal_columns"], json!(["A", "B", "C", "E", "F", "G"]));
        assert_eq!(problem["revision"], 6);
    }

    async fn four_in_a_row_wins_and_ends_the_game(service: Service) {
        let game = service.game_with("ABABAB").await;
        let answer = game.move_by("ada", "A").await.is(201);

        let won = answer.json();
        assert_eq!(won["revision"], 8);
        assert_eq!(won["is_finished"], true);
        assert_eq!(won["result"], "PLAYER_ONE_WON");
        assert_eq!(won["next_player"], json!(null));
        assert_eq!(won["legal_columns"], json!([]));
        assert_eq!(won["winning_line"], json!(["A1", "A2", "A3", "A4"]));
        assert_eq!(answer.header("location"), game.path("/moves/7"));
        assert_eq!(answer.header("content-location"), game.path("?revision=8"));
        let types = game.event_types().await;
        assert_eq!(types[7..], ["MoveMade", "GameFinished"]);
    }

    async fn a_finished_game_accepts_no_more_moves(service: Service) {
        let game = service.game_with("ABABABA").await;
        for player in ["grace", "ada", "mallory"] {
            let problem = game.move_by(player, "C").await.is_problem(409, "game-finished");
            assert_eq!(problem["result"], "PLAYER_ONE_WON");
            assert_eq!(problem["revision"], 8);
        }
    }

    async fn a_full_board_without_a_line_is_a_tie(service: Service) {
        // The columns are filled in pairs, and every second pair begins with the other colour.
        let game = service.game_with("AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG").await;
        let tied = game.get("").await.json();
        assert_eq!(tied["result"], "TIED", "{tied}");
        assert_eq!(tied["winning_line"], json!(null));
    }

    async fn a_move_in_an_unknown_game_is_not_found(service: Service) {
        let id = "01a20715-267e-7489-b4cd-306001f15c27";
        let body = json!({"player": "ada", "column": "D"});
        let problem = service.post(&format!("/games/{id}/moves"), body).await;
        assert_eq!(problem.is_problem(404, "game-not-found")["game_id"], id);
        service.get(&format!("/games/{id}/events")).await.is_problem(404, "game-not-found");
    }
}
