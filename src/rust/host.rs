// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program provides to a connection.

#![forbid(unsafe_code)]

use crate::host::{Psk, PskRequest, SendResult};
use crate::send_error;
use std::io;
use zeroize::Zeroizing;

/// What a program provides to one connection. A connection calls it during its own operations only, on their thread. A
/// panic is passed on when the operation has returned; until then the host is not called again.
pub trait Host {
    /// Sends one datagram, of at most 64 KiB, to the connection's peer. It should not wait: a full socket is
    /// [`io::ErrorKind::WouldBlock`].
    ///
    /// In a handshake the timer repeats a datagram that was lost, so that only errors that would come again end the
    /// operation, with `SendFailed`. [`Connection::write`](super::Connection::write) reports all, the others as
    /// `SendRefused`. `docs/abi.md` has the list by `errno`.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;

    /// Provides a pre-shared key, the client with its identity; `None`, the default, ends the handshake.
    fn psk(&mut self, request: &PskRequest<'_>) -> Option<Psk> {
        let _ = request;
        None
    }
}

impl Psk {
    /// A key of 1 to [`PskRequest::max_key`] bytes, and on a client an identity of at most
    /// [`PskRequest::max_identity`] bytes, without a zero byte; others end the handshake with `PskRejected`. Both are wiped
    /// when dropped.
    pub fn new(identity: Vec<u8>, key: Vec<u8>) -> Self {
        Self { identity: Zeroizing::new(identity), key: Zeroizing::new(key) }
    }
}

/// The result of sending, for the core.
pub fn send_result(sent: io::Result<()>) -> SendResult {
    match sent.map_err(|error| (error.raw_os_error(), error.kind())) {
        Ok(()) => SendResult::Sent,
        Err((Some(number), _)) => send_error::result_of(number),
        // Runtimes report a full socket without asking the system.
        Err((None, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)) => SendResult::Lost,
        Err((None, _)) => SendResult::Failed,
    }
}
