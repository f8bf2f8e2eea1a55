// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record buffers: 34 KiB of an `SSL`, needed only while it processes a datagram.
//!
//! SSL_MODE_RELEASE_BUFFERS has no effect in DTLS, so OpenSSL keeps the buffers for the life of a connection. While
//! the process has at most [`KEPT`] connections, each keeps its buffers, for speed. With more, an operation ends with
//! SSL_free_buffers(3) and the next one starts with SSL_alloc_buffers(3), before OpenSSL runs, because DTLS writes
//! into its buffer without checking it. This costs three allocations per datagram and saves up to 34 KiB per idle
//! connection, of which messages touch 10. An endpoint keeps them while it handles a datagram, with what the program
//! answers, and up to [`KEPT_BY_ENDPOINT`] connections always.
//!
//! SSL_free_buffers(3) of older versions frees a buffer that holds a partly read record (CVE-2024-4741). A peer can
//! cause that with records after its Finished, so with those versions the buffers are never freed.

use super::{Api, error_queue};
use crate::error::{Error, Result, Status};
use openssl_sys::SSL;
use std::cell::Cell;
use std::ffi::c_ulong;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of connections in the process up to which all keep their buffers: 1.1 MiB.
pub const KEPT: usize = 32;
/// The same for the connections of an endpoint: 160 MiB, as far as messages touch them.
const KEPT_BY_ENDPOINT: usize = 16_384;

/// The size of both buffers of a DTLS connection (ssl3_buffer.c).
const SIZE: usize = 2 * 17 * 1024;

/// The number of this library's live `SSL`s in the process.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The first release of each series whose SSL_free_buffers(3) keeps a record that has not been read (CVE-2024-4741),
/// as OpenSSL_version_num(3) returns it. All later series have the fix, no earlier one has it.
const CAREFUL: [c_ulong; 4] = [0x3000_00e0, 0x3010_0060, 0x3020_0020, 0x3030_0010];

/// Returns whether the connections of endpoints are too many to keep their buffers.
#[inline]
pub fn is_crowd_for_endpoint() -> bool {
    LIVE.load(Ordering::Relaxed) > KEPT_BY_ENDPOINT
}

/// Returns whether SSL_free_buffers(3) is safe for all input from the peer.
fn frees_carefully(version: c_ulong) -> bool {
    let series = |version: c_ulong| version >> 20;
    match CAREFUL.iter().find(|first| series(**first) == series(version)) {
        Some(first) => version >= *first,
        None => CAREFUL.iter().all(|first| version > *first),
    }
}

/// The buffers of one `SSL`.
pub struct Buffers {
    /// They were freed: the next operation has to allocate them.
    freed: Cell<bool>,
    may_be_freed: bool,
    /// More operations follow at once.
    kept: Cell<bool>,
    /// How many connections the process may have until they are freed.
    most: Cell<usize>,
}

impl Buffers {
    /// The buffers of a new `SSL`, which allocates them itself.
    pub fn new(api: &Api) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        // SAFETY: no preconditions.
        let version = unsafe { (api.OpenSSL_version_num)() };
        Self {
            freed: Cell::new(false),
            may_be_freed: frees_carefully(version),
            kept: Cell::new(false),
            most: Cell::new(KEPT),
        }
    }

    /// Has as many connections keep their buffers as an endpoint's do.
    pub fn belong_to_endpoint(&self) {
        self.most.set(KEPT_BY_ENDPOINT);
    }

    /// Sets whether the buffers stay between operations, also in a crowd.
    pub fn keep(&self, kept: bool) {
        self.kept.set(kept);
    }

    /// Allocates the buffers if they were freed.
    ///
    /// # Safety
    /// `ssl` is the live `SSL` that these belong to, and no OpenSSL function is running on it.
    #[inline]
    pub unsafe fn ensure(&self, api: &Api, ssl: NonNull<SSL>) -> Result<()> {
        match self.freed.get() {
            false => Ok(()),
            // SAFETY: `allocate` has the contract of this function: the live `SSL`, with no function running on it.
            true => unsafe { self.allocate(api, ssl) },
        }
    }

    /// Allocates the buffers. A failed SSL_alloc_buffers(3) breaks the `SSL`, so this allocates a block of the same
    /// size first: if that fails, only the current datagram is lost (A5).
    ///
    /// # Safety
    /// As for [`Buffers::ensure`].
    #[cold]
    unsafe fn allocate(&self, api: &Api, ssl: NonNull<SSL>) -> Result<()> {
        // SAFETY: no preconditions; the file name is for debugging and may be null.
        let block = unsafe { (api.CRYPTO_malloc)(SIZE, ptr::null(), 0) };
        if block.is_null() {
            error_queue::clear(api);
            return Err(Error::new(Status::OutOfMemory, "CRYPTO_malloc"));
        }
        // SAFETY: CRYPTO_malloc allocated the block above, and it is freed once.
        unsafe { (api.CRYPTO_free)(block, ptr::null(), 0) };
        error_queue::clear(api);
        // SAFETY: live, with no function running on it, by this function's contract.
        match unsafe { (api.SSL_alloc_buffers)(ssl.as_ptr()) } {
            1 => {
                self.freed.set(false);
                Ok(())
            }
            _ => Err(error_queue::failure(Status::ConnectionFailed, "SSL_alloc_buffers")),
        }
    }

    /// Frees the buffers if the process has many connections and they hold no unread record.
    ///
    /// # Safety
    /// As for [`Buffers::ensure`].
    #[inline]
    pub unsafe fn release_in_a_crowd(&self, api: &Api, ssl: NonNull<SSL>) {
        if LIVE.load(Ordering::Relaxed) <= self.most.get() {
            return;
        }
        if self.kept.get() || self.freed.get() || !self.may_be_freed {
            return;
        }
        // SAFETY: live by this function's contract; SSL_pending only reads it.
        let waiting = unsafe { (api.SSL_pending)(ssl.as_ptr()) } != 0;
        // SAFETY: live, with no function running on it, by this function's contract. `may_be_freed`: this OpenSSL
        // refuses if a record has not been read.
        let freed = !waiting && unsafe { (api.SSL_free_buffers)(ssl.as_ptr()) } == 1;
        self.freed.set(freed);
    }

    /// Returns whether the buffers are freed, or cannot be freed with this OpenSSL.
    #[cfg(test)]
    pub fn are_released(&self) -> bool {
        self.freed.get() == self.may_be_freed
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fixed_versions_are_asked_to_free() {
        for fixed in
            [0x3000_00e0, 0x3000_0130, 0x3010_0060, 0x3020_0020, 0x3030_0010, 0x3040_0000, 0x3060_0050]
        {
            assert!(frees_carefully(fixed), "{fixed:#x}");
        }
        for unfixed in [0x1010_117f, 0x3000_0000, 0x3000_00d0, 0x3010_0050, 0x3020_0010, 0x3030_0000] {
            assert!(!frees_carefully(unfixed), "{unfixed:#x}");
        }
    }
}
