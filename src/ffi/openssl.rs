// SPDX-License-Identifier: MIT OR Apache-2.0
//! The OpenSSL in use, and the OpenSSL objects that a program shares with this library.

use super::arguments::{In, Out, invalid};
use super::handle::call;
use crate::error::{Error, Result, Status};
use crate::openssl::{self, bio, context, prepare};
use crate::os;
use crate::peer::PeerAddress;
use crate::retention::Retention;
use openssl_sys::{BIO, SSL, SSL_CTX};
use std::ffi::c_void;
use std::ptr::NonNull;

/// Makes the library use the program's OpenSSL: two copies of OpenSSL in one process cannot share objects. `libssl`
/// is the result of the program's `DTLS_client_method()`, `libcrypto` that of its `BIO_s_mem()`. Call it before any
/// function that needs OpenSSL, any number of times. A library built with linked OpenSSL does not need it, but makes
/// the same checks.
///
/// `QDTLS_STATUS_OPENSSL_MISSING`: an address is not in a loaded library. `QDTLS_STATUS_OPENSSL_UNSUPPORTED`: the
/// version is not 1.1.1 (on 32-bit systems and Windows 3.0) to 4.x, or a function is missing.
/// `QDTLS_STATUS_OPENSSL_MISMATCH`: another OpenSSL is in use. `qdtls_last_error` gives the details.
///
/// # Safety
/// The addresses are null or the results of the named functions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_openssl_attach(libssl: *const c_void, libcrypto: *const c_void) -> Status {
    call("qdtls_openssl_attach", || {
        if libssl.is_null() || libcrypto.is_null() {
            return Err(invalid("an OpenSSL address is null"));
        }
        openssl::attach(libssl, libcrypto)
    })
}

/// Prepares an `SSL_CTX` for connections: sets the cookie, ALPN, session ticket and session id callbacks and the session id
/// context, and turns the session cache off. Call it once, before the first `qdtls_context_new_ssl`:
/// `qdtls_connection_init_tls` refuses an `SSL` of a context that was not prepared. `QDTLS_STATUS_INVALID_ARGUMENT`: the
/// context is null or does not use a DTLS method. `QDTLS_STATUS_INIT_FAILED`: an OpenSSL function failed.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of the OpenSSL in use that no other thread uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_prepare(context: *mut SSL_CTX) -> Status {
    call("qdtls_context_prepare", || {
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: not null, hence live and not used by another thread (this function's contract).
        unsafe { prepare::prepare(context) }
    })
}

/// Has a server choose a context for each name that clients ask for (RFC 6066, 3): the callback `server_name` is called in
/// handshakes that begin with this context. Without the call clients get this context's certificate, whatever the name.
/// Call it after `qdtls_context_prepare` and before the first `qdtls_context_new_ssl`. A callback of the program's
/// (SSL_CTX_set_tlsext_servername_callback(3)) is replaced. `QDTLS_STATUS_INVALID_ARGUMENT`: the context is null or was
/// not prepared.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of the OpenSSL in use that no other thread uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_select_by_name(context: *mut SSL_CTX) -> Status {
    call("qdtls_context_select_by_name", || {
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: not null, hence live and not used by another thread (this function's contract).
        unsafe { prepare::select_by_name(context) }
    })
}

/// Creates an `SSL` (SSL_new(3)) and writes it to `ssl`. The caller owns it until `qdtls_connection_init_tls` takes
/// it. `QDTLS_STATUS_INIT_FAILED`: SSL_new(3) failed.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of the OpenSSL in use; `ssl` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_new_ssl(context: *mut SSL_CTX, ssl: *mut *mut SSL) -> Status {
    // SAFETY: null, or writable until this call returns (this function's contract).
    let ssl = unsafe { Out::new(ssl) };
    call("qdtls_context_new_ssl", || {
        let place = ssl.require()?;
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: not null, hence live (this function's contract).
        let ssl = unsafe { context::new_ssl(context) }?;
        place.write(ssl.as_ptr());
        Ok(())
    })
}

/// How long a program keeps an `SSL_CTX` that connections of equal configuration share.
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_retention {
    /// The seconds for which it is kept after its last user. 0: not at all.
    pub unused_s: u64,
    /// The seconds after its creation from which it gets no new users and is kept no longer; 0 for no limit.
    pub total_s: u64,
    /// The number of contexts without users that are kept.
    pub most_unused: usize,
}

/// Writes how long to keep a context that connections share, by `QDTLS_SETTING_CONTEXT_KEEP_S`. A context that
/// issues tickets (`issues_tickets` is not 0), of a server that may resume sessions, is kept for the lifetime of its
/// ticket keys.
///
/// # Safety
/// `retention` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_retention(
    issues_tickets: i32,
    retention: *mut qdtls_retention,
) -> Status {
    // SAFETY: null, or writable until this call returns (this function's contract).
    let retention = unsafe { Out::new(retention) };
    call("qdtls_context_retention", || {
        let Retention { unused, total, most_unused } = Retention::of(issues_tickets != 0);
        let total_s = total.map_or(0, |total| total.as_secs());
        retention.require()?.write(qdtls_retention { unused_s: unused.as_secs(), total_s, most_unused });
        Ok(())
    })
}

/// Sets the connected peer of a datagram BIO (BIO_s_datagram(3)) after checking the address, like
/// BIO_ctrl_set_connected(3). `address` is a `struct sockaddr_in` or `sockaddr_in6` of `length` bytes, whose scope id
/// is kept.
///
/// `QDTLS_STATUS_INVALID_ADDRESS`: the address is malformed, or not a unicast address with a port.
/// `QDTLS_STATUS_INVALID_STATE`: the BIO belongs to a connection of this library, which knows its peer.
/// `QDTLS_STATUS_INIT_FAILED`: the BIO refused the address.
///
/// # Safety
/// `bio` is null or a live BIO that no other thread uses meanwhile; `address` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_bio_set_connected(bio: *mut BIO, address: *const u8, length: usize) -> Status {
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let address = unsafe { In::new(address, length) };
    call("qdtls_bio_set_connected", || {
        let address = address.get()?;
        let bio = NonNull::new(bio).ok_or_else(|| invalid("the BIO is null"))?;
        check_socket_address(address)?;
        // SAFETY: not null, hence live (this function's contract).
        if unsafe { bio::is_ours(openssl::api()?, bio.as_ptr()) } {
            return Err(Error::new(Status::InvalidState, "qdtls_bio_set_connected"));
        }
        // SAFETY: not null, hence live (this function's contract); `check_socket_address` has checked that the
        // address is whole and of an IP family.
        unsafe { bio::set_connected(bio, address) }
    })
}

/// Checks that the bytes are a whole socket address of a possible peer.
fn check_socket_address(address: &[u8]) -> Result<()> {
    let malformed = || {
        let length = address.len();
        let text = "bytes do not hold a socket address of family AF_INET or AF_INET6";
        Error::because(Status::InvalidAddress, "peer address", format_args!("{length} {text}"))
    };
    let (ip, port, scope) = os::socket_address(address).ok_or_else(malformed)?;
    PeerAddress::new(ip, port, scope).map(drop)
}
