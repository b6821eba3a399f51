//! The targets: what is fuzzed, the good inputs that odd ones are made of, and what must hold for any input.

mod proof;
mod reports;
mod sources;
mod texts;

use fastrand::Rng;

use crate::corpus;

type Check = dyn Fn(&[u8], &mut Rng) + Send + Sync;

/// One reader of what others wrote.
pub struct Target {
    pub name: String,
    pub seeds: Vec<Vec<u8>>,
    check: Box<Check>,
}

impl Target {
    fn new(
        name: impl Into<String>,
        seeds: Vec<Vec<u8>>,
        check: impl Fn(&[u8], &mut Rng) + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        let mut seeds = seeds;
        seeds.extend(corpus::of(&name));
        Self { name, seeds, check: Box::new(check) }
    }

    /// Panics when the reader does, or when it breaks a promise. The dice choose what comes beside the input.
    pub fn check(&self, input: &[u8], dice: &mut Rng) {
        (self.check)(input, dice);
    }
}

/// Every target there is.
pub fn all() -> Vec<Target> {
    let mut targets = sources::targets();
    targets.extend(proof::targets());
    targets.extend(reports::targets());
    targets.extend(texts::targets());
    targets
}
