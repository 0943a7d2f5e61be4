//! `watch` shows a game as it is played. `replay` steps through its history.

use crate::service::Service;
use crate::terminal::Terminal;

#[test]
fn a_watcher_sees_every_move_and_the_end() {
    let mut service = Service::start();
    let id = service.game_with("D");
    let mut watcher = Terminal::run(&["watch", &format!("{}/games/{id}", service.url)]);
    watcher.shows("bob's turn");
    for (player, column, then) in [
        ("bob", "C", "alice's turn"),
        ("alice", "D", "bob's turn"),
        ("bob", "C", "alice's turn"),
    ] {
        service.make_move(&id, player, column);
        watcher.shows(then);
    }
    service.kill();
    watcher.shows("reconnecting…");
    service.start_again();
    for (player, column) in [("alice", "D"), ("bob", "C"), ("alice", "D")] {
        service.make_move(&id, player, column);
    }
    assert_eq!(watcher.ends(), Some(0));
    watcher.shows("alice won: D1 D2 D3 D4");
    watcher.shows("The game is over: alice beat bob.");
    let frames = watcher.written();
    for (player, count) in [("alice's turn", 3), ("bob's turn", 3)] {
        assert!(
            frames.matches(player).count() >= count,
            "{player}: {frames}"
        );
    }
}

#[test]
fn q_ends_the_watching_of_a_game() {
    let service = Service::start();
    let id = service.game_with("D");
    let mut watcher = Terminal::run(&["watch", "--server", &service.url, &id]);
    watcher.shows("Watching…");
    watcher.types("q");
    assert_eq!(watcher.ends(), Some(0));
}

#[test]
fn watching_a_finished_game_shows_it_and_ends() {
    let service = Service::start();
    let id = service.game_with("DCDCDCD");
    let mut watcher = Terminal::run(&["watch", "--server", &service.url, &id]);
    assert_eq!(watcher.ends(), Some(0));
    watcher.shows("The game is over: alice beat bob.");
}

#[test]
fn a_replay_steps_forward_and_back() {
    let service = Service::start();
    let id = service.game_with("DCDCDCD");
    let mut replay = Terminal::run(&["replay", "--server", &service.url, &id]);
    replay.shows("Revision 0 of 8.");
    replay.presses("\r");
    replay.shows("Revision 1 of 8.");
    replay.shows("║   ║   ║   ║(●)║   ║   ║   ║\n╚");
    replay.presses(" ");
    replay.shows("Revision 2 of 8.");
    replay.shows("║   ║   ║(●)║ ● ║   ║   ║   ║\n╚");
    replay.presses("b");
    replay.shows("Revision 1 of 8.");
    replay.shows("║   ║   ║   ║(●)║   ║   ║   ║\n╚");
    replay.presses("bbb");
    replay.shows("Revision 0 of 8.");
    replay.presses("          ");
    replay.shows("Revision 8 of 8.");
    replay.shows("The game is over: alice beat bob.");
    replay.presses("q");
    assert_eq!(replay.ends(), Some(0));
}

#[test]
fn ctrl_c_ends_a_replay() {
    let service = Service::start();
    let id = service.game_with("D");
    let mut replay = Terminal::run(&["replay", "--server", &service.url, &id]);
    replay.shows("Revision 0 of 1.");
    replay.presses("\u{3}");
    assert_eq!(replay.ends(), Some(0));
}
