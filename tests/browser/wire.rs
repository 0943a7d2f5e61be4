//! The wire pane: the printed command does what the page did.

use std::process::Command;

use crate::chromium::Chromium;
use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn the_printed_command_does_what_the_page_did() {
    let service = Service::start().await;
    let id = service.game_with("").await;
    let browser = Chromium::at(&format!("{}/games/{id}#play=both", service.url)).await;
    browser.drop_into("D").await;
    browser.until_text("#outcome", "201").await;
    browser.until_events(2).await;
    let outcome = browser.text("#outcome").await;
    assert!(outcome.contains("ETag: \"1\""), "{outcome}");
    assert!(outcome.contains("Event-Position: "), "{outcome}");

    // The same key: the same answer, and no second move.
    let command = browser.text("#curl").await;
    let answer = shell(&command);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("idempotent-replayed: true"), "{answer}");
    assert_eq!(service.events(&id).await, ["GameStarted", "D"]);

    // Another key and the next move: the page shows it.
    let next = command
        .replace("\"alice\",\"column\":\"D\"", "\"bob\",\"column\":\"E\"")
        .replace("If-Match: \"1\"", "If-Match: \"2\"")
        .replace("If-Match: \"0\"", "If-Match: \"1\"")
        .replace("Idempotency-Key: ", "Idempotency-Key: another-");
    let answer = shell(&next);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    browser.until_events(3).await;

    // A name with quotes is quoted for the shell.
    browser.open(&service.url).await;
    browser
        .type_into("[name=player_one]", "o'neil \"x\" $HOME")
        .await;
    browser.type_into("[name=player_two]", "bob").await;
    browser.click("#start button").await;
    browser
        .until("document.getElementById('events')?.children.length === 1")
        .await;
    browser.drop_into("A").await;
    browser.until_text("#outcome", "201").await;
    let answer = shell(&browser.text("#curl").await);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("idempotent-replayed: true"), "{answer}");
    browser.close().await;
}

fn shell(command: &str) -> String {
    let output = Command::new("bash").args(["-c", command]).output();
    let output = output.expect("bash and curl");
    String::from_utf8(output.stdout).expect("text")
}
