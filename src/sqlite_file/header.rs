//! Recognises a file by its first bytes, before SQLite opens it. Opening it with SQLite could recover,
//! convert or checkpoint a file of another program.

/// The length of the header in bytes (SQLite file format, section 1.3).
pub(super) const LENGTH: u64 = 100;

const MAGIC: &[u8] = b"SQLite format 3\0";
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An empty file, which SQLite treats as an empty database.
    Empty,
    /// A SQLite database with the expected application id. The other bytes of its header may be
    /// damaged.
    Ours {
        /// The `user_version` of the database: the version of our schema.
        version: u32,
    },
    /// A SQLite database with the application id of another program.
    Foreign,
    /// A SQLite database without an application id, which most programs do not set.
    Unmarked,
    /// A file that is not a SQLite database.
    NotADatabase,
}

impl Kind {
    pub(super) fn of(header: &[u8], application_id: u32) -> Kind {
        let number_at = |offset: usize| {
            let bytes = header.get(offset..offset + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        let found = number_at(APPLICATION_ID);
        if header.is_empty() {
            Kind::Empty
        } else if found == Some(application_id) {
            let version = number_at(USER_VERSION).unwrap_or_default();
            Kind::Ours { version }
        } else if !header.starts_with(MAGIC) || found.is_none() {
            Kind::NotADatabase
        } else if found == Some(0) {
            Kind::Unmarked
        } else {
            Kind::Foreign
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognised_by_its_header() {
        let id = u32::from_be_bytes(*b"C4ev");
        let mut ours = vec![0; 100];
        ours[..16].copy_from_slice(MAGIC);
        assert_eq!(Kind::of(&ours, id), Kind::Unmarked);
        ours[APPLICATION_ID] = 1;
        assert_eq!(Kind::of(&ours, id), Kind::Foreign);
        ours[APPLICATION_ID..APPLICATION_ID + 4].copy_from_slice(b"C4ev");
        ours[USER_VERSION + 3] = 7;
        assert_eq!(Kind::of(&ours, id), Kind::Ours { version: 7 });
        assert_eq!(Kind::of(&[], id), Kind::Empty);
        assert_eq!(Kind::of(b"SQLite format 2", id), Kind::NotADatabase);
        assert_eq!(Kind::of(&ours[..40], id), Kind::NotADatabase);
        ours[0] = 0;
        assert_eq!(Kind::of(&ours, id), Kind::Ours { version: 7 });
    }
}
