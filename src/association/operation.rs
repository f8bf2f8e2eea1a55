// SPDX-License-Identifier: MIT OR Apache-2.0
//! One call into OpenSSL: a value on the stack that borrows the datagram, serves OpenSSL's callbacks and collects
//! their results.

#![forbid(unsafe_code)]

use super::inbox::Inbox;
use super::{Association, Progress, Received, VerifyError};
use crate::error::{Error, Result, Status};
use crate::host::{Psk, PskRequest, SendResult, ServerName};
use crate::log::{self, Kind};
use crate::memory;
use crate::openssl::error_queue::Cause;
use crate::openssl::events::Events;
use crate::openssl::ssl::{Outcome, PlaintextBuffer, Running, TimeoutOutcome};
use crate::role::Role;
use crate::settings::STRICT_ALERTS;
use crate::statistics::{Alert, Direction};
use crate::wire::admission::Refusal;
use crate::wire::alpn;
use crate::wire::flight;
use crate::wire::hello::ClientHello;
use crate::wire::record::{self, ALERT, APPLICATION_DATA, HANDSHAKE, Record};
use std::cell::Cell;
use std::fmt;
use subtle::ConstantTimeEq;

/// The purpose of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// DTLSv1_listen(3), which must not send: the listener does the cookie exchange.
    Listen,
    /// The handshake. Recognisably invalid records are dropped before OpenSSL sees them.
    Handshake,
    /// Messages of an established association, which OpenSSL authenticates.
    Data,
    /// A close_notify, sent after the connection has released the association.
    CloseNotify,
}

/// The tries of a flight of one datagram that are sent once.
const TRIES_ALONE: u32 = 4;

/// See the module documentation.
pub struct Operation<'a> {
    pub(super) association: &'a Association,
    purpose: Cell<Purpose>,
    inbox: Inbox<'a>,
    /// The worst result so far.
    send_result: Cell<SendResult>,
    psk_failure: Cell<Option<PskMisfit>>,
}

impl<'a> Operation<'a> {
    /// An operation with `datagram` as OpenSSL's input.
    #[inline]
    pub fn new(association: &'a Association, purpose: Purpose, datagram: &'a [u8]) -> Self {
        Self {
            association,
            purpose: Cell::new(purpose),
            inbox: Inbox::new(datagram, &association.statistics.dropped),
            send_result: Cell::new(SendResult::Sent),
            psk_failure: Cell::new(None),
        }
    }

    /// Passes the ClientHello that this operation was made with, whose cookie is valid, to OpenSSL. The handshake
    /// then continues with the rest of the datagram.
    pub fn listen(&self, ssl: &Running<'_>, hello: &ClientHello<'_>, datagram: &'a [u8]) -> Result<()> {
        let record_length = self.inbox.unread();
        if !ssl.listen()? {
            return Err(Error::new(Status::CookieRejected, "DTLSv1_listen"));
        }
        self.association.sequence.follow_on(hello.record_number);
        // Whether OpenSSL leaves a record that it peeked at depends on its version.
        let taken = record_length - self.inbox.unread();
        self.inbox.lend(datagram.get(taken..).unwrap_or_default());
        self.purpose.set(Purpose::Handshake);
        Ok(())
    }

    /// Continues the handshake.
    pub fn handshake(&self, ssl: &Running<'_>) -> Result<Progress> {
        let mut outcome = ssl.handshake();
        if self.hello_is_too_long() {
            self.association.outbox.take();
            outcome = ssl.begin_without_session();
        }
        self.transmit();
        self.repeat_flight();
        self.progress(outcome)
    }

    /// Classifies a step of the handshake.
    fn progress(&self, outcome: Outcome) -> Result<Progress> {
        match outcome {
            Outcome::Done(_) => {
                self.association.repetition.forget();
                self.association.statistics.note_round_trip(self.association.timer.round_trip_us());
                self.association.longest_message.set(self.association.ssl.longest_message());
                self.association.shortest_record.set(self.association.ssl.shortest_record());
                Ok(Progress::Finished { unread: self.inbox.unread() })
            }
            Outcome::WantsDatagram => self.sent().map(|()| Progress::Continues),
            Outcome::Closed => Err(Error::new(Status::Closed, "SSL_do_handshake")),
            Outcome::Failed(cause) => Err(match self.psk_failure.get() {
                Some(misfit) => Error::because(Status::PskRejected, "pre-shared key", misfit),
                None if cause.is_alert() => cause.into_error(Status::AlertReceived, "SSL_do_handshake"),
                None if cause.is_timeout() => self.timed_out(cause, "SSL_do_handshake"),
                None => cause.into_error(Status::HandshakeFailed, "SSL_do_handshake"),
            }),
        }
    }

    /// Retransmits the last flight if its timer has expired. Returns whether it retransmitted.
    pub fn handle_timeout(&self, ssl: &Running<'_>) -> Result<bool> {
        if self.should_drop_session() {
            self.association.first_record.set(self.association.sequence.next_record());
            self.association.statistics.retransmissions.one();
            let outcome = ssl.begin_without_session();
            self.transmit();
            return self.progress(outcome).map(|_| true);
        }
        let outcome = ssl.handle_timeout();
        self.transmit();
        match outcome {
            TimeoutOutcome::NotYet => self.association.require_steady_clock().map(|()| false),
            TimeoutOutcome::Retransmitted => {
                self.association.statistics.retransmissions.one();
                self.sent().map(|()| true)
            }
            TimeoutOutcome::Failed(cause) if cause.is_timeout() => {
                Err(self.timed_out(cause, "DTLSv1_handle_timeout"))
            }
            TimeoutOutcome::Failed(cause) => {
                Err(cause.into_error(Status::HandshakeFailed, "DTLSv1_handle_timeout"))
            }
        }
    }

    /// Encrypts and sends one message of 1 to 2^14 bytes.
    #[inline]
    pub fn write(&self, ssl: &Running<'_>, message: &[u8]) -> Result<usize> {
        match ssl.write(message) {
            Outcome::Done(count) => match self.send_result.get() {
                SendResult::Sent => Ok(count),
                SendResult::Failed => Err(Error::new(Status::SendFailed, "SSL_write")),
                SendResult::Lost | SendResult::Refused => Err(Error::new(Status::SendRefused, "SSL_write")),
            },
            // Only a renegotiation could make a write wait for the peer, and it is disabled.
            Outcome::WantsDatagram | Outcome::Closed => {
                Err(Error::new(Status::ConnectionFailed, "SSL_write"))
            }
            Outcome::Failed(cause) => Err(cause.into_error(Status::ConnectionFailed, "SSL_write")),
        }
    }

    /// Decrypts all records of the datagram into `buffer`, starting at `filled`.
    #[inline]
    pub fn read(&self, ssl: &Running<'_>, buffer: PlaintextBuffer<'_>, filled: usize) -> Received {
        let received = self.read_records(ssl, buffer, filled);
        self.transmit();
        received
    }

    /// Sends a close_notify if possible. The association ends in any case.
    pub fn close_notify(&self, ssl: &Running<'_>) {
        ssl.close_notify();
        self.transmit();
    }

    #[inline]
    fn read_records(&self, ssl: &Running<'_>, buffer: PlaintextBuffer<'_>, filled: usize) -> Received {
        let mut length = filled;
        let buffered = &self.association.buffered_plaintext;
        loop {
            let end = match ssl.read(buffer, length) {
                Outcome::Done(count) => {
                    self.association.statistics.records.decrypted.one();
                    length += count;
                    // Another call would only return that nothing is left.
                    let is_drained = self.inbox.unread() == 0 && buffered.get() == 0;
                    if !is_drained && length < buffer.capacity() {
                        continue;
                    }
                    None
                }
                Outcome::WantsDatagram => {
                    buffered.set(0);
                    None
                }
                Outcome::Closed => Some(Error::new(Status::Closed, "SSL_read")),
                Outcome::Failed(cause) => {
                    let alert = cause.is_alert();
                    let status = if alert { Status::AlertReceived } else { Status::ConnectionFailed };
                    Some(cause.into_error(status, "SSL_read"))
                }
            };
            return Received { length, end };
        }
    }

    /// The result of sending in a handshake. The timer retransmits a lost datagram, so only a permanent failure is an
    /// error.
    fn sent(&self) -> Result<()> {
        match self.send_result.get() {
            SendResult::Failed => Err(Error::new(Status::SendFailed, "handshake")),
            SendResult::Sent | SendResult::Lost | SendResult::Refused => Ok(()),
        }
    }

    /// Returns whether this operation may still act for the program: after the connection's end only a close_notify
    /// may.
    #[inline]
    fn is_wanted(&self) -> bool {
        self.purpose.get() == Purpose::CloseNotify || self.association.is_current()
    }

    /// Returns whether OpenSSL may see a record of the established association. It does not recover from a repeated
    /// HelloRequest (I8). A peer that has asked for a renegotiation needs nothing of the handshake before.
    #[inline]
    fn may_be_read(&self, record: &Record<'_>) -> bool {
        let may = record.fragment.len() >= self.association.shortest_record.get()
            && (record.content != HANDSHAKE || !self.association.refused_renegotiation.get());
        if !may {
            self.association.statistics.dropped.unexpected.one();
        }
        may
    }

    /// The next record in a handshake.
    #[cold]
    fn next_of_handshake(&self) -> Option<&[u8]> {
        let records = &self.association.statistics.records;
        let record = self.inbox.next_record(|record| self.admits(record))?;
        if !record.is_application_data() {
            records.others_received.one();
        } else {
            records.data_received.one();
            let buffered = &self.association.buffered_plaintext;
            buffered.set(buffered.get().saturating_add(record.bytes.len()));
        }
        Some(record.bytes)
    }

    /// Returns whether OpenSSL may see a record of the handshake.
    fn admits(&self, record: &Record<'_>) -> bool {
        let dropped = &self.association.statistics.dropped;
        let checked = self.check(record);
        match checked {
            Ok(()) => self.note_answer(record),
            Err(Refusal::Invalid) => dropped.unexpected.one(),
            Err(Refusal::TooLong(message)) => {
                dropped.too_long.one();
                // One event: anyone can send such a message.
                if self.association.too_long.replace(Some(message)).is_none() {
                    self.report(Kind::MessageTooLong, "handshake", format_args!("{message}"));
                }
            }
        }
        checked.is_ok()
    }

    fn check(&self, record: &Record<'_>) -> std::result::Result<(), Refusal> {
        let is_too_short =
            record.epoch != 0 && record.fragment.len() < self.association.ssl.shortest_record();
        if is_too_short || self.is_stale(record) {
            return Err(Refusal::Invalid);
        }
        self.association.admission.check(record, STRICT_ALERTS.get() != 0)
    }

    /// The error of a handshake in which OpenSSL has stopped retransmitting. A message that was dropped for its length
    /// is the likely reason (F10).
    fn timed_out(&self, cause: Cause, operation: &'static str) -> Error {
        match self.association.too_long.get() {
            None => cause.into_error(Status::TimedOut, operation),
            Some(message) => cause.into_error_because(Status::TimedOut, operation, message),
        }
    }

    /// Keeps what OpenSSL writes until it has returned.
    fn collect(&self, bytes: &[u8]) {
        if !self.association.outbox.add(bytes) {
            self.note_loss(bytes.len(), SendResult::Lost);
        }
    }

    /// Sends what OpenSSL has written.
    #[inline]
    fn transmit(&self) {
        while let Some(written) = self.association.outbox.take() {
            self.send_flight(&written);
            if self.association.cookie_exchange {
                self.association.repetition.keep(written);
            }
        }
    }

    #[cold]
    fn send_flight(&self, written: &[u8]) {
        let Association { sequence, timer, .. } = self.association;
        if self.send_datagrams(written) == 1 && self.sends_twice() {
            self.send_datagrams(written);
        }
        timer.note_sent(sequence.next_record());
    }

    /// Sends the records of a flight, and returns in how many datagrams.
    pub(super) fn send_datagrams(&self, written: &[u8]) -> usize {
        let Association { path_mtu, sequence, .. } = self.association;
        let mut count = 0;
        let sent = flight::send(written, &|length| path_mtu.sizes(length), sequence, &mut |datagram| {
            count += 1;
            self.association.statistics.records.more_sent.add(record::count(datagram).saturating_sub(1));
            self.send_datagram(datagram);
        });
        match sent {
            Some(longest) => path_mtu.note_longest(longest),
            None => self.note_loss(written.len(), SendResult::Lost),
        }
        count
    }

    /// Returns whether a flight of one datagram is sent twice, because the intervals of the timer have become long and the
    /// link is likely to lose one (RFC 9002, 6.2.4). A peer whose address nobody has verified gets no more than asked for.
    fn sends_twice(&self) -> bool {
        self.association.timer.tries() > TRIES_ALONE && self.association.has_verified_peer
    }

    #[inline]
    fn send_datagram(&self, datagram: &[u8]) {
        if !self.is_wanted() {
            return;
        }
        let result = self.association.host.send(datagram);
        if result != SendResult::Sent {
            return self.note_loss(datagram.len(), result);
        }
        self.association.statistics.sent.datagram(datagram.len());
    }

    #[cold]
    fn note_loss(&self, length: usize, result: SendResult) {
        self.report(Kind::DatagramNotSent, "send", format_args!("a datagram of {length} bytes: {result:?}"));
        self.send_result.set(self.send_result.get().max(result));
    }

    fn report(&self, kind: Kind, operation: &'static str, reason: fmt::Arguments<'_>) {
        log::report(kind, Some(self.association.peer), operation, reason);
    }
}

impl Events for Operation<'_> {
    fn next_record(&self) -> Option<&[u8]> {
        let records = &self.association.statistics.records;
        if self.purpose.get() == Purpose::Data {
            let record = self.inbox.next_record(|record| self.may_be_read(record))?;
            let is_data = record.content == APPLICATION_DATA;
            if is_data { &records.data_received } else { &records.others_received }.one();
            return Some(record.bytes);
        }
        self.next_of_handshake()
    }

    fn send(&self, bytes: &[u8]) {
        match (self.purpose.get(), bytes.first()) {
            // Whole records: OpenSSL buffers only in a handshake.
            (Purpose::Data, Some(&APPLICATION_DATA)) => self.send_datagram(bytes),
            (Purpose::Listen, _) => {}
            (Purpose::Data, Some(&ALERT)) => {
                // A fatal one ends the association, and a close_notify has a purpose of its own.
                self.association.refused_renegotiation.set(true);
                self.collect(bytes);
            }
            _ => self.collect(bytes),
        }
    }

    fn set_peeking(&self, peeking: bool) {
        self.inbox.set_peeking(peeking);
    }

    fn next_interval(&self, previous_us: u32) -> u32 {
        let Association { timer, path_mtu, .. } = self.association;
        if previous_us != 0 {
            path_mtu.note_unanswered(timer.tries());
        }
        timer.next_interval(previous_us)
    }

    /// DTLSv1_listen(3) asks before OpenSSL knows the random, about the record whose cookie was checked. The
    /// handshake asks again, about a hello that may consist of several fragments, so its random is compared too.
    fn accepts_cookie(&self, cookie: &[u8], random: &[u8; 32]) -> bool {
        let verified = self.association.verified_hello.borrow();
        verified.as_ref().is_some_and(|verified| {
            let same_hello = self.purpose.get() == Purpose::Listen || verified.random == *random;
            same_hello && verified.cookie.as_slice().ct_eq(cookie).into()
        })
    }

    fn note_verify_error(&self, code: i32, depth: i32) -> bool {
        let errors = &mut *self.association.verify_errors.borrow_mut();
        memory::push(errors, VerifyError { code, depth }).is_some()
    }

    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        let psk = self.association.host.psk(request).filter(|_| self.is_wanted())?;
        if psk.key.is_empty() {
            return None;
        }
        let Some(misfit) = PskMisfit::of(&psk, request) else {
            return Some(psk);
        };
        self.report(Kind::PskMisfit, "pre-shared key", format_args!("{misfit}"));
        self.psk_failure.set(Some(misfit));
        None
    }

    fn select_context(&self, name: &[u8]) -> ServerName {
        if self.is_wanted() { self.association.host.select_context(name) } else { ServerName::Refuse }
    }

    fn note_alert(&self, direction: Direction, alert: Alert) {
        self.association.statistics.note_alert(direction, alert);
    }

    /// Selects the first of the client's protocols that this server supports (RFC 7301, 3.2).
    fn select_alpn<'b>(&self, offered: &'b [u8]) -> Option<&'b [u8]> {
        let taken = |name: &[u8]| alpn::names(&self.association.alpn).any(|ours| ours == name);
        alpn::names(offered).find(|name| taken(name))
    }
}

/// The reason why a pre-shared key does not fit: OpenSSL would truncate it (S5).
#[derive(Clone, Copy)]
enum PskMisfit {
    KeyTooLong { length: usize, most: usize },
    IdentityTooLong { length: usize, most: usize },
    IdentityWithZero,
}

impl PskMisfit {
    fn of(Psk { identity, key }: &Psk, request: &PskRequest<'_>) -> Option<Self> {
        if key.len() > request.max_key {
            Some(Self::KeyTooLong { length: key.len(), most: request.max_key })
        } else if request.role == Role::Client && identity.len() > request.max_identity {
            Some(Self::IdentityTooLong { length: identity.len(), most: request.max_identity })
        } else {
            identity.contains(&0).then_some(Self::IdentityWithZero)
        }
    }
}

impl fmt::Display for PskMisfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyTooLong { length, most } => write!(f, "the PSK has {length} bytes, at most {most} fit"),
            Self::IdentityTooLong { length, most } => {
                write!(f, "the PSK identity has {length} bytes, at most {most} fit")
            }
            Self::IdentityWithZero => {
                f.write_str("the PSK identity contains a zero byte, where OpenSSL would cut it")
            }
        }
    }
}
