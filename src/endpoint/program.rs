// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an endpoint expects of the embedding program.

#![forbid(unsafe_code)]

use crate::connection::Connection;
use crate::error::Error;
use crate::host::{Psk, PskRequest, ServerName};
use crate::memory::Rc;

/// The embedding program, and what it calls a connection.
pub trait Program: 'static {
    /// A connection as the program holds it.
    type Peer: Peer;

    /// Gives the program's form to a connection; `None` without memory.
    fn wrap(&self, connection: Connection) -> Option<Rc<Self::Peer>>;
    /// Lets the program set up the connection of a client that has returned its cookie. False refuses it.
    fn prepare(&self, peer: &Self::Peer) -> bool;
    /// Asks whether the peer's certificate is good; `None` leaves that to what OpenSSL found.
    fn judge(&self, peer: &Self::Peer) -> Option<bool>;
    /// Messages can be exchanged.
    fn connected(&self, peer: &Self::Peer);
    /// The plaintext of a datagram.
    fn received(&self, peer: &Self::Peer, message: &[u8]);
    /// The connection has ended, or its handshake has failed. Its last call.
    fn ended(&self, peer: &Self::Peer, error: Error);
    /// Chooses a context for the name that a client asks for.
    fn select_context(&self, name: &[u8]) -> ServerName;
    /// Provides a pre-shared key.
    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk>;
}

/// A connection as the program holds it.
pub trait Peer: 'static {
    /// The connection.
    fn connection(&self) -> &Connection;
}
