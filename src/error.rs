// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors: a stable number, the operation that failed, and the reason.

#![forbid(unsafe_code)]

use crate::memory;
use crate::text::Text;
use std::fmt;

/// The result of an operation. Numbers are never reused; new ones are added at the end.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The operation succeeded.
    Ok = 0,
    /// A null pointer, a length or value out of range, malformed input, or a number that names no enumerator.
    InvalidArgument = 1,
    /// The current state of the handle does not allow the operation.
    InvalidState = 2,
    /// An operation of the same connection is running: the call came from inside one of its callbacks. No effect.
    Busy = 3,
    /// The caller's buffer is too small. Nothing was consumed; the reason gives the size needed.
    BufferTooSmall = 4,
    /// The library caught a panic: a defect in it. Freeing the handle is still safe.
    Internal = 5,
    /// No OpenSSL is attached (`qdtls_openssl_attach`).
    OpensslMissing = 6,
    /// The OpenSSL in use is not the one that the caller uses.
    OpensslMismatch = 7,
    /// OpenSSL's version is outside the supported range, or it lacks a function.
    OpensslUnsupported = 8,
    /// An object of OpenSSL or memory for a secret could not be set up.
    InitFailed = 9,
    /// OpenSSL's random number generator failed. The next call tries again.
    RandomFailed = 10,
    /// OpenSSL does not provide the hash algorithm.
    UnsupportedHash = 11,
    /// The peer address is unspecified, multicast or broadcast, has port 0, or is of an unknown family.
    InvalidAddress = 12,
    /// The MTU hint is below the minimum of 256 bytes.
    InvalidMtu = 13,
    /// The datagram could not be sent, and sending it again would not help.
    SendFailed = 14,
    /// The datagram could not be sent now: the socket is busy, or the peer's host refused an earlier datagram.
    SendRefused = 15,
    /// The handshake failed.
    HandshakeFailed = 16,
    /// The peer ended the handshake or the connection with a fatal alert.
    AlertReceived = 17,
    /// The peer answered none of the retransmissions (RFC 6347, 4.2.4).
    TimedOut = 18,
    /// The datagram is not a ClientHello with a valid cookie.
    CookieRejected = 19,
    /// The pre-shared key or its identity is too long, or the identity contains a zero byte. Nothing is truncated.
    PskRejected = 20,
    /// A callback of this operation aborted, shut down, reset or freed the connection.
    Aborted = 21,
    /// The peer closed the connection (close_notify).
    Closed = 22,
    /// The client restarted: it sent a new ClientHello with a valid cookie (RFC 6347, 4.2.8). The connection has
    /// ended.
    PeerRestarted = 23,
    /// The message does not fit into one record: 2^14 bytes (RFC 5246, 6.2.1), or what was negotiated or set.
    MessageTooLarge = 24,
    /// The message is empty, for which OpenSSL sends no record.
    MessageEmpty = 25,
    /// The connection failed and has ended.
    ConnectionFailed = 26,
    /// Memory could not be allocated. A connection keeps its state, and a datagram counts as lost.
    OutOfMemory = 27,
    /// The peer's certificate was refused: by an endpoint's `judge` callback, or because OpenSSL found an error in it and no
    /// program was to be asked.
    PeerRefused = 28,
}

/// The kind of an error, numbered as Qt's `QDtlsError`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// No error.
    None = 0,
    /// An argument is invalid.
    InvalidInput = 1,
    /// The state of the handle does not allow the operation, or a callback ended it.
    InvalidOperation = 2,
    /// The datagram could not be sent.
    Socket = 3,
    /// The peer closed the connection or restarted.
    RemoteClosed = 4,
    /// The peer's certificate was refused. Only endpoints report it; elsewhere the caller verifies peers.
    PeerVerification = 5,
    /// OpenSSL or its objects could not be set up.
    TlsInitialization = 6,
    /// The connection or handshake cannot continue.
    TlsFatal = 7,
    /// The operation failed and the connection is unaffected.
    TlsNonFatal = 8,
}

impl Status {
    /// Returns the category in which Qt's API reports this status.
    pub fn category(self) -> Category {
        match self {
            Status::Ok => Category::None,
            Status::InvalidArgument
            | Status::BufferTooSmall
            | Status::UnsupportedHash
            | Status::InvalidAddress
            | Status::InvalidMtu
            | Status::MessageTooLarge
            | Status::MessageEmpty => Category::InvalidInput,
            Status::InvalidState | Status::Busy | Status::Aborted => Category::InvalidOperation,
            Status::SendFailed | Status::SendRefused => Category::Socket,
            Status::Closed | Status::PeerRestarted => Category::RemoteClosed,
            Status::OpensslMissing
            | Status::OpensslMismatch
            | Status::OpensslUnsupported
            | Status::InitFailed
            | Status::RandomFailed => Category::TlsInitialization,
            Status::OutOfMemory => Category::TlsNonFatal,
            Status::PeerRefused => Category::PeerVerification,
            Status::Internal
            | Status::HandshakeFailed
            | Status::AlertReceived
            | Status::TimedOut
            | Status::CookieRejected
            | Status::PskRejected
            | Status::ConnectionFailed => Category::TlsFatal,
        }
    }

    /// Returns the meaning in a few words: the text of an error without a more specific reason.
    pub fn meaning(self) -> &'static str {
        match self {
            Status::Ok => "no error",
            Status::InvalidArgument => "invalid argument",
            Status::InvalidState => "not allowed in the present state",
            Status::Busy => "called from inside another operation of the same object",
            Status::BufferTooSmall => "the buffer is too small",
            Status::Internal => "internal error",
            Status::OpensslMissing => "no OpenSSL library is attached",
            Status::OpensslMismatch => "two different OpenSSL libraries are in use",
            Status::OpensslUnsupported => "this OpenSSL library is not supported",
            Status::InitFailed => "the TLS objects could not be set up",
            Status::RandomFailed => "the random number generator failed",
            Status::UnsupportedHash => "the hash algorithm is not available in this OpenSSL library",
            Status::InvalidAddress => "a unicast address and a port other than 0 are needed",
            Status::InvalidMtu => "the MTU is too small for a DTLS handshake",
            Status::SendFailed => "the datagram could not be sent",
            Status::SendRefused => "the datagram could not be sent now",
            Status::HandshakeFailed => "the handshake failed",
            Status::AlertReceived => "the peer sent a fatal alert",
            Status::TimedOut => "the peer did not answer any retransmission",
            Status::CookieRejected => "a ClientHello with a valid cookie was expected",
            Status::PskRejected => "the pre-shared key does not fit",
            Status::Aborted => "ended by the application from inside a callback",
            Status::Closed => "the peer closed the connection",
            Status::PeerRestarted => "the peer restarted and asks for a new handshake",
            Status::MessageTooLarge => "the message does not fit into one DTLS record",
            Status::MessageEmpty => "an empty message is not sent as a DTLS record",
            Status::ConnectionFailed => "the connection failed",
            Status::OutOfMemory => "there is not enough memory",
            Status::PeerRefused => "the peer's certificate was refused",
        }
    }

    /// Returns whether an operation that failed with this status leaves its association usable.
    pub fn leaves_association(self) -> bool {
        matches!(self, Status::Busy | Status::SendFailed | Status::SendRefused | Status::OutOfMemory)
    }
}

/// One error: its number, the operation that failed, and the reason. On the heap, so that a `Result` fits in a
/// register; one without memory for that is `OutOfMemory`, whatever else went wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Error(Option<Box<Details>>);

#[derive(Debug, PartialEq, Eq)]
struct Details {
    status: Status,
    operation: &'static str,
    openssl: u64,
    /// If it is not the status's meaning.
    reason: Option<Text<REASON_LENGTH>>,
}

/// The size of a reason, with its zero byte. The longest ones quote OpenSSL.
pub const REASON_LENGTH: usize = 256;

/// The result of an operation of the core.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `operation` with the status's meaning as its reason.
    #[cold]
    pub fn new(status: Status, operation: &'static str) -> Self {
        Self::of(Details { status, operation, openssl: 0, reason: None })
    }

    /// An error of `operation` with a reason of its own.
    #[cold]
    pub fn because(status: Status, operation: &'static str, reason: impl fmt::Display) -> Self {
        Self::openssl(status, operation, 0, reason)
    }

    /// There is no memory for `operation`.
    #[cold]
    pub fn no_memory(operation: &'static str) -> Self {
        Self::new(Status::OutOfMemory, operation)
    }

    /// An error of the OpenSSL function `operation`, with OpenSSL's error code.
    #[cold]
    pub fn openssl(status: Status, operation: &'static str, code: u64, reason: impl fmt::Display) -> Self {
        Self::of(Details { status, operation, openssl: code, reason: Some(Text::of(reason)) })
    }

    fn of(details: Details) -> Self {
        Self(memory::boxed(details).ok())
    }

    /// The stable number of the error.
    pub fn status(&self) -> Status {
        self.0.as_ref().map_or(Status::OutOfMemory, |details| details.status)
    }

    /// The operation that failed; an OpenSSL function where one did.
    pub fn operation(&self) -> &'static str {
        self.0.as_ref().map_or("operation", |details| details.operation)
    }

    /// OpenSSL's packed error code, or 0 when OpenSSL did not report the error.
    pub fn openssl_code(&self) -> u64 {
        self.0.as_ref().map_or(0, |details| details.openssl)
    }

    /// The reason. Never empty.
    pub fn reason(&self) -> &str {
        let own = self.0.as_ref().and_then(|details| details.reason.as_ref());
        own.map_or_else(|| self.status().meaning(), Text::as_str)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation(), self.reason())
    }
}

impl std::error::Error for Error {}
