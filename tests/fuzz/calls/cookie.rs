// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that use cookies, listeners, and no handle.

use super::world::{Place, World, check};
use crate::fuzz::library::ffi::*;
use std::ptr;

const UNSET: usize = 0x5a5a_5a5a;

impl World<'_> {
    pub fn cookie(&self) -> *mut qdtls_cookie {
        self.cookies[self.below(self.cookies.len())].get()
    }

    pub fn call_on_cookies(&self) {
        match self.byte() % 12 {
            0 => self.new_cookie(),
            1 => self.set_parameters(),
            2 => self.parameters(),
            3 => self.generate_and_verify(),
            // SAFETY: null or live, and not used again.
            4 => unsafe { qdtls_cookie_free(self.cookies[self.below(2)].take_handle()) },
            5 => self.new_listener(),
            6..=8 => self.verify(),
            9 => self.set_listener_cookie(),
            // SAFETY: null or live, and not used again.
            10 => unsafe { qdtls_listener_free(self.listeners[self.below(2)].take_handle()) },
            _ => self.call_without_handle(),
        }
    }

    fn new_cookie(&self) {
        let Some(place) = self.cookies.iter().find(|place| place.get().is_null()) else { return };
        let mut handle = ptr::null_mut();
        // SAFETY: the place is writable.
        check(unsafe { qdtls_cookie_new(&mut handle) }, handle.is_null());
        place.set(handle);
    }

    fn set_parameters(&self) {
        let (hash, secret) = (self.number(), self.bytes());
        // SAFETY: null or live; the secret is readable.
        let status =
            unsafe { qdtls_cookie_set_parameters(self.cookie(), hash, secret.as_ptr(), secret.len()) };
        check(status, true);
    }

    fn parameters(&self) {
        let (mut hash, mut length, mut expected) = (-1, UNSET, UNSET);
        let mut secret = vec![0; self.below(300)];
        let cookie = self.cookie();
        // SAFETY: null or live; the outputs are writable.
        let statuses = unsafe {
            let (start, capacity) = (secret.as_mut_ptr(), secret.len());
            [
                qdtls_cookie_secret_length(cookie, &mut expected),
                qdtls_cookie_parameters(cookie, &mut hash, start, capacity, &mut length),
            ]
        };
        check(statuses[0], expected == UNSET);
        if check(statuses[1], length == UNSET && hash == -1) {
            assert_eq!(length, expected);
        }
    }

    fn generate_and_verify(&self) {
        let (cookie, address, hello) = (self.cookie(), self.address(), self.datagram());
        let mut output = [0; 40];
        let (mut length, mut valid) = (UNSET, false);
        let capacity = self.below(output.len());
        let now = 1_800_000_000_000;
        // SAFETY: null or live; the hello is readable, the output writable.
        unsafe {
            let (start, count) = (hello.as_ptr(), hello.len());
            let to = output.as_mut_ptr();
            let status =
                qdtls_cookie_generate(cookie, &address, start, count, now, to, capacity, &mut length);
            check(status, length == UNSET);
            check(qdtls_cookie_verify(cookie, &address, start, count, now, &mut valid), !valid);
        }
    }

    fn new_listener(&self) {
        let Some(place) = self.listeners.iter().find(|place| place.get().is_null()) else { return };
        let callbacks = self.callbacks();
        let mut handle = ptr::null_mut();
        // SAFETY: the callbacks live as long as the world.
        let status = unsafe { qdtls_listener_new(&callbacks, &mut handle) };
        if check(status, handle.is_null()) {
            place.set(handle);
        } else {
            self.forget_program(callbacks.user);
        }
    }

    fn verify(&self) {
        let (listener, address, datagram) =
            (self.listeners[self.below(2)].get(), self.address(), self.datagram());
        let mut verified = false;
        // SAFETY: null or live; the datagram is readable.
        let status = unsafe {
            qdtls_listener_verify(listener, &address, datagram.as_ptr(), datagram.len(), &mut verified)
        };
        check(status, !verified);
    }

    fn set_listener_cookie(&self) {
        // SAFETY: both are null or live.
        check(unsafe { qdtls_listener_set_cookie(self.listeners[self.below(2)].get(), self.cookie()) }, true);
    }

    fn call_without_handle(&self) {
        let mut bytes = self.bytes();
        // SAFETY: the bytes are writable; a null reply is refused.
        let status = unsafe {
            match self.byte() % 4 {
                0 => qdtls_cookie_rotate(),
                1 => qdtls_cookie_revoke(),
                2 => qdtls_wipe(bytes.as_mut_ptr(), bytes.len()),
                _ => qdtls_psk_reply_set(ptr::null_mut(), ptr::null(), 0, ptr::null(), 0),
            }
        };
        check(status, true);
    }
}
