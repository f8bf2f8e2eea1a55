// SPDX-License-Identifier: MIT OR Apache-2.0
//! The phases of a connection. Each holds its own data, so that no data outlives its phase.

#![forbid(unsafe_code)]

use crate::association::Association;
use crate::memory::Rc;

/// The state of the handshake, numbered as Qt's `QDtls::HandshakeState`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No handshake has started, or the handshake or connection has ended.
    NotStarted = 0,
    /// The handshake waits for the peer, or for the caller's verdict on it.
    InProgress = 1,
    /// The handshake has finished and the caller has refused the peer.
    PeerVerificationFailed = 2,
    /// The handshake has finished and the caller has accepted the peer: messages can be exchanged.
    Complete = 3,
}

/// The input that a handshake needs next.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The peer's next datagram, or the expiry of the retransmission timer.
    Datagram = 0,
    /// The caller's verdict on the peer.
    Verdict = 1,
    /// Nothing: the handshake is complete. Only where peers without verification errors are accepted without asking
    /// (`qdtls_connection_set_accept_verified`).
    Nothing = 2,
}

/// An association whose handshake has started.
pub struct Started {
    pub association: Rc<Association>,
    /// The random of the ClientHello that started a server's handshake. It distinguishes duplicates of that hello
    /// from the hello of a restarted client.
    pub client_random: Option<[u8; 32]>,
}

/// Records that arrived after the peer's last flight, kept for the first read.
pub type Carry = Vec<u8>;

/// The phases in their order.
pub enum Phase {
    /// No TLS is initialised.
    Idle,
    /// TLS is initialised; nothing was sent.
    Ready(Rc<Association>),
    /// The handshake waits for the peer.
    Handshaking(Started),
    /// OpenSSL has finished; the caller has not judged the peer yet.
    AwaitingVerdict(Started, Carry),
    /// The caller has refused the peer, and can still accept it.
    Rejected(Started, Carry),
    /// Messages can be exchanged.
    Connected(Started, Carry),
    /// The handshake failed. The peer's certificates can still be queried.
    Failed(Rc<Association>),
}

impl Phase {
    /// The phase in Qt's terms.
    pub fn state(&self) -> State {
        match self {
            Phase::Idle | Phase::Ready(_) | Phase::Failed(_) => State::NotStarted,
            Phase::Handshaking(_) | Phase::AwaitingVerdict(..) => State::InProgress,
            Phase::Rejected(..) => State::PeerVerificationFailed,
            Phase::Connected(..) => State::Complete,
        }
    }

    /// The association, if there is one.
    pub fn association(&self) -> Option<&Rc<Association>> {
        match self {
            Phase::Idle => None,
            Phase::Ready(association) | Phase::Failed(association) => Some(association),
            Phase::Handshaking(started)
            | Phase::AwaitingVerdict(started, _)
            | Phase::Rejected(started, _)
            | Phase::Connected(started, _) => Some(&started.association),
        }
    }

    /// The random of the ClientHello that started the handshake.
    pub fn client_random(&self) -> Option<[u8; 32]> {
        match self {
            Phase::Idle | Phase::Ready(_) | Phase::Failed(_) => None,
            Phase::Handshaking(started)
            | Phase::AwaitingVerdict(started, _)
            | Phase::Rejected(started, _)
            | Phase::Connected(started, _) => started.client_random,
        }
    }

    /// The records kept for the first read.
    pub fn carry(&self) -> Option<&Carry> {
        match self {
            Phase::AwaitingVerdict(_, carry) | Phase::Rejected(_, carry) | Phase::Connected(_, carry) => {
                Some(carry)
            }
            Phase::Idle | Phase::Ready(_) | Phase::Handshaking(_) | Phase::Failed(_) => None,
        }
    }

    /// As [`Phase::carry`], to add records or take them.
    pub fn carry_mut(&mut self) -> Option<&mut Carry> {
        match self {
            Phase::AwaitingVerdict(_, carry) | Phase::Rejected(_, carry) | Phase::Connected(_, carry) => {
                Some(carry)
            }
            Phase::Idle | Phase::Ready(_) | Phase::Handshaking(_) | Phase::Failed(_) => None,
        }
    }
}
