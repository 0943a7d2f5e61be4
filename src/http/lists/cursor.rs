//! Where a list of games goes on. Opaque to clients, so that what it holds can change: the
//! first letter says how it is written.

/// The cursor of the games before the one with this number.
pub(crate) fn write(number: u64) -> String {
    format!("a{number:x}")
}

/// What was written; `None` for anything else.
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
