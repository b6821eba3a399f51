//! The most frequent keys of a stream in bounded memory: the space-saving algorithm of Metwally, Agrawal and El Abbadi.

use rustc_hash::FxHashMap;

/// Every key that makes up more than one in so many is kept.
const KEPT: usize = 100;

/// Counts of the most frequent keys. A count is at most `error` too high, and never too low for what is kept.
#[derive(Debug, Default)]
pub(crate) struct Heavy {
    kept: FxHashMap<String, Count>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) count: u64,
    pub(crate) error: u64,
}

impl Heavy {
    pub(crate) fn add(&mut self, key: &str) {
        self.add_counted(key, Count { count: 1, error: 0 });
    }

    /// Takes over what another one counted.
    pub(crate) fn merge(&mut self, other: Self) {
        let mut counts: Vec<_> = other.kept.into_iter().collect();
        counts.sort_unstable_by(|one, two| {
            two.1.count.cmp(&one.1.count).then_with(|| one.0.cmp(&two.0))
        });
        for (key, count) in counts {
            self.add_counted(&key, count);
        }
    }

    fn add_counted(&mut self, key: &str, added: Count) {
        if let Some(known) = self.kept.get_mut(key) {
            known.count += added.count;
            known.error += added.error;
            return;
        }
        let mut inherited = 0;
        if self.kept.len() >= KEPT {
            inherited = self.drop_rarest();
        }
        let count = Count { count: inherited + added.count, error: inherited + added.error };
        self.kept.insert(key.to_owned(), count);
    }

    /// The newcomer takes the place of the rarest key, and its count as possible error.
    fn drop_rarest(&mut self) -> u64 {
        let rarest = self
            .kept
            .iter()
            .min_by(|one, two| one.1.count.cmp(&two.1.count).then_with(|| one.0.cmp(two.0)))
            .map(|(key, count)| (key.clone(), count.count));
        let Some((key, count)) = rarest else { return 0 };
        self.kept.remove(&key);
        count
    }

    /// Most frequent first, and at equal counts by name.
    pub(crate) fn sorted(&self) -> Vec<(&str, Count)> {
        let mut counts: Vec<_> =
            self.kept.iter().map(|(key, count)| (key.as_str(), *count)).collect();
        counts.sort_unstable_by(|one, two| {
            two.1.count.cmp(&one.1.count).then_with(|| one.0.cmp(two.0))
        });
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn truth(keys: &[u16]) -> BTreeMap<String, u64> {
        keys.iter().fold(BTreeMap::new(), |mut counts, key| {
            *counts.entry(key.to_string()).or_default() += 1;
            counts
        })
    }

    fn counted(keys: &[u16]) -> Heavy {
        let mut heavy = Heavy::default();
        for key in keys {
            heavy.add(&key.to_string());
        }
        heavy
    }

    #[test]
    fn few_keys_are_counted_exactly() {
        let keys: Vec<u16> = (0..1000).map(|n| n % 100).collect();
        for (key, count) in counted(&keys).sorted() {
            assert_eq!((count.count, count.error), (truth(&keys)[key], 0));
        }
    }

    proptest! {
        #[test]
        fn a_frequent_key_is_kept_within_its_error(
            keys in prop::collection::vec(prop_oneof![0_u16..8, 0_u16..500], 1..800),
        ) {
            let truth = truth(&keys);
            let (left, right) = keys.split_at(keys.len() / 3);
            let mut merged = counted(left);
            merged.merge(counted(right));
            for (heavy, rounds) in [(counted(&keys), 1), (merged, 2)] {
                let bound = rounds * keys.len() as u64 / KEPT as u64 + rounds;
                for (key, count) in heavy.sorted() {
                    prop_assert!(count.error <= bound);
                    if rounds == 1 {
                        prop_assert!(count.count >= truth[key] && count.count - count.error <= truth[key]);
                    }
                }
                for (key, count) in &truth {
                    let kept = heavy.kept.contains_key(key);
                    prop_assert!(kept || *count <= 2 * bound, "{key} with {count} was lost");
                }
                prop_assert!(heavy.kept.len() <= KEPT);
            }
        }
    }
}
