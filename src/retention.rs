// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long the embedding program keeps an `SSL_CTX` that connections of equal configuration share (F12, S27).
//!
//! Making a context takes longer than all else in a handshake but the key exchange, so it outlives its last user for a
//! while. Its private key stays in memory as long, so that time and the number of such contexts are bounded.

#![forbid(unsafe_code)]

use crate::settings::CONTEXT_KEEP_S;
use std::time::Duration;

/// Few programs have more configurations in turns.
const MOST_UNUSED: usize = 8;
/// A ticket key decrypts all sessions resumed with it, so it is replaced after this time.
const TICKET_KEY_LIFETIME: Duration = Duration::from_secs(3600);

/// See the module documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The time for which a context is kept after its last user.
    pub unused: Duration,
    /// The time after its creation from which it gets no new users and is kept no longer; `None` for no limit.
    pub total: Option<Duration>,
    /// The number of contexts without users that are kept.
    pub most_unused: usize,
}

impl Retention {
    /// The limits for a context. Clients come back to one that `issues_tickets` during the lifetime of its ticket keys.
    pub fn of(issues_tickets: bool) -> Self {
        let keep = Duration::from_secs(CONTEXT_KEEP_S.get());
        let (unused, total) = match issues_tickets {
            true if keep > Duration::ZERO => (TICKET_KEY_LIFETIME, Some(TICKET_KEY_LIFETIME)),
            true => (keep, Some(TICKET_KEY_LIFETIME)),
            false => (keep, None),
        };
        Self { unused, total, most_unused: MOST_UNUSED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f12_contexts_are_kept_for_a_bounded_time() {
        let hour = Duration::from_secs(3600);
        let limits = |seconds, issues_tickets| {
            CONTEXT_KEEP_S.set(seconds).expect("within the bounds");
            let Retention { unused, total, most_unused } = Retention::of(issues_tickets);
            assert_eq!(most_unused, 8);
            (unused, total)
        };
        assert_eq!(CONTEXT_KEEP_S.get(), 60);
        for seconds in [0, 1, 60, 3600] {
            let keep = Duration::from_secs(seconds);
            assert_eq!(limits(seconds, false), (keep, None));
            assert_eq!(limits(seconds, true), (if seconds == 0 { keep } else { hour }, Some(hour)));
        }
        assert!(CONTEXT_KEEP_S.set(3601).is_err());
        CONTEXT_KEEP_S.set(60).expect("within the bounds");
    }
}
