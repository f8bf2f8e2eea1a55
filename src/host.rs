// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the embedding program provides: a way to send, pre-shared keys, the wall clock.

#![forbid(unsafe_code)]

use crate::role::Role;
use crate::unix_time::UnixTime;
use zeroize::Zeroizing;

/// The result of sending one datagram. The numbers are the C ABI's, never reused, and rise with how bad it is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendResult {
    /// The datagram was handed to the network.
    Sent = 0,
    /// It was not, but a later one may be: no buffer space, interrupted, network down for the moment.
    Lost = 1,
    /// It was not: the peer's host refused an earlier one (ICMP port unreachable). A later one may get through.
    Refused = 2,
    /// It was not, and the next attempt would end the same way.
    Failed = 3,
}

/// A request for a pre-shared key.
pub struct PskRequest<'a> {
    /// Our side of the handshake.
    pub role: Role,
    /// To a client the server's identity hint, if it sent one; to a server the client's identity.
    pub text: Option<&'a [u8]>,
    /// The longest identity that fits, in bytes; 0 for a server, which gives none.
    pub max_identity: usize,
    /// The longest key that fits, in bytes.
    pub max_key: usize,
}

/// The pre-shared key of one handshake; both parts are wiped when dropped.
pub struct Psk {
    /// The client's identity, without a terminating zero; not used by a server.
    pub identity: Zeroizing<Vec<u8>>,
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
}

/// The embedding program. Every method may call back into the connection it serves: nothing is borrowed mutably while
/// one runs.
pub trait Host {
    /// Sends one datagram to the connection's peer.
    fn send(&self, datagram: &[u8]) -> SendResult;

    /// Provides a pre-shared key; `None` refuses the handshake.
    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk>;

    /// The wall clock, which cookies are made for.
    fn now(&self) -> UnixTime;
}
