// SPDX-License-Identifier: MIT OR Apache-2.0
//! Failures: a stable number, the operation that failed, and the reason.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt;

/// The result of every operation of this library. Numbers are never reused; new ones are added at the end.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The operation succeeded.
    Ok = 0,
    /// A pointer was null, a length out of range, or a number names no enumerator.
    InvalidArgument = 1,
    /// The operation is not allowed in the present state of the handle.
    InvalidState = 2,
    /// Another operation of the same handle is on the stack: this call came from inside one of its callbacks.
    Busy = 3,
    /// The caller's buffer is too small; nothing was consumed.
    BufferTooSmall = 4,
    /// A defect inside the library or a panicking callback was caught; the handle stays usable for `free`.
    Internal = 5,
    /// No OpenSSL library has been attached yet (`qdtls_openssl_attach`).
    OpensslMissing = 6,
    /// The OpenSSL attached is not the one the caller uses.
    OpensslMismatch = 7,
    /// The OpenSSL found has a version outside the supported range, or lacks a function.
    OpensslUnsupported = 8,
    /// The TLS objects could not be set up.
    InitFailed = 9,
    /// OpenSSL's random number generator failed; the next call tries again.
    RandomFailed = 10,
    /// The hash algorithm is not offered by this OpenSSL.
    UnsupportedHash = 11,
    /// The peer address is unspecified, multicast, broadcast or has port 0.
    InvalidAddress = 12,
    /// The MTU hint is below the minimum of 256 bytes.
    InvalidMtu = 13,
    /// The datagram could not be sent and sending it again would not help.
    SendFailed = 14,
    /// The datagram could not be sent now: the socket is busy or the peer's host refused an earlier one.
    SendRefused = 15,
    /// The handshake ended with an error.
    HandshakeFailed = 16,
    /// The peer ended the handshake or the connection with a fatal alert.
    AlertReceived = 17,
    /// All retransmissions went unanswered (RFC 6347, 4.2.4).
    TimedOut = 18,
    /// The datagram is not a ClientHello with a valid cookie.
    CookieRejected = 19,
    /// The pre-shared key or its identity does not fit; nothing was cut off silently.
    PskRejected = 20,
    /// The connection was aborted, shut down or freed from inside a callback of this operation.
    Aborted = 21,
    /// The peer closed the connection (close_notify).
    Closed = 22,
    /// The peer restarted: it sent a ClientHello with a valid cookie (RFC 6347, 4.2.8). The association is closed.
    PeerRestarted = 23,
    /// The message does not fit into one record (RFC 5246, 6.2.1: 2^14 bytes).
    MessageTooLarge = 24,
    /// OpenSSL sends no record for an empty message.
    MessageEmpty = 25,
    /// The connection ended with a protocol error.
    ConnectionFailed = 26,
    /// Memory was short. Nothing was done: the handle is as usable as before, and a datagram counts as lost.
    OutOfMemory = 27,
}

/// The kind of a failure, in the terms of Qt's `QDtlsError`, whose numbers these are.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// No error.
    None = 0,
    /// An argument was wrong.
    InvalidInput = 1,
    /// The operation is not allowed now.
    InvalidOperation = 2,
    /// The socket under the connection failed.
    Socket = 3,
    /// The peer closed the connection.
    RemoteClosed = 4,
    /// The peer could not be verified. Only the caller, who verifies, reports this one.
    PeerVerification = 5,
    /// The TLS objects could not be set up.
    TlsInitialization = 6,
    /// The connection or handshake cannot go on.
    TlsFatal = 7,
    /// The operation failed, the connection is as usable as before.
    TlsNonFatal = 8,
}

impl Status {
    /// The category in which Qt's API reports this status.
    pub fn category(self) -> Category {
        match self {
            Status::Ok => Category::None,
            Status::InvalidArgument
            | Status::BufferTooSmall
            | Status::UnsupportedHash
            | Status::InvalidAddress
            | Status::InvalidMtu
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
            Status::Internal
            | Status::HandshakeFailed
            | Status::AlertReceived
            | Status::TimedOut
            | Status::CookieRejected
            | Status::PskRejected
            | Status::MessageTooLarge
            | Status::ConnectionFailed => Category::TlsFatal,
        }
    }

    /// What the status means, in a few words; the text of an error that knows no better reason.
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
        }
    }

    /// Whether the association of a failed operation is as usable as before.
    pub fn leaves_association(self) -> bool {
        matches!(self, Status::Busy | Status::SendFailed | Status::SendRefused | Status::OutOfMemory)
    }
}

/// One failure: its number, the operation that failed, and why. Boxed, so that success costs no more than a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    status: Status,
    operation: &'static str,
    openssl: u64,
    reason: Cow<'static, str>,
}

/// The result of an operation of the core.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure of `operation` whose status says all there is to say.
    #[cold]
    pub fn new(status: Status, operation: &'static str) -> Self {
        Self::because(status, operation, status.meaning())
    }

    /// A failure of `operation` with its own words for the reason.
    #[cold]
    pub fn because(status: Status, operation: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details { status, operation, openssl: 0, reason: reason.into() }))
    }

    /// A failure of the OpenSSL function `operation`, with OpenSSL's error code and reason.
    #[cold]
    pub fn openssl(status: Status, operation: &'static str, code: u64, reason: &str) -> Self {
        let reason = match reason {
            "" => status.meaning().into(),
            text => format!("{}: {text}", status.meaning()).into(),
        };
        Self(Box::new(Details { status, operation, openssl: code, reason }))
    }

    /// The stable number of the failure.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// The operation, by preference an OpenSSL function, that failed.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// OpenSSL's packed error code, or 0 when OpenSSL has no part in the failure.
    pub fn openssl_code(&self) -> u64 {
        self.0.openssl
    }

    /// Why it failed. Never empty.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.reason)
    }
}

impl std::error::Error for Error {}
