// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library allocates nothing for a datagram. OpenSSL's own allocations, by malloc(3), are not counted.

use super::pair::{Credentials, Outcome, Pair, cookie_in};
use crate::error::Status;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed to the system's allocator unchanged, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
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
