// SPDX-License-Identifier: MIT OR Apache-2.0
//! One owned `SSL`: its operations, and its queries between them.
//!
//! Every method takes `&self`: OpenSSL calls back while an operation runs, and the callbacks may use the same object,
//! so no exclusive reference may exist. Operations are methods of [`Running`], of which [`OnStage::run`] provides one at
//! a time.

use super::buffers::Buffers;
use super::context::{self, Context};
use super::error_queue::{self, Cause, Entries};
use super::events::{Events, Stage};
use super::session::Offered;
use super::timeval::Timeval;
use super::{Api, api, bio};
use crate::error::{Error, Result, Status};
use crate::memory::Rc;
use crate::wire::aead;
use openssl_sys::{SSL, SSL_CIPHER, X509, stack_st_X509};
use std::cell::RefCell;
use std::ffi::{c_int, c_long, c_ulong, c_void};
use std::hint::black_box;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::time::Duration;

/// Numbers of ssl.h and tls1.h that openssl-sys does not name.
mod number {
    use std::ffi::c_int;
    pub const CTRL_GET_MAX_CERT_LIST: c_int = 50;
    pub const CTRL_GET_TIMEOUT: c_int = 73;
    pub const CTRL_HANDLE_TIMEOUT: c_int = 74;
    pub const CTRL_SET_SPLIT_SEND_FRAGMENT: c_int = 125;
    pub const DTLS1_VERSION: c_int = 0xfeff;
    pub const DTLS1_2_VERSION: c_int = 0xfefd;
    pub const ERROR_WANT_READ: c_int = 2;
    pub const ERROR_WANT_WRITE: c_int = 3;
    pub const ERROR_ZERO_RETURN: c_int = 6;
}

/// The longest plaintext of a record (RFC 5246, 6.2.1).
pub const MAX_MESSAGE: usize = 1 << 14;

/// An `SSL`, freed when dropped.
pub struct Ssl {
    pub(super) raw: NonNull<SSL>,
    pub(super) api: &'static Api,
    /// The running operation, for the callbacks. Counted, because the BIO points to it while this moves.
    pub(super) stage: Rc<Stage>,
    buffers: Buffers,
    /// The session of an earlier handshake that a client offers.
    pub(super) offered: RefCell<Option<Offered>>,
    /// Whether its context is known to be a prepared one, which is for DTLS.
    pub(super) is_prepared: bool,
}

/// An `SSL` that is held for one operation, which has not begun to work with it.
pub struct OnStage<'a>(&'a Ssl);

/// An `SSL` whose operation is running; its methods call OpenSSL.
pub struct Running<'a>(pub(super) &'a Ssl);

/// The outcome of an operation on an `SSL` (SSL_get_error(3)).
#[derive(Debug)]
pub enum Outcome {
    /// Success; for reads and writes, with the number of bytes.
    Done(usize),
    /// OpenSSL has read the whole datagram and needs another one.
    WantsDatagram,
    /// The peer has sent a close_notify.
    Closed,
    /// The connection cannot continue.
    Failed(Cause),
}

/// The outcome of DTLSv1_handle_timeout(3).
#[derive(Debug)]
pub enum TimeoutOutcome {
    /// The timer has not expired; nothing was sent.
    NotYet,
    /// The last flight was retransmitted.
    Retransmitted,
    /// The handshake cannot continue, for example after too many retransmissions.
    Failed(Cause),
}

/// The caller's plaintext buffer. A pointer, because no `&mut` may exist across a call into OpenSSL.
#[derive(Clone, Copy)]
pub struct PlaintextBuffer<'a> {
    start: NonNull<u8>,
    capacity: usize,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl<'a> From<&'a mut [u8]> for PlaintextBuffer<'a> {
    fn from(buffer: &'a mut [u8]) -> Self {
        Self { capacity: buffer.len(), start: NonNull::from(buffer).cast(), lifetime: PhantomData }
    }
}

impl PlaintextBuffer<'_> {
    /// Wraps a buffer.
    ///
    /// # Safety
    /// `start` is writable for `capacity` bytes, which no other code uses until the operation that fills it has
    /// returned.
    #[inline]
    pub unsafe fn new(start: NonNull<u8>, capacity: usize) -> Self {
        Self { start, capacity, lifetime: PhantomData }
    }

    /// Its start.
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The size of the buffer in bytes.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

/// A negotiated protocol version, numbered as on the wire; 0 before negotiation.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// No version negotiated, or one that this library does not support.
    Unknown = 0,
    /// DTLS 1.0 (RFC 4347).
    Dtls1_0 = 0xfeff,
    /// DTLS 1.2 (RFC 6347).
    Dtls1_2 = 0xfefd,
}

impl Ssl {
    /// Takes ownership of an `SSL` from SSL_new(3), and frees it without memory for the rest. Otherwise fails only if no
    /// OpenSSL is attached that could free it.
    ///
    /// # Safety
    /// `raw` is a live `SSL` of the OpenSSL in use that no other code uses.
    pub unsafe fn take(raw: NonNull<SSL>) -> Result<Self> {
        let api = api()?;
        let Ok(stage) = Rc::new(Stage::default()) else {
            // SAFETY: live and used by no other code (this function's contract), which ends with this call.
            unsafe { (api.SSL_free)(raw.as_ptr()) };
            return Err(Error::no_memory("SSL"));
        };
        let buffers = Buffers::new(api);
        Ok(Self { raw, api, stage, buffers, offered: RefCell::default(), is_prepared: false })
    }

    /// Creates an `SSL` of a context.
    pub fn of(context: &Context) -> Result<Self> {
        // SAFETY: live while `context` is.
        let raw = unsafe { context::new_ssl(context.raw()) }?;
        // SAFETY: made above, and used by no other code.
        let mut ssl = unsafe { Self::take(raw) }?;
        ssl.is_prepared = true;
        Ok(ssl)
    }

    /// Holds the `SSL` for one operation: `events` serves OpenSSL's callbacks while `operation` runs. `Busy` inside
    /// another operation, without effect.
    #[inline]
    pub fn hold<R>(
        &self,
        name: &'static str,
        events: &dyn Events,
        operation: impl FnOnce(OnStage<'_>) -> R,
    ) -> Result<R> {
        let ran = self.stage.run(events, || operation(OnStage(self)));
        ran.ok_or_else(|| Error::new(Status::Busy, name))
    }

    /// Reads what the next message needs into the processor's cache, as far as OpenSSL has functions that do.
    #[inline]
    pub fn prefetch(&self) {
        // SAFETY: `raw` is live while `self` is; the function only reads.
        let waiting = unsafe { (self.api.SSL_pending)(self.raw.as_ptr()) };
        // SAFETY: `raw` is live while `self` is; the function returns a member, which is only looked at.
        let bio = unsafe { (self.api.SSL_get_rbio)(self.raw.as_ptr()) };
        black_box((waiting, bio));
    }

    /// Has as many connections keep their record buffers as an endpoint's do.
    pub fn belong_to_endpoint(&self) {
        self.buffers.belong_to_endpoint();
    }

    /// Keeps the record buffers between the operations of `work`.
    #[inline]
    pub fn keep_buffers<R>(&self, work: impl FnOnce() -> R) -> R {
        self.buffers.keep(true);
        let result = work();
        self.buffers.keep(false);
        if !self.is_running() {
            // SAFETY: `raw` is live while `self` is, and no operation is running.
            unsafe { self.buffers.release_in_a_crowd(self.api, self.raw) };
        }
        result
    }

    /// Returns whether an operation is running, which means that the caller is one of its callbacks.
    #[inline]
    pub fn is_running(&self) -> bool {
        self.stage.is_taken()
    }

    /// The time until the last flight has to be retransmitted; `None` if the timer is not running.
    pub fn time_left(&self) -> Option<Duration> {
        let mut left = Timeval::new();
        // SAFETY: the argument has room for every layout of a timeval, which the command requires; it is written if
        // the result is 1.
        let running = unsafe { self.ctrl(number::CTRL_GET_TIMEOUT, 0, left.as_mut_ptr()) } == 1;
        running.then(|| left.duration())
    }

    /// The peer's certificate, borrowed from the `SSL`; null if the peer has shown none in this handshake.
    pub fn peer_certificate(&self) -> *mut X509 {
        // OpenSSL stores no chain with a session that is offered: this one came in this handshake.
        if !self.speaks_of_this_peer() && self.peer_chain().is_null() {
            return ptr::null_mut();
        }
        // SAFETY: `raw` is live while `self` is. The result is null or a session that the SSL keeps.
        let session = unsafe { (self.api.SSL_get_session)(self.raw.as_ptr()) };
        match session.is_null() {
            true => ptr::null_mut(),
            // SAFETY: not null, and the SSL keeps the session: nothing ran that could replace it.
            false => unsafe { (self.api.SSL_SESSION_get0_peer)(session) },
        }
    }

    /// The chain as the peer sent it (SSL_get_peer_cert_chain(3)), borrowed; null if the peer has sent none.
    pub fn peer_chain(&self) -> *mut stack_st_X509 {
        // SAFETY: `raw` is live while `self` is.
        unsafe { (self.api.SSL_get_peer_cert_chain)(self.raw.as_ptr()) }
    }

    /// The cipher in use, a static object; null before one is negotiated.
    pub fn cipher(&self) -> *const SSL_CIPHER {
        match self.speaks_of_this_peer() {
            // SAFETY: `raw` is live while `self` is.
            true => unsafe { (self.api.SSL_get_current_cipher)(self.raw.as_ptr()) },
            false => ptr::null(),
        }
    }

    /// The shortest content of a protected record that OpenSSL gets: what an AEAD cipher adds to each record. OpenSSL
    /// ends the connection on a shorter one, in place of dropping it (EVP_CTRL_AEAD_TLS1_AAD in tls1_enc). Before there
    /// is a cipher, nothing shorter than what most of them add is worth keeping.
    pub fn shortest_record(&self) -> usize {
        let cipher = self.cipher();
        if cipher.is_null() {
            return aead::LONGEST_EXPANSION;
        }
        // SAFETY: not null, hence one of OpenSSL's static objects; both functions only read it.
        let (is_aead, id) =
            unsafe { ((self.api.SSL_CIPHER_is_aead)(cipher), (self.api.SSL_CIPHER_get_id)(cipher)) };
        if is_aead == 1 { aead::expansion(id) } else { 0 }
    }

    /// Returns whether OpenSSL's session is that of this handshake: it has finished, or no session of an earlier one was
    /// offered. An offered session says what an earlier peer has shown (A22).
    pub(super) fn speaks_of_this_peer(&self) -> bool {
        // SAFETY: `raw` is live while `self` is; both functions only read it.
        let (finished, reused) = unsafe {
            (
                (self.api.SSL_is_init_finished)(self.raw.as_ptr()),
                (self.api.SSL_session_reused)(self.raw.as_ptr()),
            )
        };
        finished == 1 || (reused == 0 && !self.offers_session())
    }

    /// The longest certificate chain that is accepted, in bytes (SSL_get_max_cert_list(3)).
    pub fn max_cert_list(&self) -> usize {
        // SAFETY: the command takes no argument.
        let length = unsafe { self.ctrl(number::CTRL_GET_MAX_CERT_LIST, 0, ptr::null_mut()) };
        usize::try_from(length).unwrap_or(0)
    }

    /// The longest message that fits into one record: OpenSSL ends the connection on a longer one (F1). It is limited by
    /// the negotiated max_fragment_length (RFC 6066, 4) and by the program (SSL_CTX_set_max_send_fragment(3)).
    pub fn longest_message(&self) -> usize {
        // SAFETY: `raw` is live while `self` is. The result is null or a session that the SSL keeps.
        let session = unsafe { (self.api.SSL_get_session)(self.raw.as_ptr()) };
        let code = match session.is_null() {
            true => 0,
            // SAFETY: not null, and the SSL keeps the session: nothing ran that could replace it.
            false => unsafe { (self.api.SSL_SESSION_get_max_fragment_length)(session) },
        };
        let negotiated = if matches!(code, 1..=4) { 256 << code } else { MAX_MESSAGE };
        self.max_send_fragment().min(negotiated)
    }

    /// The limit of SSL_set_max_send_fragment(3), which no function returns. It bounds
    /// SSL_set_split_send_fragment(3), which has no effect in DTLS and fails above it.
    fn max_send_fragment(&self) -> usize {
        let allows = |size: usize| {
            let size = c_long::try_from(size).unwrap_or(c_long::MAX);
            // SAFETY: the command takes a number and no pointer.
            unsafe { self.ctrl(number::CTRL_SET_SPLIT_SEND_FRAGMENT, size, ptr::null_mut()) == 1 }
        };
        if allows(MAX_MESSAGE) {
            return MAX_MESSAGE;
        }
        let (mut allowed, mut refused) = (0, MAX_MESSAGE);
        while refused - allowed > 1 {
            let middle = allowed.midpoint(refused);
            *(if allows(middle) { &mut allowed } else { &mut refused }) = middle;
        }
        allowed
    }

    /// The protocol in use.
    pub fn protocol(&self) -> Protocol {
        // SAFETY: `raw` is live while `self` is.
        match unsafe { (self.api.SSL_version)(self.raw.as_ptr()) } {
            number::DTLS1_VERSION => Protocol::Dtls1_0,
            number::DTLS1_2_VERSION => Protocol::Dtls1_2,
            _ => Protocol::Unknown,
        }
    }

    /// The negotiated application protocol (RFC 7301); empty if there is none.
    pub fn alpn(&self) -> &[u8] {
        let mut start = ptr::null();
        let mut length = 0;
        // SAFETY: `raw` is live while `self` is; the outputs are locals.
        unsafe { (self.api.SSL_get0_alpn_selected)(self.raw.as_ptr(), &mut start, &mut length) };
        match usize::try_from(length) {
            // SAFETY: the bytes belong to the SSL, which `self` keeps. They change only in a handshake; the callers
            // run none while they use this borrow.
            Ok(length) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, length) },
            _ => &[],
        }
    }

    /// SSL_ctrl(3).
    ///
    /// # Safety
    /// `argument` is what the command requires.
    pub(super) unsafe fn ctrl(&self, command: c_int, number: c_long, argument: *mut c_void) -> c_long {
        // SAFETY: `raw` is live while `self` is; the argument is valid for the command by this function's contract.
        unsafe { (self.api.SSL_ctrl)(self.raw.as_ptr(), command, number, argument) }
    }

    /// Returns whether the record buffers are freed, or cannot be freed with this OpenSSL.
    #[cfg(test)]
    pub fn has_released_buffers(&self) -> bool {
        self.buffers.are_released()
    }
}

impl OnStage<'_> {
    /// Runs `work` with record buffers. Errors: `OutOfMemory` without memory for them, without effect (A5);
    /// `ConnectionFailed` if OpenSSL itself failed to allocate them, which breaks the `SSL`.
    #[inline]
    pub fn run<R>(self, work: impl FnOnce(&Running<'_>) -> R) -> Result<R> {
        let ssl = self.0;
        // SAFETY: `raw` is live while `ssl` is, `buffers` are its own, and nothing runs on it: this value, of which the
        // stage allows one at a time, is consumed.
        unsafe { ssl.buffers.ensure(ssl.api, ssl.raw) }?;
        let result = work(&Running(ssl));
        // SAFETY: `raw` is live while `ssl` is, and `work`, the only one, has returned.
        unsafe { ssl.buffers.release_in_a_crowd(ssl.api, ssl.raw) };
        Ok(result)
    }
}

impl Running<'_> {
    /// Continues the handshake.
    pub fn handshake(&self) -> Outcome {
        error_queue::clear(self.0.api);
        // SAFETY: `raw` is live while the `Ssl` is, and `Ssl::hold` allows no other operation on it.
        let result = unsafe { (self.0.api.SSL_do_handshake)(self.0.raw.as_ptr()) };
        self.outcome(result, Self::handshake_failure)
    }

    /// Passes a ClientHello with a valid cookie to DTLSv1_listen(3), after which the handshake can start. Returns
    /// whether OpenSSL accepted it.
    pub fn listen(&self) -> Result<bool> {
        let api = self.0.api;
        error_queue::clear(api);
        // SAFETY: no preconditions. The result is null or a zeroed address.
        let peer = unsafe { (api.BIO_ADDR_new)() };
        if peer.is_null() {
            return Err(error_queue::failure(Status::InitFailed, "BIO_ADDR_new"));
        }
        // SAFETY: `raw` is live and runs only this operation (Ssl::hold); `peer` is not null and was made above.
        let result = unsafe { (api.DTLSv1_listen)(self.0.raw.as_ptr(), peer) };
        // SAFETY: made above, not shared, and freed once.
        unsafe { (api.BIO_ADDR_free)(peer) };
        // A hello that OpenSSL rejects is not an error here: drop its entries.
        error_queue::clear(api);
        Ok(result > 0)
    }

    /// Decrypts the next record into the buffer, starting at `filled`.
    #[inline]
    pub fn read(&self, buffer: PlaintextBuffer<'_>, filled: usize) -> Outcome {
        let room = buffer.capacity.saturating_sub(filled);
        let room = c_int::try_from(room).unwrap_or(c_int::MAX);
        let place = buffer.start.as_ptr().wrapping_add(filled.min(buffer.capacity)).cast();
        // SAFETY: `raw` is live and runs only this operation (Ssl::hold). The `room` bytes at `place` are inside the
        // buffer, which is writable and which no other code uses (the contract of PlaintextBuffer::new).
        let result = unsafe { (self.0.api.SSL_read)(self.0.raw.as_ptr(), place, room) };
        self.outcome(result, Self::data_failure)
    }

    /// Encrypts `message` into one record and sends it.
    #[inline]
    pub fn write(&self, message: &[u8]) -> Outcome {
        let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
        // SAFETY: `raw` is live and runs only this operation (Ssl::hold); the slice is readable for `length` bytes.
        let result = unsafe { (self.0.api.SSL_write)(self.0.raw.as_ptr(), message.as_ptr().cast(), length) };
        self.outcome(result, Self::data_failure)
    }

    /// Sends a close_notify if possible. The association ends in any case.
    pub fn close_notify(&self) {
        error_queue::clear(self.0.api);
        // SAFETY: `raw` is live and runs only this operation (Ssl::hold).
        unsafe { (self.0.api.SSL_shutdown)(self.0.raw.as_ptr()) };
        error_queue::clear(self.0.api);
    }

    /// Retransmits the last flight if its timer has expired.
    pub fn handle_timeout(&self) -> TimeoutOutcome {
        error_queue::clear(self.0.api);
        // SAFETY: the command takes no argument.
        match unsafe { self.0.ctrl(number::CTRL_HANDLE_TIMEOUT, 0, ptr::null_mut()) } {
            0 => TimeoutOutcome::NotYet,
            1.. => TimeoutOutcome::Retransmitted,
            _ => TimeoutOutcome::Failed(self.cause(|entries| entries.first)),
        }
    }

    #[inline]
    fn outcome(&self, result: c_int, failure: impl Fn(&Self, c_int) -> Outcome) -> Outcome {
        match usize::try_from(result) {
            Ok(count @ 1..) => Outcome::Done(count),
            _ => failure(self, result),
        }
    }

    /// A handshake's failure. The queue was cleared before the call, so its first entry is the cause, if the call has
    /// failed.
    fn handshake_failure(&self, result: c_int) -> Outcome {
        let cause = self.cause(|entries| entries.first);
        // The timer is handled while OpenSSL waits for data, so that the state alone would say that it still waits.
        if cause.is_timeout() { Outcome::Failed(cause) } else { self.by_state(result, cause) }
    }

    /// A failure on the data path, which does not clear the queue before the call. The last entry is the cause, unless
    /// the call has not failed and the entry is about another object (S10).
    #[cold]
    fn data_failure(&self, result: c_int) -> Outcome {
        let cause = self.cause(|entries| entries.last);
        self.by_state(result, cause)
    }

    /// Empties the queue and returns the entry that is the cause, also if the program's code ran since.
    fn cause(&self, code: impl Fn(&Entries) -> c_ulong) -> Cause {
        Cause::of(code(&self.0.stage.take_errors(self.0.api)))
    }

    /// Classifies a result by the state of this `SSL`. The queue is empty now: SSL_get_error(3) would treat any entry as
    /// a failure.
    fn by_state(&self, result: c_int, cause: Cause) -> Outcome {
        // SAFETY: `raw` is live while the `Ssl` is; `result` is that of its last operation, on this thread.
        match unsafe { (self.0.api.SSL_get_error)(self.0.raw.as_ptr(), result) } {
            number::ERROR_WANT_READ | number::ERROR_WANT_WRITE => Outcome::WantsDatagram,
            number::ERROR_ZERO_RETURN if !(cause.is_alert() && self.needs_handshake()) => Outcome::Closed,
            // SSL_ERROR_SSL, SSL_ERROR_SYSCALL, and numbers that a later OpenSSL may add.
            _ => Outcome::Failed(cause),
        }
    }

    /// A fatal alert looks like a close_notify to SSL_get_error(3), but leaves the `SSL` in need of a handshake that
    /// cannot come (ossl_statem_fatal).
    fn needs_handshake(&self) -> bool {
        // SAFETY: `raw` is live while the `Ssl` is; the function only reads it.
        unsafe { (self.0.api.SSL_is_init_finished)(self.0.raw.as_ptr()) == 0 }
    }
}

impl Drop for Ssl {
    fn drop(&mut self) {
        // The program may hold its own reference to the BIO, which then outlives the stage.
        bio::unbind(self.api, self.raw);
        // SAFETY: owned, and freed once. No operation is running: an operation holds the association, which owns
        // this.
        unsafe { (self.api.SSL_free)(self.raw.as_ptr()) };
    }
}
