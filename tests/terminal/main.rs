//! The game in a terminal: the program runs in a pseudo-terminal, against a real service.

mod client;
mod connection_failures;
mod forgetful_proxy;
mod hostile_server;
mod job_control;
mod one_keyboard;
mod pipes;
mod prepared_server;
mod protected_games;
mod redirects;
mod service;
mod terminal;
mod two_terminals;
mod watch_and_replay;
