// SPDX-License-Identifier: MIT OR Apache-2.0
//! One TLS association, from init TLS to its end. An [`operation`] lasts for one call; `calls` lists the operations.
//!
//! OpenSSL calls back while an operation runs, and the program's code in the callbacks may call the connection again,
//! end it, or delete it. Therefore every method takes `&self`, a second operation is refused, and an operation whose
//! association was released meanwhile completes, sends nothing more, and returns `Aborted`.

#![forbid(unsafe_code)]

mod calls;
mod hello;
mod inbox;
pub mod operation;
mod outbox;
mod path_mtu;
mod repetition;

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use crate::host::Host;
use crate::memory::{self, Rc};
use crate::openssl::setup::Setup;
use crate::openssl::ssl::Ssl;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::statistics::{Alive, Statistics};
use crate::timer::Timer;
use crate::unix_time::UnixTime;
use crate::wire::admission::{Admission, TooLong};
use crate::wire::hello::{ClientHello, MAX_COOKIE};
use crate::wire::sequence::Sequence;
use outbox::Outbox;
use path_mtu::PathMtu;
use repetition::Repetition;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::time::Duration;

/// One error that OpenSSL found while verifying the peer's chain (X509_STORE_CTX_get_error(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The X509_V_ERR_* number.
    pub code: i32,
    /// The depth in the chain; 0 is the peer's own certificate.
    pub depth: i32,
}

/// The progress of a handshake after a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The handshake waits for the peer.
    Continues,
    /// OpenSSL has finished; the caller has to judge the peer.
    Finished {
        /// The number of unread bytes at the end of the datagram.
        unread: usize,
    },
}

/// The result of reading a datagram.
#[derive(Debug)]
pub struct Received {
    /// The number of plaintext bytes in the buffer, of all records in order.
    pub length: usize,
    /// How the association ended, if the datagram ended it.
    pub end: Option<Error>,
}

/// What is fetched at a time: each step needs what the one before has fetched.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The association.
    Itself,
    /// What it points to.
    Parts,
    /// OpenSSL's.
    OpenSsl,
}

/// The holder of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    /// Its connection.
    Connection,
    /// The operation that was running when the connection released it.
    Operation {
        /// Whether to send a close_notify when the operation has returned.
        close_notify: bool,
    },
}

/// The ClientHello whose cookie was valid.
struct VerifiedHello {
    /// The time of the check, at which the handshake started.
    at: UnixTime,
    random: [u8; 32],
    cookie: Bytes<MAX_COOKIE>,
}

fn no_memory() -> Error {
    Error::no_memory("init TLS")
}

/// See the module documentation. What messages need comes first, in few lines of the processor's cache: a server with many
/// peers finds none of them there.
#[repr(C)]
pub struct Association {
    /// Declared first, hence dropped first: callbacks that SSL_free(3) may run still find the other fields.
    ssl: Ssl,
    statistics: Rc<Statistics>,
    host: Rc<Box<dyn Host>>,
    holder: Cell<Holder>,
    cookie_exchange: bool,
    /// Whether the program has chosen the peer, or a cookie has come back from it.
    has_verified_peer: bool,
    /// Whether a client has got a ServerHello.
    has_answer: Cell<bool>,
    /// Whether a renegotiation of the peer was refused.
    refused_renegotiation: Cell<bool>,
    /// Bytes of application data that arrived during the handshake; OpenSSL keeps them for the first read.
    buffered_plaintext: Cell<usize>,
    /// The longest message, known when the handshake has finished.
    longest_message: Cell<usize>,
    /// The shortest content of a record, likewise.
    shortest_record: Cell<usize>,
    sequence: Sequence,
    outbox: Outbox,
    peer: PeerAddress,
    path_mtu: PathMtu,
    /// The application protocols that a server selects from.
    alpn: Vec<u8>,
    verified_hello: RefCell<Option<VerifiedHello>>,
    repetition: Repetition,
    admission: Admission,
    /// A message that was dropped for its length.
    too_long: Cell<Option<TooLong>>,
    verify_errors: RefCell<Vec<VerifyError>>,
    timer: Timer,
    /// The number of the record with which the present handshake began.
    first_record: Cell<u64>,
    _alive: Alive,
    /// An object that has to outlive the `SSL`, such as the owner of its context.
    _context_owner: Box<dyn Any>,
}

impl Association {
    /// Sets `ssl` up for one association. It is the last parameter, hence dropped before the context's owner on
    /// failure.
    pub fn new(
        context_owner: Box<dyn Any>,
        setup: &Setup<'_>,
        link_mtu: Option<u16>,
        peer: PeerAddress,
        host: Rc<Box<dyn Host>>,
        ssl: Ssl,
    ) -> Result<Rc<Self>> {
        ssl.set_up(setup)?;
        let alpn = memory::copy(setup.alpn).ok_or_else(no_memory)?;
        let statistics = Rc::new(Statistics::default()).map_err(|_| no_memory())?;
        let association = Rc::new(Self {
            admission: Admission::new(setup.role, ssl.max_cert_list()),
            too_long: Cell::new(None),
            peer,
            path_mtu: PathMtu::new(peer.header_overhead(), link_mtu),
            cookie_exchange: setup.cookie_exchange,
            has_verified_peer: setup.role == Role::Client || setup.cookie_exchange,
            alpn,
            host,
            holder: Cell::new(Holder::Connection),
            verified_hello: RefCell::default(),
            outbox: Outbox::default(),
            repetition: Repetition::default(),
            sequence: Sequence::default(),
            buffered_plaintext: Cell::new(0),
            verify_errors: RefCell::default(),
            timer: Timer::default(),
            first_record: Cell::new(0),
            has_answer: Cell::new(false),
            refused_renegotiation: Cell::new(false),
            longest_message: Cell::new(0),
            shortest_record: Cell::new(0),
            ssl,
            statistics,
            _alive: Alive::default(),
            _context_owner: context_owner,
        });
        association.map_err(|_| no_memory())
    }

    /// Returns whether its connection still holds it.
    #[inline]
    pub fn is_current(&self) -> bool {
        self.holder.get() == Holder::Connection
    }

    /// Reads what the next message needs into the processor's cache.
    #[inline]
    pub fn prefetch(&self, step: Step) {
        match step {
            Step::Itself => drop(black_box((self.holder.get(), self.sequence.next_record()))),
            Step::Parts => {
                let Statistics { sent, records, .. } = &*self.statistics;
                black_box((sent.bytes.get(), records.decrypted.get()));
                black_box((self.ssl.is_running(), self.host.owners()));
            }
            Step::OpenSsl => self.ssl.prefetch(),
        }
    }

    /// Keeps the record buffers between the operations of `work`, which begins with one.
    #[inline]
    pub fn keep_buffers<R>(&self, work: impl FnOnce() -> R) -> R {
        self.ssl.keep_buffers(work)
    }

    /// Returns whether an operation is running.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.ssl.is_running()
    }

    /// The time until [`Association::handle_timeout`] is due; `None` if the timer is not running, or while an operation
    /// is: it decides itself whether the timer goes on, and nothing could be retransmitted meanwhile (F2).
    pub fn time_left(&self) -> Option<Duration> {
        if self.is_busy() {
            return None;
        }
        let left = self.ssl.time_left()?;
        let is_stuck = self.timer.was_set_back(left);
        Some(if is_stuck { Duration::ZERO } else { left })
    }

    /// Fails if the system's clock was set back so far that OpenSSL would not retransmit in time (F11). Nothing else can
    /// make OpenSSL retransmit.
    fn require_steady_clock(&self) -> Result<()> {
        match self.ssl.time_left() {
            Some(left) if self.timer.was_set_back(left) => {
                let seconds = left.as_secs();
                let text = "the system's clock was set back: OpenSSL would not retransmit for";
                Err(Error::because(
                    Status::HandshakeFailed,
                    "DTLSv1_handle_timeout",
                    format_args!("{text} {seconds} seconds"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The number of plaintext bytes that a read may return in addition to those of its own datagram.
    #[inline]
    pub fn buffered_plaintext(&self) -> usize {
        self.buffered_plaintext.get()
    }

    /// The longest message that can be written; 0 before the handshake has finished.
    #[inline]
    pub fn longest_message(&self) -> usize {
        self.longest_message.get()
    }

    /// The time at which the handshake started with a valid cookie.
    pub fn verified_at(&self) -> Option<UnixTime> {
        self.verified_hello.borrow().as_ref().map(|hello| hello.at)
    }

    /// The `SSL`, for queries between operations.
    pub fn ssl(&self) -> &Ssl {
        &self.ssl
    }

    /// Returns whether it was set up to start with a cookie.
    pub fn requires_cookie(&self) -> bool {
        self.cookie_exchange
    }

    /// Returns whether a server waits for the rest of a ClientHello that was not this one: a bit of its length was flipped on
    /// the way. No timer runs meanwhile, and the client sends only the true one again.
    pub fn waits_for_other_hello(&self, hello: &ClientHello<'_>) -> bool {
        !self.sequence.has_begun() && self.admission.has_other_length(hello.message_sequence, hello.length)
    }

    /// Its statistics, which outlive it.
    pub fn statistics(&self) -> Rc<Statistics> {
        Rc::clone(&self.statistics)
    }

    /// The peer's address.
    pub fn peer(&self) -> PeerAddress {
        self.peer
    }

    /// The errors that OpenSSL found in the peer's chain, in this handshake or in the resumed one.
    pub fn verify_errors<R>(&self, read: impl FnOnce(&mut dyn Iterator<Item = VerifyError>) -> R) -> R {
        let inherited = self.ssl.inherited_verify_error().map(|code| VerifyError { code, depth: 0 });
        read(&mut self.verify_errors.borrow().iter().copied().chain(inherited))
    }
}
