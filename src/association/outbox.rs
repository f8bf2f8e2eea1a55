// SPDX-License-Identifier: MIT OR Apache-2.0
//! What OpenSSL writes in one operation, except application data: kept until it has returned, so that the records of a
//! flight can share datagrams.

#![forbid(unsafe_code)]

use crate::memory;
use std::cell::{Cell, RefCell};

/// See the module documentation. Each operation leaves it empty: a part of the association, so that a message costs
/// nothing for it.
#[derive(Default)]
pub struct Outbox {
    content: Cell<Content>,
    /// Records, which OpenSSL may write in parts.
    written: RefCell<Vec<u8>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Content {
    #[default]
    Nothing,
    Records,
    /// There was no memory for a part.
    Lost,
}

impl Outbox {
    /// Keeps some bytes. Returns false without memory: all that was written is then lost, as a network may lose it.
    pub fn add(&self, bytes: &[u8]) -> bool {
        let mut written = self.written.borrow_mut();
        let is_kept = self.content.get() != Content::Lost && memory::append(&mut written, bytes).is_some();
        self.content.set(if is_kept { Content::Records } else { Content::Lost });
        if !is_kept {
            written.clear();
        }
        is_kept
    }

    /// Takes what was written, if anything was.
    #[inline]
    pub fn take(&self) -> Option<Vec<u8>> {
        (self.content.replace(Content::Nothing) == Content::Records).then(|| self.written.take())
    }

    /// The number of bytes that were written.
    pub fn len(&self) -> usize {
        self.written.borrow().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_taken_once() {
        let outbox = Outbox::default();
        assert_eq!(outbox.take(), None);
        assert!(outbox.add(b"one ") && outbox.add(b"flight"));
        assert_eq!(outbox.len(), 10);
        assert_eq!(outbox.take().as_deref(), Some(&b"one flight"[..]));
        assert_eq!((outbox.take(), outbox.len()), (None, 0));
    }

    #[test]
    fn a_part_without_memory_loses_what_was_written_until_it_is_taken() {
        let outbox = Outbox::default();
        assert!(outbox.add(b"one "));
        outbox.content.set(Content::Lost);
        assert!(!outbox.add(b"flight"));
        assert_eq!(outbox.take(), None);
        assert!(outbox.add(b"another"));
        assert_eq!(outbox.take().as_deref(), Some(&b"another"[..]));
    }
}
