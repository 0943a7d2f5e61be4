//! Pictures of every state, for people to look at, and the one in the README.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::chromium::Chromium;
use crate::service::Service;
use crate::small_png::with_palette;

/// The picture in the README is at most this large, in bytes.
const LARGEST: usize = 100 * 1024;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn pictures_are_taken_in_light_and_in_dark() {
    let service = Service::start().await;
    let running = service.game_with("DDCEBFEEFA").await;
    let finished = service.game_with("ABABABA").await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    fs::create_dir_all(&folder).expect("a folder");
    let browser = Chromium::start().await;
    for scheme in ["light", "dark"] {
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        for (name, path) in [
            ("lobby", "/".to_owned()),
            ("running", format!("/games/{running}#play=one")),
            ("past", format!("/games/{running}?revision=5")),
            ("finished", format!("/games/{finished}")),
            ("problem", "/games/none".to_owned()),
        ] {
            browser.open(&format!("{}{path}", service.url)).await;
            let picture = browser.driver.screenshot_as_png().await.expect("a picture");
            let file = folder.join(format!("{name}-{scheme}.png"));
            fs::write(file, picture).expect("a file");
        }
    }

    // The README shows the board and its events.
    let media = json!({"features": [{"name": "prefers-color-scheme", "value": "light"}]});
    browser.devtools("Emulation.setEmulatedMedia", media).await;
    let size = json!({"width": 1100, "height": 880, "deviceScaleFactor": 1, "mobile": false});
    browser
        .devtools("Emulation.setDeviceMetricsOverride", size)
        .await;
    browser
        .open(&format!("{}/games/{running}?revision=6", service.url))
        .await;
    let picture = browser.driver.screenshot_as_png().await.expect("a picture");
    let picture = with_palette(&picture);
    assert!(picture.len() <= LARGEST, "{} bytes", picture.len());
    let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/game.png");
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        fs::write(&shown, &picture).expect("docs/game.png");
    }
    assert!(
        shown.exists(),
        "run this with UPDATE_PICTURE=1 to make {}",
        shown.display()
    );
    browser.close().await;
}
