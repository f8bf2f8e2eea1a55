// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record buffers: 34 KiB of an `SSL`, which it needs only while it works on a datagram.
//!
//! SSL_MODE_RELEASE_BUFFERS does nothing in DTLS, so OpenSSL keeps them for as long as a connection lives. While at most
//! [`KEPT`] connections live in the process each keeps its own, for speed. In a larger crowd an operation ends with
//! SSL_free_buffers(3), and the next one begins with SSL_alloc_buffers(3), before OpenSSL runs: DTLS writes into its
//! buffer without a look. That is three allocations for each datagram, in place of 34 KiB for each idle connection.
//!
//! SSL_free_buffers(3) of older versions frees a buffer with a record in it that was only read in part (CVE-2024-4741).
//! A peer can bring that about by what it puts behind its Finished, so with those versions buffers stay where they are.

use super::{Api, error_queue};
use crate::error::{Error, Result, Status};
use openssl_sys::SSL;
use std::cell::Cell;
use std::ffi::c_ulong;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many connections of the process may live while all of them keep their buffers: about one MiB.
pub const KEPT: usize = 32;

/// As much as both buffers of a DTLS connection take (ssl3_buffer.c), in one block.
const SIZE: usize = 2 * 17 * 1024;

/// The `SSL`s of this library that live in the process.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The first release of each series whose SSL_free_buffers(3) leaves a record alone that is still to be read
/// (CVE-2024-4741), as OpenSSL_version_num(3) has it. Series after these have it from the beginning, those before never.
const CAREFUL: [c_ulong; 4] = [0x3000_00e0, 0x3010_0060, 0x3020_0020, 0x3030_0010];

/// Whether this OpenSSL can be asked to free buffers, whatever a peer has sent.
fn frees_carefully(version: c_ulong) -> bool {
    let series = |version: c_ulong| version >> 20;
    match CAREFUL.iter().find(|first| series(**first) == series(version)) {
        Some(first) => version >= *first,
        None => CAREFUL.iter().all(|first| version > *first),
    }
}

/// The buffers of one `SSL`.
pub struct Buffers {
    /// They were freed: the next operation needs others.
    freed: Cell<bool>,
    may_be_freed: bool,
}

impl Buffers {
    /// Those of a new `SSL`, which makes them itself.
    pub fn new(api: &Api) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        // SAFETY: no preconditions.
        let version = unsafe { (api.OpenSSL_version_num)() };
        Self { freed: Cell::new(false), may_be_freed: frees_carefully(version) }
    }

    /// Makes sure that there are buffers.
    ///
    /// # Safety
    /// `ssl` is the live `SSL` these belong to, and no operation is running on it.
    #[inline]
    pub unsafe fn ensure(&self, api: &Api, ssl: NonNull<SSL>) -> Result<()> {
        match self.freed.get() {
            false => Ok(()),
            // SAFETY: the caller's promise is what it asks for.
            true => unsafe { self.allocate(api, ssl) },
        }
    }

    /// A failed SSL_alloc_buffers(3) ends the `SSL`. So a block of the size is asked for first: when there is none, the
    /// datagram at hand is lost and nothing else (A5).
    ///
    /// # Safety
    /// As for [`Buffers::ensure`].
    #[cold]
    unsafe fn allocate(&self, api: &Api, ssl: NonNull<SSL>) -> Result<()> {
        // SAFETY: no preconditions: a null file name is allowed.
        let block = unsafe { (api.CRYPTO_malloc)(SIZE, ptr::null(), 0) };
        if block.is_null() {
            error_queue::clear(api);
            return Err(Error::new(Status::OutOfMemory, "CRYPTO_malloc"));
        }
        // SAFETY: allocated just now, by the function this one belongs to.
        unsafe { (api.CRYPTO_free)(block, ptr::null(), 0) };
        error_queue::clear(api);
        // SAFETY: live, and idle, by the caller's promise.
        match unsafe { (api.SSL_alloc_buffers)(ssl.as_ptr()) } {
            1 => {
                self.freed.set(false);
                Ok(())
            }
            _ => Err(error_queue::failure(Status::ConnectionFailed, "SSL_alloc_buffers")),
        }
    }

    /// Frees them in a crowd, unless a record waits in them.
    ///
    /// # Safety
    /// As for [`Buffers::ensure`].
    #[inline]
    pub unsafe fn release_in_a_crowd(&self, api: &Api, ssl: NonNull<SSL>) {
        if LIVE.load(Ordering::Relaxed) <= KEPT || !self.may_be_freed {
            return;
        }
        // SAFETY: live by the caller's promise; only reads.
        let waiting = unsafe { (api.SSL_pending)(ssl.as_ptr()) } != 0;
        // SAFETY: live and idle by the caller's promise; this OpenSSL refuses where a record is still to be read.
        let freed = !waiting && unsafe { (api.SSL_free_buffers)(ssl.as_ptr()) } == 1;
        self.freed.set(freed);
    }

    /// Whether they are where they should be in a crowd: gone, if this OpenSSL can be asked to free them.
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
