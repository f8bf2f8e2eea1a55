// SPDX-License-Identifier: MIT OR Apache-2.0
//! One `SSL`, owned: its operations, and what can be asked of it between them.
//!
//! Every method takes `&self`: OpenSSL calls back while an operation runs, the callbacks may reach the same object, and
//! so no exclusive reference may exist. Operations are methods of [`Running`], which [`Ssl::run`] hands out once at a
//! time.

use super::buffers::Buffers;
use super::error_queue::{self, Cause};
use super::events::{Events, Stage};
use super::{Api, api, bio};
use crate::error::{Error, Result, Status};
use crate::os::Timeval;
use openssl_sys::{SSL, SSL_CIPHER, X509, stack_st_X509};
use std::ffi::{c_int, c_long, c_void};
use std::ptr::{self, NonNull};
use std::time::Duration;

/// Numbers of ssl.h and tls1.h that openssl-sys does not name.
mod number {
    use std::ffi::c_int;
    pub const CTRL_GET_TIMEOUT: c_int = 73;
    pub const CTRL_HANDLE_TIMEOUT: c_int = 74;
    pub const DTLS1_VERSION: c_int = 0xfeff;
    pub const DTLS1_2_VERSION: c_int = 0xfefd;
    pub const ERROR_WANT_READ: c_int = 2;
    pub const ERROR_WANT_WRITE: c_int = 3;
    pub const ERROR_ZERO_RETURN: c_int = 6;
}

/// An `SSL`, freed when dropped.
pub struct Ssl {
    pub(super) raw: NonNull<SSL>,
    pub(super) api: &'static Api,
    /// Where the callbacks find the running operation. Boxed: the BIO refers to it.
    pub(super) stage: Box<Stage>,
    buffers: Buffers,
}

/// The right to work with an `SSL` while its operation runs.
pub struct Running<'a>(&'a Ssl);

/// The outcome of an operation on an `SSL`, as SSL_get_error(3) has it.
#[derive(Debug)]
pub enum Outcome {
    /// It succeeded; for reads and writes, with so many bytes.
    Done(usize),
    /// OpenSSL has used up the datagram and needs another one.
    WantsDatagram,
    /// The peer's close_notify has come.
    Closed,
    /// The connection cannot go on.
    Failed(Cause),
}

/// The outcome of DTLSv1_handle_timeout(3).
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
    start: NonNull<u8>,
    capacity: usize,
}

impl PlaintextBuffer {
    /// # Safety
    /// `start` is writable for `capacity` bytes, which nobody else uses until the operation it is for has returned.
    #[inline]
    pub unsafe fn new(start: NonNull<u8>, capacity: usize) -> Self {
        Self { start, capacity }
    }

    /// How many bytes it holds.
    #[inline]
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

impl Ssl {
    /// Takes over an `SSL` that SSL_new(3) made. Fails only where no OpenSSL is attached, which could free it.
    ///
    /// # Safety
    /// `raw` is a live `SSL` of the OpenSSL in use that nobody else works with.
    pub unsafe fn take(raw: NonNull<SSL>) -> Result<Self> {
        let api = api()?;
        Ok(Self { raw, api, stage: Box::default(), buffers: Buffers::new(api) })
    }

    /// Runs `operation` with record buffers, `events` serving OpenSSL's callbacks. Errors: `Busy` inside another
    /// operation, and `OutOfMemory` when there is no memory for buffers, without any effect; `ConnectionFailed` when
    /// OpenSSL ran out of memory for them and ended the connection.
    #[inline]
    pub fn run<R>(
        &self,
        name: &'static str,
        events: &dyn Events,
        operation: impl FnOnce(&Running<'_>) -> R,
    ) -> Result<R> {
        let ran = self.stage.run(events, || {
            // SAFETY: `raw` is live while `self` is, and the stage lets nothing run beside this.
            unsafe { self.buffers.ensure(self.api, self.raw) }?;
            let result = operation(&Running(self));
            // SAFETY: as above; `operation` has returned.
            unsafe { self.buffers.release_in_a_crowd(self.api, self.raw) };
            Ok(result)
        });
        ran.unwrap_or_else(|| Err(Error::new(Status::Busy, name)))
    }

    /// Whether an operation is running: then this call comes from one of its callbacks.
    #[inline]
    pub fn is_running(&self) -> bool {
        self.stage.is_taken()
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

    /// The peer's certificate, borrowed from the `SSL`; null when it has shown none.
    pub fn peer_certificate(&self) -> *mut X509 {
        // SAFETY: `raw` is live while `self` is; the result is null or lives as long.
        let session = unsafe { (self.api.SSL_get_session)(self.raw.as_ptr()) };
        match session.is_null() {
            true => ptr::null_mut(),
            // SAFETY: not null, hence live.
            false => unsafe { (self.api.SSL_SESSION_get0_peer)(session) },
        }
    }

    /// The chain as the peer sent it (SSL_get_peer_cert_chain(3)), borrowed; null when it has sent none.
    pub fn peer_chain(&self) -> *mut stack_st_X509 {
        // SAFETY: `raw` is live while `self` is.
        unsafe { (self.api.SSL_get_peer_cert_chain)(self.raw.as_ptr()) }
    }

    /// The cipher in use, static; null before there is one.
    pub fn cipher(&self) -> *const SSL_CIPHER {
        // SAFETY: `raw` is live while `self` is.
        unsafe { (self.api.SSL_get_current_cipher)(self.raw.as_ptr()) }
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

    /// The application protocol both sides agreed on (RFC 7301); empty when none.
    pub fn alpn(&self) -> &[u8] {
        let mut start = ptr::null();
        let mut length = 0;
        // SAFETY: `raw` is live while `self` is; both outputs are written.
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
    pub(super) unsafe fn ctrl(&self, command: c_int, number: c_long, argument: *mut c_void) -> c_long {
        // SAFETY: `raw` is live while `self` is; the argument fits by the caller's promise.
        unsafe { (self.api.SSL_ctrl)(self.raw.as_ptr(), command, number, argument) }
    }

    /// Whether its record buffers are gone, if they can be freed at all.
    #[cfg(test)]
    pub fn has_released_buffers(&self) -> bool {
        self.buffers.are_released()
    }
}

impl Running<'_> {
    /// Goes on with the handshake.
    pub fn handshake(&self) -> Outcome {
        error_queue::clear(self.0.api);
        // SAFETY: `raw` is live, only this operation runs on it (Ssl::run), and no reference into it is held.
        let result = unsafe { (self.0.api.SSL_do_handshake)(self.0.raw.as_ptr()) };
        self.outcome(result, Self::handshake_failure)
    }

    /// Lets DTLSv1_listen(3) take in a ClientHello whose cookie is valid, after which the handshake can begin.
    pub fn listen(&self) -> Result<bool> {
        let api = self.0.api;
        error_queue::clear(api);
        // SAFETY: no preconditions. The address is all zeroes until OpenSSL fills it.
        let peer = unsafe { (api.BIO_ADDR_new)() };
        if peer.is_null() {
            return Err(error_queue::failure(Status::InitFailed, "BIO_ADDR_new"));
        }
        // SAFETY: `raw` as in `handshake`; `peer` is live.
        let result = unsafe { (api.DTLSv1_listen)(self.0.raw.as_ptr(), peer) };
        // SAFETY: made above, and nobody else has it.
        unsafe { (api.BIO_ADDR_free)(peer) };
        // A hello that OpenSSL does not like is no failure here, whatever it left in the queue.
        error_queue::clear(api);
        Ok(result > 0)
    }

    /// Decrypts the next record into the buffer, from `filled` on.
    #[inline]
    pub fn read(&self, buffer: PlaintextBuffer, filled: usize) -> Outcome {
        let room = buffer.capacity.saturating_sub(filled);
        let room = c_int::try_from(room).unwrap_or(c_int::MAX);
        let place = buffer.start.as_ptr().wrapping_add(filled.min(buffer.capacity)).cast();
        // SAFETY: `raw` as in `handshake`; `room` bytes from `place` on are within the buffer, which nobody else uses
        // (PlaintextBuffer::new).
        let result = unsafe { (self.0.api.SSL_read)(self.0.raw.as_ptr(), place, room) };
        self.outcome(result, Self::data_failure)
    }

    /// Encrypts `message` into one record and sends it.
    #[inline]
    pub fn write(&self, message: &[u8]) -> Outcome {
        let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
        // SAFETY: `raw` as in `handshake`; the message is readable for at least `length` bytes.
        let result = unsafe { (self.0.api.SSL_write)(self.0.raw.as_ptr(), message.as_ptr().cast(), length) };
        self.outcome(result, Self::data_failure)
    }

    /// Sends close_notify, if it can still be sent: the association ends either way.
    pub fn close_notify(&self) {
        error_queue::clear(self.0.api);
        // SAFETY: `raw` as in `handshake`.
        unsafe { (self.0.api.SSL_shutdown)(self.0.raw.as_ptr()) };
        error_queue::clear(self.0.api);
    }

    /// Sends the last flight again when its timer has run out.
    pub fn handle_timeout(&self) -> TimeoutOutcome {
        error_queue::clear(self.0.api);
        // SAFETY: the command takes no pointer.
        match unsafe { self.0.ctrl(number::CTRL_HANDLE_TIMEOUT, 0, ptr::null_mut()) } {
            0 => TimeoutOutcome::NotYet,
            1.. => TimeoutOutcome::Retransmitted,
            _ => TimeoutOutcome::Failed(error_queue::take(self.0.api)),
        }
    }

    #[inline]
    fn outcome(&self, result: c_int, failure: impl Fn(&Self, c_int) -> Outcome) -> Outcome {
        match usize::try_from(result) {
            Ok(count @ 1..) => Outcome::Done(count),
            _ => failure(self, result),
        }
    }

    /// A handshake's failure. The queue was cleared before the call, so what stands there is the cause.
    fn handshake_failure(&self, result: c_int) -> Outcome {
        self.by_error_number(result, || error_queue::take(self.0.api))
    }

    /// A failure on the data path, which does not clear the queue before the call. What stands there need not be about
    /// this `SSL` (S10), so its own state decides: a fatal error leaves it in need of a handshake that cannot come
    /// (ossl_statem_fatal), and the last entry is then the cause. Otherwise the queue is emptied before
    /// SSL_get_error(3), which would take any entry for a failure.
    #[cold]
    fn data_failure(&self, result: c_int) -> Outcome {
        let cause = error_queue::take_last(self.0.api);
        // SAFETY: `raw` as in `handshake`.
        match unsafe { (self.0.api.SSL_is_init_finished)(self.0.raw.as_ptr()) } {
            0 => Outcome::Failed(cause),
            _ => self.by_error_number(result, || cause),
        }
    }

    fn by_error_number(&self, result: c_int, cause: impl FnOnce() -> Cause) -> Outcome {
        // SAFETY: `raw` as in `handshake`; `result` is what its last operation returned, on this thread.
        match unsafe { (self.0.api.SSL_get_error)(self.0.raw.as_ptr(), result) } {
            number::ERROR_WANT_READ | number::ERROR_WANT_WRITE => Outcome::WantsDatagram,
            number::ERROR_ZERO_RETURN => Outcome::Closed,
            // SSL_ERROR_SSL, SSL_ERROR_SYSCALL, and anything a later OpenSSL may add.
            _ => Outcome::Failed(cause()),
        }
    }
}

impl Drop for Ssl {
    fn drop(&mut self) {
        // A program may hold a reference of its own to the BIO: it outlives the stage then.
        bio::unbind(self.api, self.raw);
        // SAFETY: owned, and no operation is running: those hold the association that holds this.
        unsafe { (self.api.SSL_free)(self.raw.as_ptr()) };
    }
}
