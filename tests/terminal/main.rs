//! The game in a terminal, driven through a pseudo-terminal against the program as it serves.

mod client;
mod forgetful_proxy;
mod looking_on;
mod one_keyboard;
mod pipes;
mod service;
mod terminal;
mod troubles;
mod two_terminals;
