// SPDX-License-Identifier: MIT OR Apache-2.0
//! Receiving many datagrams with one system call.
//!
//! The system may join datagrams up to 64 KiB, but nearly all are short. Each message is received into a short slot, and
//! only the rest of a longer one into a long slot, so that a batch of the usual datagrams lies close together: in as many
//! pages as messages it would cost a server with a hundred peers 8 % of its rate.

use super::name::Name;
use super::notes::{Notes, ROOM};
use super::{Batch, SLOTS};
use crate::os::udp::socket::{LONGEST, Udp};
use crate::peer::PeerAddress;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::ptr;

/// The length of a short slot, for any datagram on a link with the usual MTU.
const SHORT: usize = 2048;
/// The distance of short slots. With a power of two, the beginnings of all would share few sets of the processor's cache.
const STRIDE: usize = SHORT + 64;
/// Where the long slots begin.
const LONG_SLOTS: usize = SLOTS * STRIDE;

/// The size of an [`Inbox`]'s memory.
pub const INBOX_SIZE: usize = LONG_SLOTS + SLOTS * LONGEST;

/// What comes in with one system call.
pub struct Inbox {
    storage: Vec<u8>,
    batch: Box<[Batch; 1]>,
    /// How many messages have come.
    count: usize,
    /// How many have to be set for the next call: those that the last one has used.
    used: usize,
}

impl Inbox {
    /// With memory of [`INBOX_SIZE`] bytes; `None` without more memory.
    pub fn new(storage: Vec<u8>) -> Option<Self> {
        let mut inbox = Self { storage, batch: Batch::new()?, count: 0, used: SLOTS };
        inbox.point();
        Some(inbox)
    }

    /// Reads what waits, and returns whether more may.
    pub fn receive(&mut self, socket: &Udp) -> io::Result<bool> {
        self.prepare();
        let [Batch { messages, .. }] = &mut *self.batch;
        let (descriptor, most) = (socket.socket.as_raw_fd(), messages.len() as libc::c_uint);
        // SAFETY: each message points to an address, two vectors, its slots, and room for control messages (`point`), all of
        // the sizes given (`prepare`), and all this inbox's, which is borrowed until after the call.
        let count = unsafe {
            libc::recvmmsg(descriptor, messages.as_mut_ptr(), most, libc::MSG_DONTWAIT as _, ptr::null_mut())
        };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        self.used = self.count;
        self.complete_long_ones();
        // Fewer than there was room for: nothing waits. On a connected socket an error may stand before more of them.
        Ok(self.count == SLOTS || socket.peer.is_some())
    }

    /// Has each message point to its address, slots and control messages. None of them moves with the inbox: they are in
    /// its box and its vector, of which neither is ever replaced or resized.
    fn point(&mut self) {
        let [Batch { vectors, messages, controls, names }] = &mut *self.batch;
        let slots = slots_mut(&mut self.storage);
        let parts = messages.iter_mut().zip(names).zip(controls).zip(vectors).zip(slots);
        for ((((message, name), control), vectors), (short, long)) in parts {
            // What a short slot leaves goes to where it follows what is copied there.
            let rest = long.get_mut(SHORT..).unwrap_or_default();
            *vectors = [short, rest]
                .map(|part| libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() });
            let header = &mut message.msg_hdr;
            header.msg_name = ptr::from_mut(name).cast();
            header.msg_iov = vectors.as_mut_ptr();
            header.msg_iovlen = vectors.len() as _;
            header.msg_control = control.bytes.as_mut_ptr().cast();
        }
    }

    /// Sets the lengths that the last call has changed.
    fn prepare(&mut self) {
        self.count = 0;
        let [Batch { messages, .. }] = &mut *self.batch;
        for message in messages.iter_mut().take(self.used) {
            message.msg_hdr.msg_namelen = size_of::<Name>() as _;
            message.msg_hdr.msg_controllen = ROOM as _;
        }
    }

    /// Puts the beginnings of long messages before their rests.
    fn complete_long_ones(&mut self) {
        let [Batch { messages, .. }] = &*self.batch;
        let come = messages.iter().take(self.count);
        if come.clone().all(|message| message.msg_len as usize <= SHORT) {
            return;
        }
        for (message, (short, long)) in come.zip(slots_mut(&mut self.storage)) {
            if message.msg_len as usize > SHORT {
                long.iter_mut().zip(short).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// How many messages were read.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Who has sent a message; `None` if no peer can have the address.
    #[inline]
    pub fn sender(&self, message: usize) -> Option<PeerAddress> {
        let [Batch { names, .. }] = &*self.batch;
        names.get(message)?.get()
    }

    /// The datagrams of a message, and the own address that they came to, if the socket has several. `None` if it was too
    /// long for its slots.
    #[inline]
    pub fn datagrams(&self, message: usize) -> Option<(Option<IpAddr>, impl Iterator<Item = &[u8]>)> {
        let [Batch { messages, .. }] = &*self.batch;
        let arrived = messages.get(message)?;
        if arrived.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let length = arrived.msg_len as usize;
        let start = if length <= SHORT { message * STRIDE } else { LONG_SLOTS + message * LONGEST };
        let datagrams = self.storage.get(start..start + length)?;
        let Notes { each, own } = Notes::of(&arrived.msg_hdr);
        let each = each.filter(|each| *each > 0).unwrap_or(length.max(1));
        Some((own, datagrams.chunks(each)))
    }
}

fn slots_mut(storage: &mut [u8]) -> impl Iterator<Item = (&mut [u8], &mut [u8])> {
    let (short, long) = storage.split_at_mut_checked(LONG_SLOTS).unwrap_or_default();
    let short = short.chunks_exact_mut(STRIDE).filter_map(|slot| slot.get_mut(..SHORT));
    short.zip(long.chunks_exact_mut(LONGEST))
}
