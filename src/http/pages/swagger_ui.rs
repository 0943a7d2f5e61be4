//! The files of Swagger UI, from the archive in the crate `utoipa-swagger-ui-vendored`.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use bytes::Bytes;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// The files of the archive that the page needs.
const NEEDED: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

static FILES: LazyLock<Vec<(&str, Bytes)>> = LazyLock::new(|| {
    let archive = Cursor::new(SWAGGER_UI_VENDORED);
    let mut archive = ZipArchive::new(archive).expect("the crate carries an archive");
    let names = archive.file_names().filter_map(Result::ok);
    let paths: Vec<_> = names.map(Cow::into_owned).collect();
    let needed = NEEDED.iter().map(|name| {
        let is_it = |path: &&String| path.ends_with(&format!("/dist/{name}"));
        let path = paths.iter().find(is_it).expect("a release has the file");
        let mut content = Vec::new();
        let mut file = archive.by_name(path).expect("it was just listed");
        file.read_to_end(&mut content)
            .expect("the archive is whole");
        (*name, Bytes::from(content))
    });
    needed.collect()
});

/// The file of this name, if the page needs it.
pub(crate) fn file(name: &str) -> Option<Bytes> {
    // Checked first, so that the archive is opened only for these files.
    NEEDED.iter().find(|needed| **needed == name)?;
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, content)| content.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_has_what_the_page_needs() {
        for name in NEEDED {
            assert!(file(name).is_some_and(|content| content.len() > 100_000));
        }
        assert!(file("index.html").is_none());
    }
}
