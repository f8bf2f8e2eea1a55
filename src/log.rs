// SPDX-License-Identifier: MIT OR Apache-2.0
//! Warnings, passed to one process-wide logger that the embedding program sets.
//!
//! A line names the operation, the peer if there is one, and the reason. It never contains a secret.
//!
//! The logger is the program's code: it may call this library. It therefore runs outside of all locks (A9): code that
//! holds one runs inside [`outside_locks`]. Warnings that the logger itself causes are dropped.

#![forbid(unsafe_code)]

use crate::memory::Arc;
use crate::text::Text;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, RwLock};
use std::time::Instant;

/// A function that receives one finished line.
pub type Logger = Arc<Box<dyn Fn(&CStr) + Send + Sync>>;

/// A line with its zero byte.
type Line = Text<512>;

/// The lines that wait for the end of a lock. More are dropped: waiting must not allocate (A4).
type Lines = [Option<Line>; 2];

static LOGGER: RwLock<Option<Logger>> = RwLock::new(None);

thread_local! {
    /// The lines of this thread that wait for the end of [`outside_locks`].
    static WAITING: RefCell<Option<Lines>> = const { RefCell::new(None) };
    /// Whether the logger is running on this thread.
    static LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Replaces the logger; `None`, the default, discards warnings. A line that another thread is writing may still reach
/// the previous one.
pub fn set_logger(logger: Option<Logger>) {
    *LOGGER.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = logger;
}

/// Writes a warning. For what a peer can cause there is [`Recurring`].
#[cold]
pub fn warn(line: fmt::Arguments<'_>) {
    let line = Line::of(line);
    let wait = |waiting: &RefCell<Option<Lines>>| match &mut *waiting.borrow_mut() {
        Some(lines) => {
            if let Some(place) = lines.iter_mut().find(|place| place.is_none()) {
                *place = Some(line);
            }
            true
        }
        None => false,
    };
    // Without the place, the thread is ending and holds no lock.
    if !WAITING.try_with(wait).unwrap_or(false) {
        write(&line);
    }
}

/// Runs `work`, which takes a lock, and writes its warnings when it has returned and the lock is free.
pub fn outside_locks<R>(work: impl FnOnce() -> R) -> R {
    /// Ends the waiting, also when `work` unwinds.
    struct Waiting;
    impl Drop for Waiting {
        fn drop(&mut self) {
            let lines = WAITING.try_with(RefCell::take).ok().flatten();
            lines.iter().flatten().flatten().for_each(write);
        }
    }
    let is_first = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        waiting.is_none() && waiting.replace(Lines::default()).is_none()
    });
    let _waiting = is_first.unwrap_or(false).then(|| Waiting);
    work()
}

fn write(line: &Line) {
    let logger = LOGGER.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    let Some(logger) = logger else { return };
    if LOGGING.replace(true) {
        return;
    }
    logger(line.as_c_str());
    LOGGING.set(false);
}

/// Returns whether there is a logger.
fn is_read() -> bool {
    LOGGER.read().unwrap_or_else(|poisoned| poisoned.into_inner()).is_some()
}

/// A warning that a peer can cause as often as it likes (A8). It is written at most once a second, with the number of
/// those left out since the last one.
#[derive(Default)]
pub struct Recurring {
    /// The first millisecond at which the next line may be written.
    next: AtomicU64,
    left_out: AtomicU64,
}

impl Recurring {
    const INTERVAL_MS: u64 = 1000;

    /// A warning that has not occurred.
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), left_out: AtomicU64::new(0) }
    }

    /// Writes the warning, or counts it.
    #[cold]
    pub fn warn(&self, line: fmt::Arguments<'_>) {
        if !is_read() {
            return;
        }
        match self.admit(milliseconds()) {
            Some(0) => warn(line),
            Some(left_out) => warn(format_args!("{line} ({left_out} more like this)")),
            None => {}
        }
    }

    /// Returns how many warnings were left out if one may be written now; otherwise counts it.
    fn admit(&self, now: u64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let then = now.saturating_add(Self::INTERVAL_MS);
        let is_ours = now >= next
            && self.next.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_ours {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

/// The time since the first call.
fn milliseconds() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// The lines that a logger of its own receives during `work`. The logger is one for the process.
    fn lines_of(work: impl FnOnce(), reaction: fn()) -> Vec<String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let lines = std::sync::Arc::new(Mutex::new(Vec::new()));
        let (kept, thread) = (std::sync::Arc::clone(&lines), std::thread::current().id());
        let logger: Box<dyn Fn(&CStr) + Send + Sync> = Box::new(move |line| {
            if std::thread::current().id() == thread {
                kept.lock().expect("no panic").push(line.to_str().expect("UTF-8").to_owned());
                reaction();
            }
        });
        set_logger(Arc::new(logger).ok());
        work();
        set_logger(None);
        let lines = lines.lock().expect("no panic");
        lines.clone()
    }

    #[test]
    fn a9_lines_wait_for_the_end_of_locks() {
        static LOCK: Mutex<()> = Mutex::new(());
        let work = || {
            outside_locks(|| {
                let _held = LOCK.lock();
                outside_locks(|| warn(format_args!("inner")));
                warn(format_args!("outer"));
            });
        };
        let lines = lines_of(work, || assert!(LOCK.try_lock().is_ok(), "the logger runs without the lock"));
        assert_eq!(lines, ["inner", "outer"]);
    }

    #[test]
    fn a9_a_logger_may_warn_and_replace_itself() {
        let lines = lines_of(
            || warn(format_args!("line")),
            || {
                warn(format_args!("a line about a line"));
                set_logger(None);
            },
        );
        assert_eq!(lines, ["line"]);
    }

    #[test]
    fn a8_a_recurring_warning_is_written_once_a_second() {
        let warning = Recurring::new();
        let times = [0, 0, 1, 999, 1000, 1001, 1999, 5000, 5001, 6000];
        let admitted = times.map(|now| warning.admit(now));
        let expected = [Some(0), None, None, None, Some(3), None, None, Some(2), None, Some(1)];
        assert_eq!(admitted, expected);
    }
}
