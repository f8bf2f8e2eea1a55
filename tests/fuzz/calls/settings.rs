// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that make connections and set them up.

use super::world::{World, check};
use crate::fuzz::library::ffi::*;
use std::ptr;

impl World<'_> {
    pub fn set_up_connection(&self) {
        let place = &self.connections[self.below(self.connections.len())];
        let handle = place.get();
        match self.byte() % 12 {
            0..=2 => self.new_connection(),
            3 => self.free_connection(),
            4..=6 => self.init_tls(handle),
            7 => self.set_peer(handle),
            // SAFETY: both are null or live.
            8 => drop(check(unsafe { qdtls_connection_set_cookie(handle, self.cookie()) }, true)),
            _ => self.set_anything(handle),
        }
    }

    /// In a free place; a client or a server, rarely neither, and with a peer, mostly.
    fn new_connection(&self) {
        let Some(place) = self.connections.iter().find(|place| place.get().is_null()) else { return };
        let callbacks = self.callbacks();
        let mut handle = ptr::null_mut();
        let role = if self.byte() > 250 { self.number() } else { i32::from(self.byte() & 1) };
        // SAFETY: the callbacks live as long as the world.
        let status = unsafe { qdtls_connection_new(role, &callbacks, &mut handle) };
        if !check(status, handle.is_null()) {
            return self.forget_program(callbacks.user);
        }
        place.set(handle);
        if self.byte() < 240 {
            // SAFETY: the handle is live.
            check(unsafe { qdtls_connection_set_peer(handle, &ADDRESS) }, true);
        }
    }

    fn set_peer(&self, handle: *mut qdtls_connection) {
        let address = self.address();
        // SAFETY: null or live; the address is readable.
        check(unsafe { qdtls_connection_set_peer(handle, &address) }, true);
    }

    fn set_anything(&self, handle: *mut qdtls_connection) {
        let bytes = self.bytes();
        let (start, length) = (bytes.as_ptr(), bytes.len());
        // SAFETY: null or live; the bytes are readable.
        let status = unsafe {
            match self.byte() % 4 {
                0 => qdtls_connection_set_mtu_hint(handle, self.below(1 << 16) as u16),
                1 => qdtls_connection_set_server_name(handle, start, length),
                2 => qdtls_connection_set_alpn(handle, start, length),
                _ => qdtls_connection_set_resumption(handle, self.number(), start, length),
            }
        };
        check(status, true);
    }

    /// The address that all have, or any.
    pub fn address(&self) -> qdtls_address {
        if self.byte() < 200 {
            return ADDRESS;
        }
        let mut bytes = [0; 16];
        bytes.fill_with(|| self.byte());
        let (family, scope) = (self.number(), u32::from(self.byte()));
        qdtls_address { family, scope, port: self.below(1 << 16) as u16, bytes }
    }
}

const ADDRESS: qdtls_address = qdtls_address {
    family: 4,
    scope: 0,
    port: 5684,
    bytes: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
};
