// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record buffers: 34 KiB of an `SSL`, which it needs only while it works on a datagram.
//!
//! SSL_MODE_RELEASE_BUFFERS does nothing in DTLS, so OpenSSL keeps them for as long as a connection lives. Giving them
//! back after each datagram would cost allocations with each; and there is no telling when a connection falls idle, for
//! then nothing calls us. So the connections that got theirs last keep them, [`KEPT`] in all, and whoever needs buffers
//! beyond that takes them from the one that got its own first (SSL_free_buffers(3)). That one gets others when it is
//! used again (SSL_alloc_buffers(3)), before OpenSSL runs: DTLS writes into its buffer without a look.
//!
//! SSL_free_buffers(3) of older versions frees a buffer with a record in it that was only read in part (CVE-2024-4741).
//! A peer can bring that about by what it puts behind its Finished, so with those versions buffers stay where they are.
//!
//! The one they are taken from may belong to another thread, so an atomic state says who is at work on the `SSL`.

use super::Api;
use openssl_sys::SSL;
use std::collections::VecDeque;
use std::ffi::c_ulong;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// How many connections of the process keep their buffers: about one MiB.
pub const KEPT: usize = 32;

/// Nothing has run on the `SSL` yet: it makes its buffers itself.
const FRESH: u8 = 0;
/// An operation is running.
const IN_USE: u8 = 1;
/// There are buffers, and nothing is running.
const IDLE: u8 = 2;
/// They are being taken away.
const TAKING: u8 = 3;
/// There are no buffers, and nothing is running.
const WITHOUT: u8 = 4;
/// The `SSL` is being freed.
const GONE: u8 = 5;

/// The buffers of one `SSL`.
pub struct Buffers(Arc<Shared>);

/// The first release of each series whose SSL_free_buffers(3) leaves a record alone that is still to be read
/// (CVE-2024-4741), as OpenSSL_version_num(3) has it. Series after these have it from the beginning, those before never.
const CAREFUL: [c_ulong; 4] = [0x3000_00e0, 0x3010_0060, 0x3020_0020, 0x3030_0010];

/// Whether this OpenSSL can be asked to free buffers, whatever a peer has sent.
fn frees_carefully(version: c_ulong) -> bool {
    let series = |version: c_ulong| version >> 20;
    match CAREFUL.iter().find(|first| series(**first) == series(version)) {
        Some(first) => version >= *first,
        None => CAREFUL.iter().all(|first| version > *first),
    }
}

struct Shared {
    state: AtomicU8,
    ssl: NonNull<SSL>,
    api: &'static Api,
    may_be_taken: bool,
}

// SAFETY: the SSL is only touched by whoever has moved `state` to IN_USE, TAKING or GONE, which one thread at a time can.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// Those that keep their buffers, in the order in which they got them.
static QUEUE: Mutex<VecDeque<Arc<Shared>>> = Mutex::new(VecDeque::new());

fn queue() -> MutexGuard<'static, VecDeque<Arc<Shared>>> {
    QUEUE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// An operation that has its buffers; ends when dropped.
pub struct Held<'a>(&'a Shared);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.state.store(IDLE, Ordering::Release);
    }
}

impl Buffers {
    /// Those of an `SSL` that nothing has run on.
    ///
    /// # Safety
    /// `ssl` is live until [`Buffers::let_go`] has returned, and operations run on it only between [`Buffers::hold`] and
    /// the end of what it returns.
    pub unsafe fn of(ssl: NonNull<SSL>, api: &'static Api) -> Self {
        // SAFETY: no preconditions.
        let may_be_taken = frees_carefully(unsafe { (api.OpenSSL_version_num)() });
        Self(Arc::new(Shared { state: AtomicU8::new(FRESH), ssl, api, may_be_taken }))
    }

    /// Makes sure that there are buffers until the result is dropped. `None` when there is no memory for them, or when an
    /// operation is running already: its end would be taken for that of both.
    pub fn hold(&self) -> Option<Held<'_>> {
        let shared = &*self.0;
        match shared.claim(IN_USE) {
            IDLE => return Some(Held(shared)),
            IN_USE => return None,
            // SAFETY: the SSL is live, and the state is ours.
            WITHOUT if unsafe { (shared.api.SSL_alloc_buffers)(shared.ssl.as_ptr()) } != 1 => {
                shared.state.store(WITHOUT, Ordering::Release);
                return None;
            }
            _ => {}
        }
        if shared.may_be_taken {
            let mut queue = queue();
            make_room(&mut queue);
            queue.push_back(Arc::clone(&self.0));
        }
        Some(Held(shared))
    }

    /// Whether they are where they should be in a crowd: gone, if this OpenSSL can be asked to free them.
    #[cfg(test)]
    pub fn are_given_back(&self) -> bool {
        (self.0.state.load(Ordering::Acquire) == WITHOUT) == self.0.may_be_taken
    }

    /// Keeps everybody else away from the `SSL`, for good.
    pub fn let_go(&self) {
        self.0.claim(GONE);
        queue().retain(|kept| !Arc::ptr_eq(kept, &self.0));
    }
}

/// Takes buffers from the first that is idle, when too many have some. One in use goes to the end.
fn make_room(queue: &mut VecDeque<Arc<Shared>>) {
    for _ in 0..queue.len() {
        if queue.len() < KEPT {
            return;
        }
        if let Some(first) = queue.pop_front().filter(|first| !first.take_away()) {
            queue.push_back(first);
        }
    }
}

impl Shared {
    /// Waits for a state in which nobody is at work on the `SSL`, enters `next` and returns the one before.
    fn claim(&self, next: u8) -> u8 {
        let mut before = IDLE;
        loop {
            match self.state.compare_exchange_weak(before, next, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return before,
                Err(TAKING) => std::thread::yield_now(),
                Err(actual) => before = actual,
            }
        }
    }

    /// Frees the buffers, unless an operation is running. Whether there are none afterwards.
    fn take_away(&self) -> bool {
        match self.state.compare_exchange(IDLE, TAKING, Ordering::Acquire, Ordering::Acquire) {
            Ok(_) => {}
            Err(state) => return state != IN_USE,
        }
        // SAFETY: the SSL is live until `let_go`, which waits for the state to change; this OpenSSL frees no record that
        // is still to be read.
        let freed = unsafe {
            let ssl = self.ssl.as_ptr();
            (self.api.SSL_pending)(ssl) == 0 && (self.api.SSL_free_buffers)(ssl) == 1
        };
        self.state.store(if freed { WITHOUT } else { IDLE }, Ordering::Release);
        freed
    }
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_operation_waits_while_buffers_are_taken() {
        let api = super::super::api().expect("OpenSSL");
        let shared =
            Shared { state: AtomicU8::new(TAKING), ssl: NonNull::dangling(), api, may_be_taken: true };
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| shared.claim(IN_USE));
            std::thread::sleep(Duration::from_millis(20));
            assert!(!waiting.is_finished());
            shared.state.store(WITHOUT, Ordering::Release);
            assert_eq!(waiting.join().expect("no panic"), WITHOUT);
        });
        assert_eq!(shared.state.load(Ordering::Acquire), IN_USE);
        assert!(!shared.take_away(), "it is in use");
    }

    #[test]
    fn only_fixed_versions_are_asked_to_free() {
        for fixed in
            [0x3000_00e0, 0x3000_0130, 0x3010_0060, 0x3020_0020, 0x3030_0010, 0x3040_0000, 0x3060_0050]
        {
            assert!(frees_carefully(fixed), "{fixed:#x}");
        }
        for unfixed in [0x1010_117f, 0x3000_0000, 0x3000_00d0, 0x3010_0050, 0x3020_0010, 0x3030_0000] {
            assert!(!frees_carefully(unfixed), "{unfixed:#x}");
        }
    }

    #[test]
    fn one_operation_runs_at_a_time() {
        let api = super::super::api().expect("OpenSSL");
        // SAFETY: nothing runs on it, as its place in the queue is given up before it could be asked for its buffers.
        let buffers = unsafe { Buffers::of(NonNull::dangling(), api) };
        let held = buffers.hold();
        assert!(held.is_some());
        assert!(buffers.hold().is_none());
        buffers.let_go();
    }
}
