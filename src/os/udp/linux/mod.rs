// SPDX-License-Identifier: MIT OR Apache-2.0
//! Linux: recvmmsg(2) and sendmmsg(2), with the offloads of udp(7): datagrams of one peer that the system joins
//! (UDP_GRO) or cuts (UDP_SEGMENT).

mod inbox;
mod name;
mod notes;
mod sender;
#[cfg(test)]
mod tests;

pub use inbox::{INBOX_SIZE, Inbox};
pub(super) use sender::Sender;

use name::Name;
use notes::Control;

/// How many messages a system call receives, and sends.
pub(super) const SLOTS: usize = 64;

/// The messages of a system call, and what they point to.
struct Batch {
    vectors: [[libc::iovec; 2]; SLOTS],
    messages: [libc::mmsghdr; SLOTS],
    controls: [Control; SLOTS],
    names: [Name; SLOTS],
}

impl Batch {
    /// One on the heap: it is large. `None` without memory.
    fn new() -> Option<Box<[Self; 1]>> {
        let mut batch = Vec::new();
        batch.try_reserve_exact(1).ok()?;
        // SAFETY: vectors, messages, bytes and addresses consist of integers and pointers, for which zero is valid.
        batch.push(unsafe { std::mem::zeroed() });
        batch.into_boxed_slice().try_into().ok()
    }
}
