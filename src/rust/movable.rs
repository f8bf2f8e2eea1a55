// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection of the core that can be moved to another thread.

#![allow(unsafe_code, reason = "`Send` is a promise")]

use super::host::Host;
use super::program::{Calls, Program};
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::host;
use crate::memory::{self, Rc};
use crate::role::Role;

/// A connection with its program. It keeps all owners of everything in them that is counted without atomics.
pub struct Movable<H> {
    connection: Connection,
    program: Rc<Program<H>>,
}

// SAFETY: what keeps a `Connection` from being `Send` is counted (`memory::Rc`), in a cell, or OpenSSL's.
// - Counted are `Program` and the host around it, made by `new`; the `Association`; and the `Stage` of its `Ssl`. All
//   owners are inside this value, except while a method of `Connection` runs. No other connection has one, and the
//   module `rust` gives none away: `Movable` is private to it, and what it takes from `Connection::association` it drops
//   before it returns. So the counts, and the cells behind them, move together, and never have owners on two threads.
// - `H` is `Send`. Otherwise the trait objects are `Calls<H>`, which is counted above, and `()` as the context's owner.
// - The `SSL` is the connection's alone: `Ssl::from_crate` took over its one owner. OpenSSL lets a thread use an SSL if
//   no other does at the time (openssl-threads(7)), and the crate's own `Ssl` is `Send` for that reason. The `SSL_CTX`
//   that it shares with others is counted by OpenSSL with atomics; closures that the program has put into either are
//   `Send + Sync`, as the crate requires. The BIO belongs to the `SSL`, and its method is never written (`bio.rs`).
// - What connections share is made for threads: keys of cookies and sessions (`memory::Arc`), the process's secret (a
//   mutex), settings and the number of connections (atomics), the function table (`OnceLock`).
// - What belongs to a thread is used within one call only: OpenSSL's error queue, which each operation clears or
//   takes before it returns, and the lines that wait in `log`.
// - Not `Sync`, because of the cells: no two threads can use one at a time, not even for queries.
unsafe impl<H: Send> Send for Movable<H> {}

impl<H: Host + 'static> Movable<H> {
    pub fn new(role: Role, host: H) -> Result<Self> {
        let no_memory = || Error::no_memory("connection");
        let place = memory::Place::new().ok_or_else(no_memory)?;
        let program = Rc::new(Program::new(host)).map_err(|_| no_memory())?;
        let calls: Box<dyn host::Host> = place.fill(Calls(Rc::clone(&program)));
        let calls = Rc::new(calls).map_err(|_| no_memory())?;
        Ok(Self { connection: Connection::new(role, calls), program })
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn program(&self) -> &Program<H> {
        &self.program
    }
}
