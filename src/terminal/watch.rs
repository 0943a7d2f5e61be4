//! `connect-four watch`: shows a game while others play it.

use super::error::TerminalError;
use super::keyboard::Lines;
use super::session::Session;
use super::settings::ViewSettings;

pub(super) async fn watch(settings: &ViewSettings) -> Result<(), TerminalError> {
    let id = settings.game.id;
    let mut session = Session::new(settings.server.of(Some(&settings.game)))?;
    let client = session.client.clone();
    let mut keyboard = Lines::of_stdin();
    let game = session.wait_for(client.game(id)).await?;
    let mut game = game.map_err(|error| session.error(error))?;
    let mut events = client.follow(id, Some(game.revision));
    while game.result.is_none() {
        let note = match keyboard.is_terminal() {
            true => vec!["Watching… (q and Enter to leave)".to_owned()],
            false => vec![],
        };
        session.show(&game, note, None)?;
        let next = async {
            tokio::select! {
                () = keyboard.quit() => Ok(None),
                event = events.next() => event,
            }
        };
        let event = session.wait_for(next).await?;
        let Some(event) = event.map_err(|error| session.error(error))? else {
            return session.show_notes(vec![]);
        };
        let then = session.wait_for(client.game_at(id, event.revision)).await?;
        game = then.map_err(|error| session.error(error))?;
    }
    session.show_result(&game)
}
