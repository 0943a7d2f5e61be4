//! For everyone: phones, screen readers, closed networks.

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::chromium::Chromium;
use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_small_phone_shows_everything_and_plays() {
    let service = Service::start().await;
    let id = service.game_with("DDCEBF").await;
    let browser = Chromium::start().await;
    let phone = json!({"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": true});
    browser
        .devtools("Emulation.setDeviceMetricsOverride", phone)
        .await;
    for path in ["/".to_owned(), format!("/games/{id}#play=one")] {
        browser.open(&format!("{}{path}", service.url)).await;
        let width = browser.run("document.documentElement.scrollWidth").await;
        assert_eq!(width, 320, "{path} is wider than the phone");
    }
    // Each column is wide enough for a finger.
    let column = browser.run("document.querySelector('.column').getBoundingClientRect().width");
    assert!(column.await.as_f64().expect("a width") >= 24.0);
    browser.drop_into("G").await;
    browser.until_events(8).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn pages_ask_no_other_host_and_the_console_stays_empty() {
    let service = Service::start().await;
    let id = service.game_with("DDC").await;
    let browser = Chromium::at(&service.url).await;
    browser.until_text("#running", "bob’s turn").await;
    browser
        .open(&format!("{}/games/{id}#play=both", service.url))
        .await;
    browser.drop_into("A").await;
    browser.until_events(5).await;
    browser.click("#back").await;
    browser.click("#events li:first-child summary").await;
    browser.click("#copy").await;
    browser.until_text("#copy", "Copied").await;

    let requested = browser.requested().await;
    assert!(requested.len() > 20, "{requested:?}");
    for url in &requested {
        assert!(url.starts_with(&format!("{}/", service.url)), "{url}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn the_api_is_read_and_tried_without_any_other_host() {
    let service = Service::start().await;
    let id = service.game_with("D").await;
    let browser = Chromium::start().await;
    let url = format!("{}/docs", service.url);
    browser.driver.goto(&url).await.expect("a page");
    let game = "[id=operations-games-showGame]";
    browser
        .until(&format!("document.querySelector('{game}')"))
        .await;
    browser.click(&format!("{game} .opblock-summary")).await;
    browser
        .until("document.querySelector('.try-out__btn')")
        .await;
    browser.click(".try-out__btn").await;
    browser
        .until("document.querySelector('tr[data-param-name=id] input:enabled')")
        .await;
    // An example is there already.
    let field = "tr[data-param-name=id] input";
    browser.type_into(field, Key::Control + "a").await;
    browser.type_into(field, &id[..]).await;
    browser.click(".execute").await;
    browser
        .until_text(".live-responses-table", "\"last_move\"")
        .await;
    for url in browser.requested().await {
        assert!(url.starts_with(&format!("{}/", service.url)), "{url}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium, and axe-core at the path in AXE"]
async fn an_audit_finds_nothing_that_keeps_anybody_out() {
    let axe = std::env::var("AXE").expect("the path of axe.min.js in AXE");
    let axe = std::fs::read_to_string(axe).expect("axe.min.js of the npm package axe-core");
    let service = Service::start().await;
    let running = service.game_with("DDCEBFE").await;
    let finished = service.game_with("ABABABA").await;
    let browser = Chromium::start().await;
    for scheme in ["light", "dark"] {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        for path in [
            "/".to_owned(),
            format!("/games/{running}#play=one"),
            format!("/games/{running}?revision=3"),
            format!("/games/{finished}"),
            "/games/none".to_owned(),
        ] {
            browser.open(&format!("{}{path}", service.url)).await;
            if path.contains("#play=one") {
                browser.drop_into("A").await;
                browser.until_text("#outcome", "409").await;
            }
            let violations = violations(&browser, &axe).await;
            assert_eq!(violations, Vec::<String>::new(), "{path}, {scheme}");
        }
    }
    browser.close().await;
}

/// What axe-core has against the page that is open.
async fn violations(browser: &Chromium, axe: &str) -> Vec<String> {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         {axe};
         const what = (violation) => `${{violation.id}}: ${{violation.help}} ${{violation.nodes.map((node) => node.html)}}`;
         axe.run().then((found) => done(found.violations.map(what)), (error) => done([String(error)]));"
    );
    let found = browser.driver.execute_async(script, vec![]).await;
    let found: Vec<Value> = found.expect("an audit").convert().expect("a list");
    found.iter().map(ToString::to_string).collect()
}
