//! Tests of intake decisions.
