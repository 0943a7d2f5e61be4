//! Paths that mean something else to SQLite than to this program.

/// Why this is probably not meant as the path of a file; `None` for any other path. Used as a path, it
/// would silently create a file with this name.
pub(crate) fn mistaken_path(path: &str) -> Option<&'static str> {
    if path == ":memory:" {
        Some("use memory: to keep the data in memory until the process ends")
    } else if path.starts_with("file:") {
        Some("use the path of the file without file:")
    } else if path.contains('?') {
        Some("parameters such as ?mode=rwc are not supported, use only the path of the file")
    } else {
        None
    }
}
