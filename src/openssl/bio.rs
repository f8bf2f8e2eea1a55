// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datagram BIO (BIO_meth_new(3)): OpenSSL reads records from the running operation and writes datagrams that it
//! sends. The functions have the names that they have in Qt.

use super::events::{Stage, refuse};
use super::{Api, api, error_queue};
use crate::error::{Result, Status};
use crate::panic::guard;
use openssl_sys::{BIO, BIO_METHOD, SSL};
use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

/// bio.h: BIO_TYPE_SOURCE_SINK.
const SOURCE_SINK: c_int = 0x0400;
/// The MTU that OpenSSL gets: twice the longest record, so that it hands over whole messages, or parts of them whose
/// length depends on nothing that it has written before. `wire/flight.rs` cuts them.
pub const OPENSSL_MTU: c_long = 1 << 15;
/// bio.h: BIO_FLAGS_RWS and BIO_FLAGS_SHOULD_RETRY.
const RETRY_FLAGS: c_int = 0x07 | 0x08;
/// bio.h: BIO_FLAGS_READ and BIO_FLAGS_SHOULD_RETRY.
const RETRY_READ: c_int = 0x01 | 0x08;
/// bio.h: BIO_FLAGS_WRITE and BIO_FLAGS_SHOULD_RETRY.
const RETRY_WRITE: c_int = 0x02 | 0x08;

/// The commands of bio.h that OpenSSL sends to a datagram BIO.
mod command {
    use std::ffi::c_int;
    pub const RESET: c_int = 1;
    pub const SET_CLOSE: c_int = 9;
    pub const FLUSH: c_int = 11;
    pub const DGRAM_CONNECT: c_int = 31;
    pub const DGRAM_SET_CONNECTED: c_int = 32;
    pub const DGRAM_GET_FALLBACK_MTU: c_int = 47;
    pub const DGRAM_SET_PEER: c_int = 44;
    pub const DGRAM_SET_NEXT_TIMEOUT: c_int = 45;
    pub const DGRAM_SET_DONT_FRAG: c_int = 48;
    pub const DGRAM_SET_PEEK_MODE: c_int = 71;
}

struct Method {
    raw: NonNull<BIO_METHOD>,
    kind: c_int,
    api: &'static Api,
}

// SAFETY: `method` sets a BIO_METHOD up before it makes this value, and no code writes it afterwards. It is not bound
// to the thread that made it.
unsafe impl Send for Method {}
// SAFETY: no code writes the BIO_METHOD after its setup, so threads that share it only read.
unsafe impl Sync for Method {}

/// One method for the whole process. It is never freed, because BIOs refer to it.
static METHOD: OnceLock<Method> = OnceLock::new();

fn method(api: &'static Api) -> Result<&'static Method> {
    if let Some(method) = METHOD.get() {
        return Ok(method);
    }
    error_queue::clear(api);
    // SAFETY: no preconditions. The result is -1 if no numbers are left, which BIO_meth_new does not detect.
    let index = unsafe { (api.BIO_get_new_index)() };
    let kind = index | SOURCE_SINK;
    // SAFETY: the name is a C string, which OpenSSL copies.
    let raw = (index >= 0).then(|| unsafe { (api.BIO_meth_new)(kind, c"qdtls-rs datagram".as_ptr()) });
    let Some(raw) = raw.and_then(NonNull::new) else {
        return Err(error_queue::failure(Status::InitFailed, "BIO_meth_new"));
    };
    // SAFETY: `raw` was made above and is not shared yet. The callbacks have the types of BIO_meth_new(3) and check
    // their arguments.
    unsafe {
        (api.BIO_meth_set_read_ex)(raw.as_ptr(), read);
        (api.BIO_meth_set_write_ex)(raw.as_ptr(), write);
        (api.BIO_meth_set_puts)(raw.as_ptr(), puts);
        (api.BIO_meth_set_ctrl)(raw.as_ptr(), ctrl);
        (api.BIO_meth_set_create)(raw.as_ptr(), q_dgram_create);
        (api.BIO_meth_set_destroy)(raw.as_ptr(), q_dgram_destroy);
    }
    let made = METHOD.get_or_init(|| Method { raw, kind, api });
    if made.raw != raw {
        // SAFETY: another thread stored its method first, so this one was never shared and no BIO refers to it.
        unsafe { (api.BIO_meth_free)(raw.as_ptr()) };
    }
    Ok(made)
}

/// Creates a BIO that serves the operations of `stage`. [`unbind`] must detach it before the stage is dropped.
pub fn create(api: &'static Api, stage: &Stage) -> Result<NonNull<BIO>> {
    let method = method(api)?;
    error_queue::clear(api);
    // SAFETY: `method` returned a method that was set up and is never freed.
    let bio = unsafe { (api.BIO_new)(method.raw.as_ptr()) };
    let bio = NonNull::new(bio).ok_or_else(|| error_queue::failure(Status::InitFailed, "BIO_new"))?;
    // SAFETY: live: made above and not shared yet. The data of this library's BIOs is a pointer to a stage.
    unsafe { (api.BIO_set_data)(bio.as_ptr(), ptr::from_ref(stage).cast_mut().cast()) };
    Ok(bio)
}

/// Detaches the BIO of an `SSL` from its stage, if [`create`] made it.
pub fn unbind(api: &Api, ssl: NonNull<SSL>) {
    // SAFETY: the caller, the `Drop` of `Ssl`, owns the SSL, so it is live. The result is null or a BIO that it owns.
    let bio = unsafe { (api.SSL_get_rbio)(ssl.as_ptr()) };
    // SAFETY: null, or live because the live SSL owns it.
    if let Some(bio) = unsafe { recognise(api, bio) } {
        // SAFETY: live, and of this library's method, for which null is valid data.
        unsafe { (api.BIO_set_data)(bio.as_ptr(), ptr::null_mut()) };
    }
}

/// Returns the BIO if it has this library's method.
///
/// # Safety
/// `bio` is null or live.
#[inline]
unsafe fn recognise(api: &Api, bio: *mut BIO) -> Option<NonNull<BIO>> {
    let bio = NonNull::new(bio)?;
    // SAFETY: not null, hence live (this function's contract).
    let kind = unsafe { (api.BIO_method_type)(bio.as_ptr()) };
    METHOD.get().is_some_and(|method| method.kind == kind).then_some(bio)
}

/// Returns whether this library made `bio`.
///
/// # Safety
/// `bio` is null or live.
pub unsafe fn is_ours(api: &Api, bio: *mut BIO) -> bool {
    // SAFETY: null or live, by this function's contract.
    unsafe { recognise(api, bio) }.is_some()
}

/// Returns the stage that `bio` serves, if this library made it.
///
/// # Safety
/// `bio` is null or live. The reference is not used after the callback that requested it has returned.
pub(super) unsafe fn stage_of<'a>(api: &Api, bio: *mut BIO) -> Option<&'a Stage> {
    // SAFETY: null or live, by this function's contract.
    let bio = unsafe { recognise(api, bio) }?;
    // SAFETY: not null, hence live; `recognise` checked its method. The callback's limit is this function's contract
    // too.
    unsafe { stage(api, bio.as_ptr()) }
}

/// Returns the stage that a BIO of this library serves.
///
/// # Safety
/// `bio` is live and has this library's method. The reference is not used after the callback that requested it has
/// returned.
#[inline]
unsafe fn stage<'a>(api: &Api, bio: *mut BIO) -> Option<&'a Stage> {
    // SAFETY: the data of such a BIO is null or the stage of the `Ssl` that owns it (`create`). The `Ssl` removes it
    // before the stage is dropped (`unbind`), and the operation that called OpenSSL keeps the `Ssl` while a callback
    // runs.
    unsafe { (api.BIO_get_data)(bio).cast::<Stage>().as_ref() }
}

/// Reads the next record of the running operation's datagram into `buffer` (BIO_read_ex(3)). Returns 1 and writes the
/// record's length to `count`, or returns -1 and sets the retry flag if there is no record or no operation. A record that
/// does not fit is truncated, like a datagram of recv(2).
///
/// # Safety
/// `bio` is live and has this library's method; `buffer` is null or writable for `capacity` bytes; `count` is writable.
unsafe extern "C" fn read(bio: *mut BIO, buffer: *mut c_char, capacity: usize, count: *mut usize) -> c_int {
    const NAME: &str = "q_dgram_read";
    guard(NAME, -1, || {
        if capacity == 0 || buffer.is_null() {
            return refuse(-1, NAME, "the buffer is null or empty");
        }
        let copy = |record: &[u8]| {
            let length = record.len().min(capacity);
            // SAFETY: `length` is at most the record's length and the capacity that this function's contract gives.
            // OpenSSL's buffer does not overlap the caller's datagram.
            unsafe { ptr::copy_nonoverlapping(record.as_ptr(), buffer.cast(), length) };
            // SAFETY: writable, by this function's contract.
            unsafe { *count = length };
        };
        let Some(Method { api, .. }) = METHOD.get() else {
            return -1;
        };
        // SAFETY: live and of this library's method, by this function's contract.
        let stage = unsafe { stage(api, bio) };
        let copied = stage.and_then(|stage| stage.ask(|events| events.next_record().map(copy))).flatten();
        let (result, flags) = if copied.is_some() { (1, 0) } else { (-1, RETRY_READ) };
        // SAFETY: live and of this library's method, by this function's contract.
        unsafe { set_retry(api, bio, flags) };
        result
    })
}

/// Passes what OpenSSL writes to the running operation (BIO_write_ex(3)). Returns 1 and writes its length to `count`, or
/// returns -1 and sets the retry flag if there is no operation.
///
/// # Safety
/// `bio` is live and has this library's method; `datagram` is null or readable for `length` bytes; `count` is writable.
unsafe extern "C" fn write(
    bio: *mut BIO,
    datagram: *const c_char,
    length: usize,
    count: *mut usize,
) -> c_int {
    const NAME: &str = "q_dgram_write";
    guard(NAME, -1, || {
        if length == 0 || datagram.is_null() {
            return refuse(-1, NAME, "the datagram is null or empty");
        }
        // SAFETY: not null, hence readable for its length during this call (this function's contract).
        let bytes = unsafe { std::slice::from_raw_parts(datagram.cast(), length) };
        let Some(Method { api, .. }) = METHOD.get() else {
            return -1;
        };
        // SAFETY: live and of this library's method, by this function's contract.
        let stage = unsafe { stage(api, bio) };
        match stage.and_then(|stage| stage.ask(|events| events.send(bytes))) {
            Some(()) => {
                // SAFETY: writable, by this function's contract.
                unsafe { *count = length };
                1
            }
            None => {
                // SAFETY: live and of this library's method, by this function's contract.
                unsafe { set_retry(api, bio, RETRY_WRITE) };
                -1
            }
        }
    })
}

/// Sends a C string as one datagram (BIO_puts(3)).
///
/// # Safety
/// `bio` is live and has this library's method; `text` is null or a C string.
unsafe extern "C" fn puts(bio: *mut BIO, text: *const c_char) -> c_int {
    const NAME: &str = "q_dgram_puts";
    guard(NAME, -1, || {
        if text.is_null() {
            return refuse(-1, NAME, "the text is null");
        }
        // SAFETY: not null, hence a C string (this function's contract).
        let length = unsafe { CStr::from_ptr(text) }.count_bytes();
        // SAFETY: live and of this library's method, by this function's contract; the text is readable for the length
        // that was just counted.
        counted(length, |length, count| unsafe { write(bio, text, length, count) })
    })
}

/// Executes a command of OpenSSL (BIO_ctrl(3)); 0 means "not supported".
///
/// # Safety
/// `bio` is live and has this library's method. `_pointer` is not used.
unsafe extern "C" fn ctrl(bio: *mut BIO, number: c_int, argument: c_long, _pointer: *mut c_void) -> c_long {
    guard("q_dgram_ctrl", 0, || match number {
        // Nothing to do: the BIO buffers nothing, the program owns the socket, the association knows its peer, and
        // the library queries the timer when it needs it.
        command::FLUSH
        | command::RESET
        | command::SET_CLOSE
        | command::DGRAM_CONNECT
        | command::DGRAM_SET_CONNECTED
        | command::DGRAM_SET_PEER
        | command::DGRAM_SET_NEXT_TIMEOUT
        | command::DGRAM_SET_DONT_FRAG => 1,
        command::DGRAM_GET_FALLBACK_MTU => OPENSSL_MTU,
        command::DGRAM_SET_PEEK_MODE => {
            // SAFETY: live and of this library's method, by this function's contract.
            let stage = METHOD.get().and_then(|method| unsafe { stage(method.api, bio) });
            stage.and_then(|stage| stage.ask(|events| events.set_peeking(argument != 0))).map_or(0, |()| 1)
        }
        _ => 0,
    })
}

/// A length of C, 0 for a negative one.
fn bytes(length: c_int) -> usize {
    usize::try_from(length).unwrap_or(0)
}

/// Calls a function of the form of BIO_read_ex(3) and returns what BIO_read(3) would.
fn counted(length: usize, call: impl FnOnce(usize, *mut usize) -> c_int) -> c_int {
    let mut count = 0;
    match call(length, &raw mut count) {
        1 => c_int::try_from(count).unwrap_or(c_int::MAX),
        failure => failure,
    }
}

/// BIO_read(3) for a datagram BIO of this library; -1 for any other BIO.
///
/// # Safety
/// `bio` is null or live; `buffer` is null or writable for `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_read(bio: *mut BIO, buffer: *mut c_char, capacity: c_int) -> c_int {
    // SAFETY: null or live, by this function's contract.
    match unsafe { require("q_dgram_read", bio) } {
        // SAFETY: `require` checked null and method; the rest is this function's contract: live, and a valid buffer.
        true => counted(bytes(capacity), |capacity, count| unsafe { read(bio, buffer, capacity, count) }),
        false => -1,
    }
}

/// BIO_write(3) for a datagram BIO of this library; -1 for any other BIO.
///
/// # Safety
/// `bio` is null or live; `datagram` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_write(bio: *mut BIO, datagram: *const c_char, length: c_int) -> c_int {
    // SAFETY: null or live, by this function's contract.
    match unsafe { require("q_dgram_write", bio) } {
        // SAFETY: `require` checked null and method; the rest is this function's contract: live, and a valid
        // datagram.
        true => counted(bytes(length), |length, count| unsafe { write(bio, datagram, length, count) }),
        false => -1,
    }
}

/// BIO_puts(3) for a datagram BIO of this library; -1 for any other BIO.
///
/// # Safety
/// `bio` is null or live; `text` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_puts(bio: *mut BIO, text: *const c_char) -> c_int {
    // SAFETY: null or live, by this function's contract.
    match unsafe { require("q_dgram_puts", bio) } {
        // SAFETY: `require` checked null and method; the rest is this function's contract: live, and a valid text.
        true => unsafe { puts(bio, text) },
        false => -1,
    }
}

/// BIO_ctrl(3) for a datagram BIO of this library; 0 for any other BIO.
///
/// # Safety
/// `bio` is null or live. `pointer` is not used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_ctrl(
    bio: *mut BIO,
    command: c_int,
    number: c_long,
    pointer: *mut c_void,
) -> c_long {
    // SAFETY: null or live, by this function's contract.
    match unsafe { require("q_dgram_ctrl", bio) } {
        // SAFETY: `require` checked null and method; it is live by this function's contract.
        true => unsafe { ctrl(bio, command, number, pointer) },
        false => 0,
    }
}

/// Returns whether this library made a BIO, and logs if not.
///
/// # Safety
/// `bio` is null or live.
unsafe fn require(callback: &'static str, bio: *mut BIO) -> bool {
    guard(callback, false, || {
        // SAFETY: null or live, by this function's contract.
        let ours = api().is_ok_and(|api| unsafe { is_ours(api, bio) });
        ours || refuse(false, callback, "the BIO does not belong to a connection of this library")
    })
}

/// Initialises a new BIO (BIO_meth_set_create(3)).
///
/// # Safety
/// `bio` is null or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_create(bio: *mut BIO) -> c_int {
    const NAME: &str = "q_dgram_create";
    guard(NAME, 0, || match api() {
        Ok(api) if !bio.is_null() => {
            // SAFETY: not null, hence live (this function's contract).
            unsafe { (api.BIO_set_init)(bio, 1) };
            1
        }
        _ => refuse(0, NAME, "the BIO is null"),
    })
}

/// Destroys a BIO (BIO_meth_set_destroy(3)). It owns nothing, so there is nothing to free.
///
/// # Safety
/// `bio` is null or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_destroy(bio: *mut BIO) -> c_int {
    c_int::from(!bio.is_null())
}

/// Sets the retry flags of the current call (BIO_set_retry_read(3)); 0 after success.
///
/// # Safety
/// `bio` is live.
#[inline]
unsafe fn set_retry(api: &Api, bio: *mut BIO, flags: c_int) {
    // SAFETY: both only need a live BIO, which is this function's contract.
    unsafe {
        (api.BIO_clear_flags)(bio, RETRY_FLAGS);
        if flags != 0 {
            (api.BIO_set_flags)(bio, flags);
        }
    }
}

/// Sets the connected peer of a datagram BIO that is not this library's (BIO_s_datagram(3)).
///
/// # Safety
/// `bio` is a live BIO, and `address` holds a whole `struct sockaddr` of an IP family.
pub unsafe fn set_connected(bio: NonNull<BIO>, address: &[u8]) -> Result<()> {
    /// As large as sockaddr_storage, hence larger than every member of the union BIO_ADDR.
    #[repr(C, align(8))]
    struct Storage([u8; 128]);

    let api = api()?;
    let mut storage = Storage([0; 128]);
    for (place, byte) in storage.0.iter_mut().zip(address) {
        *place = *byte;
    }
    error_queue::clear(api);
    // SAFETY: the BIO is live by this function's contract. OpenSSL reads the argument as a BIO_ADDR, a union of
    // socket addresses, and copies the member that the family selects. `storage` is larger than each, aligned, and
    // zeroed.
    let result = unsafe {
        (api.BIO_ctrl)(bio.as_ptr(), command::DGRAM_SET_CONNECTED, 0, (&raw mut storage).cast::<c_void>())
    };
    if result == 1 { Ok(()) } else { Err(error_queue::failure(Status::InitFailed, "BIO_ctrl_set_connected")) }
}
