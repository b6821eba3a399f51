//! The paths that rules ask for, as a tree: a line is read once, and what nobody asks for is passed over.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// A place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Branch(usize);

#[derive(Debug, Default)]
struct Grown {
    names: HashMap<Box<str>, Branch, RandomState>,
    slot: Option<usize>,
}

/// Paths such as `fields.http.status`, each with its slot.
#[derive(Debug)]
pub(crate) struct Paths {
    branches: Vec<Grown>,
    written: Vec<String>,
}

impl Default for Paths {
    fn default() -> Self {
        let mut paths = Self { branches: vec![Grown::default()], written: Vec::new() };
        paths.branch(&["fields".to_owned()]);
        paths
    }
}

impl Paths {
    pub(crate) const ROOT: Branch = Branch(0);

    /// The slot of the path; a new one where nobody asked for it before.
    pub(crate) fn slot(&mut self, path: &[String]) -> usize {
        let Branch(at) = self.branch(path);
        let next = self.written.len();
        let Some(branch) = self.branches.get_mut(at) else { return next };
        *branch.slot.get_or_insert_with(|| {
            self.written.push(path.join("."));
            next
        })
    }

    fn branch(&mut self, path: &[String]) -> Branch {
        let mut at = Self::ROOT;
        for name in path {
            let next = Branch(self.branches.len());
            let Some(branch) = self.branches.get_mut(at.0) else { return at };
            at = *branch.names.entry(name.as_str().into()).or_insert(next);
            if at == next {
                self.branches.push(Grown::default());
            }
        }
        at
    }

    /// Where the name leads, if anybody asks for something there.
    pub(crate) fn next(&self, from: Branch, name: &str) -> Option<Branch> {
        self.branches.get(from.0)?.names.get(name).copied()
    }

    pub(crate) fn slot_of(&self, branch: Branch) -> Option<usize> {
        self.branches.get(branch.0)?.slot
    }

    pub(crate) fn is_end(&self, branch: Branch) -> bool {
        self.branches.get(branch.0).is_none_or(|branch| branch.names.is_empty())
    }

    pub(crate) fn len(&self) -> usize {
        self.written.len()
    }

    /// By slot, such as `fields.http.status`.
    pub(crate) fn written(&self) -> &[String] {
        &self.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_slot() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let mut paths = Paths::default();
        let status = paths.slot(&path("fields.http.status"));
        let http = paths.slot(&path("fields.http"));
        assert_ne!(status, http);
        assert_eq!(paths.slot(&path("fields.http.status")), status);
        let fields = paths.next(Paths::ROOT, "fields").unwrap();
        let found = paths.next(fields, "http").unwrap();
        assert_eq!((paths.slot_of(found), paths.is_end(found)), (Some(http), false));
        assert_eq!(paths.next(found, "other"), None);
    }
}
