// SPDX-License-Identifier: MIT OR Apache-2.0
//! The interface to the embedding program: sending, pre-shared keys, the wall clock.

#![forbid(unsafe_code)]

use crate::openssl::context::Context;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::unix_time::UnixTime;
use zeroize::Zeroizing;

/// The result of sending one datagram. The numbers are part of the C ABI, never reused, and increase with severity.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendResult {
    /// The datagram was passed to the network.
    Sent = 0,
    /// The datagram was lost, but a later one may succeed: no buffer space, an interruption, a temporary network
    /// failure.
    Lost = 1,
    /// The peer's host refused an earlier datagram (ICMP port unreachable). A later one may succeed.
    Refused = 2,
    /// The datagram was not sent, and another attempt would fail as well.
    Failed = 3,
}

/// A request for a pre-shared key.
pub struct PskRequest<'a> {
    /// The role of this end.
    pub role: Role,
    /// On a client the server's identity hint, if it sent one; on a server the client's identity.
    pub text: Option<&'a [u8]>,
    /// The longest identity allowed, in bytes; 0 on a server, which sends none.
    pub max_identity: usize,
    /// The longest key allowed, in bytes.
    pub max_key: usize,
}

/// The pre-shared key of one handshake; both parts are wiped when dropped.
pub struct Psk {
    /// The client's identity, without a terminating zero. A server does not use it.
    pub identity: Zeroizing<Vec<u8>>,
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
}

/// The answer to a client that asks for a server by its name (RFC 6066, 3).
pub enum ServerName {
    /// The handshake goes on with the context that it began with.
    Keep,
    /// The handshake goes on with the certificate of this context.
    Switch(Context),
    /// There is no such server: the handshake ends with the alert unrecognized_name.
    Refuse,
}

/// The embedding program. Every method may call the connection that it serves: nothing is borrowed mutably while it
/// runs.
pub trait Host {
    /// Sends one datagram to the connection's peer.
    fn send(&self, datagram: &[u8]) -> SendResult;

    /// Sends one datagram to a peer without a connection.
    fn send_to(&self, _peer: &PeerAddress, datagram: &[u8]) -> SendResult {
        self.send(datagram)
    }

    /// Provides a pre-shared key; `None` refuses the handshake.
    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk>;

    /// Chooses a context for the name that a client asks for.
    fn select_context(&self, _name: &[u8]) -> ServerName {
        ServerName::Keep
    }

    /// The wall-clock time, used for cookies.
    fn now(&self) -> UnixTime;

    /// The connection has ended, or was reset.
    fn left(&self) {}
}
