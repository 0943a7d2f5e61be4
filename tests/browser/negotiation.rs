//! One URL for people and programs: what each of them gets, and what browsers may do with it.

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Method, StatusCode};

use crate::service::Service;

/// What Chromium sends when somebody opens an address.
const AS_A_BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,\
                            image/webp,image/apng,*/*;q=0.8";

/// The pages and their files together, before compression.
const LARGEST: usize = 60 * 1024;

fn field<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).map(|value| value.to_str().expect("text"));
    value.unwrap_or_default()
}

#[tokio::test]
async fn a_browser_gets_the_page_and_others_get_what_they_got() {
    let service = Service::start().await;
    let id = service.game_with("D").await;
    let game = format!("/games/{id}");
    for path in ["/", &game, &format!("{game}?revision=0")] {
        for (accept, media_type) in [
            (AS_A_BROWSER, "text/html; charset=utf-8"),
            ("text/html", "text/html; charset=utf-8"),
            ("*/*", "application/json"),
            ("application/json", "application/json"),
            ("application/json, text/html;q=0.9", "application/json"),
        ] {
            let answer = service.get(path, accept).await;
            assert_eq!(answer.status(), 200, "{path} as {accept}");
            assert_eq!(field(answer.headers(), "content-type"), media_type);
            assert_eq!(field(answer.headers(), "vary"), "accept");
        }
    }
    let text = service.get(&game, "text/plain, text/html;q=0.5").await;
    let media_type = field(text.headers(), "content-type");
    assert_eq!(media_type, "text/plain; charset=utf-8");
    let refused = service.get(&game, "image/png").await;
    assert_eq!(refused.status(), StatusCode::NOT_ACCEPTABLE);
    let problem = refused.text().await.expect("a problem");
    assert!(problem.contains("text/html"), "{problem}");
}

#[tokio::test]
async fn without_a_script_the_page_has_the_text_board() {
    let service = Service::start().await;
    let id = service.game_with("DD").await;
    let path = format!("/games/{id}?revision=1");
    let page = service.get(&path, "text/html").await.text().await;
    let board = service.get(&path, "text/plain").await.text().await;
    let (page, board) = (page.expect("a page"), board.expect("a board"));
    assert!(page.contains(&format!("<pre>{board}</pre>")), "{page}");
}

#[tokio::test]
async fn what_somebody_is_called_is_never_taken_for_html() {
    let service = Service::start().await;
    let names = serde_json::json!({"player_one": "<script>x</script>", "player_two": "{assets}"});
    let game = service.request(Method::POST, "/games").json(&names).send();
    let game: serde_json::Value = game.await.expect("an answer").json().await.expect("a game");
    let path = format!("/games/{}", game["id"].as_str().expect("an id"));
    let page = service.get(&path, "text/html").await.text().await;
    let page = page.expect("a page");
    assert!(
        page.contains("&lt;script&gt;x&lt;/script&gt;   R {assets}"),
        "{page}"
    );
    assert!(!page.contains("<script>x"), "{page}");
}

#[tokio::test]
async fn a_game_that_does_not_exist_has_a_page_that_says_so() {
    let service = Service::start().await;
    let id = service.game_with("").await;
    for (path, status, title) in [
        ("/games/none".to_owned(), 404, "No such game"),
        (format!("/games/{id}?revision=7"), 404, "revision"),
        (format!("/games/{id}?revision=x"), 400, "query"),
    ] {
        let answer = service.get(&path, AS_A_BROWSER).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(field(answer.headers(), "cache-control"), "no-store");
        let page = answer.text().await.expect("a page");
        assert!(page.contains("<h1>") && page.contains(title), "{page}");
    }
}

#[tokio::test]
async fn pages_are_small_strict_and_fetch_nothing_from_elsewhere() {
    let service = Service::start().await;
    let id = service.game_with("").await;
    let (mut size, mut files) = (0, vec![]);
    for path in ["/", &format!("/games/{id}")] {
        let answer = service.get(path, "text/html").await;
        let policy = field(answer.headers(), "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(field(answer.headers(), "cache-control"), "no-cache");
        let page = answer.text().await.expect("a page");
        size += page.len();
        for elsewhere in ["http:", "https:", "<style", " style=", " onclick="] {
            assert!(!page.contains(elsewhere), "{path} has {elsewhere}");
        }
        let links = page.split('"').filter(|part| part.starts_with("/assets/"));
        files.extend(links.map(str::to_owned));
    }
    // The files that the pages name, and those that they import.
    let mut seen = 0;
    while let Some(file) = files.get(seen).cloned() {
        seen += 1;
        let answer = service.get(&file, "*/*").await;
        assert_eq!(answer.status(), 200, "{file}");
        let kept = field(answer.headers(), "cache-control");
        assert_eq!(kept, "public, max-age=31536000, immutable");
        assert_eq!(field(answer.headers(), "x-content-type-options"), "nosniff");
        let text = answer.text().await.expect("text");
        let folder = file.rsplit_once('/').expect("a folder").0;
        let imports = text.split(" from \"./").skip(1);
        for name in imports.filter_map(|rest| rest.split('"').next()) {
            files.push(format!("{folder}/{name}"));
        }
        files.dedup();
        if files.iter().position(|known| *known == file) == Some(seen - 1) {
            size += text.len();
        }
    }
    assert!(files.iter().any(|file| file.ends_with("/fold.js")));
    assert!(size <= LARGEST, "{size} bytes");

    let stale = "/assets/00000000000000000000000000000000/game.js";
    assert_eq!(service.get(stale, "*/*").await.status(), 404);
}

#[tokio::test]
async fn a_head_is_answered_like_a_get() {
    let service = Service::start().await;
    let id = service.game_with("").await;
    let head = service.request(Method::HEAD, &format!("/games/{id}"));
    let head = head.header(ACCEPT, "text/html").send().await;
    let head = head.expect("an answer");
    let media_type = field(head.headers(), "content-type");
    assert_eq!(media_type, "text/html; charset=utf-8");
}
