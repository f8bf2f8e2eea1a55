// SPDX-License-Identifier: MIT OR Apache-2.0
//! Setting an `SSL` up for one association.

use super::ssl::Ssl;
use super::{bio, callbacks, error_queue};
use crate::error::{Error, Result, Status};
use crate::role::Role;
use std::ffi::{CStr, c_int, c_uint};
use std::ptr;

/// Numbers of ssl.h and tls1.h that openssl-sys does not name.
mod number {
    use std::ffi::{c_int, c_long};
    pub const CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;
    pub const CTRL_SET_LINK_MTU: c_int = 120;
    pub const CTRL_SET_MAX_PROTO_VERSION: c_int = 124;
    pub const CTRL_GET_MAX_PROTO_VERSION: c_int = 131;
    pub const OP_TLSEXT_PADDING: u64 = 0x10;
    pub const OP_NO_QUERY_MTU: u64 = 0x1000;
    pub const OP_COOKIE_EXCHANGE: u64 = 0x2000;
    pub const OP_NO_TICKET: u64 = 0x4000;
    pub const OP_NO_RENEGOTIATION: u64 = 0x4000_0000;
    pub const DTLS1_2_VERSION: c_long = 0xfefd;
}

/// The settings of one association.
pub struct Setup<'a> {
    /// Which end of the connection.
    pub role: Role,
    /// The largest IP packet to send in a handshake.
    pub link_mtu: u16,
    /// Whether the server demands a cookie (SSL_OP_COOKIE_EXCHANGE).
    pub cookie_exchange: bool,
    /// The name a client asks for (RFC 6066, 3).
    pub server_name: Option<&'a CStr>,
    /// The application protocols to offer or choose from, in their wire form (RFC 7301).
    pub alpn: &'a [u8],
    /// Whether sessions may be resumed by tickets (RFC 5077).
    pub resumption: bool,
    /// A session of a client to resume, as [`Ssl::session_ticket`] gave it.
    pub session: &'a [u8],
}

impl Ssl {
    /// Sets the `SSL` up and gives it a datagram BIO.
    pub fn set_up(&self, setup: &Setup<'_>) -> Result<()> {
        self.require_dtls()?;
        self.give_bio()?;
        error_queue::clear(self.api);
        self.set_options(setup);
        self.set_callbacks(setup.role);
        self.pin_version()?;
        if let Some(name) = setup.server_name {
            self.ask_for(name)?;
        }
        if setup.role == Role::Client {
            self.offer(setup.alpn)?;
            self.resume(setup.session);
        }
        // SAFETY: the command takes no pointer.
        let mtu = unsafe { self.ctrl(number::CTRL_SET_LINK_MTU, setup.link_mtu.into(), ptr::null_mut()) };
        done(mtu == 1, "DTLS_set_link_mtu")
    }

    fn require_dtls(&self) -> Result<()> {
        // SAFETY: `raw` is live while `self` is.
        match unsafe { (self.api.SSL_is_dtls)(self.raw.as_ptr()) } {
            1 => Ok(()),
            _ => {
                let reason = "the SSL is not one of a DTLS method";
                Err(Error::because(Status::InvalidArgument, "SSL_is_dtls", reason))
            }
        }
    }

    fn give_bio(&self) -> Result<()> {
        let bio = bio::create(self.api, &self.stage)?.as_ptr();
        // SAFETY: both are live, and nobody else works with them. The SSL owns the BIO from here on, for reading and for
        // writing (SSL_set_bio(3)).
        unsafe { (self.api.SSL_set_bio)(self.raw.as_ptr(), bio, bio) };
        Ok(())
    }

    fn set_options(&self, setup: &Setup<'_>) {
        let always = number::OP_NO_QUERY_MTU | number::OP_NO_RENEGOTIATION;
        let cookies = if setup.cookie_exchange { number::OP_COOKIE_EXCHANGE } else { 0 };
        let tickets = if setup.resumption { 0 } else { number::OP_NO_TICKET };
        // SAFETY: `raw` is live while `self` is.
        unsafe { (self.api.SSL_set_options)(self.raw.as_ptr(), always | cookies | tickets) };
        // Qt asks for it in all contexts. It pads a ClientHello to 525 bytes, for the sake of old TLS servers, and the
        // default MTU would then fragment it (RFC 7685).
        // SAFETY: as above.
        unsafe { (self.api.SSL_clear_options)(self.raw.as_ptr(), number::OP_TLSEXT_PADDING) };
    }

    fn set_callbacks(&self, role: Role) {
        let raw = self.raw.as_ptr();
        // SAFETY: `raw` is live while `self` is; the callback has the type of the manual page and checks its arguments.
        unsafe { (self.api.DTLS_set_timer_cb)(raw, callbacks::timer_length) };
        match role {
            // SAFETY: as above, for both.
            Role::Client => unsafe {
                (self.api.SSL_set_connect_state)(raw);
                (self.api.SSL_set_psk_client_callback)(raw, callbacks::q_PSK_client_callback);
            },
            // SAFETY: as above, for both.
            Role::Server => unsafe {
                (self.api.SSL_set_accept_state)(raw);
                (self.api.SSL_set_psk_server_callback)(raw, callbacks::q_PSK_server_callback);
            },
        }
    }

    /// Keeps a newer protocol than this library knows from being negotiated, whatever OpenSSL learns.
    fn pin_version(&self) -> Result<()> {
        // SAFETY: the command takes no pointer.
        let newest = unsafe { self.ctrl(number::CTRL_GET_MAX_PROTO_VERSION, 0, ptr::null_mut()) };
        // DTLS versions count down.
        if newest != 0 && newest >= number::DTLS1_2_VERSION {
            return Ok(());
        }
        let command: c_int = number::CTRL_SET_MAX_PROTO_VERSION;
        // SAFETY: the command takes no pointer.
        let set = unsafe { self.ctrl(command, number::DTLS1_2_VERSION, ptr::null_mut()) };
        done(set == 1, "SSL_set_max_proto_version")
    }

    fn ask_for(&self, server_name: &CStr) -> Result<()> {
        let name = server_name.as_ptr().cast_mut().cast();
        // SAFETY: the command copies the C string it is given, and does not write to it.
        let set = unsafe { self.ctrl(number::CTRL_SET_TLSEXT_HOSTNAME, 0, name) };
        done(set == 1, "SSL_set_tlsext_host_name")
    }

    fn offer(&self, alpn: &[u8]) -> Result<()> {
        let length = c_uint::try_from(alpn.len()).unwrap_or(c_uint::MAX);
        // SAFETY: `raw` is live; the bytes are readable for their length and copied. 0 is success.
        let result = unsafe { (self.api.SSL_set_alpn_protos)(self.raw.as_ptr(), alpn.as_ptr(), length) };
        done(result == 0, "SSL_set_alpn_protos")
    }
}

fn done(succeeded: bool, operation: &'static str) -> Result<()> {
    if succeeded { Ok(()) } else { Err(error_queue::failure(Status::InitFailed, operation)) }
}
