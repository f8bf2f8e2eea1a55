// SPDX-License-Identifier: MIT OR Apache-2.0
//! One event.

#![forbid(unsafe_code)]

use super::kind::{Kind, Level};
use crate::error::{Error, Status};
use crate::peer::PeerAddress;
use crate::text::Text;
use std::fmt::{self, Write};

/// The size of a reason, with its zero byte.
const REASON_LENGTH: usize = 256;

/// What has happened, in which operation, with which peer, and why.
#[derive(Clone, Copy)]
pub struct Event {
    /// Its kind.
    pub kind: Kind,
    /// The operation; an OpenSSL function where one failed.
    pub operation: &'static str,
    /// The peer, where there is one.
    pub peer: Option<PeerAddress>,
    /// The reason.
    pub reason: Text<REASON_LENGTH>,
    /// How many events of this kind were left out since the last one.
    pub left_out: u64,
}

impl Event {
    /// An event. No peer and no program can put a line end or another control character into it.
    pub fn new(
        kind: Kind,
        peer: Option<PeerAddress>,
        operation: &'static str,
        reason: fmt::Arguments<'_>,
        left_out: u64,
    ) -> Self {
        let reason = Text::of(Printable(reason));
        Self { kind, operation, peer, reason, left_out }
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        self.kind.level()
    }
}

/// The whole event in one line.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        if let Some(peer) = self.peer {
            write!(f, "{peer}: ")?;
        }
        f.write_str(self.reason.as_str())?;
        match self.left_out {
            0 => Ok(()),
            left_out => write!(f, " ({left_out} more like this)"),
        }
    }
}

/// The kind of event that a failure is; `None` for what a call's own result says well enough.
pub fn kind_of(error: &Error) -> Option<Kind> {
    match error.status() {
        Status::HandshakeFailed | Status::PskRejected => Some(Kind::HandshakeFailed),
        Status::AlertReceived => Some(Kind::AlertReceived),
        Status::TimedOut => Some(Kind::TimedOut),
        Status::PeerRefused => Some(Kind::PeerRefused),
        Status::ConnectionFailed => Some(Kind::ConnectionFailed),
        Status::OutOfMemory => Some(Kind::OutOfMemory),
        Status::CookieRejected => Some(Kind::CookieRefused),
        Status::PeerRestarted => Some(Kind::PeerRestarted),
        _ => None,
    }
}

/// A text whose control characters are replaced.
struct Printable<'a>(fmt::Arguments<'a>);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Filter<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl Write for Filter<'_, '_> {
            fn write_str(&mut self, part: &str) -> fmt::Result {
                let mut parts = part.split(char::is_control);
                self.0.write_str(parts.next().unwrap_or_default())?;
                parts.try_for_each(|rest| {
                    self.0.write_char('?')?;
                    self.0.write_str(rest)
                })
            }
        }
        Filter(f).write_fmt(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_without_control_characters() {
        let peer = PeerAddress::new([127, 0, 0, 1].into(), 5684, 0).ok();
        for (peer, reason, left_out, line) in [
            (None, "why", 0, "operation: why"),
            (peer, "why", 0, "operation: 127.0.0.1:5684: why"),
            (peer, "why", 7, "operation: 127.0.0.1:5684: why (7 more like this)"),
            (None, "a\nb\r\x1b[31mc\0d\u{85}", 0, "operation: a?b??[31mc?d?"),
        ] {
            let event = Event::new(Kind::BadSetting, peer, "operation", format_args!("{reason}"), left_out);
            assert_eq!(event.to_string(), line);
        }
        let long = "é".repeat(400);
        let event = Event::new(Kind::BadSetting, None, "operation", format_args!("{long}"), 0);
        assert!(event.reason.as_str().len() < REASON_LENGTH && long.starts_with(event.reason.as_str()));
    }
}
