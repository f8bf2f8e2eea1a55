// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random numbers and a clock that depend on the thread's earlier calls alone, for OpenSSL and the library.

use std::cell::Cell;
use std::ffi::{c_double, c_int, c_void};
use std::sync::Once;

/// 2027-01-15, in microseconds.
const START: u64 = 1_800_000_000_000_000;

thread_local! {
    static RANDOM: Cell<u64> = const { Cell::new(0) };
    static NOW: Cell<u64> = const { Cell::new(START) };
}

/// OpenSSL's `RAND_METHOD`.
#[repr(C)]
struct RandMethod {
    seed: Option<extern "C" fn(*const c_void, c_int) -> c_int>,
    bytes: Option<unsafe extern "C" fn(*mut u8, c_int) -> c_int>,
    cleanup: Option<extern "C" fn()>,
    add: Option<extern "C" fn(*const c_void, c_int, c_double) -> c_int>,
    pseudorand: Option<unsafe extern "C" fn(*mut u8, c_int) -> c_int>,
    status: Option<extern "C" fn() -> c_int>,
}

unsafe extern "C" {
    fn RAND_set_rand_method(method: *const RandMethod) -> c_int;
}

/// Begins a run: sets random numbers and clock back.
pub fn restart() {
    static METHOD: RandMethod = RandMethod {
        seed: None,
        bytes: Some(fill),
        cleanup: None,
        add: None,
        pseudorand: Some(fill),
        status: Some(is_ready),
    };
    static ONCE: Once = Once::new();
    // SAFETY: the method is static, and its functions can be called on any thread.
    ONCE.call_once(|| assert_eq!(unsafe { RAND_set_rand_method(&METHOD) }, 1));
    RANDOM.set(0);
    NOW.set(START);
}

/// Lets time pass on this thread.
pub fn pass(microseconds: u64) {
    NOW.set(NOW.get() + microseconds);
}

extern "C" fn is_ready() -> c_int {
    1
}

/// # Safety
/// `bytes` is writable for `length` bytes.
unsafe extern "C" fn fill(bytes: *mut u8, length: c_int) -> c_int {
    for place in 0..usize::try_from(length).unwrap_or(0) {
        // SAFETY: within the length that the caller has promised.
        unsafe { *bytes.add(place) = next() };
    }
    1
}

/// splitmix64.
fn next() -> u8 {
    let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed >> 56) as u8
}

/// Takes the place of the C library's function for OpenSSL and the library, which time retransmissions by it.
///
/// # Safety
/// `time` is null or writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(time: *mut libc::timeval, _: *mut c_void) -> c_int {
    let now = NOW.get();
    if !time.is_null() {
        let value = libc::timeval {
            tv_sec: (now / 1_000_000) as libc::time_t,
            tv_usec: (now % 1_000_000) as libc::suseconds_t,
        };
        // SAFETY: not null, so writable (this function's contract).
        unsafe { time.write(value) };
    }
    0
}

/// The same for OpenSSL of 32-bit systems whose C library has 64-bit time (A19).
///
/// # Safety
/// As for `gettimeofday`.
#[cfg(target_pointer_width = "32")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __gettimeofday64(time: *mut [u64; 2], _: *mut c_void) -> c_int {
    let now = NOW.get();
    if !time.is_null() {
        // SAFETY: not null, so writable (this function's contract).
        unsafe { time.write([now / 1_000_000, now % 1_000_000]) };
    }
    0
}
