// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSL's random number generator (RAND_bytes(3)).

use super::{api, error_queue};
use crate::error::{Error, Result, Status};

/// Fills `bytes` with random bytes. There is no fallback if the generator fails.
pub fn fill(bytes: &mut [u8]) -> Result<()> {
    let api = api()?;
    let length = i32::try_from(bytes.len()).map_err(|_| Error::new(Status::InvalidArgument, "RAND_bytes"))?;
    error_queue::clear(api);
    // SAFETY: the slice is writable for the length given, and RAND_bytes does not call back into this library.
    match unsafe { (api.RAND_bytes)(bytes.as_mut_ptr(), length) } {
        1 => Ok(()),
        _ => Err(error_queue::failure(Status::RandomFailed, "RAND_bytes")),
    }
}
