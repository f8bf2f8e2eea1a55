// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handles: what C holds pointers to, and how an exported function runs, with or without one.

use super::arguments::{Out, invalid};
use super::error::{ErrorSlot, remember_on_thread};
use crate::error::{Error, Result, Status};
use crate::panic::guard;
use std::ptr::NonNull;
use std::rc::Rc;

/// What C holds a pointer to. It is counted, so that freeing it from inside one of its own callbacks is safe.
pub trait Handle: Sized {
    /// Where its last error is kept.
    fn last_error(&self) -> &ErrorSlot;

    /// The owner lets go of it. A running operation completes but sends nothing.
    fn let_go(&self) {}
}

/// A handle in use: it outlives the call, even when a callback frees it.
pub struct Held<H: Handle>(Rc<H>);

impl<H: Handle> Held<H> {
    /// `None` for null.
    ///
    /// # Safety
    /// `handle` is null, or came from [`give`] and was not given to [`take_back`]; no other thread uses it.
    #[inline]
    pub unsafe fn of(handle: *const H) -> Option<Self> {
        if handle.is_null() {
            return None;
        }
        // SAFETY: the pointer came from Rc::into_raw, and the owner's count is still in it (the caller's promise).
        unsafe { Rc::increment_strong_count(handle) };
        // SAFETY: as above; the count that this takes over was added just now.
        Some(Self(unsafe { Rc::from_raw(handle) }))
    }
}

/// Runs the body of an exported function that has no handle. Its error is kept for the thread.
pub fn call(name: &'static str, body: impl FnOnce() -> Result<()>) -> Status {
    outcome(name, body).unwrap_or_else(|error| {
        let status = error.status();
        remember_on_thread(error);
        status
    })
}

/// Runs the body of an exported function on a handle. Its error is kept with the handle.
#[inline]
pub fn call_on<H: Handle>(
    name: &'static str,
    handle: Option<Held<H>>,
    body: impl FnOnce(&H) -> Result<()>,
) -> Status {
    let Some(Held(handle)) = handle else {
        return call(name, || Err(null_handle()));
    };
    let status = run_on(name, &*handle, body);
    // The last reference may be this one, and the program's release callback run with it.
    if Rc::strong_count(&handle) == 1 {
        guard(name, (), move || drop(handle));
    }
    status
}

/// Writes the answer to a question that cannot fail, and calls nobody back who could free the handle.
#[inline]
pub fn ask<H: Handle, T>(
    name: &'static str,
    handle: Option<&H>,
    place: Out<T>,
    question: impl FnOnce(&H) -> T,
) -> Status {
    let Some(handle) = handle else {
        return call(name, || Err(null_handle()));
    };
    run_on(name, handle, |handle| {
        place.require()?.write(question(handle));
        Ok(())
    })
}

#[inline]
fn run_on<H: Handle>(name: &'static str, handle: &H, body: impl FnOnce(&H) -> Result<()>) -> Status {
    outcome(name, || body(handle)).unwrap_or_else(|error| {
        let status = error.status();
        handle.last_error().remember(error);
        status
    })
}

#[cold]
fn null_handle() -> Error {
    invalid("the handle is null")
}

/// The body's result, or the error that a panic is. That one is made only then: errors have a text, which is allocated.
#[inline]
fn outcome(name: &'static str, body: impl FnOnce() -> Result<()>) -> Result<Status> {
    let done = guard(name, None, || Some(body().map(|()| Status::Ok)));
    done.unwrap_or_else(|| Err(Error::new(Status::Internal, name)))
}

/// Hands a new handle to C.
pub fn give<H: Handle>(handle: H) -> *mut H {
    Rc::into_raw(Rc::new(handle)).cast_mut()
}

/// Ends C's hold on a handle.
///
/// # Safety
/// As for [`Held::of`]; the pointer is not used again.
pub unsafe fn take_back<H: Handle>(name: &'static str, handle: *mut H) {
    if let Some(handle) = NonNull::new(handle) {
        // SAFETY: the pointer came from Rc::into_raw in `give`, whose count this takes over, once (the caller's promise).
        let handle = unsafe { Rc::from_raw(handle.as_ptr().cast_const()) };
        guard(name, (), move || handle.let_go());
    }
}
