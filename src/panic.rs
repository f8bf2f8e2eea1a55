// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard around every function that C calls: it stops panics.

#![forbid(unsafe_code)]

use crate::log::{self, Kind};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body` for an exported function or callback called `name`. Returns `fallback` after a panic.
///
/// `AssertUnwindSafe` is justified: the core's state is in cells that are replaced as a whole, and an operation that
/// unwinds releases its resources.
#[inline]
pub fn guard<R>(name: &'static str, fallback: R, body: impl FnOnce() -> R) -> R {
    let body = || {
        #[cfg(test)]
        tests::panic_if_asked(name);
        body()
    };
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(_) => {
            report(name);
            fallback
        }
    }
}

#[cold]
fn report(name: &'static str) {
    log::report(
        Kind::PanicCaught,
        None,
        name,
        format_args!("a panic was caught; this is a defect, please report it"),
    );
}

#[cfg(test)]
pub(crate) mod tests {
    use super::guard;
    use std::cell::Cell;

    thread_local! {
        static PANIC_IN: Cell<Option<&'static str>> = const { Cell::new(None) };
        static PANICS: Cell<u32> = const { Cell::new(0) };
    }

    /// Makes the guarded bodies of this name panic on this thread; `None` stops that.
    pub(crate) fn ask_for_panic(name: Option<&'static str>) {
        PANIC_IN.set(name);
        PANICS.set(0);
    }

    /// The number of bodies that have panicked since the last [`ask_for_panic`].
    pub(crate) fn panics() -> u32 {
        PANICS.get()
    }

    pub(super) fn panic_if_asked(name: &'static str) {
        if PANIC_IN.get() == Some(name) {
            PANICS.set(PANICS.get() + 1);
            panic!("a panic was asked for in {name}");
        }
    }

    #[test]
    fn a_panic_gives_the_fallback() {
        ask_for_panic(Some("here"));
        assert_eq!(guard("here", 7, || 1), 7);
        assert_eq!(guard("elsewhere", 7, || 1), 1);
        assert_eq!(panics(), 1);
        ask_for_panic(None);
        assert_eq!(guard("here", 7, || 1), 1);
    }
}
