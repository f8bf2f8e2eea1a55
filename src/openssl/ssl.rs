// SPDX-License-Identifier: MIT OR Apache-2.0
//! One `SSL` object, owned.
//!
//! Every method takes `&self`: OpenSSL calls back while one runs, the callbacks reach the same object, and so no
//! exclusive reference may exist. What is exclusive is who may call: [`crate::session::Session`] sees to that.

use super::buffers::Buffers;
use super::error_queue::{self, Cause};
use super::{Api, api, bio, context};
use crate::error::{Error, Result, Status};
use crate::ffi::qt_callbacks as callbacks;
use crate::os::Timeval;
use crate::record::Role;
use crate::session::Session;
use openssl_sys::{SSL, SSL_CIPHER, SSL_CTX, X509, X509_STORE_CTX, stack_st_X509};
use std::ffi::{CStr, c_int, c_long, c_uint, c_void};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;
use zeroize::Zeroizing;

/// Numbers of ssl.h and tls1.h that openssl-sys does not name.
mod number {
    use std::ffi::{c_int, c_long};
    pub const CRYPTO_EX_INDEX_SSL: c_int = 0;
    pub const CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;
    pub const CTRL_GET_TIMEOUT: c_int = 73;
    pub const CTRL_HANDLE_TIMEOUT: c_int = 74;
    pub const CTRL_SET_LINK_MTU: c_int = 120;
    pub const CTRL_SET_MAX_PROTO_VERSION: c_int = 124;
    pub const CTRL_GET_MAX_PROTO_VERSION: c_int = 131;
    pub const OP_TLSEXT_PADDING: u64 = 0x10;
    pub const OP_NO_QUERY_MTU: u64 = 0x1000;
    pub const OP_COOKIE_EXCHANGE: u64 = 0x2000;
    pub const OP_NO_TICKET: u64 = 0x4000;
    pub const OP_NO_RENEGOTIATION: u64 = 0x4000_0000;
    pub const DTLS1_VERSION: c_int = 0xfeff;
    pub const DTLS1_2_VERSION: c_int = 0xfefd;
    pub const DTLS1_2_VERSION_LONG: c_long = 0xfefd;
    pub const ERROR_WANT_READ: c_int = 2;
    pub const ERROR_WANT_WRITE: c_int = 3;
    pub const ERROR_ZERO_RETURN: c_int = 6;
}

/// An `SSL`, freed when dropped.
pub struct Ssl {
    raw: NonNull<SSL>,
    api: &'static Api,
    buffers: Buffers,
}

/// How an operation on an `SSL` ended, told by SSL_get_error(3) alone.
#[derive(Debug)]
pub enum Outcome {
    /// It succeeded; reads and writes say how many bytes.
    Done(usize),
    /// OpenSSL has used up the datagram and needs another one.
    WantsDatagram,
    /// The peer's close_notify has come.
    Closed,
    /// The connection cannot go on.
    Failed(Cause),
}

/// What DTLSv1_handle_timeout(3) did.
#[derive(Debug)]
pub enum TimeoutOutcome {
    /// The timer has not run out: nothing was sent.
    NotYet,
    /// The last flight was sent again.
    Retransmitted,
    /// There is no use in waiting any longer.
    Failed(Cause),
}

/// A caller's buffer for plaintext. A pointer, because no `&mut` may live across a call into OpenSSL.
#[derive(Clone, Copy)]
pub struct PlaintextBuffer {
    start: *mut u8,
    capacity: usize,
}

impl PlaintextBuffer {
    /// # Safety
    /// `start` is writable for `capacity` bytes, which nobody else uses until the operation it is for has returned.
    pub unsafe fn new(start: *mut u8, capacity: usize) -> Self {
        Self { start, capacity }
    }

    /// How many bytes it holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

/// A negotiated protocol version, numbered as on the wire; 0 before it is known.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing negotiated, or nothing this library handles.
    Unknown = 0,
    /// RFC 4347.
    Dtls1_0 = 0xfeff,
    /// RFC 6347.
    Dtls1_2 = 0xfefd,
}

/// What an `SSL` is set up with.
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

/// A session that a client can resume.
pub struct SessionTicket {
    /// The session, its keys included, in its ASN.1 form (i2d_SSL_SESSION(3)).
    pub asn1: Zeroizing<Vec<u8>>,
    /// The server's hint how long it is good for, in seconds.
    pub lifetime_hint: u64,
}

impl Ssl {
    /// SSL_new(3), checked.
    ///
    /// # Safety
    /// `context` is a live `SSL_CTX` of a DTLS method, of the OpenSSL in use.
    pub unsafe fn of_context(context: NonNull<SSL_CTX>) -> Result<Self> {
        // SAFETY: passed on; the SSL is new and nobody else's.
        unsafe { Self::take(context::new_ssl(context)?) }
    }

    /// Takes over an `SSL` that a `SSL_new` made. It fails only where no OpenSSL is attached, which could free it.
    ///
    /// # Safety
    /// `raw` is a live `SSL` of the OpenSSL in use that nobody else works with.
    pub unsafe fn take(raw: NonNull<SSL>) -> Result<Self> {
        let api = api()?;
        // SAFETY: live until it is dropped, which lets go of the buffers first; the methods that run operations hold them.
        let buffers = unsafe { Buffers::of(raw, api) };
        Ok(Self { raw, api, buffers })
    }

    /// Sets the `SSL` up and gives it a datagram BIO. On failure it can be set up again.
    pub fn set_up(&self, setup: &Setup<'_>) -> Result<()> {
        let raw = self.raw.as_ptr();
        let failed = |operation| error_queue::failure(Status::InitFailed, operation);
        let cookies = if setup.cookie_exchange { number::OP_COOKIE_EXCHANGE } else { 0 };
        let tickets = if setup.resumption { 0 } else { number::OP_NO_TICKET };
        // SAFETY: `raw` is live and ours (here and below).
        if unsafe { (self.api.SSL_is_dtls)(raw) } != 1 {
            let reason = "the SSL is not one of a DTLS method";
            return Err(Error::because(Status::InvalidArgument, "SSL_is_dtls", reason));
        }
        let bio = bio::create(self.api)?;
        // The SSL owns the BIO from here on, twice over (SSL_set_bio(3)).
        // SAFETY: both are live and ours; there is no other user of the SSL yet.
        unsafe { (self.api.SSL_set_bio)(raw, bio.as_ptr(), bio.as_ptr()) };

        error_queue::clear(self.api);
        // SAFETY: the index is ours.
        if unsafe { (self.api.SSL_set_ex_data)(raw, session_index(self.api)?, ptr::null_mut()) } != 1 {
            return Err(failed("SSL_set_ex_data"));
        }
        // SAFETY: the callbacks have the types asked for.
        unsafe {
            let always = number::OP_NO_QUERY_MTU | number::OP_NO_RENEGOTIATION;
            (self.api.SSL_set_options)(raw, always | cookies | tickets);
            // Qt asks for it in all contexts. It blows a ClientHello up to 525 bytes, for the sake of old TLS servers,
            // and with our MTU that would mean to fragment it (RFC 7685).
            (self.api.SSL_clear_options)(raw, number::OP_TLSEXT_PADDING);
            (self.api.DTLS_set_timer_cb)(raw, callbacks::timer_length);
            match setup.role {
                Role::Client => {
                    (self.api.SSL_set_connect_state)(raw);
                    (self.api.SSL_set_psk_client_callback)(raw, callbacks::q_PSK_client_callback);
                }
                Role::Server => {
                    (self.api.SSL_set_accept_state)(raw);
                    (self.api.SSL_set_psk_server_callback)(raw, callbacks::q_PSK_server_callback);
                }
            }
        }
        self.pin_version()?;
        if let Some(name) = setup.server_name {
            let name = name.as_ptr().cast_mut().cast();
            // SAFETY: the command copies the C string it is given.
            if unsafe { self.ctrl(number::CTRL_SET_TLSEXT_HOSTNAME, 0, name) } != 1 {
                return Err(failed("SSL_set_tlsext_host_name"));
            }
        }
        if setup.role == Role::Client {
            self.offer(setup.alpn)?;
            self.resume(setup.session);
        }
        // SAFETY: takes no pointer.
        let mtu = unsafe { self.ctrl(number::CTRL_SET_LINK_MTU, setup.link_mtu.into(), ptr::null_mut()) };
        if mtu == 1 { Ok(()) } else { Err(failed("DTLS_set_link_mtu")) }
    }

    fn offer(&self, alpn: &[u8]) -> Result<()> {
        let length = c_uint::try_from(alpn.len()).unwrap_or(c_uint::MAX);
        // SAFETY: `raw` is live; the bytes are readable for their length and copied. 0 is success here.
        match unsafe { (self.api.SSL_set_alpn_protos)(self.raw.as_ptr(), alpn.as_ptr(), length) } {
            0 => Ok(()),
            _ => Err(error_queue::failure(Status::InitFailed, "SSL_set_alpn_protos")),
        }
    }

    /// A session that cannot be used any more is none: the handshake is then a full one.
    fn resume(&self, asn1: &[u8]) {
        if asn1.is_empty() {
            return;
        }
        let mut start = asn1.as_ptr();
        let length = c_long::try_from(asn1.len()).unwrap_or(c_long::MAX);
        // SAFETY: the bytes are readable for their length; the result is null or ours. SSL_set_session takes its own
        // reference.
        unsafe {
            let session = (self.api.d2i_SSL_SESSION)(ptr::null_mut(), &mut start, length);
            if !session.is_null() {
                (self.api.SSL_set_session)(self.raw.as_ptr(), session);
                (self.api.SSL_SESSION_free)(session);
            }
        }
        error_queue::clear(self.api);
    }

    /// The session of a client, when the server gave a ticket for it.
    pub fn session_ticket(&self) -> Option<SessionTicket> {
        // SAFETY: `raw` is live, and with it the session it returns, unless null. The first i2d call only measures, the
        // second writes as many bytes.
        unsafe {
            let session = (self.api.SSL_get_session)(self.raw.as_ptr());
            if session.is_null() || (self.api.SSL_SESSION_has_ticket)(session) != 1 {
                return None;
            }
            let length = (self.api.i2d_SSL_SESSION)(session, ptr::null_mut());
            let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
            let mut asn1 = Zeroizing::new(vec![0; length]);
            let mut start = asn1.as_mut_ptr();
            (self.api.i2d_SSL_SESSION)(session, &mut start);
            let lifetime_hint = (self.api.SSL_SESSION_get_ticket_lifetime_hint)(session);
            #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
            Some(SessionTicket { asn1, lifetime_hint: lifetime_hint.into() })
        }
    }

    /// What the verification of the peer had said when the session that was resumed was made (X509_V_ERR_* number);
    /// `None` when none was resumed, or nothing was wrong.
    pub fn inherited_verify_error(&self) -> Option<i32> {
        // SAFETY: `raw` is live.
        let (reused, result) = unsafe {
            let raw = self.raw.as_ptr();
            ((self.api.SSL_session_reused)(raw) == 1, (self.api.SSL_get_verify_result)(raw))
        };
        #[allow(clippy::useless_conversion, reason = "long has 32 bits on Windows and 32-bit systems")]
        let code = i32::try_from(result).unwrap_or(i32::MAX);
        (reused && code != 0).then_some(code)
    }

    /// A newer protocol than this library knows must not be negotiated, whatever the library under it learns.
    fn pin_version(&self) -> Result<()> {
        // SAFETY: neither command takes a pointer.
        let newest = unsafe { self.ctrl(number::CTRL_GET_MAX_PROTO_VERSION, 0, ptr::null_mut()) };
        if newest != 0 && newest >= number::DTLS1_2_VERSION_LONG {
            return Ok(());
        }
        let version = number::DTLS1_2_VERSION_LONG;
        // SAFETY: as above.
        match unsafe { self.ctrl(number::CTRL_SET_MAX_PROTO_VERSION, version, ptr::null_mut()) } {
            1 => Ok(()),
            _ => Err(error_queue::failure(Status::InitFailed, "SSL_set_max_proto_version")),
        }
    }

    /// Makes the callbacks of a session's `SSL` and BIO find the session.
    pub fn bind_to(session: &Rc<Session>) {
        session.ssl().set_session(Rc::as_ptr(session));
    }

    /// The pointer stays valid as long as it stands there: a session owns its `Ssl`, which it drops first, and that
    /// clears it. `set_up` has made the place for it, so that nothing can fail here.
    fn set_session(&self, session: *const Session) {
        let data = session.cast_mut().cast::<c_void>();
        if let Ok(index) = session_index(self.api) {
            // SAFETY: `raw` is live; the index is ours.
            unsafe { (self.api.SSL_set_ex_data)(self.raw.as_ptr(), index, data) };
        }
        // SAFETY: `raw` is live; the BIO it returns, if any, is live as long.
        if let Some(bio) = NonNull::new(unsafe { (self.api.SSL_get_rbio)(self.raw.as_ptr()) }) {
            // SAFETY: the BIO is live.
            unsafe { bio::bind(self.api, bio, session) };
        }
    }

    /// Goes on with the handshake.
    pub fn handshake(&self) -> Outcome {
        self.with_buffers(|raw| {
            // SAFETY: `raw` is live, no other operation runs on it (Session::enter), no reference into it is held.
            unsafe { (self.api.SSL_do_handshake)(raw) }
        })
    }

    /// Lets DTLSv1_listen(3) look for a ClientHello with a valid cookie, after which the handshake can begin.
    pub fn listen(&self) -> Result<bool> {
        error_queue::clear(self.api);
        let Some(_held) = self.buffers.hold() else {
            return Err(error_queue::failure(Status::InitFailed, "SSL_alloc_buffers"));
        };
        // SAFETY: no preconditions. The address is all zeroes until OpenSSL fills it.
        let peer = unsafe { (self.api.BIO_ADDR_new)() };
        if peer.is_null() {
            return Err(error_queue::failure(Status::InitFailed, "BIO_ADDR_new"));
        }
        // SAFETY: as in `handshake`; `peer` is live.
        let result = unsafe { (self.api.DTLSv1_listen)(self.raw.as_ptr(), peer) };
        // SAFETY: made above, used by nobody else.
        unsafe { (self.api.BIO_ADDR_free)(peer) };
        // A hello that OpenSSL does not like is no failure of ours, whatever it left in the queue.
        error_queue::clear(self.api);
        Ok(result > 0)
    }

    /// Decrypts the next record into the buffer, from `filled` on.
    pub fn read(&self, buffer: PlaintextBuffer, filled: usize) -> Outcome {
        let room = buffer.capacity.saturating_sub(filled);
        let room = c_int::try_from(room).unwrap_or(c_int::MAX);
        self.with_buffers(|raw| {
            // SAFETY: as in `handshake`; `filled + room` is within the buffer, which nobody else uses (PlaintextBuffer).
            unsafe { (self.api.SSL_read)(raw, buffer.start.wrapping_add(filled).cast(), room) }
        })
    }

    /// Encrypts `message` into one record and sends it.
    pub fn write(&self, message: &[u8]) -> Outcome {
        let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
        self.with_buffers(|raw| {
            // SAFETY: as in `handshake`; the message is readable for its length.
            unsafe { (self.api.SSL_write)(raw, message.as_ptr().cast(), length) }
        })
    }

    /// Sends close_notify, if it can still be sent: the association ends either way.
    pub fn close_notify(&self) {
        self.with_buffers(|raw| {
            // SAFETY: as in `handshake`.
            unsafe { (self.api.SSL_shutdown)(raw) }
        });
        error_queue::clear(self.api);
    }

    /// Sends the last flight again when its timer has run out.
    pub fn handle_timeout(&self) -> TimeoutOutcome {
        error_queue::clear(self.api);
        let Some(_held) = self.buffers.hold() else {
            return TimeoutOutcome::Failed(error_queue::take(self.api));
        };
        // SAFETY: as in `handshake`; the command takes no pointer.
        match unsafe { self.ctrl(number::CTRL_HANDLE_TIMEOUT, 0, ptr::null_mut()) } {
            0 => TimeoutOutcome::NotYet,
            1.. => TimeoutOutcome::Retransmitted,
            _ => TimeoutOutcome::Failed(error_queue::take(self.api)),
        }
    }

    /// The time until the last flight has to be sent again; `None` when nothing is waited for.
    pub fn time_left(&self) -> Option<Duration> {
        let mut left = Timeval { tv_sec: 0, tv_usec: 0 };
        // SAFETY: the command fills the timeval it is given, when it returns 1.
        let running = unsafe { self.ctrl(number::CTRL_GET_TIMEOUT, 0, (&raw mut left).cast()) } == 1;
        let seconds = u64::try_from(left.tv_sec).unwrap_or(0);
        let microseconds = u64::try_from(left.tv_usec).unwrap_or(0);
        running.then(|| Duration::from_secs(seconds) + Duration::from_micros(microseconds))
    }

    /// The peer's certificate, borrowed from the session; null when it has shown none.
    pub fn peer_certificate(&self) -> *mut X509 {
        // SAFETY: `raw` is live; a null session is not passed on.
        unsafe {
            let session = (self.api.SSL_get_session)(self.raw.as_ptr());
            if session.is_null() { ptr::null_mut() } else { (self.api.SSL_SESSION_get0_peer)(session) }
        }
    }

    /// The chain as the peer sent it (SSL_get_peer_cert_chain(3)), borrowed; null when it has sent none.
    pub fn peer_chain(&self) -> *mut stack_st_X509 {
        // SAFETY: `raw` is live.
        unsafe { (self.api.SSL_get_peer_cert_chain)(self.raw.as_ptr()) }
    }

    /// The cipher in use, static; null before one is.
    pub fn cipher(&self) -> *const SSL_CIPHER {
        // SAFETY: `raw` is live.
        unsafe { (self.api.SSL_get_current_cipher)(self.raw.as_ptr()) }
    }

    /// The protocol in use.
    pub fn protocol(&self) -> Protocol {
        // SAFETY: `raw` is live.
        match unsafe { (self.api.SSL_version)(self.raw.as_ptr()) } {
            number::DTLS1_VERSION => Protocol::Dtls1_0,
            number::DTLS1_2_VERSION => Protocol::Dtls1_2,
            _ => Protocol::Unknown,
        }
    }

    /// The application protocol both sides agreed on (RFC 7301); empty when none.
    pub fn alpn(&self) -> &[u8] {
        let mut start = ptr::null();
        let mut length = 0;
        // SAFETY: `raw` is live; both outputs are written.
        unsafe { (self.api.SSL_get0_alpn_selected)(self.raw.as_ptr(), &mut start, &mut length) };
        match usize::try_from(length) {
            // SAFETY: OpenSSL's bytes live as long as the SSL, which `self` keeps, and change only in a handshake,
            // which cannot run while this borrow is looked at.
            Ok(length) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, length) },
            _ => &[],
        }
    }

    /// SSL_ctrl(3).
    ///
    /// # Safety
    /// `argument` is what the command asks for.
    unsafe fn ctrl(&self, command: c_int, number: c_long, argument: *mut c_void) -> c_long {
        // SAFETY: `raw` is live; the caller's promise.
        unsafe { (self.api.SSL_ctrl)(self.raw.as_ptr(), command, number, argument) }
    }

    /// Whether its record buffers are gone, if they can be taken at all.
    #[cfg(test)]
    pub fn has_given_back(&self) -> bool {
        self.buffers.are_given_back()
    }

    /// Runs an operation with record buffers and a clean error queue.
    fn with_buffers(&self, operation: impl FnOnce(*mut SSL) -> c_int) -> Outcome {
        error_queue::clear(self.api);
        let Some(_held) = self.buffers.hold() else {
            return Outcome::Failed(error_queue::take(self.api));
        };
        self.outcome(operation(self.raw.as_ptr()))
    }

    fn outcome(&self, result: c_int) -> Outcome {
        if let Ok(count @ 1..) = usize::try_from(result) {
            return Outcome::Done(count);
        }
        // SAFETY: `raw` is live, `result` is what its last operation returned, on this thread.
        match unsafe { (self.api.SSL_get_error)(self.raw.as_ptr(), result) } {
            number::ERROR_WANT_READ | number::ERROR_WANT_WRITE => Outcome::WantsDatagram,
            number::ERROR_ZERO_RETURN => Outcome::Closed,
            // SSL_ERROR_SSL, SSL_ERROR_SYSCALL and whatever a later OpenSSL may add.
            _ => Outcome::Failed(error_queue::take(self.api)),
        }
    }
}

impl Drop for Ssl {
    fn drop(&mut self) {
        self.set_session(ptr::null());
        self.buffers.let_go();
        // SAFETY: ours alone, and no operation is running: those hold the session that holds this.
        unsafe { (self.api.SSL_free)(self.raw.as_ptr()) };
    }
}

/// The place for our pointer in every `SSL` (SSL_get_ex_new_index(3)).
fn session_index(api: &Api) -> Result<c_int> {
    static INDEX: OnceLock<c_int> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let none = ptr::null_mut();
    // SAFETY: null stands for "no callback".
    let index =
        unsafe { (api.CRYPTO_get_ex_new_index)(number::CRYPTO_EX_INDEX_SSL, 0, none, none, none, none) };
    // A failure is not remembered, so that the next connection tries again.
    if index < 0 {
        return Err(error_queue::failure(Status::InitFailed, "SSL_get_ex_new_index"));
    }
    Ok(*INDEX.get_or_init(|| index))
}

/// The session an `SSL` belongs to, when it is one of ours.
///
/// # Safety
/// `ssl` is null or live, and the reference is used up before the callback it was asked for in returns.
pub unsafe fn session_of<'a>(ssl: *mut SSL) -> Option<&'a Session> {
    let api = api().ok()?;
    if ssl.is_null() {
        return None;
    }
    // SAFETY: not null, hence live; what stands at our index is null or a session (Ssl::bind), which the operation
    // that OpenSSL was called for holds as well.
    unsafe { (api.SSL_get_ex_data)(ssl, session_index(api).ok()?).cast::<Session>().as_ref() }
}

/// The session whose certificate is being verified, with the error and its depth in the chain.
///
/// # Safety
/// As for [`session_of`], of the store context.
pub unsafe fn verification_of<'a>(context: *mut X509_STORE_CTX) -> Option<(&'a Session, i32, i32)> {
    let api = api().ok()?;
    if context.is_null() {
        return None;
    }
    // SAFETY: the context is live; the index is where OpenSSL puts the SSL (X509_STORE_CTX_get_ex_data(3)).
    unsafe {
        let ssl = (api.X509_STORE_CTX_get_ex_data)(context, (api.SSL_get_ex_data_X509_STORE_CTX_idx)());
        let session = session_of(ssl.cast())?;
        let error = (api.X509_STORE_CTX_get_error)(context);
        Some((session, error, (api.X509_STORE_CTX_get_error_depth)(context)))
    }
}
