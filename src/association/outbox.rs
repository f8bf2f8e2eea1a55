// SPDX-License-Identifier: MIT OR Apache-2.0
//! What OpenSSL writes in one operation, except application data: kept until it has returned, so that the records of a
//! flight can share datagrams.

#![forbid(unsafe_code)]

use crate::memory;
use std::cell::{Cell, RefCell};

/// See the module documentation.
#[derive(Default)]
pub struct Outbox {
    /// Records, which OpenSSL may write in parts.
    written: RefCell<Vec<u8>>,
    /// Whether there was no memory for a part.
    is_incomplete: Cell<bool>,
}

impl Outbox {
    /// Keeps some bytes. Returns false without memory: all that was written is then lost, as a network may lose it.
    pub fn add(&self, bytes: &[u8]) -> bool {
        let mut written = self.written.borrow_mut();
        if self.is_incomplete.get() || memory::append(&mut written, bytes).is_none() {
            self.is_incomplete.set(true);
            written.clear();
        }
        !self.is_incomplete.get()
    }

    /// Takes what was written.
    #[inline]
    pub fn take(&self) -> Vec<u8> {
        self.is_incomplete.set(false);
        self.written.take()
    }

    /// The number of bytes that were written.
    pub fn len(&self) -> usize {
        self.written.borrow().len()
    }
}
