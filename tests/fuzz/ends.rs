// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the targets need of an end beyond what the other users of `pair.rs` do, and contexts that runs share.

use super::library::error::Status;
use super::library::ffi::*;
use super::pair::{Contexts, Credentials, End, Outcome, Pair};
use super::repeatable;
use std::cell::OnceCell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

pub const SIDES: [Side; 2] = [Side::Client, Side::Server];

impl Side {
    pub fn other(self) -> Self {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

pub const NOT_STARTED: i32 = 0;
pub const COMPLETE: i32 = 3;

impl Pair {
    pub fn end(&self, side: Side) -> &End {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

impl End {
    /// The microseconds until the timer expires, if it runs.
    pub fn timeout(&self) -> Option<u64> {
        let (mut running, mut microseconds) = (false, 0);
        // SAFETY: the handle is live.
        let status = unsafe { qdtls_connection_timeout(self.handle, &mut running, &mut microseconds) };
        assert_eq!(status, Status::Ok);
        running.then_some(microseconds)
    }

    pub fn handle_timeout(&self) -> Status {
        let mut retransmitted = false;
        // SAFETY: the handle is live.
        unsafe { qdtls_connection_handle_timeout(self.handle, &mut retransmitted) }
    }

    pub fn set_mtu_hint(&self, bytes: u16) -> Status {
        // SAFETY: the handle is live.
        unsafe { qdtls_connection_set_mtu_hint(self.handle, bytes) }
    }

    /// The plaintext of a datagram, however long.
    pub fn read_all(&self, datagram: &[u8]) -> Result<Vec<u8>, Status> {
        let mut capacity = 0;
        // SAFETY: the handle is live.
        let status = unsafe { qdtls_connection_read_capacity(self.handle, datagram.len(), &mut capacity) };
        assert_eq!(status, Status::Ok);
        let mut buffer = vec![0; capacity];
        let length = self.read_into(datagram, &mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    pub fn shutdown(&self) -> Status {
        // SAFETY: the handle is live.
        unsafe { qdtls_connection_shutdown(self.handle) }
    }
}

/// A pair whose random numbers and clock begin as in every run: what is made once was made before.
pub fn pair(credentials: Credentials) -> Pair {
    thread_local! {
        static CONTEXTS: [OnceCell<Contexts>; 2] = const { [OnceCell::new(), OnceCell::new()] };
    }
    CONTEXTS.with(|contexts| {
        let contexts = contexts[credentials as usize].get_or_init(|| {
            repeatable::restart();
            let contexts = Contexts::new(credentials);
            assert_eq!(Pair::of(&contexts).connect(), Outcome::Connected);
            contexts
        });
        repeatable::restart();
        Pair::of(contexts)
    })
}
