// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a handshake has negotiated, and keys that are derived from it.

use super::error_queue;
use super::ssl::{PlaintextBuffer, Ssl};
use crate::error::{Error, Result, Status};
use crate::wire::srtp::{self, Profile};
use std::ffi::{c_int, c_void};
use std::ptr;

/// Numbers of ssl.h that openssl-sys does not name.
mod number {
    use std::ffi::c_int;
    pub const CTRL_GET_PEER_SIGNATURE_NID: c_int = 108;
    pub const CTRL_GET_EXTMS_SUPPORT: c_int = 122;
    pub const CTRL_GET_SIGNATURE_NID: c_int = 132;
    pub const CTRL_GET_NEGOTIATED_GROUP: c_int = 134;
}

/// The algorithms of a signature, as numbers of obj_mac.h; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// The hash.
    pub digest: i32,
    /// The kind of key.
    pub key: i32,
}

/// What a handshake has negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The cipher suite's number on the wire.
    pub cipher: u16,
    /// The group of the key exchange (NID), or 0.
    pub group: i32,
    /// The signature with which this end has proved that it has its certificate's key.
    pub signature: Signature,
    /// The peer's.
    pub peer_signature: Signature,
    /// Whether the master secret is bound to the whole handshake (RFC 7627).
    pub extended_master_secret: bool,
    /// Whether a session was resumed.
    pub resumed: bool,
}

impl Ssl {
    /// What was negotiated; all 0 before there is a cipher.
    pub fn parameters(&self) -> Parameters {
        let cipher = self.cipher();
        if cipher.is_null() {
            return Parameters::default();
        }
        let Self { raw, api, .. } = self;
        // SAFETY: not null, hence one of OpenSSL's static objects.
        let cipher = unsafe { (api.SSL_CIPHER_get_protocol_id)(cipher) };
        // SAFETY: `raw` is live while `self` is; the function only reads.
        let resumed = unsafe { (api.SSL_session_reused)(raw.as_ptr()) } == 1;
        let key = |get: unsafe extern "C" fn(*const openssl_sys::SSL, *mut c_int) -> c_int| {
            let mut number = 0;
            // SAFETY: `raw` is live while `self` is; the output is a local.
            unsafe { (get)(raw.as_ptr(), &raw mut number) };
            number
        };
        Parameters {
            cipher,
            group: self.number_of(number::CTRL_GET_NEGOTIATED_GROUP),
            signature: Signature {
                digest: self.written_by(number::CTRL_GET_SIGNATURE_NID),
                key: key(api.SSL_get_signature_type_nid),
            },
            peer_signature: Signature {
                digest: self.written_by(number::CTRL_GET_PEER_SIGNATURE_NID),
                key: key(api.SSL_get_peer_signature_type_nid),
            },
            extended_master_secret: self.number_of(number::CTRL_GET_EXTMS_SUPPORT) == 1,
            resumed,
        }
    }

    /// The result of a command without arguments; 0 for one that this OpenSSL does not know.
    fn number_of(&self, command: c_int) -> i32 {
        // SAFETY: the command takes no argument.
        let number = unsafe { self.ctrl(command, 0, ptr::null_mut()) };
        i32::try_from(number).unwrap_or(0).max(0)
    }

    /// What a command writes to an int.
    fn written_by(&self, command: c_int) -> i32 {
        let mut number: c_int = 0;
        // SAFETY: the argument is a local int, which the command requires.
        unsafe { self.ctrl(command, 0, (&raw mut number).cast::<c_void>()) };
        number
    }

    /// Derives keys of the association for another protocol (RFC 5705): as many bytes as `keys` has room for. A context
    /// of no bytes is not the same as none.
    pub fn export(&self, label: &[u8], context: Option<&[u8]>, keys: PlaintextBuffer<'_>) -> Result<()> {
        error_queue::clear(self.api);
        let bytes = context.unwrap_or_default();
        // SAFETY: `raw` is live while `self` is. Label and context are readable for their lengths; the buffer is writable for its
        // capacity. OpenSSL calls nothing back here.
        let exported = unsafe {
            (self.api.SSL_export_keying_material)(
                self.raw.as_ptr(),
                keys.as_ptr(),
                keys.capacity(),
                label.as_ptr().cast(),
                label.len(),
                bytes.as_ptr(),
                bytes.len(),
                context.is_some().into(),
            )
        };
        match exported {
            1 => Ok(()),
            _ => Err(error_queue::failure(Status::InvalidArgument, "SSL_export_keying_material")),
        }
    }

    /// The profile of SRTP that both ends have agreed on (RFC 5764).
    pub fn srtp_profile(&self) -> Option<&'static Profile> {
        // SAFETY: `raw` is live while `self` is; the function only reads.
        let selected = unsafe { (self.api.SSL_get_selected_srtp_profile?)(self.raw.as_ptr()) };
        // SAFETY: null or one of OpenSSL's static objects.
        let number = unsafe { selected.as_ref() }?.id;
        srtp::profile(u16::try_from(number).ok()?)
    }

    /// Has the profiles offered, or one of them selected: OpenSSL's names, with colons between them.
    pub(super) fn use_srtp(&self, names: &std::ffi::CStr) -> Result<()> {
        let Some(set) = self.api.SSL_set_tlsext_use_srtp else {
            let reason = "this OpenSSL library was built without SRTP";
            return Err(Error::because(Status::InitFailed, "SSL_set_tlsext_use_srtp", reason));
        };
        // SAFETY: `raw` is live while `self` is; the names are a C string, which OpenSSL does not keep.
        match unsafe { set(self.raw.as_ptr(), names.as_ptr()) } {
            0 => Ok(()),
            _ => Err(error_queue::failure(Status::InitFailed, "SSL_set_tlsext_use_srtp")),
        }
    }
}
