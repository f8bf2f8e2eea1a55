// SPDX-License-Identifier: MIT OR Apache-2.0
//! One TLS association: an `SSL`, the datagram it is working on, and what its callbacks have to tell.
//!
//! OpenSSL calls back into a session while an operation runs on it, and the program's code that those callbacks run
//! may call the connection again, end it, or delete it. So everything here is behind `&self`, an operation holds the
//! session by [`InUse`] until OpenSSL has returned, and no second operation starts meanwhile.

use crate::alpn;
use crate::cookie::{Cookie, CookieKey, Verdict};
use crate::error::{Error, Result, Status};
use crate::hello::ClientHello;
use crate::log;
use crate::numbering::Numbering;
use crate::openssl::inbox::Inbox;
use crate::openssl::ssl::{Outcome, PlaintextBuffer, Setup, Ssl, TimeoutOutcome};
use crate::peer::PeerAddress;
use crate::record::{self, Record, Role};
use crate::settings::STRICT_ALERTS;
use crate::sink::{Psk, PskRequest, SendResult, Sink};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// One error that OpenSSL found while verifying the peer's chain (X509_STORE_CTX_get_error(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The X509_V_ERR_* number.
    pub code: i32,
    /// Depth in the chain, 0 for the peer's own certificate.
    pub depth: i32,
}

/// Where a handshake stands after a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Waiting for the peer.
    Continues,
    /// OpenSSL is done; the peer has to be judged. So many bytes at the end of the datagram were not read yet.
    Finished {
        /// Bytes left over.
        unread: usize,
    },
}

/// What a datagram held for the application.
#[derive(Debug)]
pub struct Received {
    /// Plaintext bytes written to the buffer, of all records in order.
    pub length: usize,
    /// How the association ended, if the datagram ended it.
    pub end: Option<Error>,
}

/// OpenSSL keeps a hundred records of the next epoch at most (d1_lib.c), forged ones too: nothing is authenticated yet.
const MAX_EARLY: usize = 100 * (1 << 14);

/// See the module's documentation.
pub struct Session {
    /// First, so that it is dropped first: the callbacks it may run on its way out find the rest in place.
    ssl: Ssl,
    role: Role,
    peer: PeerAddress,
    link_mtu: u16,
    /// The application protocols a server chooses from.
    alpn: Vec<u8>,
    sink: Rc<dyn Sink>,
    inbox: Inbox,
    /// The cookie key, while DTLSv1_listen(3) runs.
    listening: RefCell<Option<CookieKey>>,
    /// The cookie it found valid: the handshake asks for it again.
    verified_cookie: RefCell<Vec<u8>>,
    numbering: Numbering,
    handshaking: Cell<bool>,
    /// Bytes of application data that came during the handshake: OpenSSL keeps them for the first read.
    early: Cell<usize>,
    verify_errors: RefCell<Vec<VerifyError>>,
    /// The worst send result of the operation under way.
    send_result: Cell<SendResult>,
    psk_failure: RefCell<Option<String>>,
    in_use: Cell<bool>,
    /// The connection let go of this session during an operation: nothing more is asked or sent on its behalf.
    abandoned: Cell<bool>,
    /// As above, and the peer is owed a close_notify.
    farewell: Cell<bool>,
    /// What has to outlive the `SSL`, such as the owner of its context; dropped after it.
    _companion: Box<dyn Any>,
}

/// The right to run an operation on a session, and a hold on it.
pub struct InUse(Rc<Session>);

impl InUse {
    /// Whether this is an operation on that session.
    pub fn is(&self, session: &Rc<Session>) -> bool {
        Rc::ptr_eq(&self.0, session)
    }
}

impl Deref for InUse {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if self.0.farewell.take() {
            self.0.abandoned.set(false);
            self.0.ssl.close_notify();
        }
        self.0.in_use.set(false);
    }
}

impl Session {
    /// Sets `ssl` up for one association. It comes last, because on failure it has to go before its companion.
    pub fn new(
        companion: Box<dyn Any>,
        setup: &Setup<'_>,
        peer: PeerAddress,
        sink: Rc<dyn Sink>,
        ssl: Ssl,
    ) -> Result<Rc<Self>> {
        ssl.set_up(setup)?;
        let session = Rc::new(Self {
            ssl,
            role: setup.role,
            peer,
            link_mtu: setup.link_mtu,
            alpn: setup.alpn.to_vec(),
            sink,
            inbox: Inbox::default(),
            listening: RefCell::default(),
            verified_cookie: RefCell::default(),
            numbering: Numbering::default(),
            handshaking: Cell::new(true),
            early: Cell::new(0),
            verify_errors: RefCell::default(),
            send_result: Cell::new(SendResult::Sent),
            psk_failure: RefCell::default(),
            in_use: Cell::new(false),
            abandoned: Cell::new(false),
            farewell: Cell::new(false),
            _companion: companion,
        });
        Ssl::bind_to(&session);
        Ok(session)
    }

    /// Begins an operation, unless one is under way: then this call comes from one of its callbacks.
    pub fn enter(self: &Rc<Self>, operation: &'static str) -> Result<InUse> {
        if self.in_use.replace(true) {
            return Err(Error::new(Status::Busy, operation));
        }
        self.send_result.set(SendResult::Sent);
        Ok(InUse(Rc::clone(self)))
    }

    /// The connection goes on without this session. Whoever is using it gets to its end, in silence.
    pub fn abandon(&self) {
        self.abandoned.set(true);
    }

    /// Sends close_notify now, or when the operation under way has returned.
    pub fn say_farewell(self: &Rc<Self>) {
        match self.enter("close_notify") {
            Ok(session) => {
                session.abandoned.set(false);
                session.ssl.close_notify();
            }
            Err(_) => self.farewell.set(true),
        }
    }

    /// Lets OpenSSL find a verified ClientHello at the start of `datagram`, without answering anything. Returns how
    /// many bytes at its end are still to be read.
    pub fn listen(&self, datagram: &[u8], key: &CookieKey) -> Result<usize> {
        self.listening.replace(Some(key.clone()));
        let (found, unread) = self.inbox.lend(datagram, || self.ssl.listen());
        self.listening.replace(None);
        match found? {
            true => {
                if let Some(hello) = ClientHello::parse(datagram) {
                    self.numbering.follow_on(hello.record_number);
                }
                Ok(unread)
            }
            false => Err(Error::new(Status::CookieRejected, "DTLSv1_listen")),
        }
    }

    /// Goes on with the handshake; `datagram` may be empty, as when a client begins.
    pub fn handshake(&self, datagram: &[u8]) -> Result<Progress> {
        let (outcome, unread) = self.inbox.lend(datagram, || self.ssl.handshake());
        match outcome {
            Outcome::Done(_) => {
                self.handshaking.set(false);
                Ok(Progress::Finished { unread })
            }
            Outcome::WantsDatagram => self.sent().map(|()| Progress::Continues),
            Outcome::Closed => Err(Error::new(Status::Closed, "SSL_do_handshake")),
            Outcome::Failed(cause) => Err(match self.psk_failure.take() {
                Some(reason) => Error::because(Status::PskRejected, "pre-shared key", reason),
                None if cause.is_alert() => cause.into_error(Status::AlertReceived, "SSL_do_handshake"),
                None if cause.is_timeout() => cause.into_error(Status::TimedOut, "SSL_do_handshake"),
                None => cause.into_error(Status::HandshakeFailed, "SSL_do_handshake"),
            }),
        }
    }

    /// Sends the last flight again if it is time to. Whether it was is told.
    pub fn handle_timeout(&self) -> Result<bool> {
        match self.ssl.handle_timeout() {
            TimeoutOutcome::NotYet => Ok(false),
            TimeoutOutcome::Retransmitted => self.sent().map(|()| true),
            TimeoutOutcome::Failed(cause) if cause.is_timeout() => {
                Err(cause.into_error(Status::TimedOut, "DTLSv1_handle_timeout"))
            }
            TimeoutOutcome::Failed(cause) => {
                Err(cause.into_error(Status::HandshakeFailed, "DTLSv1_handle_timeout"))
            }
        }
    }

    /// The time until [`Session::handle_timeout`] has something to do.
    pub fn time_left(&self) -> Option<Duration> {
        self.ssl.time_left()
    }

    /// Encrypts and sends one message of 1 to 2^14 bytes.
    pub fn write(&self, message: &[u8]) -> Result<usize> {
        match self.ssl.write(message) {
            Outcome::Done(count) => match self.send_result.get() {
                SendResult::Sent => Ok(count),
                SendResult::Failed => Err(Error::new(Status::SendFailed, "SSL_write")),
                SendResult::Lost | SendResult::Refused => Err(Error::new(Status::SendRefused, "SSL_write")),
            },
            // Only a renegotiation could make a write wait for the peer, and there is none.
            Outcome::WantsDatagram | Outcome::Closed => {
                Err(Error::new(Status::ConnectionFailed, "SSL_write"))
            }
            Outcome::Failed(cause) => Err(cause.into_error(Status::ConnectionFailed, "SSL_write")),
        }
    }

    /// Decrypts all records of `datagram` into `buffer`, from `filled` on.
    pub fn read(&self, datagram: &[u8], buffer: PlaintextBuffer, filled: usize) -> Received {
        let (received, _) = self.inbox.lend(datagram, || self.drain(buffer, filled));
        received
    }

    fn drain(&self, buffer: PlaintextBuffer, filled: usize) -> Received {
        let mut length = filled;
        let end = loop {
            match self.ssl.read(buffer, length) {
                Outcome::Done(count) => {
                    length += count;
                    // Asking once more would only tell the same.
                    let is_drained = self.inbox.is_empty() && self.early.get() == 0;
                    if is_drained || length >= buffer.capacity() {
                        break None;
                    }
                }
                Outcome::WantsDatagram => {
                    self.early.set(0);
                    break None;
                }
                Outcome::Closed => break Some(Error::new(Status::Closed, "SSL_read")),
                Outcome::Failed(cause) if cause.is_alert() => {
                    break Some(cause.into_error(Status::AlertReceived, "SSL_read"));
                }
                Outcome::Failed(cause) => break Some(cause.into_error(Status::ConnectionFailed, "SSL_read")),
            }
        };
        Received { length, end }
    }

    /// In a handshake a datagram that got lost is sent again when its timer runs out; only what cannot get better is
    /// an error.
    fn sent(&self) -> Result<()> {
        match self.send_result.get() {
            SendResult::Failed => Err(Error::new(Status::SendFailed, "handshake")),
            SendResult::Sent | SendResult::Lost | SendResult::Refused => Ok(()),
        }
    }

    /// Plaintext bytes that may come out of a read on top of those of its own datagram.
    pub fn early(&self) -> usize {
        self.early.get()
    }

    /// The `SSL`, for what can be asked of it between operations.
    pub fn ssl(&self) -> &Ssl {
        &self.ssl
    }

    /// The other end.
    pub fn peer(&self) -> PeerAddress {
        self.peer
    }

    /// What OpenSSL has to leave room for in each packet: the headers of IP and UDP, and the nonce and tag of an AEAD
    /// cipher (RFC 5288, 3), which it does not count itself.
    pub fn mtu_overhead(&self) -> u16 {
        const AEAD_EXPANSION: u16 = 8 + 16;
        self.peer.header_overhead() + AEAD_EXPANSION
    }

    /// The largest UDP payload that OpenSSL should plan for.
    pub fn payload_mtu(&self) -> u16 {
        self.link_mtu.saturating_sub(self.mtu_overhead())
    }

    /// What OpenSSL found wrong with the peer's chain, in this handshake or in the one that is resumed.
    pub fn verify_errors(&self) -> Vec<VerifyError> {
        let inherited = self.ssl.inherited_verify_error().map(|code| VerifyError { code, depth: 0 });
        self.verify_errors.borrow().iter().copied().chain(inherited).collect()
    }
}

/// What the callbacks do; OpenSSL is on the stack.
impl Session {
    /// The inbox the BIO reads from.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The next record for OpenSSL.
    pub fn next_record(&self) -> Option<&[u8]> {
        if !self.handshaking.get() {
            return self.inbox.next_record(|_| true);
        }
        let strict = STRICT_ALERTS.get() != 0;
        let admit = |record: &Record<'_>| record::admissible_in_handshake(record, self.role, strict);
        let record = self.inbox.next_record(admit)?;
        if record::is_application_data(record) {
            self.early.set(self.early.get().saturating_add(record.len()).min(MAX_EARLY));
        }
        Some(record)
    }

    /// Sends what OpenSSL writes. OpenSSL is always told that it was sent: to DTLS a datagram that was not is one that
    /// got lost, and what the application should know is in the operation's result.
    pub fn send(&self, datagram: &[u8]) {
        // The cookie exchange is the listener's: an unverified hello is not answered from here.
        if self.abandoned.get() || self.listening.borrow().is_some() {
            return;
        }
        let raised = self.numbering.raise(datagram);
        let result = self.sink.send(raised.as_deref().unwrap_or(datagram));
        if result != SendResult::Sent {
            log::warn(format_args!("{}: a datagram of {} bytes: {result:?}", self.peer, datagram.len()));
            self.send_result.set(self.send_result.get().max(result));
        }
    }

    /// Remembers an error in the peer's chain; the verification goes on, to find all of them.
    pub fn note_verify_error(&self, error: VerifyError) {
        self.verify_errors.borrow_mut().push(error);
    }

    /// Makes the cookie DTLSv1_listen(3) asks for.
    pub fn make_cookie(&self) -> Result<Cookie> {
        self.with_hello(|key, hello| key.issue(&self.peer, hello, self.sink.now()))
    }

    /// Checks the cookie of a ClientHello: by its HMAC for DTLSv1_listen(3), and once more when the handshake reads the
    /// hello that was found. By then its datagram is gone, but OpenSSL has kept the hello, and we its cookie.
    pub fn check_cookie(&self, cookie: &[u8]) -> Result<bool> {
        if self.listening.borrow().is_none() {
            return Ok(self.verified_cookie.borrow().as_slice().ct_eq(cookie).into());
        }
        let valid = self.with_hello(|key, hello| {
            let shown = ClientHello { cookie, ..*hello };
            Ok(matches!(key.judge(&self.peer, &shown, self.sink.now())?, Verdict::Verified))
        })?;
        if valid {
            self.verified_cookie.replace(cookie.to_vec());
        }
        Ok(valid)
    }

    fn with_hello<R>(&self, run: impl FnOnce(&CookieKey, &ClientHello<'_>) -> Result<R>) -> Result<R> {
        let out_of_place =
            || Error::because(Status::InvalidState, "cookie callback", "no ClientHello is judged");
        let key = self.listening.borrow().clone().ok_or_else(out_of_place)?;
        let hello = ClientHello::parse(self.inbox.lent()).ok_or_else(out_of_place)?;
        run(&key, &hello)
    }

    /// The first of the protocols a client offers that we take (RFC 7301, 3.2); both lists are in their wire form.
    pub fn select_alpn<'a>(&self, offered: &'a [u8]) -> Option<&'a [u8]> {
        alpn::names(offered).find(|name| alpn::names(&self.alpn).any(|ours| ours == *name))
    }

    /// Asks the application for a pre-shared key and checks that it fits. `None` ends the handshake.
    pub fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        let psk = self.sink.psk(request).filter(|_| !self.abandoned.get())?;
        let refusal = match &psk {
            Psk { key, .. } if key.is_empty() => return None,
            Psk { key, .. } if key.len() > request.max_key => {
                format!("the PSK has {} bytes, at most {} fit", key.len(), request.max_key)
            }
            Psk { identity, .. } if request.role == Role::Client && identity.len() > request.max_identity => {
                format!("the PSK identity has {} bytes, at most {} fit", identity.len(), request.max_identity)
            }
            Psk { identity, .. } if identity.contains(&0) => {
                "the PSK identity contains a zero byte, where OpenSSL would cut it".to_owned()
            }
            _ => return Some(psk),
        };
        log::warn(format_args!("{}: {refusal}", self.peer));
        self.psk_failure.replace(Some(refusal));
        None
    }
}
