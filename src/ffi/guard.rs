// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one way into the core: no panic gets past it.

use super::error::{ErrorSlot, remember_on_thread};
use crate::error::{Error, Result, Status};
use crate::log;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

/// What C holds a pointer to. It is counted, so that freeing it from inside one of its own callbacks is safe.
pub trait Handle: Sized {
    /// Where its last error is kept.
    fn last_error(&self) -> &ErrorSlot;

    /// The owner lets go of it. An operation that is still under way goes on in silence.
    fn let_go(&self) {}
}

/// Runs `body` in place of an exported function or a callback called `name`; a panic gives `fallback`.
///
/// Unwinding is safe to assert: the core's state is in cells that are replaced as a whole, and an operation that
/// unwinds lets go of what it holds.
pub fn guard<R>(name: &'static str, fallback: R, body: impl FnOnce() -> R) -> R {
    let body = || {
        #[cfg(test)]
        tests::panic_if_asked(name);
        body()
    };
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        log::warn(format_args!("{name}: a panic was caught; this is a defect, please report it"));
        fallback
    })
}

/// Runs the body of an exported function that has no handle. Its error is kept for the thread.
pub fn call(name: &'static str, body: impl FnOnce() -> Result<()>) -> Status {
    outcome(name, body).unwrap_or_else(|error| {
        let status = error.status();
        remember_on_thread(error);
        status
    })
}

/// The body's result, or the error that a panic is. That one is made only then: errors have a text, which is allocated.
fn outcome(name: &'static str, body: impl FnOnce() -> Result<()>) -> Result<Status> {
    let done = guard(name, None, || Some(body().map(|()| Status::Ok)));
    done.unwrap_or_else(|| Err(Error::new(Status::Internal, name)))
}

/// Runs the body of an exported function on a handle. Its error is kept with the handle.
///
/// # Safety
/// `handle` is null, or came from [`give`] and was not given to [`take_back`]; no other thread uses it.
pub unsafe fn call_on<H: Handle>(
    name: &'static str,
    handle: *const H,
    body: impl FnOnce(&H) -> Result<()>,
) -> Status {
    if handle.is_null() {
        return call(name, || Err(super::arguments::invalid("the handle is null")));
    }
    // SAFETY: the pointer came from Rc::into_raw and the count is at least one (the caller's promise). The clone keeps
    // the handle alive when the body's callbacks free it.
    let handle = unsafe {
        Rc::increment_strong_count(handle);
        Rc::from_raw(handle)
    };
    let status = outcome(name, || body(&handle)).unwrap_or_else(|error| {
        let status = error.status();
        handle.last_error().remember(error);
        status
    });
    // The last reference may be this one, and the program's release callback run with it.
    if Rc::strong_count(&handle) == 1 {
        guard(name, (), move || drop(handle));
    }
    status
}

/// Writes the answer to a question to `place`. It is asked with every datagram, calls nobody back and cannot fail, so
/// that the handle need not be held.
///
/// # Safety
/// As for [`call_on`]; `place` is null or writable.
pub unsafe fn ask<H: Handle, T>(
    name: &'static str,
    handle: *const H,
    place: *mut T,
    question: impl FnOnce(&H) -> T,
) -> Status {
    // SAFETY: null or live by the caller's promise.
    if let (Some(handle), Some(place)) = (unsafe { handle.as_ref() }, NonNull::new(place)) {
        if let Some(answer) = guard(name, None, || Some(question(handle))) {
            // SAFETY: writable by the caller's promise.
            unsafe { place.write(answer) };
            return Status::Ok;
        }
        handle.last_error().remember(Error::new(Status::Internal, name));
        return Status::Internal;
    }
    // SAFETY: passed on.
    unsafe { call_on(name, handle, |_| Err(super::arguments::invalid("an output pointer is null"))) }
}

/// Hands a new handle to C.
pub fn give<H: Handle>(handle: H) -> *mut H {
    Rc::into_raw(Rc::new(handle)).cast_mut()
}

/// Ends C's hold on a handle.
///
/// # Safety
/// As for [`call_on`]; the pointer is not used again.
pub unsafe fn take_back<H: Handle>(name: &'static str, handle: *mut H) {
    if let Some(handle) = NonNull::new(handle) {
        // SAFETY: the caller's promise.
        let handle = unsafe { Rc::from_raw(handle.as_ptr().cast_const()) };
        guard(name, (), move || handle.let_go());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static PANIC_IN: Cell<Option<&'static str>> = const { Cell::new(None) };
        static PANICS: Cell<u32> = const { Cell::new(0) };
    }

    /// Makes the guarded bodies of this name panic on this thread; `None` ends it.
    pub(crate) fn ask_for_panic(name: Option<&'static str>) {
        PANIC_IN.set(name);
        PANICS.set(0);
    }

    /// How many bodies have panicked since they were last asked to.
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
    fn a_panic_is_an_error() {
        ask_for_panic(Some("here"));
        assert_eq!(call("here", || Ok(())), Status::Internal);
        assert_eq!(call("elsewhere", || Ok(())), Status::Ok);
        assert_eq!(panics(), 1);
        ask_for_panic(None);
        assert_eq!(call("here", || Ok(())), Status::Ok);
    }
}
