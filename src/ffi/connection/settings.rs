// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of a connection.

use super::qdtls_connection;
use crate::error::{Error, Status};
use crate::ffi::address::qdtls_address;
use crate::ffi::arguments::{In, Out, reference};
use crate::ffi::cookie::qdtls_cookie;
use crate::ffi::handle::{Held, call_on};
use crate::ffi::session::qdtls_session;

/// Sets the peer for the next `qdtls_connection_init_tls`. Requires `QDTLS_STATE_NOT_STARTED`; otherwise
/// `QDTLS_STATUS_INVALID_STATE`. Unspecified, multicast and broadcast addresses, port 0 and unknown families are
/// refused with `QDTLS_STATUS_INVALID_ADDRESS`.
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
    // SAFETY: null, or a structure that is live and not written during this call (this function's contract).
    let address = unsafe { reference(address) };
    call_on("qdtls_connection_set_peer", connection, |connection| {
        connection.core.set_peer(address?.to_peer()?)
    })
}

/// Writes the peer's address, in canonical form, to `address`: an IPv4-mapped IPv6 address as IPv4. Before
/// `qdtls_connection_set_peer`: `QDTLS_STATUS_INVALID_STATE`. Allowed in every state.
///
/// # Safety
/// `connection` is null or a live handle; `address` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer(
    connection: *const qdtls_connection,
    address: *mut qdtls_address,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let address = unsafe { Out::new(address) };
    call_on("qdtls_connection_peer", connection, |connection| {
        let address = address.require()?;
        let peer = connection.core.settings().peer();
        let no_peer =
            || Error::because(Status::InvalidState, "qdtls_connection_peer", "no peer address is set");
        address.write(peer.ok_or_else(no_peer)?.into());
        Ok(())
    })
}

/// Sets the largest IP packet, headers included, that a handshake sends: 256 to 65535 bytes, or 0 if nothing is known
/// about the path. Then it is 1280 bytes (RFC 8200, 5) for a flight that fits into one packet of that size or has at least
/// 4096 bytes, and 576 (RFC 791, 3.1) for others. A smaller value is refused with `QDTLS_STATUS_INVALID_MTU`. When
/// datagrams of that size are not answered, later ones are smaller. Takes effect with the next
/// `qdtls_connection_init_tls`. Allowed in every state.
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

/// Sets the server name that a client sends (RFC 6066, 3): a host name in ASCII, without a terminating zero; `length`
/// 0 sends none. One trailing dot, that of the root, is not sent. What is no host name gives
/// `QDTLS_STATUS_INVALID_ARGUMENT` with the reason, and the name set before stays: IP addresses in any textual form,
/// names of more than 253 characters, labels that are empty, longer than 63 characters, or contain anything but
/// letters, digits, underscores and inner hyphens. Takes effect with the next `qdtls_connection_init_tls`. Servers
/// ignore it. Allowed in every state.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let name = unsafe { In::new(name, length) };
    call_on("qdtls_connection_set_server_name", connection, |connection| {
        connection.core.settings().set_server_name(name.get()?)
    })
}

/// Sets the application protocols that a client offers or a server selects from, in wire format: each name of 1 to
/// 255 bytes is preceded by a length byte (RFC 7301, 3.1). `length` 0 removes them. A malformed list gives
/// `QDTLS_STATUS_INVALID_ARGUMENT`. Takes effect with the next `qdtls_connection_init_tls`. A server's `SSL_CTX` must
/// be prepared (`qdtls_context_prepare`). Allowed in every state.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let list = unsafe { In::new(list, length) };
    call_on("qdtls_connection_set_alpn", connection, |connection| {
        connection.core.settings().set_alpn(list.get()?)
    })
}

/// Enables session resumption by tickets (RFC 5077), or disables it if `allowed` is 0, the default. A client may pass
/// a session from `qdtls_connection_session`, which the next `qdtls_connection_init_tls` uses once; a session that
/// cannot be resumed leads to a full handshake. Tickets are valid for connections of the same `SSL_CTX`.
///
/// A resumed handshake shows no certificate: do not enable resumption on a server that verifies its clients
/// (`qdtls_connection_may_resume`). A server never accepts a ticket of a handshake with a pre-shared key. Allowed in
/// every state.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let session = unsafe { In::new(session, length) };
    call_on("qdtls_connection_set_resumption", connection, |connection| {
        connection.core.settings().set_resumption(allowed != 0, session.get()?)
    })
}

/// Has a client offer a session, which the next `qdtls_connection_init_tls` uses once, as the bytes that
/// `qdtls_connection_set_resumption` takes: they replace each other, and resumption must be enabled. Allowed in every
/// state.
///
/// # Safety
/// `connection` is null or a live handle; `session` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_offer_session(
    connection: *mut qdtls_connection,
    session: *const qdtls_session,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or a live handle, which never changes (this function's contract).
    let session = unsafe { reference(session) };
    call_on("qdtls_connection_offer_session", connection, |connection| {
        connection.core.settings().offer_session(session?.core())
    })
}

/// Spares the program the verdict (`qdtls_connection_judge_peer`) if `accepts` is not 0: a peer in whose certificates OpenSSL
/// found no error is accepted at the end of the handshake, with `QDTLS_NEED_NOTHING`, and any other refused, with
/// `QDTLS_STATUS_PEER_REFUSED` and `QDTLS_STATE_PEER_VERIFICATION_FAILED`. OpenSSL looks for errors as the verify mode of the
/// `SSL_CTX` says: with `SSL_VERIFY_NONE` for none, so that every peer is accepted. Allowed in every state; by default the
/// program decides.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_accept_verified(
    connection: *mut qdtls_connection,
    accepts: i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_set_accept_verified", connection, |connection| {
        connection.core.settings().set_accept_verified(accepts != 0);
        Ok(())
    })
}

/// Copies cookie parameters into a server's connection; null removes them. With parameters, the handshake starts only
/// with a ClientHello that carries a valid cookie (RFC 6347, 4.2.1), and a client that restarts is detected (RFC
/// 6347, 4.2.8). Call it before `qdtls_connection_init_tls`: parameters that are added or removed after it make
/// `qdtls_connection_start` fail with `QDTLS_STATUS_INVALID_STATE`. Clients ignore it. Allowed in every state.
///
/// # Safety
/// Both pointers are null or live handles.
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
