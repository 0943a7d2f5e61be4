//! `/assets/{version}/{file}`: the scripts, the styles and the icon of the pages.
//!
//! The version is a hash of all files together, so the URL of a file changes when any file changes.
//! Modules import each other by relative names, which stay in the folder of their version.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use uuid::Uuid;

use super::swagger_ui;
use crate::http::problem::{Problem, ProblemType};
use crate::http::response::text;
use crate::http::response::validators::IMMUTABLE;

/// Browsers must use the declared media type and not guess another one from the content.
pub(crate) const NO_SNIFF: (HeaderName, HeaderValue) =
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLES: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

macro_rules! assets {
    ($($name:literal: $media_type:expr),* $(,)?) => {
        &[$(Asset {
            name: $name,
            media_type: $media_type,
            content: include_str!(concat!("../../../web/", $name)),
        }),*]
    };
}

const ASSETS: &[Asset] = assets! {
    "announcer.js": SCRIPT,
    "api.js": SCRIPT,
    "board.js": SCRIPT,
    "columns.js": SCRIPT,
    "disc.js": SCRIPT,
    "docs.js": SCRIPT,
    "dom.js": SCRIPT,
    "events.js": SCRIPT,
    "fold.js": SCRIPT,
    "game.js": SCRIPT,
    "icon.svg": IMAGE,
    "live.js": SCRIPT,
    "lobby.js": SCRIPT,
    "seats.js": SCRIPT,
    "style.css": STYLES,
    "timeline.js": SCRIPT,
    "wire.js": SCRIPT,
    "words.js": SCRIPT,
};

/// The hash of all files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for asset in ASSETS {
        // Neither a name nor a file contains a NUL, so two different sets of files never give the same bytes.
        all.extend(
            [asset.name, "\0", asset.content, "\0"]
                .concat()
                .into_bytes(),
        );
    }
    all.extend(SWAGGER_UI_VENDORED);
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, &all);
    hash.simple().to_string()
});

/// The URL of the folder of the files.
pub(crate) fn folder() -> String {
    format!("/assets/{}", *VERSION)
}

/// `GET /assets/{version}/{file}`
pub(crate) async fn show_asset(
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    // A file of another version may not work with the page that requested it.
    let name = path.ok().filter(|Path((version, _))| *version == *VERSION);
    let name = name.map(|Path((_, name))| name).unwrap_or_default();
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let ours = asset.map(|asset| (asset.media_type, asset.content.into()));
    let (media_type, content) = ours.or_else(|| of_swagger_ui(&name)).ok_or_else(|| {
        Problem::new(
            ProblemType::NotFound,
            "This version of the pages has no such file. Load the page again.",
        )
    })?;
    Ok(text([IMMUTABLE, NO_SNIFF], media_type, content))
}

fn of_swagger_ui(name: &str) -> Option<(&'static str, Bytes)> {
    let media_type = if name.ends_with(".css") {
        STYLES
    } else {
        SCRIPT
    };
    Some((media_type, swagger_ui::file(name)?))
}
