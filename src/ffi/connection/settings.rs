// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of a connection, for the next init TLS.

use super::qdtls_connection;
use crate::error::Status;
use crate::ffi::address::qdtls_address;
use crate::ffi::arguments::{In, invalid, reference};
use crate::ffi::cookie::qdtls_cookie;
use crate::ffi::handle::{Held, call_on};
use std::ffi::CString;

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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let address = unsafe { reference(address) };
    call_on("qdtls_connection_set_peer", connection, |connection| {
        connection.core.set_peer(address?.to_peer()?)
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_set_mtu_hint", connection, |connection| {
        connection.core.settings().set_mtu_hint(bytes)
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let name = unsafe { In::new(name, length) };
    call_on("qdtls_connection_set_server_name", connection, |connection| {
        let name = match name.get()? {
            [] => None,
            name => Some(CString::new(name).map_err(|_| invalid("the name contains a zero byte"))?),
        };
        connection.core.settings().set_server_name(name);
        Ok(())
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let list = unsafe { In::new(list, length) };
    call_on("qdtls_connection_set_alpn", connection, |connection| {
        connection.core.settings().set_alpn(list.get()?)
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let session = unsafe { In::new(session, length) };
    call_on("qdtls_connection_set_resumption", connection, |connection| {
        connection.core.settings().set_resumption(allowed != 0, session.get()?);
        Ok(())
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { cookie.as_ref() };
    call_on("qdtls_connection_set_cookie", connection, |connection| {
        connection.core.settings().set_cookie(cookie.map(qdtls_cookie::key));
        Ok(())
    })
}
