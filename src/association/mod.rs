// SPDX-License-Identifier: MIT OR Apache-2.0
//! One TLS association: what lasts from init TLS to its end. What lasts one call is an [`operation`]; which ones there
//! are stands in `calls`.
//!
//! OpenSSL calls back while an operation runs, and the program's code that the callbacks run may call the connection
//! again, end it, or delete it. So everything here is behind `&self`; a second operation is refused; and one whose
//! association was let go of meanwhile completes, sends nothing more, and returns `Aborted`.

#![forbid(unsafe_code)]

mod calls;
mod inbox;
pub mod operation;

use crate::bytes::Bytes;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::openssl::setup::Setup;
use crate::openssl::ssl::Ssl;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::wire::hello::MAX_COOKIE;
use crate::wire::sequence::Sequence;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

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
    /// OpenSSL is done; the peer has to be judged.
    Finished {
        /// Bytes at the end of the datagram that were not read yet.
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

/// Who holds an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    /// The connection it is of.
    Connection,
    /// The operation that was running when the connection let go of it.
    Operation {
        /// What the peer is owed then.
        close_notify: bool,
    },
}

/// The ClientHello whose cookie was found valid.
struct VerifiedHello {
    random: [u8; 32],
    cookie: Bytes<MAX_COOKIE>,
}

/// See the module's documentation.
pub struct Association {
    /// First, so that it is dropped first: the callbacks it may run on its way out find the rest in place.
    ssl: Ssl,
    role: Role,
    peer: PeerAddress,
    link_mtu: u16,
    /// The application protocols a server chooses from.
    alpn: Vec<u8>,
    host: Rc<dyn Host>,
    holder: Cell<Holder>,
    verified_hello: RefCell<Option<VerifiedHello>>,
    sequence: Sequence,
    /// Bytes of application data that came during the handshake: OpenSSL keeps them for the first read.
    buffered_plaintext: Cell<usize>,
    verify_errors: RefCell<Vec<VerifyError>>,
    /// What has to outlive the `SSL`, such as the owner of its context.
    _context_owner: Box<dyn Any>,
}

impl Association {
    /// Sets `ssl` up for one association. It comes last, because on failure it has to go before its context's owner.
    pub fn new(
        context_owner: Box<dyn Any>,
        setup: &Setup<'_>,
        peer: PeerAddress,
        host: Rc<dyn Host>,
        ssl: Ssl,
    ) -> Result<Rc<Self>> {
        ssl.set_up(setup)?;
        Ok(Rc::new(Self {
            ssl,
            role: setup.role,
            peer,
            link_mtu: setup.link_mtu,
            alpn: setup.alpn.to_vec(),
            host,
            holder: Cell::new(Holder::Connection),
            verified_hello: RefCell::default(),
            sequence: Sequence::default(),
            buffered_plaintext: Cell::new(0),
            verify_errors: RefCell::default(),
            _context_owner: context_owner,
        }))
    }

    /// Whether its connection still holds it.
    #[inline]
    pub fn is_current(&self) -> bool {
        self.holder.get() == Holder::Connection
    }

    /// Whether an operation is running.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.ssl.is_running()
    }

    /// The time until the last flight is to be sent again; `None` when nothing is waited for.
    pub fn time_left(&self) -> Option<Duration> {
        self.ssl.time_left()
    }

    /// Plaintext bytes that may come out of a read on top of those of its own datagram.
    #[inline]
    pub fn buffered_plaintext(&self) -> usize {
        self.buffered_plaintext.get()
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
    fn mtu_overhead(&self) -> u16 {
        const AEAD_EXPANSION: u16 = 8 + 16;
        self.peer.header_overhead() + AEAD_EXPANSION
    }

    /// What OpenSSL found wrong with the peer's chain, in this handshake or in the one that is resumed.
    pub fn verify_errors(&self) -> Vec<VerifyError> {
        let inherited = self.ssl.inherited_verify_error().map(|code| VerifyError { code, depth: 0 });
        self.verify_errors.borrow().iter().copied().chain(inherited).collect()
    }
}
