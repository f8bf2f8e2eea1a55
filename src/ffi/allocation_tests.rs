// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing is allocated for a datagram. What OpenSSL allocates is not counted: it does so by malloc(3).

use super::pair_tests::{Credentials, Outcome, Pair};
use crate::error::Status;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does the work; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(start, layout) };
    }
}

/// Runs what a test's own callbacks do, without counting it.
pub fn uncounted<R>(work: impl FnOnce() -> R) -> R {
    let before = ALLOCATIONS.get();
    let result = work();
    ALLOCATIONS.set(before);
    result
}

/// How often this thread allocates in `work`.
fn allocations_in(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// A hello as a client sends it, and the answer to it.
fn hello_with_cookie(pair: &Pair) -> (Vec<u8>, Vec<u8>) {
    assert_eq!(pair.client.init(), Status::Ok);
    assert_eq!(pair.client.start(&[]), Status::Ok);
    let first = pair.client.take().expect("a ClientHello");
    assert_eq!(pair.verify(&first), Ok(false));
    let request = pair.answer().expect("a HelloVerifyRequest");
    assert_eq!(pair.client.proceed(&request), Status::Ok);
    (first, pair.client.take().expect("a ClientHello with a cookie"))
}

#[test]
fn the_counting_counts() {
    assert_eq!(allocations_in(|| drop(std::hint::black_box(vec![0u8; 10]))), 1);
    assert_eq!(allocations_in(|| uncounted(|| drop(std::hint::black_box(vec![0u8; 10])))), 0);
}

#[test]
fn s32_no_hello_makes_the_listener_allocate() {
    let pair = Pair::new(Credentials::Psk);
    let (first, second) = hello_with_cookie(&pair);
    let cookie = 13 + 12 + 2 + 32 + 1 + usize::from(second[59]) + 1;
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
