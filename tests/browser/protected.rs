//! Protected games in browsers: only the players' own browsers move.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::service::Service;

/// Starts a protected game in the lobby, as alice, and returns the link for bob.
async fn start(alice: &Chromium) -> String {
    alice.type_into("[name=player_one]", "alice").await;
    alice.type_into("[name=player_two]", "bob").await;
    alice.click("[name=seat][value=one]").await;
    alice.click("#start button").await;
    alice.until("document.querySelector('.link')").await;
    alice.text(".link").await
}

async fn address(browser: &Chromium) -> String {
    let address = browser.run("location.href").await;
    address.as_str().expect("an address").to_owned()
}

async fn seats(browser: &Chromium) -> Value {
    let values = "[...document.querySelectorAll('#seats input')].map((seat) => seat.value)";
    browser.run(values).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn an_invitation_seats_one_player_and_its_token_leaves_the_address() {
    let service = Service::start().await;
    let alice = Chromium::at(&service.url).await;
    let link = start(&alice).await;
    let (game, fragment) = link.split_once('#').expect("a fragment");
    let token = fragment
        .strip_prefix("play=two&player_two=")
        .expect("a token");
    assert!(token.len() >= 22, "{token}");
    let id = game.rsplit('/').next().expect("an id");

    let bob = Chromium::at(&link).await;
    assert_eq!(address(&bob).await, game);
    assert_eq!(address(&alice).await, game);
    assert_eq!(seats(&bob).await, json!(["two", ""]));
    assert_eq!(seats(&alice).await, json!(["one", "two", "both", ""]));
    assert_eq!(
        bob.run("document.querySelector('.link')").await,
        Value::Null
    );

    alice.drop_into("D").await;
    bob.until_events(2).await;
    // The seat and the token are still there after the page is loaded again.
    bob.open(game).await;
    bob.drop_into("E").await;
    bob.until_text("#outcome", "201").await;
    alice.until_events(3).await;
    assert_eq!(service.events(id).await, ["GameStarted", "D", "E"]);

    let command = bob.text("#curl").await;
    assert!(
        command.contains(&format!("-H 'Authorization: Bearer {token}'")),
        "{command}"
    );
    for browser in [&alice, &bob] {
        for url in browser.requested().await {
            assert!(!url.contains(token), "{url}");
        }
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
    alice.close().await;
    bob.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_viewer_without_a_token_sees_that_the_game_is_protected_and_cannot_move() {
    let service = Service::start().await;
    let alice = Chromium::at(&service.url).await;
    let link = start(&alice).await;
    let (game, _) = link.split_once('#').expect("a fragment");
    let id = game.rsplit('/').next().expect("an id");
    // A link without a token takes no seat.
    for url in [game.to_owned(), format!("{game}#play=one")] {
        let viewer = Chromium::at(&url).await;
        viewer
            .until_text("#invitations", "This game is protected")
            .await;
        assert_eq!(seats(&viewer).await, json!([""]));
        viewer.drop_into("D").await;
        viewer
            .until_text("#notice", "only its players can move")
            .await;
        // The viewer follows the game.
        let columns = service.events(id).await.len();
        alice.click("[name=seat][value=both]").await;
        alice.drop_into("A").await;
        viewer.until_events(columns + 1).await;
        viewer.close().await;
    }
    assert_eq!(service.events(id).await, ["GameStarted", "A", "A"]);

    // A wrong token is refused by the service.
    let guesser = Chromium::at(&format!(
        "{game}#play=one&player_one=a-token-of-another-game"
    ))
    .await;
    guesser.drop_into("D").await;
    guesser
        .until_text("#notice", "The token is not one of this game")
        .await;
    assert_eq!(service.events(id).await.len(), 3);
    guesser.close().await;

    // A wrong link does not replace the token of a player.
    let wrong = format!("{game}#play=both&player_one=a-token-of-another-game");
    alice.open(&service.url).await;
    alice.open(&wrong).await;
    alice.drop_into("B").await;
    alice.until_events(4).await;
    alice.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_game_that_is_not_protected_has_a_link_without_a_token() {
    let service = Service::start().await;
    let alice = Chromium::at(&service.url).await;
    alice.click("[name=protected]").await;
    let link = start(&alice).await;
    assert!(link.ends_with("#play=two"), "{link}");
    let viewer = Chromium::at(link.split_once('#').expect("a fragment").0).await;
    assert_eq!(seats(&viewer).await, json!(["one", "two", "both", ""]));
    viewer.close().await;
    alice.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_browser_that_remembers_nothing_plays_until_the_page_is_left() {
    let service = Service::start().await;
    let alice = Chromium::start().await;
    let refuse =
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });";
    let script = json!({"source": refuse});
    alice
        .devtools("Page.addScriptToEvaluateOnNewDocument", script)
        .await;
    alice.open(&service.url).await;
    let link = start(&alice).await;
    assert_eq!(
        address(&alice).await,
        link.split_once('#').expect("a fragment").0
    );
    alice.drop_into("D").await;
    alice.until_events(2).await;
    alice.close().await;
}
