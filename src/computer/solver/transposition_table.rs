//! What the search found out about positions, for when other moves lead to them again.

use crate::domain::Column;

use super::score::Score;

/// The most entries that a table has: 2^17, of 16 bytes each.
const MOST_BITS: u32 = 17;

/// 2^64 divided by the golden ratio: its product with a key spreads the keys of similar
/// positions over the table.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Results of the search, by the key of their position: at most one in each slot.
///
/// A result replaces the one that was in its slot before. The search goes through one part of
/// its tree after the other, so the latest results are those most likely to be needed again.
#[derive(Debug)]
pub(super) struct TranspositionTable {
    slots: Vec<Option<Slot>>,
    /// The number of slots is this power of two.
    bits: u32,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: u64,
    entry: Entry,
}

/// What a search found out about one position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) score: Score,
    pub(super) bound: Bound,
    /// How many plies were searched below the position.
    pub(super) depth: u8,
    /// The best move.
    pub(super) best: Column,
}

/// What the score says about the value of the position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    /// The value is the score.
    Exact,
    /// The value is at least the score.
    Lower,
    /// The value is at most the score.
    Upper,
}

impl TranspositionTable {
    /// An empty table for a search of this many nodes, each of which stores one entry at most.
    pub(super) fn for_nodes(nodes: u32) -> TranspositionTable {
        let bits = nodes.max(2).ilog2().min(MOST_BITS);
        TranspositionTable {
            slots: vec![None; 1 << bits],
            bits,
        }
    }

    pub(super) fn get(&self, key: u64) -> Option<Entry> {
        self.slots[self.index(key)]
            .filter(|slot| slot.key == key)
            .map(|slot| slot.entry)
    }

    pub(super) fn insert(&mut self, key: u64, entry: Entry) {
        let index = self.index(key);
        self.slots[index] = Some(Slot { key, entry });
    }

    #[expect(clippy::cast_possible_truncation, reason = "17 bits at most are left")]
    fn index(&self, key: u64) -> usize {
        (key.wrapping_mul(SPREAD) >> (u64::BITS - self.bits)) as usize
    }
}
