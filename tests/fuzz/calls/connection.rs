// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that use a connection.

use super::world::{Place, World, check};
use crate::fuzz::library::error::Status;
use crate::fuzz::library::ffi::*;
use crate::fuzz::repeatable;
use std::ffi::c_void;
use std::{mem, ptr};

/// No output has it.
const UNSET: usize = 0x5a5a_5a5a;
const UNSET_NUMBER: i32 = 0x5a5a_5a5a;

impl World<'_> {
    fn connection(&self) -> *mut qdtls_connection {
        self.connections[self.below(self.connections.len())].get()
    }

    pub fn use_connection(&self) {
        let handle = self.connection();
        match self.byte() % 16 {
            0..=2 => self.shake_hands(handle, qdtls_connection_start),
            3..=6 => self.shake_hands(handle, qdtls_connection_continue),
            7 => self.write(handle),
            8 | 9 => self.read(handle),
            10 => self.expire(handle),
            11 | 12 => self.end_connection(handle),
            13 => self.query_tls(handle),
            _ => query(handle),
        }
    }

    fn shake_hands(
        &self,
        handle: *mut qdtls_connection,
        call: unsafe extern "C" fn(*mut qdtls_connection, *const u8, usize, *mut i32) -> Status,
    ) {
        let datagram = if self.byte() > 200 { Vec::new() } else { self.datagram() };
        let mut need = UNSET_NUMBER;
        // SAFETY: null or live; the datagram is readable.
        let status = unsafe { call(handle, datagram.as_ptr(), datagram.len(), &mut need) };
        check(status, need == UNSET_NUMBER);
    }

    fn write(&self, handle: *mut qdtls_connection) {
        let message = vec![1; self.below(1 << 15)];
        let mut written = UNSET;
        // SAFETY: null or live; the message is readable.
        let status = unsafe { qdtls_connection_write(handle, message.as_ptr(), message.len(), &mut written) };
        if check(status, written == UNSET) {
            assert_eq!(written, message.len());
        }
    }

    fn read(&self, handle: *mut qdtls_connection) {
        let datagram = self.datagram();
        let mut capacity = UNSET;
        // SAFETY: null or live.
        let status = unsafe { qdtls_connection_read_capacity(handle, datagram.len(), &mut capacity) };
        let known = check(status, capacity == UNSET);
        let mut buffer = vec![0; if known { capacity } else { 0 }];
        let capacity = if self.byte() > 240 { self.below(buffer.len()) } else { buffer.len() };
        let (mut plaintext, mut end) = (UNSET, UNSET_NUMBER);
        // SAFETY: null or live; the datagram is readable and the buffer writable.
        let status = unsafe {
            let (start, length) = (datagram.as_ptr(), datagram.len());
            qdtls_connection_read(
                handle,
                start,
                length,
                buffer.as_mut_ptr(),
                capacity,
                &mut plaintext,
                &mut end,
            )
        };
        if check(status, plaintext == UNSET && end == UNSET_NUMBER) {
            assert!(plaintext <= capacity);
        }
    }

    fn expire(&self, handle: *mut qdtls_connection) {
        let (mut running, mut microseconds, mut retransmitted) = (false, 0, false);
        // SAFETY: null or live.
        let status = unsafe { qdtls_connection_timeout(handle, &mut running, &mut microseconds) };
        check(status, !running && microseconds == 0);
        repeatable::pass(microseconds);
        // SAFETY: null or live.
        check(unsafe { qdtls_connection_handle_timeout(handle, &mut retransmitted) }, !retransmitted);
    }

    fn end_connection(&self, handle: *mut qdtls_connection) {
        // SAFETY: null or live.
        let status = unsafe {
            match self.byte() % 8 {
                0 => qdtls_connection_abort(handle),
                1 => qdtls_connection_shutdown(handle),
                2 => qdtls_connection_reset(handle),
                _ => qdtls_connection_judge_peer(handle, i32::from(self.byte() & 1)),
            }
        };
        check(status, true);
    }

    /// What needs an `SSL`.
    fn query_tls(&self, handle: *mut qdtls_connection) {
        let (mut certificate, mut chain) = (ptr::dangling_mut(), ptr::dangling_mut());
        let (mut cipher, mut name) = (ptr::dangling(), ptr::dangling());
        let (mut protocol, mut length, mut lifetime) = (UNSET_NUMBER, UNSET, UNSET as u64);
        let mut session = vec![0; self.below(4096)];
        let is_set_up = |status| check(status, true);
        // SAFETY: null or live; every output is writable for its capacity.
        unsafe {
            is_set_up(qdtls_connection_peer_certificate(handle, &mut certificate));
            is_set_up(qdtls_connection_peer_chain(handle, &mut chain));
            is_set_up(qdtls_connection_cipher(handle, &mut cipher));
            check(qdtls_connection_protocol(handle, &mut protocol), protocol == UNSET_NUMBER);
            is_set_up(qdtls_connection_alpn(handle, &mut name, &mut length));
            length = UNSET;
            let (start, capacity) = (session.as_mut_ptr(), session.len());
            let status = qdtls_connection_session(handle, start, capacity, &mut length, &mut lifetime);
            if check(status, length == UNSET && lifetime == UNSET as u64) {
                assert!(length <= capacity);
                check(qdtls_connection_set_resumption(handle, 1, start, length), true);
            }
        }
    }

    /// Gives a connection an `SSL` of any kind, and a context owner to release.
    pub fn init_tls(&self, handle: *mut qdtls_connection) {
        let context = self.contexts[usize::from(self.byte() & 1)].context(i32::from(self.byte() & 1));
        let mut ssl = ptr::null_mut();
        if self.byte() < 250 {
            // SAFETY: the context is live.
            assert_eq!(unsafe { qdtls_context_new_ssl(context, &mut ssl) }, Status::Ok);
        }
        self.owners.set(self.owners.get() + 1);
        let owner = ptr::from_ref(&self.released_owners).cast_mut().cast();
        // SAFETY: null or live; the SSL and the owner are passed on, whatever the outcome.
        check(unsafe { qdtls_connection_init_tls(handle, ssl, owner, Some(release_owner)) }, true);
    }
}

unsafe extern "C" fn release_owner(owner: *mut c_void) {
    // SAFETY: the owner is the count of a live world.
    let count = unsafe { &*owner.cast::<std::cell::Cell<u32>>() };
    count.set(count.get() + 1);
}

/// What is allowed in every state.
fn query(handle: *mut qdtls_connection) {
    let (mut state, mut allowed) = (UNSET_NUMBER, false);
    let mut count = UNSET;
    let mut errors = [0, 1].map(|_| qdtls_verify_error { code: 0, depth: 0 });
    // SAFETY: an error consists of numbers and pointers.
    let mut error: qdtls_error = unsafe { mem::zeroed() };
    error.size = size_of_val(&error);
    // SAFETY: null or live; every output is writable for its capacity.
    unsafe {
        if check(qdtls_connection_state(handle, &mut state), state == UNSET_NUMBER) {
            assert!((0..=3).contains(&state));
            assert_eq!(qdtls_connection_is_complete(handle), state == 3);
        }
        check(qdtls_connection_may_resume(handle, 1, 0, 1, &mut allowed), !allowed);
        let status = qdtls_connection_verify_errors(handle, errors.as_mut_ptr(), errors.len(), &mut count);
        check(status, count == UNSET);
        check(qdtls_connection_last_error(handle, &mut error), true);
        assert!(error.status == 0 || *error.reason != 0, "an error has a reason");
    }
}

impl World<'_> {
    pub fn free_connection(&self) {
        let place = &self.connections[self.below(self.connections.len())];
        // SAFETY: null or live, and not used again.
        unsafe { qdtls_connection_free(place.take_handle()) };
    }
}
