//! The cursor of a list of games. It is opaque to clients, so that its content can change. The first letter is
//! the version of its format.

/// The cursor of the page with the games before this number.
pub(crate) fn write(number: u64) -> String {
    format!("a{number:x}")
}

/// The number in a cursor; `None` for any text that `write` does not produce.
pub(crate) fn read(cursor: &str) -> Option<u64> {
    let number = u64::from_str_radix(cursor.strip_prefix('a')?, 16).ok()?;
    (write(number) == cursor).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        for number in [0, 1, 1_000_000, u64::MAX] {
            assert_eq!(read(&write(number)), Some(number));
        }
        for cursor in [
            "",
            "a",
            "1",
            "b1",
            "a-1",
            "a+1",
            "a01",
            "aFF",
            "a 1",
            "a10000000000000000",
        ] {
            assert_eq!(read(cursor), None, "{cursor}");
        }
    }
}
