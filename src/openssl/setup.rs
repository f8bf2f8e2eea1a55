// SPDX-License-Identifier: MIT OR Apache-2.0
//! Setting an `SSL` up for one association.

use super::session::Session;
use super::ssl::Ssl;
use super::{bio, callbacks, context, error_queue, prepare};
use crate::error::{Error, Result, Status};
use crate::memory::{self, Arc};
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
    /// The role of this end.
    pub role: Role,
    /// Whether the server requires a cookie (SSL_OP_COOKIE_EXCHANGE).
    pub cookie_exchange: bool,
    /// The server name that a client sends (RFC 6066, 3).
    pub server_name: Option<&'a CStr>,
    /// The application protocols to offer or select from, in wire format (RFC 7301).
    pub alpn: &'a [u8],
    /// The profiles of SRTP to offer or select from, as OpenSSL's names with colons between them.
    pub srtp: Option<&'a CStr>,
    /// Whether sessions may be resumed by tickets (RFC 5077).
    pub resumption: bool,
    /// A decoded session for a client to resume.
    pub session: Option<&'a Arc<Session>>,
}

impl Ssl {
    /// Sets the `SSL` up and gives it a datagram BIO.
    pub fn set_up(&self, setup: &Setup<'_>) -> Result<()> {
        if !self.is_prepared {
            self.require_dtls()?;
            self.require_prepared()?;
        }
        self.require_role(setup.role)?;
        self.give_bio()?;
        error_queue::clear(self.api);
        self.set_options(setup);
        self.set_callbacks(setup.role);
        self.watch_alerts();
        if let Some(profiles) = setup.srtp {
            self.use_srtp(profiles)?;
        }
        self.pin_version()?;
        if let Some(name) = setup.server_name {
            self.ask_for(name)?;
        }
        if setup.role == Role::Client {
            if !setup.alpn.is_empty() {
                self.offer(setup.alpn)?;
            }
            if let Some(session) = setup.session {
                self.offer_session(session);
            }
        }
        // SAFETY: the command takes a number and no pointer.
        let mtu = unsafe { self.ctrl(number::CTRL_SET_LINK_MTU, bio::OPENSSL_MTU, ptr::null_mut()) };
        done(mtu == 1, "DTLS_set_link_mtu")
    }

    fn require_dtls(&self) -> Result<()> {
        // SAFETY: `raw` is live while `self` is.
        match unsafe { (self.api.SSL_is_dtls)(self.raw.as_ptr()) } {
            1 => Ok(()),
            _ => Err(prepare::not_dtls("the SSL does not use a DTLS method")),
        }
    }

    /// Without its callbacks a context would accept no cookie (E4).
    fn require_prepared(&self) -> Result<()> {
        // SAFETY: `raw` is live while `self` is; the function only reads.
        let context = unsafe { (self.api.SSL_get_SSL_CTX)(self.raw.as_ptr()) };
        // SAFETY: the context that the live SSL has a reference to.
        unsafe { context::require_prepared(self.api, context) }
    }

    /// A method for one role cannot shake hands in the other (E4). An `SSL` of a client's method is a client from the
    /// beginning, any other is a server.
    fn require_role(&self, role: Role) -> Result<()> {
        let raw = self.raw.as_ptr();
        // SAFETY: `raw` is live while `self` is; both functions only read.
        let is_servers = unsafe { (self.api.SSL_get_ssl_method)(raw) == (self.api.DTLS_server_method)() };
        // SAFETY: `raw` is live while `self` is; the function only reads.
        let is_clients = unsafe { (self.api.SSL_is_server)(raw) } == 0;
        let reason = match role {
            Role::Client if is_servers => "a client needs an SSL_CTX with DTLS_method or DTLS_client_method",
            Role::Server if is_clients => "a server needs an SSL_CTX with DTLS_method or DTLS_server_method",
            _ => return Ok(()),
        };
        Err(Error::because(Status::InvalidArgument, "init TLS", reason))
    }

    fn give_bio(&self) -> Result<()> {
        let bio = bio::create(self.api, &self.stage)?.as_ptr();
        // SAFETY: `raw` is live while `self` is, the BIO was made above, and no other code uses either. The SSL takes
        // over the BIO's one reference, for reading and writing (SSL_set_bio(3)).
        unsafe { (self.api.SSL_set_bio)(self.raw.as_ptr(), bio, bio) };
        Ok(())
    }

    fn set_options(&self, setup: &Setup<'_>) {
        let always = number::OP_NO_QUERY_MTU | number::OP_NO_RENEGOTIATION;
        let cookies = if setup.cookie_exchange { number::OP_COOKIE_EXCHANGE } else { 0 };
        let tickets = if setup.resumption { 0 } else { number::OP_NO_TICKET };
        // SAFETY: `raw` is live while `self` is.
        unsafe { (self.api.SSL_set_options)(self.raw.as_ptr(), always | cookies | tickets) };
        // Qt sets this option in every context. It pads a ClientHello to 525 bytes, for old TLS servers (RFC 7685),
        // and the default MTU would then fragment it.
        // SAFETY: `raw` is live while `self` is.
        unsafe { (self.api.SSL_clear_options)(self.raw.as_ptr(), number::OP_TLSEXT_PADDING) };
    }

    fn set_callbacks(&self, role: Role) {
        let raw = self.raw.as_ptr();
        // SAFETY: `raw` is live while `self` is. The callback has the type of DTLS_set_timer_cb(3).
        unsafe { (self.api.DTLS_set_timer_cb)(raw, callbacks::timer_length) };
        match role {
            // SAFETY: `raw` is live while `self` is. The callback has the type of the manual page and checks its
            // arguments.
            Role::Client => unsafe {
                (self.api.SSL_set_connect_state)(raw);
                (self.api.SSL_set_psk_client_callback)(raw, callbacks::q_PSK_client_callback);
            },
            // SAFETY: `raw` is live while `self` is. The callback has the type of the manual page and checks its
            // arguments.
            Role::Server => unsafe {
                (self.api.SSL_set_accept_state)(raw);
                (self.api.SSL_set_psk_server_callback)(raw, callbacks::q_PSK_server_callback);
            },
        }
    }

    /// Prevents newer OpenSSL versions from negotiating a protocol that this library does not know.
    fn pin_version(&self) -> Result<()> {
        // SAFETY: the command takes no argument.
        let newest = unsafe { self.ctrl(number::CTRL_GET_MAX_PROTO_VERSION, 0, ptr::null_mut()) };
        // DTLS version numbers decrease.
        if newest != 0 && newest >= number::DTLS1_2_VERSION {
            return Ok(());
        }
        let command: c_int = number::CTRL_SET_MAX_PROTO_VERSION;
        // SAFETY: the command takes a number and no pointer.
        let set = unsafe { self.ctrl(command, number::DTLS1_2_VERSION, ptr::null_mut()) };
        done(set == 1, "SSL_set_max_proto_version")
    }

    /// Has a client refuse a server whose certificate has another name (SSL_set1_host(3)).
    pub fn expect_host(&self, name: &[u8]) -> Result<()> {
        let name = memory::c_string(name).ok_or_else(|| Error::no_memory("SSL_set1_host"))?;
        // SAFETY: `raw` is live while `self` is; the argument is a C string, which OpenSSL copies.
        done(unsafe { (self.api.SSL_set1_host)(self.raw.as_ptr(), name.as_ptr()) } == 1, "SSL_set1_host")
    }

    fn ask_for(&self, server_name: &CStr) -> Result<()> {
        let name = server_name.as_ptr().cast_mut().cast();
        // SAFETY: the argument is a C string, which the command copies and does not write to.
        let set = unsafe { self.ctrl(number::CTRL_SET_TLSEXT_HOSTNAME, 0, name) };
        done(set == 1, "SSL_set_tlsext_host_name")
    }

    /// Not for an empty list, which OpenSSL 1.1.1 to 1.1.1h refuse (A2).
    fn offer(&self, alpn: &[u8]) -> Result<()> {
        let length = c_uint::try_from(alpn.len()).unwrap_or(c_uint::MAX);
        // SAFETY: `raw` is live while `self` is. The slice is readable for `length` bytes, which OpenSSL copies.
        let result = unsafe { (self.api.SSL_set_alpn_protos)(self.raw.as_ptr(), alpn.as_ptr(), length) };
        done(result == 0, "SSL_set_alpn_protos")
    }
}

fn done(succeeded: bool, operation: &'static str) -> Result<()> {
    if succeeded { Ok(()) } else { Err(error_queue::failure(Status::InitFailed, operation)) }
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::super::Api;
    use super::*;
    use openssl_sys::{DTLS_method, SSL, SSL_CTX_free, SSL_CTX_new, SSL_new};
    use std::ffi::c_uchar;
    use std::ptr::NonNull;

    unsafe extern "C" fn refuse(_: *mut SSL, _: *const c_uchar, _: c_uint) -> c_int {
        1
    }

    /// Sets up a client whose OpenSSL refuses every list, as 1.1.1 to 1.1.1h refuse an empty one.
    fn set_up_with(alpn: &[u8]) -> Result<()> {
        // SAFETY: the objects are made here. The SSL takes a reference to the context.
        let mut ssl = unsafe {
            let context = NonNull::new(SSL_CTX_new(DTLS_method())).expect("a context");
            prepare::prepare(context).expect("a prepared context");
            let ssl = NonNull::new(SSL_new(context.as_ptr())).expect("an SSL");
            SSL_CTX_free(context.as_ptr());
            Ssl::take(ssl).expect("an OpenSSL")
        };
        ssl.api = Box::leak(Box::new(Api { SSL_set_alpn_protos: refuse, ..Api::linked() }));
        ssl.set_up(&Setup {
            role: Role::Client,
            cookie_exchange: false,
            server_name: None,
            alpn,
            srtp: None,
            resumption: false,
            session: None,
        })
    }

    #[test]
    fn a2_an_empty_alpn_list_is_not_set() {
        assert_eq!(set_up_with(&[]), Ok(()));
        assert_eq!(set_up_with(b"\x04test").map_err(|error| error.status()), Err(Status::InitFailed));
    }
}
