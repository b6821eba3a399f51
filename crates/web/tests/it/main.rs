//! The webhooks as a sender meets them: on the real store, over the real endpoint of SNS where one is needed.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]
#![expect(clippy::panic, reason = "a failing helper should panic")]
#![expect(clippy::indexing_slicing, reason = "a missing key should panic")]

mod limits;
mod proof;
mod sns;
mod sns_endpoint;
mod world;
