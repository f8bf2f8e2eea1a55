// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ids of a server's sessions (SSL_CTX_set_generate_session_id(3)).
//!
//! OpenSSL makes a random one in each handshake, and sends it only if the context has a session cache, which
//! [`super::prepare`] turns off. The random numbers would take 6,700 of the 2 million instructions of a handshake.

use super::{Api, api};
use crate::panic::guard;
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::{c_int, c_long, c_uchar, c_uint};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

/// ssl.h: SSL_CTRL_GET_SESS_CACHE_MODE and SSL_SESS_CACHE_SERVER.
const CTRL_GET_SESS_CACHE_MODE: c_int = 45;
const SESS_CACHE_SERVER: c_long = 2;

/// Makes the ids of a context's sessions.
///
/// # Safety
/// `context` is a live `SSL_CTX` of the OpenSSL in use that no other thread uses meanwhile.
pub(super) unsafe fn make_for(api: &Api, context: NonNull<SSL_CTX>) {
    // SAFETY: live and not used by another thread, by this function's contract. The callback has the type of the manual
    // page and checks its arguments. The function always succeeds.
    unsafe { (api.SSL_CTX_set_generate_session_id)(context.as_ptr(), make) };
}

/// Makes an id: a random one for a session cache, which the program may have turned on again; otherwise any that OpenSSL
/// does not know. Returns 1, or 0 if it cannot.
///
/// # Safety
/// `ssl` is null or live; `id` is null, or writable for the length at `length`, which is null or readable.
unsafe extern "C" fn make(ssl: *const SSL, id: *mut c_uchar, length: *mut c_uint) -> c_int {
    guard("session id", 0, || {
        // SAFETY: null, or readable (this function's contract).
        let length = unsafe { length.as_ref() }.and_then(|length| usize::try_from(*length).ok());
        let (Ok(api), Some(length)) = (api(), length) else { return 0 };
        if ssl.is_null() || id.is_null() {
            return 0;
        }
        // SAFETY: not null, hence writable for the length (this function's contract); OpenSSL has filled it with zeroes.
        let id = unsafe { std::slice::from_raw_parts_mut(id, length) };
        // SAFETY: not null, hence live (this function's contract).
        match unsafe { has_cache(api, ssl) } {
            true => random(api, id),
            false => number(id).is_some().into(),
        }
    })
}

/// # Safety
/// `ssl` is live.
unsafe fn has_cache(api: &Api, ssl: *const SSL) -> bool {
    // SAFETY: live by this function's contract, and so is its context; the command takes no argument.
    let mode = unsafe {
        let context = (api.SSL_get_SSL_CTX)(ssl);
        (api.SSL_CTX_ctrl)(context, CTRL_GET_SESS_CACHE_MODE, 0, ptr::null_mut())
    };
    mode & SESS_CACHE_SERVER != 0
}

/// As OpenSSL makes them. Its error stays in the queue, for the handshake that fails.
fn random(api: &Api, id: &mut [u8]) -> c_int {
    let Ok(length) = c_int::try_from(id.len()) else { return 0 };
    // SAFETY: the slice is writable for the length given, and RAND_bytes does not call back into this library.
    unsafe { (api.RAND_bytes)(id.as_mut_ptr(), length) }.max(0)
}

/// Writes a number that no other id has.
fn number(id: &mut [u8]) -> Option<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let place = id.first_chunk_mut()?;
    *place = NEXT.fetch_add(1, Ordering::Relaxed).to_ne_bytes();
    Some(())
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::super::prepare::{self, CTRL_SET_SESS_CACHE_MODE};
    use super::*;
    use openssl_sys::{DTLS_method, SSL_CTX_ctrl, SSL_CTX_free, SSL_CTX_new, SSL_free, SSL_new};

    const LENGTH: usize = 32;

    /// The ids of two sessions of a prepared context, whose cache has this mode then.
    fn two_with(mode: c_long) -> [[u8; LENGTH]; 2] {
        // SAFETY: the objects are made here, used by this function only, and freed once. The buffer has the length given.
        unsafe {
            let context = NonNull::new(SSL_CTX_new(DTLS_method())).expect("a context");
            prepare::prepare(context).expect("a prepared context");
            SSL_CTX_ctrl(context.as_ptr(), CTRL_SET_SESS_CACHE_MODE, mode, ptr::null_mut());
            let ssl = SSL_new(context.as_ptr());
            let ids = [(); 2].map(|()| {
                let (mut id, mut length) = ([0; LENGTH], LENGTH as c_uint);
                assert_eq!((make(ssl, id.as_mut_ptr(), &raw mut length), length), (1, LENGTH as c_uint));
                id
            });
            SSL_free(ssl);
            SSL_CTX_free(context.as_ptr());
            ids
        }
    }

    #[test]
    fn ids_are_random_in_a_cache_only_and_never_the_same() {
        for (mode, is_random) in [(0, false), (1, false), (2, true), (3, true)] {
            let ids = two_with(mode);
            assert_ne!(ids[0], ids[1], "{mode}");
            assert!(ids.iter().all(|id| id.ends_with(&[0; LENGTH - 8]) != is_random), "{mode}: {ids:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_gets_no_id() {
        let (mut id, mut length) = ([0; LENGTH], LENGTH as c_uint);
        // SAFETY: null is allowed, and refused before anything else is used.
        let made = unsafe {
            [
                make(ptr::null(), id.as_mut_ptr(), &raw mut length),
                make(ptr::null(), ptr::null_mut(), &raw mut length),
                make(ptr::null(), id.as_mut_ptr(), ptr::null_mut()),
            ]
        };
        assert_eq!((made, number(&mut [0; 7])), ([0; 3], None));
    }
}
