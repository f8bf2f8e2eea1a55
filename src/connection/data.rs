// SPDX-License-Identifier: MIT OR Apache-2.0
//! The messages of a connection.

#![forbid(unsafe_code)]

use super::Connection;
use super::phase::{Carry, Phase};
use crate::association::{Association, Received};
use crate::error::{Error, Result, Status};
use crate::log;
use crate::memory::Rc;
use crate::openssl::ssl::PlaintextBuffer;

impl Connection {
    /// Encrypts and sends one message. Returns its length.
    #[inline]
    pub fn write(&self, message: &[u8]) -> Result<usize> {
        let (association, _) = self.connected("write")?;
        let longest = association.longest_message();
        if !(1..=longest).contains(&message.len()) {
            return Err(no_message_of(message.len(), longest));
        }
        association.write(message).inspect_err(|error| self.end_after(error))
    }

    /// The buffer size that reading a datagram of `length` bytes requires.
    #[inline]
    pub fn read_capacity(&self, length: usize) -> usize {
        let phase = self.phase.borrow();
        let carried = phase.carry().map_or(0, Vec::len);
        let buffered = phase.association().map_or(0, |association| association.buffered_plaintext());
        length.saturating_add(carried).saturating_add(buffered)
    }

    /// Decrypts a datagram: the plaintexts of all its records, concatenated in order. Returns their total length and,
    /// if the datagram ended the connection, how.
    #[inline]
    pub fn read(&self, datagram: &[u8], buffer: PlaintextBuffer<'_>) -> Result<(usize, Option<Error>)> {
        let (association, carried) = self.connected("read")?;
        let needed = datagram.len().saturating_add(carried).saturating_add(association.buffered_plaintext());
        if buffer.capacity() < needed {
            return Err(buffer_too_small(needed));
        }
        if self.answers_restart(&association, datagram)? {
            return Ok((0, None));
        }
        if carried > 0 {
            return self.read_after_carry(&association, datagram, buffer);
        }
        let received = association.read(datagram, buffer, 0).inspect_err(|error| self.end_after(error))?;
        Ok(self.received(received))
    }

    /// Decrypts the records that arrived after the peer's last flight, then the datagram. Without memory the former
    /// stay kept; a datagram behind them is lost, as the network may lose it, so that they are not.
    #[cold]
    fn read_after_carry(
        &self,
        association: &Association,
        datagram: &[u8],
        buffer: PlaintextBuffer<'_>,
    ) -> Result<(usize, Option<Error>)> {
        if association.is_busy() {
            return Err(Error::new(Status::Busy, "read"));
        }
        let carry = self.exchange_carry(Carry::new());
        let first = association.read(&carry, buffer, 0);
        if first.as_ref().is_err_and(|error| error.status() == Status::OutOfMemory) {
            self.exchange_carry(carry);
        }
        let first = first.inspect_err(|error| self.end_after(error))?;
        if first.end.is_some() {
            return Ok(self.received(first));
        }
        match association.read(datagram, buffer, first.length) {
            Err(error) if error.status() == Status::OutOfMemory => Ok((first.length, None)),
            second => Ok(self.received(second.inspect_err(|error| self.end_after(error))?)),
        }
    }

    fn exchange_carry(&self, carry: Carry) -> Carry {
        let mut phase = self.phase.borrow_mut();
        phase.carry_mut().map(|kept| std::mem::replace(kept, carry)).unwrap_or_default()
    }

    /// Ends the connection if the datagram did. A close_notify is answered (RFC 5246, 7.2.1; F7).
    #[inline]
    fn received(&self, received: Received) -> (usize, Option<Error>) {
        if let Some(end) = &received.end {
            self.end_by(end);
        }
        (received.length, received.end)
    }

    /// Ends a connection that cannot continue after `error`.
    #[cold]
    fn end_after(&self, error: &Error) {
        if error.status() == Status::ConnectionFailed {
            self.end_by(error);
        }
    }

    #[cold]
    fn end_by(&self, end: &Error) {
        self.leave_for(Phase::Idle, end.status() == Status::Closed);
        log::report_failure(end, self.settings.peer());
    }

    /// The association of an established connection, and the number of bytes kept for its first read.
    #[inline]
    fn connected(&self, operation: &'static str) -> Result<(Rc<Association>, usize)> {
        match &*self.phase.borrow() {
            Phase::Connected(started, carry) => Ok((Rc::clone(&started.association), carry.len())),
            _ => Err(Error::new(Status::InvalidState, operation)),
        }
    }
}

#[cold]
fn no_message_of(length: usize, longest: usize) -> Error {
    if length == 0 {
        return Error::new(Status::MessageEmpty, "SSL_write");
    }
    let text = "bytes do not fit into one DTLS record of";
    Error::because(Status::MessageTooLarge, "SSL_write", format_args!("{length} {text} {longest}"))
}

#[cold]
fn buffer_too_small(needed: usize) -> Error {
    Error::because(Status::BufferTooSmall, "read", format_args!("{needed} bytes are needed"))
}
