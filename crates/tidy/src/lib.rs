//! The architecture written as tests: see `tests/`. There is nothing to link.
