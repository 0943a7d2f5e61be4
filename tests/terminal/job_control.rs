//! Signals: the terminal is left as it was, and taken again when the program continues.

use rustix::process::Signal;

use crate::service::Service;
use crate::terminal::Terminal;

/// Written before the first frame, and before the first one after the program was stopped.
const CLEAR: &str = "\u{1b}[2J";

#[test]
fn a_replay_that_a_signal_ends_leaves_the_terminal_as_it_was() {
    let service = Service::start();
    let id = service.game_with("D");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let mut replay = Terminal::run(&["replay", "--server", &service.url, &id]);
        replay.shows("Revision 0 of 1.");
        assert!(!replay.is_as_at_the_start());
        replay.signal(signal);
        assert_eq!(replay.ends(), Some(1), "{signal:?}");
        assert!(replay.is_as_at_the_start(), "{signal:?}");
    }
}

#[test]
fn a_replay_gives_the_terminal_back_while_it_is_stopped() {
    let service = Service::start();
    let id = service.game_with("D");
    let mut replay = Terminal::run(&["replay", "--server", &service.url, &id]);
    replay.shows("Revision 0 of 1.");
    for (frames, by_key) in [(1, true), (2, false)] {
        replay.has_written_times(CLEAR, frames);
        assert!(!replay.is_as_at_the_start());
        match by_key {
            true => replay.presses("\u{1a}"),
            false => replay.signal(Signal::TSTP),
        }
        replay.stops();
        assert!(replay.is_as_at_the_start());
        replay.signal(Signal::CONT);
        replay.has_written_times(CLEAR, frames + 1);
        assert!(!replay.is_as_at_the_start());
    }
    replay.presses(" ");
    replay.shows("Revision 1 of 1.");
    replay.presses("q");
    assert_eq!(replay.ends(), Some(0));
    assert!(replay.is_as_at_the_start());
}

#[test]
fn a_stopped_replay_that_a_signal_ends_leaves_the_terminal_as_it_was() {
    let service = Service::start();
    let id = service.game_with("D");
    let mut replay = Terminal::run(&["replay", "--server", &service.url, &id]);
    replay.shows("Revision 0 of 1.");
    replay.presses("\u{1a}");
    replay.stops();
    // A shell sends both, in this order.
    replay.signal(Signal::TERM);
    replay.signal(Signal::CONT);
    assert_eq!(replay.ends(), Some(1));
    assert!(replay.is_as_at_the_start());
}

#[test]
fn a_game_is_shown_again_after_the_program_was_stopped() {
    let service = Service::start();
    let id = service.game_with("");
    let play = Terminal::run(&["play", "--server", &service.url, "--game", &id]);
    play.shows("alice, your column");
    play.presses("\u{1a}");
    play.stops();
    assert!(play.is_as_at_the_start());
    play.signal(Signal::CONT);
    play.has_written_times(CLEAR, 2);
    play.types("D");
    play.shows("bob, your column");
    assert_eq!(service.columns(&id), "D");
}
