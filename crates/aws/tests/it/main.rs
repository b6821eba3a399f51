//! The adapters against emulators of AWS: `tools/with_servers.sh --ministack --dynamodb-local -- cargo test -p firebreak-aws --all-features`.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]
#![expect(clippy::indexing_slicing, reason = "a missing key should panic")]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod emulator;
#[cfg(all(feature = "bus", feature = "ec2", feature = "secrets", feature = "topics"))]
mod ministack;
#[cfg(all(feature = "bus", feature = "ec2", feature = "secrets", feature = "topics"))]
mod reboot;
#[cfg(feature = "spill")]
mod spill;
mod store_contract;
mod takeover;
