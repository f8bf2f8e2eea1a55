// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events in C's form.

use super::address::qdtls_address;
use super::arguments::invalid;
use super::handle::call;
use crate::error::{Error, Result, Status};
use crate::log::{self, Event, Level, Listener};
use crate::memory::{self, Arc};
use crate::text::Text;
use std::ffi::{c_char, c_void};
use std::ptr;

/// The size of an event in one line, with its zero byte.
const LINE_LENGTH: usize = 512;

/// An event. All pointers are valid during the call of the handler. The texts are null-terminated UTF-8 without a line
/// end or another control character, and never contain a secret.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_event {
    /// `sizeof(qdtls_event)` of the library: a later version may have more members.
    pub size: usize,
    /// The `qdtls_level`.
    pub level: i32,
    /// The `qdtls_event_kind`.
    pub kind: i32,
    /// The operation; an OpenSSL function where one failed.
    pub operation: *const c_char,
    /// The peer, or null where there is none.
    pub peer: *const qdtls_address,
    /// The reason.
    pub reason: *const c_char,
    /// How many events of this kind the limit has left out since the last one.
    pub suppressed: u64,
    /// All of it in one line, for a log.
    pub line: *const c_char,
}

/// Sets the process-wide handler of events, which receives those of a `qdtls_level` and of all that matter more; null,
/// the default, discards them. It takes the place of the one of `qdtls_set_logger`. `user` is its first argument.
///
/// The handler is called on any thread that calls the library, several at a time, and outside of the library's locks. It
/// may call the library, also this function, as a callback of the running operation may; events that it causes are
/// discarded. It must not throw or longjmp. Of each kind few are passed on in a second: 1 of an error or a warning, 8 of the
/// others, 16 of `QDTLS_EVENT_KIND_BAD_SETTING`; `suppressed` counts the rest.
///
/// `QDTLS_STATUS_INVALID_ARGUMENT`: the level is unknown. `QDTLS_STATUS_OUT_OF_MEMORY`: the previous handler stays.
///
/// # Safety
/// `handler` is null or can be called with `user` on any thread until another one is set and all calls of the library that
/// began before have returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_set_event_handler(
    handler: Option<unsafe extern "C" fn(user: *mut c_void, event: *const qdtls_event)>,
    user: *mut c_void,
    level: i32,
) -> Status {
    let user = User(user);
    call("qdtls_set_event_handler", || {
        let level = Level::of(level).ok_or_else(|| invalid("no level has this number"))?;
        let listener = handler.map(|handler| {
            listener("qdtls_set_event_handler", move |event| {
                with_c_form(event, |event| {
                    // SAFETY: callable with `user` on any thread, also for a call that began before it was replaced, by the
                    // contract of `qdtls_set_event_handler`. The event outlives the call.
                    unsafe { handler(user.get(), event) };
                });
            })
        });
        log::set_listener(listener.transpose()?.map(|listener| (listener, level)));
        Ok(())
    })
}

/// Sets the process-wide function that receives warnings and errors; null, the default, discards them. A warning is one
/// null-terminated line of UTF-8 without a line end, valid during the call; it never contains a secret. It is the `line` of
/// a `qdtls_event`, whose handler this function takes the place of, and the rules for threads and calls are the same
/// (`qdtls_set_event_handler`).
///
/// # Safety
/// `logger` is null or can be called on any thread until another one is set and all calls of the library that began
/// before have returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_set_logger(
    logger: Option<unsafe extern "C" fn(line: *const c_char)>,
) -> Status {
    call("qdtls_set_logger", || {
        let listener = logger.map(|logger| {
            listener("qdtls_set_logger", move |event| {
                let line = Text::<LINE_LENGTH>::of(event);
                // SAFETY: callable on any thread, also for a call that began before it was replaced, by the contract of
                // `qdtls_set_logger`. The line is a C string that outlives the call.
                unsafe { logger(line.as_c_str().as_ptr()) };
            })
        });
        log::set_listener(listener.transpose()?.map(|listener| (listener, Level::Warning)));
        Ok(())
    })
}

fn listener(name: &'static str, receive: impl Fn(&Event) + Send + Sync + 'static) -> Result<Listener> {
    let no_memory = || Error::no_memory(name);
    let receive: Box<dyn Fn(&Event) + Send + Sync> = memory::boxed(receive).map_err(|_| no_memory())?;
    Arc::new(receive).map_err(|_| no_memory())
}

fn with_c_form(event: &Event, receive: impl FnOnce(&qdtls_event)) {
    let operation = Text::<64>::of(event.operation);
    let line = Text::<LINE_LENGTH>::of(event);
    let peer = event.peer.map(qdtls_address::from);
    receive(&qdtls_event {
        size: size_of::<qdtls_event>(),
        level: event.level() as i32,
        kind: event.kind as i32,
        operation: operation.as_c_str().as_ptr(),
        peer: peer.as_ref().map_or(ptr::null(), ptr::from_ref),
        reason: event.reason.as_c_str().as_ptr(),
        suppressed: event.left_out,
        line: line.as_c_str().as_ptr(),
    });
}

/// The program's pointer, which the library only passes on.
#[derive(Clone, Copy)]
struct User(*mut c_void);

impl User {
    fn get(self) -> *mut c_void {
        self.0
    }
}

// SAFETY: the handler can be called with the pointer on any thread (the contract of `qdtls_set_event_handler`).
unsafe impl Send for User {}
// SAFETY: the program's pointer is only passed to its handler, which it allows on any thread, several at a time (the
// contract of `qdtls_set_event_handler`).
unsafe impl Sync for User {}
