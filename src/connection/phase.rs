// SPDX-License-Identifier: MIT OR Apache-2.0
//! The phases of a connection. Each carries what only it has, so that nothing of a phase outlives it.

#![forbid(unsafe_code)]

use crate::association::Association;
use std::rc::Rc;

/// Where the handshake stands, numbered as Qt's `QDtls::HandshakeState`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing has begun, or it has ended.
    NotStarted = 0,
    /// Waiting for the peer, or for the verdict on it.
    InProgress = 1,
    /// The handshake is done, and the peer was not accepted.
    PeerVerificationFailed = 2,
    /// Messages can be exchanged.
    Complete = 3,
}

/// An association whose handshake has begun.
pub struct Started {
    pub association: Rc<Association>,
    /// The random of the ClientHello that a server's handshake began with: it tells duplicates of that hello from a
    /// restarted client's.
    pub client_random: Option<[u8; 32]>,
}

/// Records that came behind the peer's last flight: they belong to the first read.
pub type Carry = Vec<u8>;

/// The phases in their order.
pub enum Phase {
    /// No TLS is initialised.
    Idle,
    /// TLS is initialised, and nothing was sent.
    Ready(Rc<Association>),
    /// Waiting for the peer.
    Handshaking(Started),
    /// OpenSSL is done; the caller has not judged the peer yet.
    AwaitingVerdict(Started, Carry),
    /// The peer was not accepted; it can still be.
    Rejected(Started, Carry),
    /// Messages can be exchanged.
    Connected(Started, Carry),
    /// The handshake failed; what the peer sent can be asked for.
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

    /// The random of the hello that the handshake began with.
    pub fn client_random(&self) -> Option<[u8; 32]> {
        match self {
            Phase::Idle | Phase::Ready(_) | Phase::Failed(_) => None,
            Phase::Handshaking(started)
            | Phase::AwaitingVerdict(started, _)
            | Phase::Rejected(started, _)
            | Phase::Connected(started, _) => started.client_random,
        }
    }

    /// What is kept for the first read.
    pub fn carry(&self) -> Option<&Carry> {
        match self {
            Phase::AwaitingVerdict(_, carry) | Phase::Rejected(_, carry) | Phase::Connected(_, carry) => {
                Some(carry)
            }
            Phase::Idle | Phase::Ready(_) | Phase::Handshaking(_) | Phase::Failed(_) => None,
        }
    }

    /// As [`Phase::carry`], to add to it or to take it.
    pub fn carry_mut(&mut self) -> Option<&mut Carry> {
        match self {
            Phase::AwaitingVerdict(_, carry) | Phase::Rejected(_, carry) | Phase::Connected(_, carry) => {
                Some(carry)
            }
            Phase::Idle | Phase::Ready(_) | Phase::Handshaking(_) | Phase::Failed(_) => None,
        }
    }
}
