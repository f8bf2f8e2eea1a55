// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSL's DTLSv1_listen(3).

use super::Verdict;
use openssl_sys as ffi;
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_uint};
use std::ops::Range;
use std::ptr;

/// The address of a peer, which memory BIOs have none of.
#[repr(C)]
struct Address([u8; 0]);

unsafe extern "C" {
    fn DTLSv1_listen(ssl: *mut ffi::SSL, client: *mut Address) -> c_int;
    fn BIO_ADDR_new() -> *mut Address;
}

/// The version and the random, which a cookie is made for, behind the headers of record and message.
const BOUND: Range<usize> = 25..59;

thread_local! {
    /// The cookie that counts, and what it was made for.
    static COOKIE: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
    /// Whether the datagram at hand is what the cookie was made for.
    static IS_BOUND: Cell<bool> = const { Cell::new(false) };
}

pub struct Plain {
    context: *mut ffi::SSL_CTX,
    client: *mut Address,
}

impl Plain {
    /// A server for which `cookie` is valid in a hello like `hello`.
    pub fn new(hello: &[u8], cookie: &[u8]) -> Self {
        COOKIE.set((cookie.to_vec(), hello[BOUND].to_vec()));
        // SAFETY: the context is made here and lives as long as the thread; the callbacks are functions.
        unsafe {
            let context = ffi::SSL_CTX_new(ffi::DTLS_method());
            ffi::SSL_CTX_set_cookie_generate_cb(context, Some(generate));
            ffi::SSL_CTX_set_cookie_verify_cb(context, Some(verify));
            ffi::SSL_CTX_set_options(context, ffi::SSL_OP_COOKIE_EXCHANGE);
            Self { context, client: BIO_ADDR_new() }
        }
    }

    pub fn judge(&self, datagram: &[u8]) -> Verdict {
        IS_BOUND.set(COOKIE.with_borrow(|(_, bound)| datagram.get(BOUND) == Some(bound)));
        // SAFETY: the SSL owns both BIOs, of which the first refers to the datagram, and is freed with them here.
        unsafe {
            let ssl = ffi::SSL_new(self.context);
            let (input, output) = (
                ffi::BIO_new_mem_buf(datagram.as_ptr().cast(), datagram.len() as c_int),
                ffi::BIO_new(ffi::BIO_s_mem()),
            );
            ffi::SSL_set_bio(ssl, input, output);
            let verified = !datagram.is_empty() && DTLSv1_listen(ssl, self.client) == 1;
            let mut answer = vec![0; 512];
            let length = ffi::BIO_read(output, answer.as_mut_ptr().cast(), answer.len() as c_int);
            ffi::SSL_free(ssl);
            ffi::ERR_clear_error();
            match usize::try_from(length) {
                _ if verified => Verdict::Verified,
                Ok(length) if length > 0 => {
                    answer.truncate(length);
                    Verdict::Answered(answer)
                }
                _ => Verdict::Ignored,
            }
        }
    }
}

extern "C" fn generate(_: *mut ffi::SSL, cookie: *mut u8, length: *mut c_uint) -> c_int {
    COOKIE.with_borrow(|(valid, _)| {
        // SAFETY: OpenSSL has room for 255 bytes.
        unsafe {
            ptr::copy_nonoverlapping(valid.as_ptr(), cookie, valid.len());
            length.write(valid.len() as c_uint);
        }
    });
    1
}

extern "C" fn verify(_: *mut ffi::SSL, cookie: *const u8, length: c_uint) -> c_int {
    // SAFETY: OpenSSL passes the cookie of the hello with its length.
    let cookie = unsafe { std::slice::from_raw_parts(cookie, length as usize) };
    c_int::from(IS_BOUND.get() && COOKIE.with_borrow(|(valid, _)| cookie == valid.as_slice()))
}
