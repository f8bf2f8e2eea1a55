// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datagram BIO (BIO_meth_new(3)): OpenSSL reads what was lent to a session's inbox and writes to its sink.
//!
//! Its functions are the `q_dgram_*` of `ffi::qt_callbacks`; here is what they mean.

use super::{Api, api, error_queue};
use crate::error::{Result, Status};
use crate::ffi::qt_callbacks as callbacks;
use crate::session::Session;
use openssl_sys::{BIO, BIO_METHOD};
use std::ffi::{c_int, c_long, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

/// bio.h: BIO_TYPE_SOURCE_SINK.
const SOURCE_SINK: c_int = 0x0400;
/// bio.h: BIO_FLAGS_RWS and BIO_FLAGS_SHOULD_RETRY.
const RETRY_FLAGS: c_int = 0x07 | 0x08;
/// bio.h: BIO_FLAGS_READ and BIO_FLAGS_SHOULD_RETRY.
const RETRY_READ: c_int = 0x01 | 0x08;

/// The commands of bio.h that a datagram BIO is given.
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
    pub const DGRAM_GET_MTU_OVERHEAD: c_int = 49;
    pub const DGRAM_SET_PEEK_MODE: c_int = 71;
}

struct Method {
    raw: NonNull<BIO_METHOD>,
    kind: c_int,
}

// SAFETY: a BIO_METHOD is not written after it was set up, and OpenSSL reads it from any thread.
unsafe impl Send for Method {}
// SAFETY: as above.
unsafe impl Sync for Method {}

/// One method for the whole process: BIOs refer to it for as long as they live.
static METHOD: OnceLock<Method> = OnceLock::new();

fn method(api: &'static Api) -> Result<&'static Method> {
    if let Some(method) = METHOD.get() {
        return Ok(method);
    }
    error_queue::clear(api);
    // SAFETY: no preconditions; -1 when there are no numbers left, which BIO_meth_new would not notice.
    let index = unsafe { (api.BIO_get_new_index)() };
    let kind = index | SOURCE_SINK;
    // SAFETY: the name is a C string, which OpenSSL copies.
    let raw = (index >= 0).then(|| unsafe { (api.BIO_meth_new)(kind, c"qdtls-rs datagram".as_ptr()) });
    let Some(raw) = raw.and_then(NonNull::new) else {
        return Err(error_queue::failure(Status::InitFailed, "BIO_meth_new"));
    };
    // SAFETY: `raw` is a method that nobody else knows yet. The callbacks have the types asked for and check what they
    // are given.
    unsafe {
        (api.BIO_meth_set_read)(raw.as_ptr(), callbacks::q_dgram_read);
        (api.BIO_meth_set_write)(raw.as_ptr(), callbacks::q_dgram_write);
        (api.BIO_meth_set_puts)(raw.as_ptr(), callbacks::q_dgram_puts);
        (api.BIO_meth_set_ctrl)(raw.as_ptr(), callbacks::q_dgram_ctrl);
        (api.BIO_meth_set_create)(raw.as_ptr(), callbacks::q_dgram_create);
        (api.BIO_meth_set_destroy)(raw.as_ptr(), callbacks::q_dgram_destroy);
    }
    let made = METHOD.get_or_init(|| Method { raw, kind });
    if made.raw != raw {
        // SAFETY: another thread was faster; this method was never used.
        unsafe { (api.BIO_meth_free)(raw.as_ptr()) };
    }
    Ok(made)
}

/// A new BIO of ours that belongs to no session yet.
pub fn create(api: &'static Api) -> Result<NonNull<BIO>> {
    let method = method(api)?;
    error_queue::clear(api);
    // SAFETY: the method lives as long as the process.
    let bio = unsafe { (api.BIO_new)(method.raw.as_ptr()) };
    NonNull::new(bio).ok_or_else(|| error_queue::failure(Status::InitFailed, "BIO_new"))
}

/// Whether `bio` was made by [`create`].
///
/// # Safety
/// `bio` is a live BIO.
pub unsafe fn is_ours(api: &Api, bio: NonNull<BIO>) -> bool {
    // SAFETY: the caller's promise.
    let kind = unsafe { (api.BIO_method_type)(bio.as_ptr()) };
    METHOD.get().is_some_and(|method| method.kind == kind)
}

/// Makes `bio` serve `session`, or nobody. A BIO that is not ours is left alone.
///
/// # Safety
/// `bio` is a live BIO, and it is made to serve nobody before the session is gone.
pub unsafe fn bind(api: &Api, bio: NonNull<BIO>, session: *const Session) {
    // SAFETY: the caller's promise; the data of a BIO of ours is always a session or null.
    unsafe {
        if is_ours(api, bio) {
            (api.BIO_set_data)(bio.as_ptr(), session.cast_mut().cast());
        }
    }
}

/// The session that `bio` serves, when it is ours and serves one.
///
/// # Safety
/// `bio` is null or a live BIO, and the reference is used up before the callback it was asked for in returns.
pub unsafe fn session_of<'a>(api: &Api, bio: *mut BIO) -> Option<&'a Session> {
    let bio = NonNull::new(bio)?;
    // SAFETY: not null, hence live by the caller's promise.
    if !unsafe { is_ours(api, bio) } {
        return None;
    }
    // SAFETY: the data of a BIO of ours is null or a session that `bind`'s caller keeps alive. While a callback runs
    // the operation that OpenSSL was called for holds the session too.
    unsafe { (api.BIO_get_data)(bio.as_ptr()).cast::<Session>().as_ref() }
}

/// Says that a read or write did not happen for want of data.
///
/// # Safety
/// `bio` is a live BIO of ours.
pub unsafe fn set_retry_read(api: &Api, bio: *mut BIO) {
    // SAFETY: the caller's promise.
    unsafe { (api.BIO_set_flags)(bio, RETRY_READ) };
}

/// BIO_clear_retry_flags(3).
///
/// # Safety
/// `bio` is a live BIO of ours.
pub unsafe fn clear_retry(api: &Api, bio: *mut BIO) {
    // SAFETY: the caller's promise.
    unsafe { (api.BIO_clear_flags)(bio, RETRY_FLAGS) };
}

/// BIO_set_init(3): the BIO can be used.
///
/// # Safety
/// `bio` is a live BIO.
pub unsafe fn set_initialised(api: &Api, bio: *mut BIO) {
    // SAFETY: the caller's promise.
    unsafe { (api.BIO_set_init)(bio, 1) };
}

/// Answers BIO_ctrl(3). 0 means "not supported", as OpenSSL expects of source/sink BIOs.
pub fn control(session: &Session, number: c_int, argument: c_long) -> c_long {
    match number {
        command::DGRAM_SET_PEEK_MODE => {
            session.inbox().set_peeking(argument != 0);
            1
        }
        command::DGRAM_GET_MTU_OVERHEAD => session.mtu_overhead().into(),
        command::DGRAM_GET_FALLBACK_MTU => session.payload_mtu().into(),
        // There is nothing to do: nothing is buffered, the socket is the caller's, the session knows its peer, and the
        // timer is asked for when it is needed.
        command::RESET
        | command::SET_CLOSE
        | command::FLUSH
        | command::DGRAM_CONNECT
        | command::DGRAM_SET_CONNECTED
        | command::DGRAM_SET_PEER
        | command::DGRAM_SET_NEXT_TIMEOUT
        | command::DGRAM_SET_DONT_FRAG => 1,
        _ => 0,
    }
}

/// Tells a datagram BIO that is not ours (BIO_s_datagram(3)) whom its socket is connected to.
///
/// # Safety
/// `bio` is a live BIO, and `address` holds a whole `struct sockaddr` of an IP family.
pub unsafe fn set_connected(bio: NonNull<BIO>, address: &[u8]) -> Result<()> {
    /// As long as sockaddr_storage, so longer than each member of the union that a BIO_ADDR is.
    #[repr(C, align(8))]
    struct Storage([u8; 128]);

    let api = api()?;
    let mut storage = Storage([0; 128]);
    for (place, byte) in storage.0.iter_mut().zip(address) {
        *place = *byte;
    }
    error_queue::clear(api);
    // SAFETY: the caller's promise about `bio`. OpenSSL reads the argument as a BIO_ADDR, which is a union of socket
    // addresses told apart by their family, and copies what the family calls for; all of that is in `storage`.
    let result = unsafe {
        (api.BIO_ctrl)(bio.as_ptr(), command::DGRAM_SET_CONNECTED, 0, (&raw mut storage).cast::<c_void>())
    };
    if result == 1 { Ok(()) } else { Err(error_queue::failure(Status::InitFailed, "BIO_ctrl_set_connected")) }
}
