// SPDX-License-Identifier: MIT OR Apache-2.0
//! The OpenSSL in use, and its objects that a program shares with this library.

use super::arguments::{In, Out, invalid};
use super::handle::call;
use crate::error::{Error, Result, Status};
use crate::openssl::{self, bio, context};
use crate::os;
use crate::peer::PeerAddress;
use openssl_sys::{BIO, SSL, SSL_CTX};
use std::ffi::c_void;
use std::ptr::NonNull;

/// Uses the OpenSSL that the program uses, and refuses any other: `QDTLS_STATUS_OPENSSL_MISSING` when an address lies
/// in no library, `QDTLS_STATUS_OPENSSL_UNSUPPORTED` outside versions 1.1.1 to 3.x, `QDTLS_STATUS_OPENSSL_MISMATCH` when
/// another one is in use already. Details come from `qdtls_last_error`.
///
/// `libssl` is what the program's `DTLS_client_method()` returns, `libcrypto` what its `BIO_s_mem()` returns. A library
/// built with linked OpenSSL needs no call, but makes the same check. Any thread, any number of times.
///
/// # Safety
/// The addresses are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_openssl_attach(libssl: *const c_void, libcrypto: *const c_void) -> Status {
    call("qdtls_openssl_attach", || {
        if libssl.is_null() || libcrypto.is_null() {
            return Err(invalid("an OpenSSL address is null"));
        }
        openssl::attach(libssl, libcrypto)
    })
}

/// Readies an `SSL_CTX` that connections are to share: cookie and ALPN callbacks, and no server-side session cache. To be
/// done once, before the first `qdtls_context_new_ssl`.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of a DTLS method, of the OpenSSL in use, that no other thread is working with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_prepare(context: *mut SSL_CTX) -> Status {
    call("qdtls_context_prepare", || {
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: not null, hence live and this thread's alone (contract).
        unsafe { context::prepare(context) }
    })
}

/// Makes an `SSL` and writes it to `ssl`; the caller owns it, until `qdtls_connection_init_tls` takes it. Any thread.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of the OpenSSL in use; `ssl` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_new_ssl(context: *mut SSL_CTX, ssl: *mut *mut SSL) -> Status {
    // SAFETY: null, or writable until this call returns (contract).
    let ssl = unsafe { Out::new(ssl) };
    call("qdtls_context_new_ssl", || {
        let place = ssl.require()?;
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: not null, hence live (contract).
        let ssl = unsafe { context::new_ssl(context) }?;
        place.write(ssl.as_ptr());
        Ok(())
    })
}

/// Tells a datagram BIO (BIO_s_datagram(3)) that its socket is connected to a peer, as BIO_ctrl_set_connected(3) does,
/// after checking the address.
///
/// `address` is a `struct sockaddr_in` or `sockaddr_in6` of `length` bytes; the scope id of the latter is kept. A BIO of
/// this library's own connections already knows its peer and is refused with `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `bio` is null or a live BIO; `address` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_bio_set_connected(bio: *mut BIO, address: *const u8, length: usize) -> Status {
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let address = unsafe { In::new(address, length) };
    call("qdtls_bio_set_connected", || {
        let address = address.get()?;
        let bio = NonNull::new(bio).ok_or_else(|| invalid("the BIO is null"))?;
        check_socket_address(address)?;
        // SAFETY: not null, hence live (contract).
        if unsafe { bio::is_ours(openssl::api()?, bio.as_ptr()) } {
            return Err(Error::new(Status::InvalidState, "qdtls_bio_set_connected"));
        }
        // SAFETY: live (contract), and not one of this library; the address is whole, as was just checked.
        unsafe { bio::set_connected(bio, address) }
    })
}

/// Checks that the bytes are a whole socket address with a peer in it.
fn check_socket_address(address: &[u8]) -> Result<()> {
    let malformed = || {
        let length = address.len();
        let reason = format!("{length} bytes do not hold a socket address of family AF_INET or AF_INET6");
        Error::because(Status::InvalidAddress, "peer address", reason)
    };
    let (ip, port, scope) = os::socket_address(address).ok_or_else(malformed)?;
    PeerAddress::new(ip, port, scope).map(drop)
}
