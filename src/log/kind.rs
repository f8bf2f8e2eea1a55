// SPDX-License-Identifier: MIT OR Apache-2.0
//! What events there are.

#![forbid(unsafe_code)]

/// How much an event matters.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A defect of the library, or a system that cannot do what is needed.
    Error = 1,
    /// The program or its administrator should change something.
    Warning = 2,
    /// A handshake or connection has ended otherwise than its program wanted.
    Info = 3,
    /// What a peer or anyone on the network does, which the library handles.
    Debug = 4,
}

impl Level {
    const ALL: [Self; 4] = [Self::Error, Self::Warning, Self::Info, Self::Debug];

    /// The level of this number.
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as i32 == number)
    }
}

/// The kinds of events. Numbers are never reused; new ones are added at the end.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A panic was caught: a defect of the library.
    PanicCaught = 0,
    /// There is no secret for cookies.
    CookieSecretFailed = 1,
    /// An environment variable was not understood.
    BadSetting = 2,
    /// OpenSSL is newer than the versions that were tested.
    NewerOpenssl = 3,
    /// Secrets lie in memory that may be swapped or dumped.
    UnlockedSecrets = 4,
    /// OpenSSL called a callback of the library that it must not call so.
    CallbackRefused = 5,
    /// A datagram could not be sent.
    DatagramNotSent = 6,
    /// A message of a handshake was dropped for its length.
    MessageTooLong = 7,
    /// A pre-shared key or its identity does not fit.
    PskMisfit = 8,
    /// An endpoint has as many connections or handshakes as it may have, and a client got no answer.
    LimitReached = 9,
    /// A handshake has failed.
    HandshakeFailed = 10,
    /// The peer has ended the handshake or the connection with a fatal alert.
    AlertReceived = 11,
    /// The peer did not answer: the handshake was given up, or an endpoint's connection was quiet for too long.
    TimedOut = 12,
    /// The peer's certificate was refused.
    PeerRefused = 13,
    /// A connection has failed.
    ConnectionFailed = 14,
    /// Memory was missing.
    OutOfMemory = 15,
    /// A ClientHello had a cookie that is not valid, or no longer.
    CookieRefused = 16,
    /// A client has restarted, which ended its connection.
    PeerRestarted = 17,
    /// Session keys are written to a file, or were to be and cannot.
    KeyLog = 18,
    /// The program has chosen a context for a server name that was not prepared.
    ContextRefused = 19,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::PanicCaught,
        Self::CookieSecretFailed,
        Self::BadSetting,
        Self::NewerOpenssl,
        Self::UnlockedSecrets,
        Self::CallbackRefused,
        Self::DatagramNotSent,
        Self::MessageTooLong,
        Self::PskMisfit,
        Self::LimitReached,
        Self::HandshakeFailed,
        Self::AlertReceived,
        Self::TimedOut,
        Self::PeerRefused,
        Self::ConnectionFailed,
        Self::OutOfMemory,
        Self::CookieRefused,
        Self::PeerRestarted,
        Self::KeyLog,
        Self::ContextRefused,
    ];

    /// How much it matters.
    pub fn level(self) -> Level {
        match self {
            Self::PanicCaught | Self::CookieSecretFailed => Level::Error,
            Self::BadSetting
            | Self::NewerOpenssl
            | Self::UnlockedSecrets
            | Self::CallbackRefused
            | Self::DatagramNotSent
            | Self::MessageTooLong
            | Self::PskMisfit
            | Self::LimitReached
            | Self::KeyLog
            | Self::ContextRefused => Level::Warning,
            Self::HandshakeFailed
            | Self::AlertReceived
            | Self::TimedOut
            | Self::PeerRefused
            | Self::ConnectionFailed
            | Self::OutOfMemory => Level::Info,
            Self::CookieRefused | Self::PeerRestarted => Level::Debug,
        }
    }

    /// How many are passed on in a second. The environment has several settings, which are read together.
    pub fn most_a_second(self) -> u8 {
        match (self, self.level()) {
            (Self::BadSetting, _) => 16,
            (_, Level::Error | Level::Warning) => 1,
            (_, Level::Info | Level::Debug) => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Level};

    #[test]
    fn numbers_are_places() {
        assert!(Kind::ALL.iter().zip(0..).all(|(kind, number)| *kind as i32 == number));
        assert!(Level::ALL.iter().all(|level| Level::of(*level as i32) == Some(*level)));
        assert!([-1, 0, 5].into_iter().all(|number| Level::of(number).is_none()));
    }
}
