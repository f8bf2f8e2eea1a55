// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handles, the objects that C holds pointers to, and running an exported function with or without one.

use super::arguments::{Out, OutSized, invalid};
use super::error::{ErrorSlot, qdtls_error, remember_on_thread, thread_error};
use crate::error::{Error, Result, Status};
use crate::log;
use crate::memory::{Rc, SharedPlace};
use crate::panic::guard;
use crate::peer::PeerAddress;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// An object that C holds a pointer to. Reference counting makes it safe to free it inside its own callbacks.
pub trait Handle: Sized {
    /// The place of its last error.
    fn last_error(&self) -> &ErrorSlot;

    /// The peer that events about it name.
    fn peer(&self) -> Option<PeerAddress> {
        None
    }

    /// Called when the owner frees the handle. A running operation completes but sends nothing.
    fn let_go(&self) {}
}

/// A handle in use. It outlives the call even if a callback frees it.
pub struct Held<H: Handle>(Rc<H>);

impl<H: Handle> Held<H> {
    /// Takes a reference to the handle; `None` for null.
    ///
    /// # Safety
    /// `handle` is null, or came from [`HandlePlace::give`] and was not given to [`take_back`]; no other thread uses it.
    #[inline]
    pub unsafe fn of(handle: *const H) -> Option<Self> {
        let handle = NonNull::new(handle.cast_mut())?;
        // SAFETY: not null, so by this function's contract the pointer came from Rc::into_raw in `HandlePlace::give`; the owner's
        // count is still held, and this one is not dropped.
        let owners = ManuallyDrop::new(unsafe { Rc::from_raw(handle) });
        Some(Self(Rc::clone(&owners)))
    }
}

/// Runs the body of an exported function without a handle. Stores an error for the thread.
pub fn call(name: &'static str, body: impl FnOnce() -> Result<()>) -> Status {
    outcome(name, body).unwrap_or_else(|error| {
        let status = error.status();
        report_missing_memory(&error, None);
        remember_on_thread(error);
        status
    })
}

/// Runs the body of an exported function on a handle. Stores an error in the handle.
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
    // If a callback freed the handle, this is the last reference: dropping it runs the program's release callback.
    if handle.owners() == 1 {
        guard(name, (), move || drop(handle));
    }
    status
}

/// Writes the answer to a query that cannot fail and runs no callbacks, so that the handle cannot be freed meanwhile.
#[inline]
pub fn ask<H: Handle, T>(
    name: &'static str,
    handle: Option<&H>,
    place: Out<T>,
    question: impl FnOnce(&H) -> T,
) -> Status {
    look_at(name, handle, |handle| {
        place.require()?.write(question(handle));
        Ok(())
    })
}

/// As [`ask`], with an answer that has several parts.
#[inline]
pub fn look_at<H: Handle>(
    name: &'static str,
    handle: Option<&H>,
    body: impl FnOnce(&H) -> Result<()>,
) -> Status {
    match handle {
        Some(handle) => run_on(name, handle, body),
        None => call(name, || Err(null_handle())),
    }
}

/// Writes the last error of a handle; that of the thread for null, which is where the error of a call on null is (E5).
pub fn write_last_error<H: Handle>(
    name: &'static str,
    handle: Option<&H>,
    error: OutSized<qdtls_error>,
) -> Status {
    let write = |last: qdtls_error| error.write(&last, size_of::<qdtls_error>());
    match handle {
        Some(handle) => run_on(name, handle, |handle| write(handle.last_error().read())),
        None => call(name, || write(thread_error())),
    }
}

#[inline]
fn run_on<H: Handle>(name: &'static str, handle: &H, body: impl FnOnce(&H) -> Result<()>) -> Status {
    outcome(name, || body(handle)).unwrap_or_else(|error| remember_in(handle, error))
}

#[cold]
fn remember_in<H: Handle>(handle: &H, error: Error) -> Status {
    let status = error.status();
    report_missing_memory(&error, handle.peer());
    handle.last_error().remember(error);
    status
}

/// The core has reported the other failures.
fn report_missing_memory(error: &Error, peer: Option<PeerAddress>) {
    if error.status() == Status::OutOfMemory {
        log::report_failure(error, peer);
    }
}

#[cold]
fn null_handle() -> Error {
    invalid("the handle is null")
}

/// Returns the body's result, or an internal error after a panic. The error is made only then, because that takes time.
#[inline]
fn outcome(name: &'static str, body: impl FnOnce() -> Result<()>) -> Result<Status> {
    let done = guard(name, None, || Some(body().map(|()| Status::Ok)));
    done.unwrap_or_else(|| Err(Error::new(Status::Internal, name)))
}

/// Memory for a handle, taken before anything is made that its creation must not lose.
pub struct HandlePlace<H>(SharedPlace<H, Cell<usize>>);

impl<H: Handle> HandlePlace<H> {
    /// Allocates it for the exported function `name`.
    pub fn new(name: &'static str) -> Result<Self> {
        Rc::place().map(Self).ok_or_else(|| Error::no_memory(name))
    }

    /// Passes a new handle to C, which owns it.
    pub fn give(self, handle: H) -> *mut H {
        self.0.fill(handle).into_raw().cast_mut()
    }
}

/// Takes a handle back from its owner.
///
/// # Safety
/// As for [`Held::of`]; the pointer is not used again.
pub unsafe fn take_back<H: Handle>(name: &'static str, handle: *mut H) {
    if let Some(handle) = NonNull::new(handle) {
        // SAFETY: not null, so by this function's contract the pointer came from Rc::into_raw in `HandlePlace::give` and is given
        // up once: this takes over the count that it left.
        let handle = unsafe { Rc::from_raw(handle) };
        guard(name, (), move || handle.let_go());
    }
}
