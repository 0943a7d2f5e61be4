//! Games that are played in browsers.

use thirtyfour::Key;

use crate::chromium::Chromium;
use crate::service::Service;

/// Moves with which alice, who begins, wins upright in column A.
const WON_BY_ALICE: [&str; 7] = ["A", "B", "A", "B", "A", "B", "A"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn one_click_chooses_the_computer_as_the_opponent() {
    let service = Service::start().await;
    let alice = Chromium::at(&service.url).await;
    alice.type_into("[name=player_one]", "alice").await;
    alice.click("[data-against]").await;
    alice.click("#start button").await;
    alice.drop_into("D").await;
    // The start, the move and the reply.
    alice.until_events(3).await;
    assert_eq!(alice.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn two_browsers_play_a_whole_game() {
    let service = Service::start().await;
    let alice = Chromium::at(&service.url).await;
    alice.type_into("[name=player_one]", "alice").await;
    alice.type_into("[name=player_two]", "bob").await;
    alice.click("[name=seat][value=one]").await;
    alice.click("#start button").await;
    alice.until("document.querySelector('.link')").await;
    let link = alice.text(".link").await;
    let bob = Chromium::at(&link).await;

    for (number, column) in WON_BY_ALICE.iter().enumerate() {
        let (mover, other) = match number % 2 {
            0 => (&alice, &bob),
            _ => (&bob, &alice),
        };
        mover.drop_into(column).await;
        let count = number + 2;
        mover
            .until(&format!(
                "document.querySelectorAll('#events > li').length >= {count}"
            ))
            .await;
        other
            .until(&format!(
                "document.querySelectorAll('#events > li').length >= {count}"
            ))
            .await;
    }
    for browser in [&alice, &bob] {
        browser.until_text("#state", "alice won").await;
        browser.until_events(9).await;
        assert_eq!(
            browser
                .run("document.querySelectorAll('.won').length")
                .await,
            4
        );
        browser.until_text("#announcements", "alice won").await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
    let id = link
        .rsplit('/')
        .next()
        .and_then(|rest| rest.split('#').next());
    let path = format!("/games/{}", id.expect("an id"));
    assert_eq!(alice.board().await, service.board(&path).await);
    assert_eq!(bob.board().await, service.board(&path).await);
    alice.close().await;
    bob.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_browser_plays_against_another_client() {
    let service = Service::start().await;
    let id = service.game_with("").await;
    let browser = Chromium::at(&format!("{}/games/{id}#play=one", service.url)).await;
    for (number, columns) in [["D", "E"], ["D", "E"], ["D", "E"]].iter().enumerate() {
        browser.drop_into(columns[0]).await;
        browser.until_events(2 * number + 2).await;
        service.make_move(&id, "bob", columns[1]).await;
        browser.until_events(2 * number + 3).await;
        browser.until_text("#state", "alice’s turn").await;
    }
    browser.drop_into("D").await;
    browser.until_text("#state", "alice won").await;
    let recorded = service.events(&id).await;
    assert_eq!(
        recorded,
        [
            "GameStarted",
            "D",
            "E",
            "D",
            "E",
            "D",
            "E",
            "D",
            "GameFinished"
        ]
    );
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_whole_game_is_played_with_the_keyboard_alone() {
    let service = Service::start().await;
    let browser = Chromium::at(&service.url).await;
    browser.press(Key::Tab + "").await;
    browser
        .until("document.activeElement !== document.body")
        .await;
    // From the top of the page to the first name, and from there on.
    while browser.run("document.activeElement.name ?? ''").await != "player_one" {
        browser.press(Key::Tab + "").await;
    }
    browser.press("alice").await;
    browser.press(Key::Tab + "").await;
    browser.press("bob").await;
    browser.press(Key::Enter + "").await;
    browser
        .until("document.getElementById('events')?.children.length === 1")
        .await;

    // A digit, a letter, and an arrow with Enter.
    let moves: [&[TypedKey]; 7] = [
        &["1".into()],
        &["b".into()],
        &["A".into()],
        &[Key::Right.into(), Key::Enter.into()],
        &[Key::Left.into(), Key::Enter.into()],
        &[Key::Right.into(), Key::Enter.into()],
        &["1".into()],
    ];
    for (number, keys) in moves.iter().enumerate() {
        for key in *keys {
            browser.press(key.0.clone()).await;
        }
        browser
            .until(&format!(
                "document.querySelectorAll('#events > li').length >= {}",
                number + 2
            ))
            .await;
    }
    browser.until_text("#state", "alice won").await;
    browser.close().await;
}

/// A key, or a letter.
struct TypedKey(String);

impl From<&str> for TypedKey {
    fn from(letter: &str) -> TypedKey {
        TypedKey(letter.to_owned())
    }
}

impl From<Key> for TypedKey {
    fn from(key: Key) -> TypedKey {
        TypedKey(key.value().to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_refused_move_shows_the_problem_and_leaves_no_event() {
    let service = Service::start().await;
    let id = service.game_with("DDDDDD").await;
    let browser = Chromium::at(&format!("{}/games/{id}#play=both", service.url)).await;
    let before = browser.board().await;
    browser.drop_into("D").await;
    browser.until_text("#notice", "Column D is full").await;
    assert!(browser.text("#outcome").await.starts_with("409"));
    assert_eq!(browser.board().await, before);
    assert_eq!(service.events(&id).await.len(), 7);

    // The next move that is allowed takes the problem away.
    browser.drop_into("E").await;
    browser.until_events(8).await;
    browser
        .until("document.getElementById('notice').textContent === ''")
        .await;

    browser.click("#seats [value=one]").await;
    browser.drop_into("A").await;
    browser.until_text("#notice", "It is bob's turn").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn the_lobby_follows_all_games() {
    let service = Service::start().await;
    let browser = Chromium::at(&service.url).await;
    browser.until_text("#connection", "Live").await;
    let id = service.game_with("ABABAB").await;
    browser.until_text("#running", "alice’s turn").await;
    service.make_move(&id, "alice", "A").await;
    browser.until_text("#finished", "alice won").await;
    browser.until_text("#players", "alice").await;
    browser.until("!document.querySelector('#running a')").await;
    browser.until_text("#happening", "GameFinished").await;

    for _ in 0..9 {
        service.game_with("").await;
    }
    browser
        .until("document.querySelectorAll('#running li').length === 8")
        .await;
    browser.click("#running .pages button:last-child").await;
    browser
        .until("document.querySelectorAll('#running li').length === 1")
        .await;
    browser.click("#running .pages button").await;
    browser
        .until("document.querySelectorAll('#running li').length === 8")
        .await;
    browser.close().await;
}
