// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events, passed to one process-wide listener that the embedding program sets.
//!
//! An event names its level, the operation, the peer if there is one, and the reason. It never contains a secret. Of each
//! kind so many are passed on in a second as [`Kind::most_a_second`] says, with the number of those left out before.
//!
//! The listener is the program's code: it may call this library. It therefore runs outside of all locks (A9): code that
//! holds one runs inside [`outside_locks`]. Events that the listener itself causes are dropped.

#![forbid(unsafe_code)]

mod event;
mod kind;
mod limiter;

pub use event::Event;
pub use kind::{Kind, Level};

use crate::error::Error;
use crate::memory::Arc;
use crate::peer::PeerAddress;
use limiter::Limiter;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{OnceLock, RwLock};
use std::time::Instant;

/// A function that receives events.
pub type Listener = Arc<Box<dyn Fn(&Event) + Send + Sync>>;

/// The events that wait for the end of a lock. More are left out: waiting must not allocate (A4).
type Events = [Option<Event>; 3];

static LISTENER: RwLock<Option<Listener>> = RwLock::new(None);

/// The number of the last level that the listener wants; 0 without one. All that an event costs when nobody listens.
static WANTED: AtomicI32 = AtomicI32::new(0);

static LIMITERS: [Limiter; Kind::ALL.len()] = [const { Limiter::new() }; Kind::ALL.len()];

thread_local! {
    /// The events of this thread that wait for the end of [`outside_locks`].
    static WAITING: RefCell<Option<Events>> = const { RefCell::new(None) };
    /// Whether the listener is running on this thread.
    static LISTENING: Cell<bool> = const { Cell::new(false) };
}

/// Replaces the listener, which receives the events up to a level; `None`, the default, discards them. An event that
/// another thread is reporting may still reach the previous one.
pub fn set_listener(listener: Option<(Listener, Level)>) {
    let mut place = LISTENER.write().unwrap_or_else(|poisoned| poisoned.into_inner());
    WANTED.store(listener.as_ref().map_or(0, |(_, level)| *level as i32), Ordering::Relaxed);
    let previous = std::mem::replace(&mut *place, listener.map(|(listener, _)| listener));
    drop(place);
    // Behind the lock, for dropping it may run the program's code.
    drop(previous);
}

#[inline]
fn is_wanted(level: Level) -> bool {
    level as i32 <= WANTED.load(Ordering::Relaxed)
}

/// Reports an event. The reason is built only if a listener wants it and the limit allows it.
#[inline]
pub fn report(kind: Kind, peer: Option<PeerAddress>, operation: &'static str, reason: fmt::Arguments<'_>) {
    if is_wanted(kind.level()) {
        pass_on(kind, peer, operation, reason);
    }
}

/// Reports that an operation with a peer has failed, if that is an event.
#[cold]
pub fn report_failure(error: &Error, peer: Option<PeerAddress>) {
    if let Some(kind) = event::kind_of(error) {
        report(kind, peer, error.operation(), format_args!("{}", error.reason()));
    }
}

#[cold]
fn pass_on(kind: Kind, peer: Option<PeerAddress>, operation: &'static str, reason: fmt::Arguments<'_>) {
    let Some(limiter) = LIMITERS.get(kind as usize) else { return };
    // Those that the listener itself causes neither use its share up nor are they counted.
    if LISTENING.get() {
        return;
    }
    let Some(left_out) = limiter.admit(milliseconds(), kind.most_a_second()) else { return };
    let event = Event::new(kind, peer, operation, reason, left_out);
    let wait = |waiting: &RefCell<Option<Events>>| match &mut *waiting.borrow_mut() {
        Some(events) => {
            match events.iter_mut().find(|place| place.is_none()) {
                Some(place) => *place = Some(event),
                None => limiter.leave_out(),
            }
            true
        }
        None => false,
    };
    // Without the place, the thread is ending and holds no lock.
    if !WAITING.try_with(wait).unwrap_or(false) {
        tell(&event);
    }
}

/// Runs `work`, which takes a lock, and reports its events when it has returned and the lock is free.
pub fn outside_locks<R>(work: impl FnOnce() -> R) -> R {
    /// Ends the waiting, also when `work` unwinds.
    struct Waiting;
    impl Drop for Waiting {
        fn drop(&mut self) {
            let events = WAITING.try_with(RefCell::take).ok().flatten();
            events.iter().flatten().flatten().for_each(tell);
        }
    }
    let is_first = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        waiting.is_none() && waiting.replace(Events::default()).is_none()
    });
    let _waiting = is_first.unwrap_or(false).then(|| Waiting);
    work()
}

fn tell(event: &Event) {
    let listener = LISTENER.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    let Some(listener) = listener else { return };
    if LISTENING.replace(true) {
        return;
    }
    listener(event);
    LISTENING.set(false);
}

/// The time since the first call, of the monotonic clock.
fn milliseconds() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// The lines that a listener of its own receives during `work`. The listener is one for the process.
    fn lines_of(level: Level, work: impl FnOnce(), reaction: fn()) -> Vec<String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let lines = std::sync::Arc::new(Mutex::new(Vec::new()));
        let (kept, thread) = (std::sync::Arc::clone(&lines), std::thread::current().id());
        let listener: Box<dyn Fn(&Event) + Send + Sync> = Box::new(move |event| {
            if std::thread::current().id() == thread {
                kept.lock().expect("no panic").push(event.to_string());
                reaction();
            }
        });
        set_listener(Arc::new(listener).ok().map(|listener| (listener, level)));
        work();
        set_listener(None);
        let lines = lines.lock().expect("no panic");
        lines.clone()
    }

    /// One of a kind with room for the tests of a second.
    fn note(reason: &str) {
        report(Kind::BadSetting, None, "test", format_args!("{reason}"));
    }

    #[test]
    fn a9_lines_wait_for_the_end_of_locks() {
        static LOCK: Mutex<()> = Mutex::new(());
        let work = || {
            outside_locks(|| {
                let _held = LOCK.lock();
                outside_locks(|| note("inner"));
                note("outer");
            });
        };
        let lines =
            lines_of(Level::Debug, work, || assert!(LOCK.try_lock().is_ok(), "it runs without the lock"));
        assert_eq!(lines, ["test: inner", "test: outer"]);
    }

    #[test]
    fn a9_a_logger_may_warn_and_replace_itself() {
        let lines = lines_of(
            Level::Debug,
            || note("line"),
            || {
                note("a line about a line");
                set_listener(None);
            },
        );
        assert_eq!(lines, ["test: line"]);
    }

    #[test]
    fn a_reason_is_built_for_a_listener_that_wants_it() {
        struct Unwanted;
        impl fmt::Display for Unwanted {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("a reason that nobody wants")
            }
        }
        let unwanted = || report(Kind::PeerRestarted, None, "test", format_args!("{Unwanted}"));
        assert!(lines_of(Level::Warning, unwanted, || ()).is_empty());
        assert_eq!(lines_of(Level::Warning, || note("wanted"), || ()), ["test: wanted"]);
    }
}
