// SPDX-License-Identifier: MIT OR Apache-2.0
//! Windows.

use super::mapping::Mapping;
use std::ffi::{CStr, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::NonNull;

/// Error numbers of a failed send under the names of errno(3): those of winsock2.h, and of winerror.h where Winsock has
/// none.
pub mod send_error {
    pub const EINTR: i32 = 10004;
    pub const EWOULDBLOCK: i32 = 10035;
    pub const EAGAIN: i32 = EWOULDBLOCK;
    pub const EALREADY: i32 = 10037;
    pub const ENOPROTOOPT: i32 = 10042;
    pub const EADDRNOTAVAIL: i32 = 10049;
    pub const ENETDOWN: i32 = 10050;
    pub const ENETUNREACH: i32 = 10051;
    pub const ENETRESET: i32 = 10052;
    pub const ECONNRESET: i32 = 10054;
    pub const ENOBUFS: i32 = 10055;
    pub const ECONNREFUSED: i32 = 10061;
    pub const EHOSTDOWN: i32 = 10064;
    pub const EHOSTUNREACH: i32 = 10065;
    /// ERROR_NOT_ENOUGH_MEMORY
    pub const ENOMEM: i32 = 8;
    /// ERROR_NETWORK_UNREACHABLE
    pub const ENONET: i32 = 1231;
    /// ERROR_PROTOCOL_UNREACHABLE
    pub const EPROTO: i32 = 1233;
    /// ERROR_ACCESS_DISABLED_BY_POLICY
    pub const EPERM: i32 = 1260;
}

/// The system's clock in microseconds since the Unix epoch, as OpenSSL's DTLS timer reads it: GetSystemTime counts
/// milliseconds, and changes with the system's ticks only.
pub fn wall_clock_us() -> u64 {
    let (mut now, mut tenths) = ([0; 8], [0; 2]);
    // SAFETY: both outputs are locals of the sizes of a SYSTEMTIME and a FILETIME, which consist of integers, and the
    // first is aligned like one. The second is only copied, in words.
    unsafe {
        GetSystemTime(&mut now);
        SystemTimeToFileTime(&now, &mut tenths);
    }
    let [low, high] = tenths.map(u64::from);
    ((high << 32 | low) / 10).saturating_sub(UNIX_EPOCH_US)
}

/// From 1601, where a FILETIME begins.
const UNIX_EPOCH_US: u64 = 11_644_473_600_000_000;

const MEM_COMMIT_RESERVE: u32 = 0x3000;
const MEM_RELEASE: u32 = 0x8000;
const PAGE_READWRITE: u32 = 0x04;
const FROM_ADDRESS_UNCHANGED_REFCOUNT: u32 = 0x4 | 0x2;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 23;

#[cfg_attr(windows, link(name = "kernel32"))]
unsafe extern "system" {
    fn GetSystemTime(now: *mut [u16; 8]);
    fn SystemTimeToFileTime(time: *const [u16; 8], file_time: *mut [u32; 2]) -> i32;
    fn VirtualAlloc(address: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualFree(address: *mut c_void, size: usize, kind: u32) -> i32;
    fn VirtualLock(address: *mut c_void, size: usize) -> i32;
    #[cfg(all(test, feature = "linked"))]
    fn GetCurrentThreadId() -> u32;
    fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    fn GetProcAddress(module: *mut c_void, name: *const std::ffi::c_char) -> *mut c_void;
}

/// Windows starts no program with the rights of another user.
pub fn has_other_rights() -> bool {
    false
}

/// Allocates `length` bytes that are not swapped. `None` if there is no memory. Windows cannot exclude pages from
/// minidumps.
pub fn map_locked(length: usize) -> Option<Mapping> {
    // SAFETY: a new reservation at an address that the system chooses does not affect existing memory.
    let start = unsafe { VirtualAlloc(std::ptr::null_mut(), length, MEM_COMMIT_RESERVE, PAGE_READWRITE) };
    let start = NonNull::new(start)?;
    // SAFETY: the range is the reservation made above; locking does not change its contents.
    let unswapped = unsafe { VirtualLock(start.as_ptr(), length) } != 0;
    Some(Mapping { start: start.cast(), unswapped, undumped: false })
}

/// Frees a reservation of [`map_locked`].
///
/// # Safety
/// `start` is the result of one `map_locked` call, and nothing points into the range any more.
pub unsafe fn unmap_locked(start: NonNull<u8>, _length: usize) {
    // SAFETY: by this function's contract a reservation without references into it starts there; MEM_RELEASE with
    // size 0 frees exactly that one.
    unsafe { VirtualFree(start.as_ptr().cast(), 0, MEM_RELEASE) };
}

/// The number of this thread, which is never 0.
#[cfg(all(test, feature = "linked"))]
pub fn thread_number() -> u64 {
    // SAFETY: no preconditions.
    unsafe { GetCurrentThreadId() }.into()
}

/// Registers `hook` to run when the process exits.
pub fn at_exit(hook: extern "C" fn()) {
    // SAFETY: `hook` is a function without arguments, as atexit requires.
    unsafe { libc::atexit(hook) };
}

/// A library that is loaded into this process.
pub struct Library {
    module: NonNull<c_void>,
}

impl Library {
    /// Finds the loaded library that contains `address`.
    pub fn containing(address: *const c_void) -> Option<Self> {
        module_of(address).map(|module| Self { module })
    }

    /// Finds a function of this library. GetProcAddress also returns one of another library to which this one forwards
    /// (A26).
    pub fn symbol(&self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the module stays loaded, because the program that attached it uses it; the name is a C string.
        let found = NonNull::new(unsafe { GetProcAddress(self.module.as_ptr(), name.as_ptr()) })?;
        (module_of(found.as_ptr().cast_const())? == self.module).then_some(found)
    }
}

/// The loaded library or program that contains `address`.
fn module_of(address: *const c_void) -> Option<NonNull<c_void>> {
    let mut module = std::ptr::null_mut();
    // SAFETY: with FROM_ADDRESS the second argument is an address that is not dereferenced; the output is a local.
    let found = unsafe { GetModuleHandleExW(FROM_ADDRESS_UNCHANGED_REFCOUNT, address, &mut module) };
    if found == 0 { None } else { NonNull::new(module) }
}

/// The sizes of a sockaddr_in and of a sockaddr_in6.
const SOCKADDR_IN: usize = 16;
const SOCKADDR_IN6: usize = 28;

/// Reads address, port and scope from the bytes of a `struct sockaddr`. `None` if they are too few for the family, or
/// the family is not an IP family.
pub fn socket_address(bytes: &[u8]) -> Option<(IpAddr, u16, u32)> {
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    match u16::from_ne_bytes(*family) {
        AF_INET if bytes.len() >= SOCKADDR_IN => {
            let (address, _) = rest.split_first_chunk::<4>()?;
            Some((Ipv4Addr::from(*address).into(), port, 0))
        }
        AF_INET6 if bytes.len() >= SOCKADDR_IN6 => {
            let (_flow, rest) = rest.split_first_chunk::<4>()?;
            let (address, rest) = rest.split_first_chunk::<16>()?;
            let (scope, _) = rest.split_first_chunk::<4>()?;
            Some((Ipv6Addr::from(*address).into(), port, u32::from_ne_bytes(*scope)))
        }
        _ => None,
    }
}
