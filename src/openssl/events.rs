// SPDX-License-Identifier: MIT OR Apache-2.0
//! The interface between OpenSSL's callbacks and the running operation.

use super::api::Info;
use super::error_queue::{self, Entries};
use super::{Api, api};
use crate::host::{Psk, PskRequest, ServerName};
use crate::log::{self, Kind};
use crate::statistics::{Alert, Direction};
use std::cell::Cell;
use std::ptr::NonNull;

/// The running operation, as OpenSSL's callbacks see it.
pub trait Events {
    /// The next record for OpenSSL; `None` if the datagram is used up.
    fn next_record(&self) -> Option<&[u8]>;
    /// Takes what OpenSSL writes: records, which in a handshake may come in parts. A failure to send is not reported to
    /// OpenSSL: DTLS handles lost datagrams. The program's code runs only for application data: SSL_write(3) succeeds
    /// then, so that its caller does not check the error queue.
    fn send(&self, bytes: &[u8]);
    /// Sets whether [`Events::next_record`] leaves the record in place, as DTLSv1_listen(3) requests.
    fn set_peeking(&self, peeking: bool);
    /// The interval in microseconds for which OpenSSL's timer is about to start, behind one of `previous_us`; behind 0
    /// the first of another flight.
    fn next_interval(&self, previous_us: u32) -> u32;
    /// Returns whether OpenSSL may continue with a ClientHello that has this cookie and random.
    fn accepts_cookie(&self, cookie: &[u8], random: &[u8; 32]) -> bool;
    /// Stores an error in the peer's certificate chain: an X509_V_ERR_* number and the depth. Returns false without
    /// memory for it: then the handshake must not go on.
    fn note_verify_error(&self, code: i32, depth: i32) -> bool;
    /// Provides a pre-shared key that fits the request; `None` ends the handshake.
    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk>;
    /// Chooses a context for the server name that a client asks for.
    fn select_context(&self, name: &[u8]) -> ServerName;
    /// Notes an alert.
    fn note_alert(&self, direction: Direction, alert: Alert);
    /// Selects one of the application protocols that a client offers, in wire format, or `None`.
    fn select_alpn<'a>(&self, offered: &'a [u8]) -> Option<&'a [u8]>;
}

/// The place of an `SSL` that holds its running operation.
#[derive(Default)]
pub struct Stage {
    events: Cell<Option<NonNull<dyn Events>>>,
    /// OpenSSL's errors from before the program's code ran in this operation.
    errors: Cell<Entries>,
    /// The program's own callback for what OpenSSL does.
    pub program_info: Cell<Option<Info>>,
}

/// Empties the stage on drop, also when the operation unwinds.
struct Clear<'a>(&'a Stage);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        self.0.events.set(None);
        self.0.errors.take();
    }
}

impl Stage {
    /// Returns whether an operation is running.
    #[inline]
    pub fn is_taken(&self) -> bool {
        self.events.get().is_some()
    }

    /// Runs `operation` with `events` on the stage. Returns `None`, without running it, inside another operation.
    #[inline]
    pub fn run<R>(&self, events: &dyn Events, operation: impl FnOnce() -> R) -> Option<R> {
        if self.is_taken() {
            return None;
        }
        let events = NonNull::from(events);
        // SAFETY: only the lifetime changes. `Clear` removes the pointer before `run` returns or unwinds, and the
        // borrow of `events` lasts longer than that.
        let events = unsafe { std::mem::transmute::<NonNull<dyn Events + '_>, NonNull<dyn Events>>(events) };
        self.events.set(Some(events));
        let _clear = Clear(self);
        Some(operation())
    }

    /// Queries the running operation; `None` if there is none.
    #[inline]
    pub fn ask<R>(&self, question: impl FnOnce(&dyn Events) -> R) -> Option<R> {
        let events = self.events.get()?;
        // SAFETY: `run` put the pointer on the stage and has not returned. A stage is not `Sync`, so that frame of
        // `run` is on this thread, below this one, and outlives it; `question` cannot keep the reference.
        Some(question(unsafe { events.as_ref() }))
    }

    /// Runs code of the program, which may do with OpenSSL's error queue what it wants (A1).
    #[inline(never)]
    pub fn run_program<R>(&self, api: &Api, program: impl FnOnce() -> R) -> R {
        error_queue::set_aside(api, &self.errors, program)
    }

    /// Takes the errors of an OpenSSL function that failed.
    pub fn take_errors(&self, api: &Api) -> Entries {
        error_queue::take_with(api, &self.errors)
    }
}

/// Reports why a callback refuses, and returns its answer.
#[cold]
pub(super) fn refuse<T>(answer: T, callback: &'static str, why: &str) -> T {
    let report = || log::report(Kind::CallbackRefused, None, callback, format_args!("{why}"));
    match api() {
        Ok(api) => error_queue::unchanged(api, report),
        Err(_) => report(),
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;

    impl Events for Silent {
        fn next_record(&self) -> Option<&[u8]> {
            None
        }
        fn send(&self, _datagram: &[u8]) {}
        fn set_peeking(&self, _peeking: bool) {}
        fn next_interval(&self, previous_us: u32) -> u32 {
            previous_us
        }
        fn accepts_cookie(&self, _cookie: &[u8], _random: &[u8; 32]) -> bool {
            false
        }
        fn note_verify_error(&self, _code: i32, _depth: i32) -> bool {
            true
        }
        fn psk(&self, _request: &PskRequest<'_>) -> Option<Psk> {
            None
        }
        fn select_context(&self, _name: &[u8]) -> ServerName {
            ServerName::Keep
        }
        fn note_alert(&self, _direction: Direction, _alert: Alert) {}
        fn select_alpn<'a>(&self, _offered: &'a [u8]) -> Option<&'a [u8]> {
            None
        }
    }

    #[test]
    fn s3_one_operation_is_on_stage_and_none_afterwards() {
        let stage = Stage::default();
        assert_eq!(stage.ask(|events| events.next_interval(52)), None);
        let inside = stage.run(&Silent, || {
            assert!(stage.run(&Silent, || ()).is_none(), "no operation begins inside another");
            stage.ask(|events| events.next_interval(52))
        });
        assert_eq!(inside, Some(Some(52)));
        assert!(!stage.is_taken());
    }

    #[test]
    fn an_operation_that_unwinds_leaves_the_stage() {
        let stage = Stage::default();
        let unwinding = std::panic::AssertUnwindSafe(|| stage.run(&Silent, || panic!("as a callback may")));
        assert!(std::panic::catch_unwind(unwinding).is_err());
        assert_eq!(stage.ask(|events| events.next_interval(52)), None);
    }
}
