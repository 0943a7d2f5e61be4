//! `Accept`: the most specific range that matches decides, and a weight of 0 means "not this".

use reqwest::Method;

use crate::service::{Answer, Game, Service, on_every_store};

async fn get(game: &Game<'_>, rest: &str, accept: &[&str]) -> Answer {
    let request = game.service.request(Method::GET, &game.path(rest));
    let fields = accept.iter();
    let request = fields.fold(request, |request, accept| request.header("accept", accept));
    request.send().await
}

on_every_store! {
    async fn the_most_specific_range_decides_and_a_weight_of_zero_refuses(service: Service) {
        let game = service.game_with("D").await;
        let text = "text/plain; charset=utf-8";
        for (accept, content_type) in [
            (&["application/json;q=0, */*"][..], text),
            (&["*/*, application/json;q=0"], text),
            (&["*/*", "application/json; Q=0.000"], text),
            (&["application/*;q=0, */*;q=0.1"], text),
            (&["application/json;q=0.1, application/*;q=0.9, text/plain;q=0.5"], text),
            (&["application/json;q=0.5, */*"], text),
            (&["text/plain;q=0, text/*, application/json;q=0.1"], "text/html; charset=utf-8"),
            (&["text/plain;charset=utf-8;q=0, text/plain, */*;q=0.1"], "application/json"),
            (&["*/*;q=0, application/json"], "application/json"),
            (&["application/json, text/plain"], "application/json"),
            (&["text/plain, application/json"], text),
            (&["*/*"], "application/json"),
        ] {
            let answer = get(&game, "", accept).await.is(200);
            assert_eq!(answer.header("content-type"), content_type, "{accept:?}");
        }
        for accept in ["application/json;q=0", "*/*;q=0", "text/*;q=0, application/*;q=0, */*;q=0.000"] {
            get(&game, "", &[accept]).await.is_problem(406, "not-acceptable");
        }
        let not_json = "application/json;q=0, */*";
        get(&game, "/moves", &[not_json]).await.is_problem(406, "not-acceptable");
        let page = service.request(Method::GET, "/").header("accept", not_json).send().await.is(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    }

    async fn empty_list_elements_are_ignored(service: Service) {
        let game = service.game_with("D").await;
        for accept in [&[", text/plain"][..], &["text/plain,"], &[",,\t, text/plain ,, image/png;q=0.1,"], &["", "text/plain"]] {
            let answer = get(&game, "", accept).await.is(200);
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8", "{accept:?}");
        }
        get(&game, "", &[",image/png,"]).await.is_problem(406, "not-acceptable");
        for accept in ["", ",", " , ,"] {
            let answer = get(&game, "", &[accept]).await.is(200);
            assert_eq!(answer.header("content-type"), "application/json", "{accept:?}");
        }
        for (name, value) in [
            ("if-none-match", ",\"1\",,"), ("if-none-match", ", *,"), ("if-none-match", "*, ,"),
            ("if-none-match", "\"0\", , \"1\""),
        ] {
            let request = service.request(Method::GET, &game.path("")).header(name, value);
            request.send().await.is(304);
        }
        let request = service.request(Method::GET, &game.path("")).header("if-none-match", "\"1\"");
        let waited = request.header("prefer", ", ,wait=0,").send().await.is(304);
        assert_eq!(waited.header("preference-applied"), "wait=0");
        for (player, column, tags) in [("grace", "D", ", \"1\",, "), ("ada", "D", "*,"), ("grace", "E", ",*")] {
            let request = game.move_request(player, column).header("if-match", tags);
            request.send().await.is(201);
        }
    }

    async fn an_accept_field_that_cannot_be_parsed_counts_as_absent(service: Service) {
        let game = service.game_with("D").await;
        for accept in ["?!", "text/html, image/gif, *; q=.2, */*; q=.2", "text/plain;q=2", "text/plain;q=", "text/plain;q=0.1234"] {
            let answer = get(&game, "", &[accept]).await.is(200);
            assert_eq!(answer.header("content-type"), "application/json", "{accept:?}");
        }
    }
}
