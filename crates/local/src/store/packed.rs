//! States in compressed form: the alerts of one incident say nearly the same, and it is written whole each time.

use firebreak_engine::ports::StoreError;
use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// No state is larger; a damaged one may claim to be.
const MOST_UNPACKED: usize = 64 * 1024 * 1024;

pub(super) fn pack<T: Serialize>(state: &T) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(state).map_err(|error| damaged(&error))?;
    Ok(compress_prepend_size(&json))
}

pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, StoreError> {
    let (size, rest) = uncompressed_size(packed).map_err(|error| damaged(&error))?;
    if size > MOST_UNPACKED {
        return Err(damaged(&format!("it would unpack to {size} bytes")));
    }
    let json = decompress(rest, size).map_err(|error| damaged(&error))?;
    serde_json::from_slice(&json).map_err(|error| damaged(&error))
}

fn damaged(why: &impl ToString) -> StoreError {
    StoreError::Corrupt(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_what_is_damaged_is_named() {
        let state = vec!["checkout error ratio is 18.2%"; 40];
        let packed = pack(&state).unwrap();
        assert!(packed.len() < 120, "{} bytes", packed.len());
        assert_eq!(unpack::<Vec<String>>(&packed).unwrap(), state);
        let cut = packed.get(..packed.len() - 1).unwrap();
        for bad in [b"".as_slice(), b"{", b"\xff\xff\xff\xff\0", cut] {
            assert!(matches!(unpack::<Vec<String>>(bad), Err(StoreError::Corrupt(_))), "{bad:?}");
        }
    }
}
