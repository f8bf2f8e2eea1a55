// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake and the data of one peer.

use super::address::qdtls_address;
use super::arguments::{Out, bytes, copy_out, invalid, reference};
use super::callbacks::{CallbackSink, qdtls_callbacks, role};
use super::cookie::qdtls_cookie;
use super::error::{ErrorSlot, qdtls_error};
use super::guard::{Handle, call, call_on, give, take_back};
use crate::connection::Connection;
use crate::error::{Error, Result, Status};
use crate::openssl::ssl::{PlaintextBuffer, Ssl};
use crate::session::Session;
use openssl_sys::{SSL, SSL_CIPHER, X509, stack_st_X509};
use std::ffi::{CString, c_void};
use std::ptr::NonNull;
use std::rc::Rc;
use std::slice;

/// One peer: settings, the handshake, and then messages. One thread at a time.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_connection {
    core: Connection,
    last_error: ErrorSlot,
}

impl Handle for qdtls_connection {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }

    fn let_go(&self) {
        self.core.reset();
    }
}

impl qdtls_connection {
    fn session(&self) -> Result<Rc<Session>> {
        let missing = || Error::because(Status::InvalidState, "connection", "TLS is not initialised");
        self.core.session().ok_or_else(missing)
    }
}

/// An error that OpenSSL found in the peer's certificate chain (X509_STORE_CTX_get_error(3)).
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_verify_error {
    /// The X509_V_ERR_* number.
    pub code: i32,
    /// Depth in the chain, 0 for the peer's own certificate.
    pub depth: i32,
}

/// Makes a connection. `role` is a `qdtls_role`.
///
/// # Safety
/// The pointers are null, or readable and writable. The handle is freed with `qdtls_connection_free`. On failure
/// `release` is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_new(
    role_number: i32,
    callbacks: *const qdtls_callbacks,
    connection: *mut *mut qdtls_connection,
) -> Status {
    call("qdtls_connection_new", || {
        // SAFETY: passed on.
        let (callbacks, connection) = unsafe { (reference(callbacks)?, Out::new(connection)?) };
        let role = role(role_number)?;
        let sink = Rc::new(CallbackSink::new(callbacks)?);
        let core = Connection::new(role, sink);
        connection.write(give(qdtls_connection { core, last_error: ErrorSlot::default() }));
        Ok(())
    })
}

/// Frees a connection, without a word to the peer; null is ignored. Allowed from inside its callbacks.
///
/// # Safety
/// `connection` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_free(connection: *mut qdtls_connection) {
    // SAFETY: passed on.
    unsafe { take_back("qdtls_connection_free", connection) };
}

/// Sets the peer, before a handshake. Unspecified, multicast and broadcast addresses and port 0 are refused with
/// `QDTLS_STATUS_INVALID_ADDRESS`.
///
/// # Safety
/// `connection` is null or a live handle; `address` is null or readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_peer(
    connection: *mut qdtls_connection,
    address: *const qdtls_address,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_set_peer", connection, |connection| {
            connection.core.set_peer(reference(address)?.to_peer()?)
        })
    }
}

/// Sets the largest IP packet, headers included, that a handshake may send: 256 to 65535 bytes, or 0 for the default of
/// 576. `QDTLS_STATUS_INVALID_MTU` below. Effective from the next `qdtls_connection_init_tls` on.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_mtu_hint(
    connection: *mut qdtls_connection,
    bytes: u16,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_set_mtu_hint", connection, |connection| connection.core.set_mtu_hint(bytes))
    }
}

/// Sets the host name that a client asks for (RFC 6066, 3): ASCII, without zero bytes; none when `length` is 0.
///
/// # Safety
/// `connection` is null or a live handle; `name` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_server_name(
    connection: *mut qdtls_connection,
    name: *const u8,
    length: usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_set_server_name", connection, |connection| {
            let name = match bytes(name, length)? {
                [] => None,
                name => Some(CString::new(name).map_err(|_| invalid("the name contains a zero byte"))?),
            };
            connection.core.set_server_name(name);
            Ok(())
        })
    }
}

/// Sets the application protocols that a client offers, or a server chooses from, in their wire form: each name with its
/// length in front (RFC 7301, 3.1). None when `length` is 0. A server's context must be prepared.
///
/// # Safety
/// `connection` is null or a live handle; `list` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_alpn(
    connection: *mut qdtls_connection,
    list: *const u8,
    length: usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_set_alpn", connection, |connection| {
            connection.core.set_alpn(bytes(list, length)?)
        })
    }
}

/// Sets whether sessions may be resumed by tickets (RFC 5077), which is off at first: 0 for no. A client may pass the
/// session to resume with its next handshake, as `qdtls_connection_session` gave it; one that cannot be used is ignored.
/// Tickets are good for connections of the same `SSL_CTX`.
///
/// A resumed handshake shows no certificate. Let a server that verifies its clients not resume sessions. A ticket of a
/// handshake with a pre-shared key is never taken.
///
/// # Safety
/// `connection` is null or a live handle; `session` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_resumption(
    connection: *mut qdtls_connection,
    allowed: i32,
    session: *const u8,
    length: usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_set_resumption", connection, |connection| {
            connection.core.set_resumption(allowed != 0, bytes(session, length)?);
            Ok(())
        })
    }
}

/// Copies cookie parameters into a server's connection, which then starts only with a ClientHello that carries a valid
/// cookie, and notices a client that restarts (RFC 6347, 4.2.8). Null takes them away.
///
/// # Safety
/// `connection` is null or a live handle; so is `cookie`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_cookie(
    connection: *mut qdtls_connection,
    cookie: *const qdtls_cookie,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_set_cookie", connection, |connection| {
            connection.core.set_cookie(cookie.as_ref().map(qdtls_cookie::key));
            Ok(())
        })
    }
}

/// Sets up TLS for the next handshake on `ssl`, fresh from `SSL_new(3)` with a DTLS method: renegotiation off, version
/// at most DTLS 1.2, timers, MTU, pre-shared key callbacks, and a datagram BIO that talks through the callbacks. The peer
/// must be set.
///
/// `companion` is whatever has to outlive `ssl`, such as the owner of its context, or null; it is given to `release`,
/// which may be null, after `ssl` was freed. On `QDTLS_STATUS_OK` the connection owns both; otherwise the caller still
/// does.
///
/// # Safety
/// `connection` is null or a live handle; `ssl` is null or a live `SSL` of the OpenSSL in use that nobody else uses;
/// `release` can be called with `companion` on whatever thread uses or frees the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_init_tls(
    connection: *mut qdtls_connection,
    ssl: *mut SSL,
    companion: *mut c_void,
    release: Option<unsafe extern "C" fn(companion: *mut c_void)>,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_init_tls", connection, |connection| {
            let raw = NonNull::new(ssl).ok_or_else(|| invalid("the SSL is null"))?;
            let companion = Box::new(Companion { companion, release });
            connection.core.init_tls(Ssl::adopt(raw)?, companion).map_err(|(ssl, companion, error)| {
                ssl.release();
                if let Ok(companion) = companion.downcast::<Companion>() {
                    companion.leave_to_caller();
                }
                error
            })
        })
    }
}

/// What has to outlive an `SSL`, as C describes it.
struct Companion {
    companion: *mut c_void,
    release: Option<unsafe extern "C" fn(companion: *mut c_void)>,
}

impl Companion {
    fn leave_to_caller(mut self) {
        self.release = None;
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the promise made to `qdtls_connection_init_tls`; this is the only call.
            unsafe { release(self.companion) };
        }
    }
}

/// Starts the handshake after `qdtls_connection_init_tls`. A client passes an empty datagram; a server the client's
/// first, which must carry a valid cookie when cookie parameters are set (`QDTLS_STATUS_COOKIE_REJECTED`).
///
/// Writes a `qdtls_need` to `need`. On `QDTLS_STATUS_SEND_FAILED` the handshake is in progress all the same; on any other
/// failure it has ended, and what the peer sent can be asked for until `qdtls_connection_reset`.
///
/// # Safety
/// `connection` is null or a live handle; the others are null, or readable and writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_start(
    connection: *mut qdtls_connection,
    datagram: *const u8,
    length: usize,
    need: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_start", connection, |connection| {
            let need = Out::new(need)?;
            need.write(connection.core.start(bytes(datagram, length)?)? as i32);
            Ok(())
        })
    }
}

/// Goes on with the handshake: `datagram` is the peer's next. Results as for `qdtls_connection_start`, and
/// `QDTLS_STATUS_PEER_RESTARTED` when the client began anew.
///
/// # Safety
/// As for `qdtls_connection_start`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_continue(
    connection: *mut qdtls_connection,
    datagram: *const u8,
    length: usize,
    need: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_continue", connection, |connection| {
            let need = Out::new(need)?;
            need.write(connection.core.proceed(bytes(datagram, length)?)? as i32);
            Ok(())
        })
    }
}

/// Gives the verdict that `QDTLS_NEED_VERDICT` asks for: 0 refuses the peer, anything else accepts it. A peer that was
/// refused can be accepted by another call.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_judge_peer(
    connection: *mut qdtls_connection,
    accepted: i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_judge_peer", connection, |connection| {
            connection.core.judge_peer(accepted != 0)
        })
    }
}

/// Ends a handshake that is in progress or whose peer was refused; the latter is sent a close_notify. From inside a
/// callback it takes effect when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_abort(connection: *mut qdtls_connection) -> Status {
    // SAFETY: passed on.
    unsafe { call_on("qdtls_connection_abort", connection, |connection| connection.core.abort()) }
}

/// Sends a close_notify and ends the connection. From inside a callback it takes effect when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_shutdown(connection: *mut qdtls_connection) -> Status {
    // SAFETY: passed on.
    unsafe { call_on("qdtls_connection_shutdown", connection, |connection| connection.core.shutdown()) }
}

/// Drops everything of the last handshake, without a word to the peer. Peer, cookie and other settings stay.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_reset(connection: *mut qdtls_connection) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_reset", connection, |connection| {
            connection.core.reset();
            Ok(())
        })
    }
}

/// Writes to `running` whether a flight waits for its retransmission, and if so to `microseconds` the time until
/// `qdtls_connection_handle_timeout` is due (DTLSv1_get_timeout(3)).
///
/// # Safety
/// `connection` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_timeout(
    connection: *const qdtls_connection,
    running: *mut bool,
    microseconds: *mut u64,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_timeout", connection, |connection| {
            let (running, microseconds) = (Out::new(running)?, Out::new(microseconds)?);
            let left = connection.core.time_left();
            if let Some(left) = left {
                microseconds.write(u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
            }
            running.write(left.is_some());
            Ok(())
        })
    }
}

/// Sends the last flight again when its time has come, and writes to `retransmitted` whether it had. After twelve
/// retransmissions without an answer the handshake ends with `QDTLS_STATUS_TIMED_OUT`.
///
/// # Safety
/// `connection` is null or a live handle; `retransmitted` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_handle_timeout(
    connection: *mut qdtls_connection,
    retransmitted: *mut bool,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_handle_timeout", connection, |connection| {
            let retransmitted = Out::new(retransmitted)?;
            retransmitted.write(connection.core.handle_timeout()?);
            Ok(())
        })
    }
}

/// Encrypts one message of 1 to 16384 bytes into one record, sends it as one datagram, and writes the length of the
/// message to `written`.
///
/// After `QDTLS_STATUS_SEND_FAILED`, `QDTLS_STATUS_SEND_REFUSED`, `QDTLS_STATUS_MESSAGE_TOO_LARGE` and
/// `QDTLS_STATUS_MESSAGE_EMPTY` the connection is as usable as before; after `QDTLS_STATUS_CONNECTION_FAILED` it has
/// ended.
///
/// # Safety
/// `connection` is null or a live handle; the others are null, or readable and writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_write(
    connection: *mut qdtls_connection,
    message: *const u8,
    length: usize,
    written: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_write", connection, |connection| {
            let written = Out::new(written)?;
            written.write(connection.core.write(bytes(message, length)?)?);
            Ok(())
        })
    }
}

/// Writes to `capacity` the size of buffer that `qdtls_connection_read` asks for with a datagram of `length` bytes:
/// as many bytes, and more only right after a handshake.
///
/// # Safety
/// `connection` is null or a live handle; `capacity` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_read_capacity(
    connection: *const qdtls_connection,
    length: usize,
    capacity: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_read_capacity", connection, |connection| {
            Out::new(capacity)?.write(connection.core.read_capacity(length));
            Ok(())
        })
    }
}

/// Decrypts a datagram. The plaintexts of all its records are written to `buffer` in their order, one after the other,
/// and their total length, which may be 0, to `plaintext`: what is not valid is dropped (RFC 6347, 4.1.2.7).
///
/// To `end` goes `QDTLS_STATUS_OK`, or how the connection ended: `QDTLS_STATUS_CLOSED`, `QDTLS_STATUS_ALERT_RECEIVED` or
/// `QDTLS_STATUS_CONNECTION_FAILED`, with details in `qdtls_connection_last_error`. A client that began anew from the same
/// address makes the call fail with `QDTLS_STATUS_PEER_RESTARTED`.
///
/// # Safety
/// `connection` is null or a live handle; the others are null, or readable and writable for their lengths. The buffer
/// does not overlap the datagram.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_read(
    connection: *mut qdtls_connection,
    datagram: *const u8,
    length: usize,
    buffer: *mut u8,
    capacity: usize,
    plaintext: *mut usize,
    end: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_read", connection, |connection| {
            let (plaintext, end) = (Out::new(plaintext)?, Out::new(end)?);
            if buffer.is_null() {
                return Err(invalid("the buffer is null"));
            }
            let datagram = bytes(datagram, length)?;
            let (count, ending) = connection.core.read(datagram, PlaintextBuffer::new(buffer, capacity))?;
            let status = ending.as_ref().map_or(Status::Ok, Error::status);
            if let Some(error) = ending {
                connection.last_error.remember(error);
            }
            plaintext.write(count);
            end.write(status as i32);
            Ok(())
        })
    }
}

/// Writes the `qdtls_state` to `state`. Allowed from inside callbacks.
///
/// # Safety
/// `connection` is null or a live handle; `state` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_state(
    connection: *const qdtls_connection,
    state: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_state", connection, |connection| {
            Out::new(state)?.write(connection.core.state() as i32);
            Ok(())
        })
    }
}

/// Writes the peer's certificate to `certificate`, or null when it has shown none. Borrowed until the connection starts,
/// ends or is freed.
///
/// # Safety
/// `connection` is null or a live handle; `certificate` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer_certificate(
    connection: *const qdtls_connection,
    certificate: *mut *mut X509,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_peer_certificate", connection, |connection| {
            Out::new(certificate)?.write(connection.session()?.ssl().peer_certificate());
            Ok(())
        })
    }
}

/// Writes the peer's certificate chain to `chain` as SSL_get_peer_cert_chain(3) has it: to a server without the peer's
/// own certificate. Null when there is none. Borrowed as `qdtls_connection_peer_certificate`'s.
///
/// # Safety
/// `connection` is null or a live handle; `chain` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer_chain(
    connection: *const qdtls_connection,
    chain: *mut *mut stack_st_X509,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_peer_chain", connection, |connection| {
            Out::new(chain)?.write(connection.session()?.ssl().peer_chain());
            Ok(())
        })
    }
}

/// Writes the cipher in use to `cipher`, or null before there is one. Static.
///
/// # Safety
/// `connection` is null or a live handle; `cipher` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_cipher(
    connection: *const qdtls_connection,
    cipher: *mut *const SSL_CIPHER,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_cipher", connection, |connection| {
            Out::new(cipher)?.write(connection.session()?.ssl().cipher());
            Ok(())
        })
    }
}

/// Writes the `qdtls_protocol` in use to `protocol`.
///
/// # Safety
/// `connection` is null or a live handle; `protocol` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_protocol(
    connection: *const qdtls_connection,
    protocol: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_protocol", connection, |connection| {
            Out::new(protocol)?.write(connection.session()?.ssl().protocol() as i32);
            Ok(())
        })
    }
}

/// Writes the application protocol both sides agreed on (RFC 7301) to `name` and `length`; length 0 when none. Not
/// terminated, borrowed as `qdtls_connection_peer_certificate`'s.
///
/// # Safety
/// `connection` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_alpn(
    connection: *const qdtls_connection,
    name: *mut *const u8,
    length: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_alpn", connection, |connection| {
            let (name, length) = (Out::new(name)?, Out::new(length)?);
            let session = connection.session()?;
            let protocol = session.ssl().alpn();
            name.write(protocol.as_ptr());
            length.write(protocol.len());
            Ok(())
        })
    }
}

/// Writes the session that a client can resume later to `session`, of `capacity` bytes, its length to `length`, and the
/// server's hint how many seconds it is good for to `lifetime_hint`. Length 0 when the server gave no ticket.
/// `QDTLS_STATUS_BUFFER_TOO_SMALL` tells the length needed in its reason; the peer's certificate is most of it.
///
/// # Safety
/// `connection` is null or a live handle; `session` is null or writable for `capacity` bytes, the others null or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_session(
    connection: *const qdtls_connection,
    session: *mut u8,
    capacity: usize,
    length: *mut usize,
    lifetime_hint: *mut u64,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_session", connection, |connection| {
            let (length, lifetime_hint) = (Out::new(length)?, Out::new(lifetime_hint)?);
            let ticket = connection.session()?.ssl().session_ticket();
            let asn1 = ticket.as_ref().map_or([].as_slice(), |ticket| ticket.asn1.as_slice());
            copy_out(asn1, session, capacity, length)?;
            lifetime_hint.write(ticket.map_or(0, |ticket| ticket.lifetime_hint));
            Ok(())
        })
    }
}

/// Writes what OpenSSL found wrong with the peer's chain to `errors`, at most `capacity` of them, and the number of all
/// to `count`.
///
/// # Safety
/// `connection` is null or a live handle; `errors` is null or writable for `capacity` elements, `count` null or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_verify_errors(
    connection: *const qdtls_connection,
    errors: *mut qdtls_verify_error,
    capacity: usize,
    count: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_verify_errors", connection, |connection| {
            let count = Out::new(count)?;
            let found = connection.session()?.verify_errors();
            if capacity > 0 {
                let places = NonNull::new(errors).ok_or_else(|| invalid("the array is null"))?;
                let places = slice::from_raw_parts_mut(
                    places.as_ptr().cast::<std::mem::MaybeUninit<qdtls_verify_error>>(),
                    capacity.min(found.len()),
                );
                for (place, error) in places.iter_mut().zip(&found) {
                    place.write(qdtls_verify_error { code: error.code, depth: error.depth });
                }
            }
            count.write(found.len());
            Ok(())
        })
    }
}

/// Writes the last error of `connection` to `error`.
///
/// # Safety
/// `connection` is null or a live handle; `error` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_last_error(
    connection: *const qdtls_connection,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_last_error", connection, |connection| {
            Out::new(error)?.write(connection.last_error.read());
            Ok(())
        })
    }
}
