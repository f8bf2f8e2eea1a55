// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library allocates nothing for a datagram, and no allocation that fails ends the process. OpenSSL's own
//! allocations, by malloc(3), are not counted here; `qt-tests/allocation` lets them fail.

use super::pair::{Contexts, Credentials, End, Outcome, Pair, cookie_in};
use crate::error::Status;
use crate::ffi::error::thread_error;
use crate::ffi::*;
use crate::log::outside_locks;
use crate::os;
use crate::panic::tests::ask_for_panic;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

/// The one thread whose allocations are counted, and may fail. It is not thread-local data: where the linker has none,
/// as for x86_64-pc-windows-gnu, Rust allocates it.
struct Watch {
    /// The system's number of the thread; 0 for none.
    thread: AtomicU64,
    allocations: AtomicU64,
    /// The library is running.
    armed: AtomicBool,
    /// The number of allocations until the one that fails, with it. 0: none fails any more.
    left: AtomicU64,
    /// All after it fail, too.
    onwards: AtomicBool,
}

static WATCH: Watch = Watch {
    thread: AtomicU64::new(0),
    allocations: AtomicU64::new(0),
    armed: AtomicBool::new(false),
    left: AtomicU64::new(0),
    onwards: AtomicBool::new(false),
};

/// Only the watched thread changes what it finds in the rest, so no order is needed.
impl Watch {
    fn is_on_this_thread(&self) -> bool {
        self.thread.load(Relaxed) == os::thread_number()
    }

    /// Counts an allocation of this thread, and returns whether it has to fail.
    fn fails_allocation(&self) -> bool {
        if !self.is_on_this_thread() {
            return false;
        }
        self.allocations.fetch_add(1, Relaxed);
        let left = self.left.load(Relaxed);
        if !self.armed.load(Relaxed) || left == 0 {
            return false;
        }
        if left > 1 || !self.onwards.load(Relaxed) {
            self.left.store(left - 1, Relaxed);
        }
        left == 1
    }
}

/// The calling thread is the watched one as long as this exists.
struct Watching {
    _turn: MutexGuard<'static, ()>,
}

impl Watching {
    /// Of the allocations that follow and are made `armed`, the one with the number `left` fails; 0 for none.
    fn start(left: u64, onwards: bool) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        make_thread_local_data();
        WATCH.left.store(left, Relaxed);
        WATCH.onwards.store(onwards, Relaxed);
        WATCH.allocations.store(0, Relaxed);
        WATCH.thread.store(os::thread_number(), Relaxed);
        Self { _turn: turn }
    }
}

/// Rust ends the process if it cannot allocate it, so it has to be there before (SECURITY.md).
fn make_thread_local_data() {
    ask_for_panic(None);
    outside_locks(|| ());
    let _ = thread_error();
}

impl Drop for Watching {
    fn drop(&mut self) {
        WATCH.thread.store(0, Relaxed);
        WATCH.armed.store(false, Relaxed);
    }
}

/// Runs the library: only its allocations fail, not those of the test.
fn armed<R>(library: impl FnOnce() -> R) -> R {
    let set = |armed| {
        if WATCH.is_on_this_thread() {
            WATCH.armed.store(armed, Relaxed);
        }
    };
    set(true);
    let result = library();
    set(false);
    result
}

/// Runs `work` with each allocation that is made `armed` failing in turn, alone and with all that follow, and `next`
/// after it without a failure. Returns the number of allocations.
fn each_failing(mut work: impl FnMut(), next: impl Fn()) -> u64 {
    for left in 1.. {
        for onwards in [false, true] {
            let watching = Watching::start(left, onwards);
            work();
            let rest = WATCH.left.load(Relaxed);
            drop(watching);
            next();
            if !onwards && rest > 0 {
                return left - 1;
            }
        }
    }
    unreachable!("an end without a failure was reached")
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed to the system's allocator unchanged, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WATCH.fails_allocation() {
            return ptr::null_mut();
        }
        // SAFETY: the layout is that of our caller, who has to meet the contract of GlobalAlloc::alloc.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: `alloc` got the block from the system's allocator, with the same layout (GlobalAlloc::dealloc).
        unsafe { System.dealloc(start, layout) };
    }
}

/// Counts the allocations of this thread in `work`.
fn allocations_in(work: impl FnOnce()) -> u64 {
    let _watching = Watching::start(0, false);
    work();
    WATCH.allocations.load(Relaxed)
}

#[test]
fn the_counting_counts() {
    assert_eq!(allocations_in(|| drop(std::hint::black_box(vec![0u8; 10]))), 1);
    assert_eq!(allocations_in(|| ()), 0);
}

#[test]
fn s32_no_hello_makes_the_listener_allocate() {
    let pair = Pair::new(Credentials::Psk);
    let (first, second) = pair.hellos();
    let cookie = cookie_in(&second).start;
    let mut wrong = second.clone();
    wrong[cookie + 9] ^= 1;
    let mut earlier = wrong.clone();
    earlier[cookie] = earlier[cookie].wrapping_sub(1);
    let junk = [b'x'; 200];
    let cases: [(&str, &[u8], bool); 6] = [
        ("junk", &junk, false),
        ("nothing", &[], false),
        ("no cookie", &first, false),
        ("a wrong cookie", &wrong, false),
        ("a wrong cookie of another slot", &earlier, false),
        ("the right cookie", &second, true),
    ];
    for (name, datagram, verified) in cases {
        let count = allocations_in(|| assert_eq!(pair.verify(datagram), Ok(verified), "{name}"));
        assert_eq!(count, 0, "{name}");
        pair.drop_sent();
    }
}

#[test]
fn no_message_makes_a_connection_allocate() {
    let pair = Pair::new(Credentials::Certificate);
    assert_eq!(pair.connect(), Outcome::Connected);
    let mut buffer = vec![0; 1 << 14];
    for (from, to) in [(&pair.client, &pair.server), (&pair.server, &pair.client)] {
        for size in [1, 64, 1024, 8192] {
            let message = vec![7; size];
            assert_eq!(allocations_in(|| assert_eq!(from.write(&message), Status::Ok)), 0, "write {size}");
            let datagram = from.take().expect("a datagram");
            let read = || assert_eq!(to.read_into(&datagram, &mut buffer), Ok(size));
            assert_eq!(allocations_in(read), 0, "read {size}");
            assert_eq!(buffer[..size], message);
        }
        let junk = [b'x'; 200];
        let read = || assert_eq!(to.read_into(&junk, &mut buffer), Ok(0));
        assert_eq!(allocations_in(read), 0, "read junk");
    }
}

/// Sets TLS up, exchanges cookies, shakes hands and sends one message each way. Stops at the first status that is not
/// `Ok`, and where neither side sends.
fn exchange(pair: &Pair) -> Result<(), Status> {
    let must = |status| if status == Status::Ok { Ok(()) } else { Err(status) };
    must(armed(|| pair.client.init()))?;
    must(armed(|| pair.server.init()))?;
    must(armed(|| pair.client.start(&[])))?;
    let mut has_started = false;
    loop {
        if let Some(datagram) = pair.client.take() {
            if has_started {
                must(armed(|| pair.server.proceed(&datagram)))?;
            } else if armed(|| pair.verify(&datagram))? {
                must(armed(|| pair.server.start(&datagram)))?;
                has_started = true;
            }
        } else if let Some(datagram) = pair.answer() {
            must(armed(|| pair.client.proceed(&datagram)))?;
        } else {
            break;
        }
    }
    let send = |from: &End, to: &End| {
        must(armed(|| from.write(b"message")))?;
        let (datagram, mut buffer) = (from.take().expect("a datagram"), vec![0; 1 << 14]);
        armed(|| to.read_into(&datagram, &mut buffer)).map(drop)
    };
    send(&pair.client, &pair.server)?;
    send(&pair.server, &pair.client)
}

#[test]
fn a4_no_failed_allocation_in_an_exchange_ends_the_process() {
    for credentials in [Credentials::Certificate, Credentials::Psk] {
        let contexts = Contexts::new(credentials);
        assert_eq!(exchange(&Pair::of(&contexts)), Ok(()));
        let mut refused = 0;
        let exchange_once = || refused += u32::from(exchange(&Pair::of(&contexts)).is_err());
        let next = || assert_eq!(Pair::of(&contexts).connect(), Outcome::Connected, "the next one");
        let count = each_failing(exchange_once, next);
        assert!(count > 5 && refused > 5, "{count} allocations, {refused} exchanges refused");
    }
}

/// Decodes a session and has the client offer it.
fn offer(pair: &Pair, asn1: &[u8]) -> Status {
    let mut session = ptr::null_mut();
    // SAFETY: all pointers are to live places, and the session is freed once.
    unsafe {
        let decoded = qdtls_session_decode(asn1.as_ptr(), asn1.len(), &mut session);
        if decoded != Status::Ok {
            return decoded;
        }
        let offered = qdtls_connection_offer_session(pair.client.handle, session);
        qdtls_session_free(session);
        offered
    }
}

/// Keeps the client's session and encodes it.
fn keep<'a>(pair: &Pair, asn1: &'a mut [u8]) -> Result<&'a [u8], Status> {
    let (mut session, mut length, mut lifetime_hint) = (ptr::null_mut(), 0, 0);
    // SAFETY: all pointers are to live places, and the session is freed once.
    let status = unsafe {
        let kept = qdtls_connection_keep_session(pair.client.handle, &mut session);
        if kept != Status::Ok {
            return Err(kept);
        }
        let (start, capacity) = (asn1.as_mut_ptr(), asn1.len());
        let status = qdtls_session_encode(session, start, capacity, &mut length, &mut lifetime_hint);
        qdtls_session_free(session);
        status
    };
    if status == Status::Ok { Ok(&asn1[..length]) } else { Err(status) }
}

#[test]
fn a4_no_failed_allocation_of_a_session_ends_the_process() {
    let contexts = Contexts::new(Credentials::Certificate);
    let resumable = || {
        let pair = Pair::of(&contexts);
        for end in [&pair.client, &pair.server] {
            // SAFETY: the handle is live; there are no bytes.
            let allowed = unsafe { qdtls_connection_set_resumption(end.handle, 1, ptr::null(), 0) };
            assert_eq!(allowed, Status::Ok);
        }
        pair
    };
    let first = resumable();
    assert_eq!(exchange(&first), Ok(()));
    let asn1 = keep(&first, &mut [0; 4096]).expect("a session").to_vec();
    let (mut refused, mut lost) = (0, 0);
    // The first has a session that was never encoded, the second the one that was decoded here.
    let work = || {
        lost += u32::from(armed(|| keep(&first, &mut [0; 4096]).err()) == Some(Status::OutOfMemory));
        let pair = resumable();
        refused += u32::from(armed(|| offer(&pair, &asn1)) == Status::OutOfMemory);
        if exchange(&pair).is_ok() {
            let failure = armed(|| keep(&pair, &mut [0; 4096]).err());
            assert!([None, Some(Status::OutOfMemory)].contains(&failure), "{failure:?}");
        }
    };
    let count = each_failing(work, || assert_eq!(keep(&first, &mut [0; 4096]), Ok(&asn1[..])));
    assert!(count > 5 && refused > 1 && lost > 1, "{count} allocations, {refused} refused, {lost} lost");
}

unsafe extern "C" fn send_nothing(_: *mut std::ffi::c_void, _: *const u8, _: usize) -> i32 {
    0
}

/// A connection that releases nothing; null without memory.
fn new_client() -> *mut qdtls_connection {
    let callbacks = qdtls_callbacks {
        size: size_of::<qdtls_callbacks>(),
        user: ptr::null_mut(),
        send: Some(send_nothing),
        psk: None,
        now: None,
        release: None,
        send_to: None,
        server_name: None,
    };
    let mut handle = ptr::null_mut();
    // SAFETY: both pointers are to live places.
    unsafe { qdtls_connection_new(0, &callbacks, &mut handle) };
    handle
}

#[test]
fn a4_no_failed_allocation_of_an_object_or_a_setting_ends_the_process() {
    let name = "a".repeat(200);
    let (host, ticket) = ("host.example", [7; 2000]);
    let work = || {
        let made = armed(|| {
            let mut cookie = ptr::null_mut();
            // SAFETY: all pointers are to live places, and the handle is freed once.
            unsafe {
                let status = qdtls_cookie_new(&mut cookie);
                if status == Status::Ok {
                    qdtls_cookie_set_parameters(cookie, 3, name.as_ptr(), name.len());
                    qdtls_cookie_set_parameters(cookie, -1, name.as_ptr(), name.len());
                }
                qdtls_cookie_free(cookie);
                status
            }
        });
        assert!([Status::Ok, Status::OutOfMemory].contains(&made), "{made:?}");
        let mut session = ptr::null_mut();
        // SAFETY: all pointers are to live places.
        let decoded = armed(|| unsafe { qdtls_session_decode(ticket.as_ptr(), ticket.len(), &mut session) });
        assert!([Status::InvalidArgument, Status::OutOfMemory].contains(&decoded), "{decoded:?}");
        let handle = armed(new_client);
        // SAFETY: null or live, and freed once; the bytes are readable for their lengths.
        let statuses = armed(|| unsafe {
            let results = [
                qdtls_connection_set_server_name(handle, host.as_ptr(), host.len()),
                qdtls_connection_set_alpn(handle, b"\x02h2".as_ptr(), 3),
                qdtls_connection_set_resumption(handle, 1, ticket.as_ptr(), ticket.len()),
                qdtls_connection_set_mtu_hint(handle, 1),
            ];
            qdtls_connection_free(handle);
            results
        });
        for status in statuses {
            let expected = [Status::Ok, Status::OutOfMemory, Status::InvalidArgument, Status::InvalidMtu];
            assert!(expected.contains(&status), "{status:?}");
        }
    };
    let count = each_failing(work, || ());
    assert!(count > 8, "{count} allocations");
}

#[test]
fn a4_an_error_without_memory_says_so() {
    let watching = Watching::start(1, true);
    let error = armed(|| crate::error::Error::because(Status::TimedOut, "handshake", "no answer"));
    drop(watching);
    assert_eq!((error.status(), error.reason()), (Status::OutOfMemory, Status::OutOfMemory.meaning()));
    assert!(!error.operation().is_empty());
}
