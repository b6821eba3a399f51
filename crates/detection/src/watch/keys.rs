//! The keys of a rule, so many and no more: who was seen least lately makes room, unless its alert fires.

use std::sync::Arc;

use lru::LruCache;

use super::phase::Kept;

/// So many firing keys are looked past for one that may go.
const MOST_PASSED: usize = 16;

#[derive(Debug)]
pub(crate) struct Keys {
    kept: LruCache<Arc<str>, Kept>,
    most: usize,
}

/// Whether there was room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Free,
    /// Another key was forgotten for it.
    Made,
    None,
}

impl Keys {
    pub(crate) fn new(most: usize) -> Self {
        Self { kept: LruCache::unbounded(), most: most.max(1) }
    }

    /// The key as the one that was seen last.
    pub(crate) fn seen(&mut self, key: &Arc<str>) -> Option<&mut Kept> {
        self.kept.get_mut(key)
    }

    /// The key without a word about when it was seen.
    pub(crate) fn at(&mut self, key: &Arc<str>) -> Option<&mut Kept> {
        self.kept.peek_mut(key)
    }

    pub(crate) fn insert(&mut self, key: Arc<str>, kept: Kept) -> Room {
        let mut room = Room::Free;
        if self.kept.len() >= self.most {
            room = self.make_room();
        }
        if room != Room::None {
            self.kept.put(key, kept);
        }
        room
    }

    fn make_room(&mut self) -> Room {
        for _ in 0..MOST_PASSED {
            let Some((key, kept)) = self.kept.pop_lru() else { return Room::Free };
            if !kept.is_firing() {
                return Room::Made;
            }
            self.kept.put(key, kept);
        }
        Room::None
    }

    pub(crate) fn remove(&mut self, key: &Arc<str>) {
        self.kept.pop(key);
    }

    /// From the one that was seen least lately on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Kept)> {
        self.kept.iter().rev()
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }
}
