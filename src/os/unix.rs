// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX.

use super::mapping::Mapping;
use std::ffi::{CStr, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::NonNull;

/// Error numbers of a failed send (errno(3)).
pub mod send_error {
    pub use libc::{
        EADDRNOTAVAIL, EAGAIN, EALREADY, ECONNREFUSED, ECONNRESET, EHOSTDOWN, EHOSTUNREACH, EINTR, ENETDOWN,
        ENETRESET, ENETUNREACH, ENOBUFS, ENOMEM, ENOPROTOOPT, EPERM, EPROTO, EWOULDBLOCK,
    };

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub use libc::ENONET;
    /// Linux's number for a host that is isolated; elsewhere it counts as down.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub const ENONET: i32 = EHOSTDOWN;
}

/// The system's clock in microseconds since the Unix epoch, as OpenSSL's DTLS timer reads it.
#[cfg(target_pointer_width = "32")]
pub fn wall_clock_us() -> u64 {
    // OpenSSL's C library may have 64-bit time where that of the libc crate ends in 2038 (A19).
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
}

/// The system's clock in microseconds since the Unix epoch, as OpenSSL's DTLS timer reads it.
#[cfg(not(target_pointer_width = "32"))]
pub fn wall_clock_us() -> u64 {
    let mut now = libc::timeval { tv_sec: 0, tv_usec: 0 };
    // SAFETY: the first argument is a timeval of libc's own layout, the second may be null.
    unsafe { libc::gettimeofday(&raw mut now, std::ptr::null_mut()) };
    let part = |value: i64| u64::try_from(value).unwrap_or(0);
    #[allow(clippy::useless_conversion, reason = "microseconds have 32 bits on some platforms")]
    let (seconds, microseconds) = (part(now.tv_sec.into()), part(now.tv_usec.into()));
    seconds.saturating_mul(1_000_000).saturating_add(microseconds)
}

/// Returns whether the program runs with the rights of another user than who started it (credentials(7)).
pub fn has_other_rights() -> bool {
    // SAFETY: the functions have no preconditions and cannot fail.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

/// Maps `length` bytes, excluded from swap and core dumps where the system allows it. `None` if there is no memory.
pub fn map_locked(length: usize) -> Option<Mapping> {
    // SAFETY: an anonymous private mapping at an address that the kernel chooses does not affect existing memory.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    // The system may refuse both (RLIMIT_MEMLOCK, an old kernel). A secret in ordinary memory is better than no
    // cookies.
    // SAFETY: the range is the mapping made above; locking does not change its contents.
    let unswapped = unsafe { libc::mlock(start, length) } == 0;
    let undumped = hide(start, length);
    NonNull::new(start.cast()).map(|start| Mapping { start, unswapped, undumped })
}

/// Excludes a mapping from core dumps. Returns whether the system did.
fn hide(start: *mut c_void, length: usize) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: the range is a mapping of `map_locked`; the advice affects core dumps only.
    let hidden = unsafe { libc::madvise(start, length, libc::MADV_DONTDUMP) } == 0;
    #[cfg(target_os = "freebsd")]
    // SAFETY: the range is a mapping of `map_locked`; the advice affects core dumps only.
    let hidden = unsafe { libc::madvise(start, length, libc::MADV_NOCORE) } == 0;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let hidden = {
        let _ = (start, length);
        false
    };
    hidden
}

/// Unmaps a mapping of [`map_locked`].
///
/// # Safety
/// `start` and `length` are those of one `map_locked` call, and nothing points into the range any more.
pub unsafe fn unmap_locked(start: NonNull<u8>, length: usize) {
    // SAFETY: by this function's contract the range is one whole mapping without references into it, so no other
    // memory is affected.
    unsafe { libc::munmap(start.as_ptr().cast(), length) };
}

/// The number of this thread, which is never 0: it is an address.
#[cfg(all(test, feature = "linked"))]
pub fn thread_number() -> u64 {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_self() as u64 }
}

/// Registers `hook` to run when the process exits or this library is unloaded.
pub fn at_exit(hook: extern "C" fn()) {
    // SAFETY: `hook` is a function without arguments, as atexit(3) requires. If atexit fails, the hook does not run.
    unsafe { libc::atexit(hook) };
}

/// A library that is loaded into this process.
pub struct Library {
    handle: NonNull<c_void>,
    /// Where it is loaded.
    base: NonNull<c_void>,
    /// The address in it by which it was found.
    anchor: *const c_void,
}

impl Library {
    /// Finds the loaded library, or the program itself, that contains `address`.
    pub fn containing(address: *const c_void) -> Option<Self> {
        let info = image_of(address).filter(|info| !info.dli_fname.is_null())?;
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD;
        // SAFETY: dli_fname is not null and a C string of the dynamic linker, valid while the library is loaded. With
        // RTLD_NOLOAD, dlopen(3) only finds loaded libraries and runs no code of theirs.
        let named = unsafe { libc::dlopen(info.dli_fname, flags) };
        // The program itself has no name for dlopen(3).
        let program = || {
            // SAFETY: a null name is allowed and means the program itself.
            unsafe { libc::dlopen(std::ptr::null(), flags) }
        };
        let handle = NonNull::new(named).or_else(|| NonNull::new(program()))?;
        Some(Self { handle, base: NonNull::new(info.dli_fbase)?, anchor: address })
    }

    /// Finds a function of this library. dlsym(3) would also return one of another library that this one depends on
    /// (A26).
    pub fn symbol(&self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the handle came from dlopen(3) and is never closed; the name is a C string.
        let found = NonNull::new(unsafe { libc::dlsym(self.handle.as_ptr(), name.as_ptr()) })?;
        let address = found.as_ptr().cast_const();
        // A library is loaded in one piece. dladdr(3) reads all of its symbols, each time.
        let is_before_anchor = (self.base.as_ptr().cast_const()..=self.anchor).contains(&address);
        let is_own = || image_of(address).is_some_and(|image| image.dli_fbase == self.base.as_ptr());
        (is_before_anchor || is_own()).then_some(found)
    }
}

/// The loaded library or program that contains `address`.
fn image_of(address: *const c_void) -> Option<libc::Dl_info> {
    // SAFETY: Dl_info consists of pointers, for which zero is a valid value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: dladdr(3) takes any address, and the structure is a local.
    let found = unsafe { libc::dladdr(address, &mut info) } != 0;
    found.then_some(info)
}

/// Reads address, port and scope from the bytes of a `struct sockaddr`. `None` if they are too few for the family, or
/// the family is not an IP family.
pub fn socket_address(bytes: &[u8]) -> Option<(IpAddr, u16, u32)> {
    let family: libc::sa_family_t = read_at(bytes, std::mem::offset_of!(libc::sockaddr, sa_family))?;
    match i32::from(family) {
        libc::AF_INET => {
            let address: libc::sockaddr_in = read_at(bytes, 0)?;
            let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
            Some((ip.into(), u16::from_be(address.sin_port), 0))
        }
        libc::AF_INET6 => {
            let address: libc::sockaddr_in6 = read_at(bytes, 0)?;
            let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
            Some((ip.into(), u16::from_be(address.sin6_port), address.sin6_scope_id))
        }
        _ => None,
    }
}

/// Copies a plain value from bytes of any alignment.
fn read_at<T: Copy>(bytes: &[u8], offset: usize) -> Option<T> {
    let place = bytes.get(offset..offset.checked_add(size_of::<T>())?)?;
    // SAFETY: the slice has the size of T, and the read needs no alignment. `socket_address` uses only integers and
    // socket addresses, which consist of integers, for which every bit pattern is valid.
    Some(unsafe { place.as_ptr().cast::<T>().read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r12_socket_addresses_are_read_by_length() {
        // SAFETY: a socket address consists of integers, for which zero is valid.
        let mut v6: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
        v6.sin6_family = libc::AF_INET6 as _;
        v6.sin6_port = 5684u16.to_be();
        v6.sin6_scope_id = 3;
        v6.sin6_addr.s6_addr = Ipv6Addr::LOCALHOST.octets();
        // SAFETY: the value is readable for its size, and all its bytes were initialised above.
        let bytes = unsafe { std::slice::from_raw_parts((&raw const v6).cast::<u8>(), size_of_val(&v6)) };
        assert_eq!(socket_address(bytes), Some((Ipv6Addr::LOCALHOST.into(), 5684, 3)));
        for cut in 0..bytes.len() {
            assert_eq!(socket_address(&bytes[..cut]), None, "{cut}");
        }
    }
}
