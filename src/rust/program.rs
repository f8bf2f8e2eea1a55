// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program's host, as the core calls it: through shared references, and from inside functions of OpenSSL.

#![forbid(unsafe_code)]

use super::host::{Host, send_result};
use crate::host::{self, Psk, PskRequest, SendResult};
use crate::memory::Rc;
use crate::unix_time::UnixTime;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The host of one connection. Nothing reaches the connection through it, so that it is called once at a time.
pub struct Program<H> {
    pub host: RefCell<H>,
    /// With what it has panicked. A panic must not unwind through OpenSSL.
    panic: RefCell<Option<Box<dyn Any + Send>>>,
}

impl<H: Host> Program<H> {
    pub fn new(host: H) -> Self {
        Self { host: RefCell::new(host), panic: RefCell::new(None) }
    }

    fn call<R>(&self, refused: R, call: impl FnOnce(&mut H) -> R) -> R {
        if self.panic.borrow().is_some() {
            return refused;
        }
        // The program gets its panic back, and sees what state its host is in.
        catch_unwind(AssertUnwindSafe(|| call(&mut self.host.borrow_mut()))).unwrap_or_else(|panic| {
            self.panic.replace(Some(panic));
            refused
        })
    }

    /// Passes a panic on.
    pub fn resume_panic(&self) {
        let panic = self.panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// Lets the core call a program.
pub struct Calls<H>(pub Rc<Program<H>>);

impl<H: Host> host::Host for Calls<H> {
    fn send(&self, datagram: &[u8]) -> SendResult {
        self.0.call(SendResult::Failed, |host| send_result(host.send(datagram)))
    }

    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        self.0.call(None, |host| host.psk(request))
    }

    fn now(&self) -> UnixTime {
        UnixTime::now()
    }
}
