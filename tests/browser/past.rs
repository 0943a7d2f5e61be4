//! Looking at the past of a game: the board is the fold of the events up to there.

use serde_json::Value;
use thirtyfour::Key;

use crate::chromium::Chromium;
use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn the_slider_shows_the_board_of_each_revision() {
    let service = Service::start().await;
    let id = service.game_with("DDCEBFEEFAGGC").await;
    let browser = Chromium::at(&format!("{}/games/{id}", service.url)).await;
    browser.until_events(14).await;
    browser.click("#slider").await;
    browser.press(Key::Home + "").await;
    for revision in 0..14 {
        browser.until_revision(revision).await;
        let path = format!("/games/{id}?revision={revision}");
        assert_eq!(browser.board().await, service.board(&path).await, "{path}");
        let folded = browser.run("document.querySelectorAll('#events > li:not(.later)').length");
        assert_eq!(folded.await, revision + 1);
        browser.press(Key::Right + "").await;
    }
    // From the end there is no further.
    browser.until_revision(13).await;
    browser.click("#back").await;
    browser.until_revision(12).await;
    browser
        .click("#events li[data-revision='3'] .revision")
        .await;
    browser.until_revision(3).await;
    browser.click("#play").await;
    browser.until_revision(13).await;
    browser.until_text("#play", "Play").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_link_leads_to_a_revision_and_back_to_now() {
    let service = Service::start().await;
    let id = service.game_with("DDCEBF").await;
    let url = format!("{}/games/{id}", service.url);
    let browser = Chromium::at(&format!("{url}?revision=3")).await;
    let path = format!("/games/{id}?revision=3");
    assert_eq!(browser.board().await, service.board(&path).await);
    browser.until_text("#state", "bob’s turn").await;

    browser.click("#forward").await;
    browser.until_revision(4).await;
    // The address follows, so that it can be sent to somebody.
    browser.until_address("?revision=4").await;
    browser.click("#now").await;
    browser.until_revision(6).await;
    browser.until_address("").await;
    let now = service.board(&format!("/games/{id}")).await;
    assert_eq!(browser.board().await, now);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn events_that_come_while_somebody_looks_at_the_past_are_told_and_move_nothing() {
    let service = Service::start().await;
    let id = service.game_with("DDCE").await;
    let browser = Chromium::at(&format!("{}/games/{id}?revision=2", service.url)).await;
    browser.until_text("#connection", "Live").await;
    let then = browser.board().await;
    service.make_move(&id, "alice", "A").await;
    service.make_move(&id, "bob", "A").await;
    browser.until_text("#news", "2 new events").await;
    assert_eq!(browser.board().await, then);
    assert_eq!(browser.text("#revision").await, "2");

    // Nobody moves in the past.
    browser.click("#seats [value=both]").await;
    browser.drop_into("G").await;
    browser.until_text("#notice", "the past").await;
    assert_eq!(service.events(&id).await.len(), 7);

    browser.click("#now").await;
    browser.until_revision(6).await;
    assert_eq!(browser.text("#news").await, "");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn the_page_finds_the_end_and_the_winning_line_that_the_service_finds() {
    let service = Service::start().await;
    let browser = Chromium::start().await;
    for columns in [
        "ABABABA",                                    // upright
        "GGFFEED",                                    // sideways
        "ABBCCDCDDAD",                                // rising
        "GFFEEDEDDGD",                                // falling
        "AABBCCEEFFD",                                // more than four
        "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG", // a tie
    ] {
        let id = service.game_with(columns).await;
        let path = format!("/games/{id}");
        let game = service.get(&path, "application/json").await;
        let game = game.json::<Value>().await.expect("JSON");
        browser.open(&format!("{}{path}", service.url)).await;
        let line = browser
            .run(
                "[...document.querySelectorAll('.won')].map((ring) =>
                   'ABCDEFG'[Math.floor(ring.getAttribute('cx') / 100)] +
                   (6 - Math.floor(ring.getAttribute('cy') / 100))).sort()",
            )
            .await;
        let expected = game["winning_line"].as_array().cloned();
        assert_eq!(line, Value::from(expected.unwrap_or_default()), "{columns}");
        let state = match game["result"].as_str().expect("a result") {
            "TIED" => "A tie",
            _ => "alice won",
        };
        assert_eq!(browser.text("#state").await, state, "{columns}");
        assert_eq!(browser.board().await, service.board(&path).await);
    }
    browser.close().await;
}
