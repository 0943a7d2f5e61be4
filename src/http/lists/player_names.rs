//! Finds a player in the lists by any Unicode normalization of the name.

use crate::domain::PlayerName;
use crate::http::app::App;
use crate::read_model::ReadModelError;

/// The name under which the lists have this player: as it was given, or else in normal form C, in which
/// names are stored, or else in normal form D, which other programs may have stored. The given name if the
/// lists have none of them.
pub(crate) async fn name_in_lists(app: &App, name: String) -> Result<String, ReadModelError> {
    let given = PlayerName::recorded(&name);
    let forms = given.normal_forms();
    if forms.iter().all(|form| *form == given) {
        return Ok(name);
    }
    for form in [given].iter().chain(&forms) {
        let form = form.as_str();
        if app.read_model.player(form).await?.value.is_some() {
            return Ok(form.to_owned());
        }
    }
    Ok(name)
}
