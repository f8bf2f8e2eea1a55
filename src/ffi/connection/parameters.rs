// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a handshake has negotiated, keys for other protocols, alerts.

use super::qdtls_connection;
use crate::association::Association;
use crate::error::{Result, Status};
use crate::ffi::arguments::{In, Out, OutSized, invalid, plaintext};
use crate::ffi::handle::{Held, call_on};
use crate::openssl::ssl::PlaintextBuffer;
use crate::statistics::{Alert, Direction};
use crate::wire::srtp::{self, LONGEST_KEY, LONGEST_SALT};
use std::mem::offset_of;
use zeroize::{Zeroize, Zeroizing};

/// What a handshake has negotiated. NIDs are the numbers of openssl/obj_mac.h, for OBJ_nid2sn(3).
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_parameters {
    /// `sizeof(qdtls_parameters)`.
    pub size: usize,
    /// The `qdtls_protocol`.
    pub protocol: i32,
    /// The cipher suite's number on the wire (IANA).
    pub cipher: u16,
    /// 1 if the master secret is bound to the whole handshake (RFC 7627), otherwise 0.
    pub extended_master_secret: u8,
    /// 1 if a session was resumed, otherwise 0.
    pub resumed: u8,
    /// The NID of the group of the key exchange; 0 if there was none, and with OpenSSL 1.1.1.
    pub group: i32,
    /// The NIDs of hash and key of the signature by which this end has proved its identity; 0 if it has not.
    pub signature_digest: i32,
    /// See `signature_digest`.
    pub signature_key: i32,
    /// Those of the peer's signature.
    pub peer_signature_digest: i32,
    /// See `peer_signature_digest`.
    pub peer_signature_key: i32,
}

/// Writes what the handshake has negotiated. Allowed after the handshake, until the connection ends; otherwise
/// `QDTLS_STATUS_INVALID_STATE`. `QDTLS_STATUS_INVALID_ARGUMENT`: `parameters` is null, or its `size` is not set.
///
/// # Safety
/// `connection` is null or a live handle; `parameters` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_parameters(
    connection: *const qdtls_connection,
    parameters: *mut qdtls_parameters,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let parameters = unsafe { OutSized::new(parameters) };
    call_on("qdtls_connection_parameters", connection, |connection| {
        let association = connection.core.finished()?;
        let negotiated = association.ssl().parameters();
        let value = qdtls_parameters {
            size: size_of::<qdtls_parameters>(),
            protocol: association.ssl().protocol() as i32,
            cipher: negotiated.cipher,
            extended_master_secret: negotiated.extended_master_secret.into(),
            resumed: negotiated.resumed.into(),
            group: negotiated.group,
            signature_digest: negotiated.signature.digest,
            signature_key: negotiated.signature.key,
            peer_signature_digest: negotiated.peer_signature.digest,
            peer_signature_key: negotiated.peer_signature.key,
        };
        parameters.write(&value, offset_of!(qdtls_parameters, peer_signature_key) + size_of::<i32>())
    })
}

/// Derives keys for another protocol from the association (RFC 5705; SSL_export_keying_material(3)): `length` bytes,
/// which both ends get for the same label and context. `label` is one that IANA lists, or begins with "EXPERIMENTAL". A
/// null `context` is none, which is not the same as one of 0 bytes. Keys are bound to both ends only if the extended
/// master secret was negotiated (RFC 7627, 5.4; `qdtls_connection_parameters`). Wipe them after use (`qdtls_wipe`).
///
/// Allowed after the handshake, until the connection ends; otherwise `QDTLS_STATUS_INVALID_STATE`.
/// `QDTLS_STATUS_INVALID_ARGUMENT`: a pointer is null, label or length are 0 bytes, or OpenSSL refuses the label because TLS
/// uses it itself.
///
/// # Safety
/// `connection` is null or a live handle; `label` and `context` are null or readable for their lengths, `keys` is null or
/// writable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_export(
    connection: *const qdtls_connection,
    label: *const u8,
    label_length: usize,
    context: *const u8,
    context_length: usize,
    keys: *mut u8,
    length: usize,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let label = unsafe { In::new(label, label_length) };
    let has_context = !context.is_null();
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let context = unsafe { In::new(context, context_length) };
    // SAFETY: null, or writable for `length` bytes that no other code uses during this call (this function's contract).
    let keys = unsafe { plaintext(keys, length) };
    call_on("qdtls_connection_export", connection, |connection| {
        let (label, context) = (label.get()?, context.get()?);
        let keys = keys.filter(|keys| keys.capacity() > 0 && !label.is_empty());
        let keys = keys.ok_or_else(|| invalid("a label and room for the keys are needed"))?;
        connection.core.finished()?.ssl().export(label, has_context.then_some(context), keys)
    })
}

/// Sets the protection profiles of SRTP that a client offers, or a server selects from, the best first (RFC 5764, 4.1):
/// numbers such as 1 for SRTP_AES128_CM_SHA1_80, 2 for SRTP_AES128_CM_SHA1_32, 7 for SRTP_AEAD_AES_128_GCM and 8 for
/// SRTP_AEAD_AES_256_GCM. `count` 0 removes them. Others give `QDTLS_STATUS_INVALID_ARGUMENT`, and those set before stay. Takes
/// effect with the next `qdtls_connection_init_tls`, which fails with `QDTLS_STATUS_INIT_FAILED` if OpenSSL was built without
/// SRTP. Allowed in every state.
///
/// # Safety
/// `connection` is null or a live handle; `profiles` is null or readable for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_srtp(
    connection: *mut qdtls_connection,
    profiles: *const u16,
    count: usize,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let profiles = unsafe { In::new(profiles, count) };
    call_on("qdtls_connection_set_srtp", connection, |connection| {
        connection.core.settings().set_srtp(profiles.get()?)
    })
}

/// The master keys and salts of SRTP (RFC 5764, 4.2). Each has the length of the profile; the rest of its member is 0.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_srtp_keys {
    /// `sizeof(qdtls_srtp_keys)`.
    pub size: usize,
    /// The number of the profile that both ends have agreed on; 0 for none, and then the other members are 0.
    pub profile: u16,
    /// The length of a key in bytes.
    pub key_length: u8,
    /// The length of a salt in bytes.
    pub salt_length: u8,
    /// For what the client sends.
    pub client_key: [u8; 32],
    /// For what the client sends.
    pub client_salt: [u8; 14],
    /// For what the server sends.
    pub server_key: [u8; 32],
    /// For what the server sends.
    pub server_salt: [u8; 14],
}

/// Writes the keys of SRTP (`qdtls_connection_set_srtp`). Wipe them after use (`qdtls_wipe`). Allowed after the handshake,
/// until the connection ends; otherwise `QDTLS_STATUS_INVALID_STATE`. `QDTLS_STATUS_INVALID_ARGUMENT`: `keys` is null, or its
/// `size` is not set.
///
/// # Safety
/// `connection` is null or a live handle; `keys` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_srtp(
    connection: *const qdtls_connection,
    keys: *mut qdtls_srtp_keys,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let keys = unsafe { OutSized::new(keys) };
    call_on("qdtls_connection_srtp", connection, |connection| {
        let mut value = srtp_keys(&*connection.core.finished()?)?;
        let written = keys.write(&value, offset_of!(qdtls_srtp_keys, server_salt) + LONGEST_SALT);
        for secret in [&mut value.client_key[..], &mut value.server_key[..]] {
            secret.zeroize();
        }
        written
    })
}

fn srtp_keys(association: &Association) -> Result<qdtls_srtp_keys> {
    let mut keys = qdtls_srtp_keys {
        size: size_of::<qdtls_srtp_keys>(),
        profile: 0,
        key_length: 0,
        salt_length: 0,
        client_key: [0; LONGEST_KEY],
        client_salt: [0; LONGEST_SALT],
        server_key: [0; LONGEST_KEY],
        server_salt: [0; LONGEST_SALT],
    };
    let Some(profile) = association.ssl().srtp_profile() else { return Ok(keys) };
    let mut material = Zeroizing::new([0; 2 * (LONGEST_KEY + LONGEST_SALT)]);
    let length = 2 * (profile.key + profile.salt);
    let place = material.get_mut(..length).unwrap_or_default();
    association.ssl().export(b"EXTRACTOR-dtls_srtp", None, PlaintextBuffer::from(place))?;
    let Some(parts) = srtp::split(profile, &*material) else { return Ok(keys) };
    let places: [&mut [u8]; 4] =
        [&mut keys.client_key, &mut keys.server_key, &mut keys.client_salt, &mut keys.server_salt];
    for (place, part) in places.into_iter().zip(parts) {
        place.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
    }
    keys.profile = profile.number;
    keys.key_length = profile.key as u8;
    keys.salt_length = profile.salt as u8;
    Ok(keys)
}

/// Writes the last alert that this end has sent to `sent`, and the last that it has received to `received`: 256 times its
/// level, 1 for a warning and 2 for a fatal one, and its description (RFC 5246, 7.2); -1 if there was none. They are those of
/// the last `qdtls_connection_init_tls`, also after the connection's end. Allowed in every state.
///
/// # Safety
/// `connection` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_alerts(
    connection: *const qdtls_connection,
    sent: *mut i32,
    received: *mut i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (sent, received) = unsafe { (Out::new(sent), Out::new(received)) };
    call_on("qdtls_connection_alerts", connection, |connection| {
        let (sent, received) = (sent.require()?, received.require()?);
        let statistics = connection.core.statistics();
        let last = |direction| statistics.as_ref().and_then(|all| all.last_alert(direction));
        let as_c = |alert: Option<Alert>| {
            alert.map_or(-1, |alert| i32::from(alert.level) << 8 | i32::from(alert.description))
        };
        sent.write(as_c(last(Direction::Sent)));
        received.write(as_c(last(Direction::Received)));
        Ok(())
    })
}
