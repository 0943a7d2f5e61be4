//! A limit on the size of files (`ulimit -f`), which makes writes fail like a broken disk.

use serde_json::json;
use tempfile::TempDir;

use crate::program::Program;

#[tokio::test]
async fn beyond_the_limit_commands_fail_and_the_program_goes_on() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let program = Program::start(&["--event-store", &url]).await;
    let client = &program.client;
    let names = || json!({"player_one": "ada", "player_two": "grace"});
    let game = client.post("/games", names()).await.is(201).json();
    let path = format!("/games/{}", game["id"].as_str().expect("an id"));
    client.is_ready().await;

    program.limit_file_size(1);
    let refused = client.post("/games", names()).await;
    assert!([503, 504].contains(&refused.status.as_u16()), "{refused:?}");
    client.get(&path).await.is(200);
    client.get("/livez").await.is(200);
    client.get("/readyz").await.is(503);

    program.limit_file_size(rlimit::INFINITY);
    client.is_ready().await;
    client.post("/games", names()).await.is(201);
    client.get(&path).await.is(200);
}
