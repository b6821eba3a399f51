//! How often each of a few words was seen, such as TLS versions; what is no such word is counted together.

/// There are five TLS versions and three classifications; more means that something else stands there.
const MOST: usize = 24;
const LONGEST: usize = 24;
pub(crate) const OTHER: &str = "(other)";

/// Words with their counts; the frequent ones come first, as they are met first.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(String, u64)>);

impl Names {
    #[inline]
    pub(crate) fn add(&mut self, name: &[u8]) {
        match self.0.iter_mut().find(|(known, _)| known.as_bytes() == name) {
            Some((_, count)) => *count += 1,
            None => self.add_counted(&word(name), 1),
        }
    }

    fn add_counted(&mut self, name: &str, added: u64) {
        let is_full = self.0.len() >= MOST;
        let name =
            if is_full && !self.0.iter().any(|(known, _)| known == name) { OTHER } else { name };
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += added,
            None => self.0.push((name.to_owned(), added)),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            self.add_counted(name, *count);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

fn word(name: &[u8]) -> String {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    match std::str::from_utf8(name) {
        Ok(text) if !text.is_empty() && text.len() <= LONGEST && name.iter().all(is_word) => {
            text.to_owned()
        }
        _ => OTHER.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_words_are_counted_and_the_rest_together() {
        let mut names = Names::default();
        for number in 0..100 {
            names.add(b"TLSv1.3");
            names.add(format!("word-{number}").as_bytes());
            names.add(b"not a word");
        }
        let mut merged = Names::default();
        merged.merge(&names);
        assert!(merged.0.len() <= MOST + 1);
        assert_eq!(merged.iter().map(|(_, count)| count).sum::<u64>(), 300);
        assert_eq!(merged.iter().find(|(name, _)| *name == "TLSv1.3").unwrap().1, 100);
    }
}
