// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending many datagrams with one system call.

use super::{Batch, SLOTS, notes};
use crate::os::udp::run::{RUNS, Run};
use crate::os::udp::socket::Udp;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr;

const _: () = assert!(SLOTS >= RUNS, "an outbox goes out with one system call");

/// The messages of a system call that sends.
pub struct Sender(Box<[Batch; 1]>);

impl Sender {
    /// One; `None` without memory.
    pub fn new() -> Option<Self> {
        Batch::new().map(Self)
    }

    /// Sends the first of the runs, and returns how many that were.
    pub fn send(&mut self, socket: &Udp, runs: &[Run], bytes: &[u8]) -> io::Result<usize> {
        let [Batch { vectors, messages, controls, names }] = &mut *self.0;
        let mut left = bytes;
        let mut used = 0;
        let parts = messages.iter_mut().zip(names).zip(controls).zip(vectors);
        for (run, (((message, name), control), vector)) in runs.iter().zip(parts) {
            let Some((of_run, behind)) = left.split_at_checked(run.length) else { break };
            let [vector, _] = vector;
            *vector = libc::iovec { iov_base: of_run.as_ptr().cast_mut().cast(), iov_len: of_run.len() };
            let header = &mut message.msg_hdr;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = ptr::null_mut();
            header.msg_controllen = 0;
            if socket.peer.is_none() {
                header.msg_namelen = name.set(run.to.peer, socket.is_ipv6);
                header.msg_name = ptr::from_mut(name).cast();
                notes::come_from(header, control, run.to.own);
            }
            if run.number > 1 {
                notes::cut(header, control, run.each);
            }
            left = behind;
            used += 1;
        }
        let descriptor = socket.socket.as_raw_fd();
        // SAFETY: the first `used` messages were set above: they point to an address or none, a vector, the datagrams and
        // control messages, all of the sizes given and borrowed until after the call. The system only reads them.
        let sent =
            unsafe { libc::sendmmsg(descriptor, messages.as_mut_ptr(), used, libc::MSG_DONTWAIT as _) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}
