// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations of an association, and releasing it while one runs.

#![forbid(unsafe_code)]

use super::operation::{Operation, Purpose};
use super::{Association, Holder, Progress, Received, VerifiedHello};
use crate::bytes::Bytes;
use crate::cookie::{Check, CookieCheck, Use};
use crate::error::{Error, Result, Status};
use crate::openssl::ssl::{OnStage, PlaintextBuffer, Running};
use crate::wire::hello::ClientHello;
use crate::wire::record;

impl Association {
    /// Holds the association for one operation, which borrows `datagram`. Errors: `Busy` inside another operation;
    /// `Aborted` if a callback made the connection release the association: the caller must then leave the connection
    /// unchanged.
    #[inline]
    pub fn hold<'a, R>(
        &'a self,
        name: &'static str,
        purpose: Purpose,
        datagram: &'a [u8],
        body: impl FnOnce(&Operation<'a>, OnStage<'_>) -> R,
    ) -> Result<R> {
        let operation = Operation::new(self, purpose, datagram);
        let result = self.ssl.hold(name, &operation, |stage| body(&operation, stage))?;
        match self.holder.get() {
            Holder::Connection => Ok(result),
            Holder::Operation { close_notify } => {
                if close_notify {
                    self.send_close_notify();
                }
                Err(Error::new(Status::Aborted, name))
            }
        }
    }

    /// As [`Association::hold`], with record buffers: `OutOfMemory` without them.
    #[inline]
    fn run<'a, R>(
        &'a self,
        name: &'static str,
        purpose: Purpose,
        datagram: &'a [u8],
        body: impl FnOnce(&Operation<'a>, &Running<'_>) -> R,
    ) -> Result<R> {
        self.hold(name, purpose, datagram, |operation, stage| stage.run(|ssl| body(operation, ssl)))?
    }

    /// Starts a server's handshake with the ClientHello at the start of `datagram`, if its cookie is valid.
    pub fn start_with_cookie(&self, check: CookieCheck<'_>, datagram: &[u8]) -> Result<Progress> {
        const NAME: &str = "start handshake";
        let rejected = || Error::new(Status::CookieRejected, "ClientHello");
        let (record, _) = record::split_record(datagram).ok_or_else(rejected)?;
        let hello = ClientHello::from_record(&record).ok_or_else(rejected)?;
        self.statistics.received.datagram(datagram.len());
        self.hold(NAME, Purpose::Listen, record.bytes, |operation, stage| {
            let valid = match check {
                CookieCheck::Done(valid) => valid,
                CookieCheck::Due(key) => match key.check(&self.peer, &hello, self.host.now(), Use::Start)? {
                    Check::Valid(valid) => valid,
                    Check::Answer(_) => return Err(rejected()),
                },
            };
            self.timer.note_upper_bound(valid.age.saturating_mul(1000));
            if !self.is_current() {
                return Err(Error::new(Status::Aborted, NAME));
            }
            let mut cookie = Bytes::default();
            cookie.push(hello.cookie);
            self.verified_hello.replace(Some(VerifiedHello { at: valid.at, random: *hello.random, cookie }));
            stage.run(|ssl| {
                operation.listen(ssl, &hello, datagram)?;
                operation.handshake(ssl)
            })?
        })?
    }

    /// Continues the handshake. `datagram` is empty when a client starts.
    pub fn handshake(&self, datagram: &[u8]) -> Result<Progress> {
        if !datagram.is_empty() {
            self.statistics.received.datagram(datagram.len());
        }
        self.timer.note_arrival();
        self.run("handshake", Purpose::Handshake, datagram, |operation, ssl| operation.handshake(ssl))?
    }

    /// Retransmits the last flight if its timer has expired. Returns whether it retransmitted.
    pub fn handle_timeout(&self) -> Result<bool> {
        self.run("handle timeout", Purpose::Handshake, &[], |operation, ssl| operation.handle_timeout(ssl))?
    }

    /// Encrypts and sends one message of 1 to 2^14 bytes.
    #[inline]
    pub fn write(&self, message: &[u8]) -> Result<usize> {
        self.run("write", Purpose::Data, &[], |operation, ssl| operation.write(ssl, message))?
    }

    /// Decrypts all records of `datagram` into `buffer`, starting at `filled`.
    #[inline]
    pub fn read(&self, datagram: &[u8], buffer: PlaintextBuffer<'_>, filled: usize) -> Result<Received> {
        self.statistics.received.datagram(datagram.len());
        self.run("read", Purpose::Data, datagram, |operation, ssl| operation.read(ssl, buffer, filled))
    }

    /// Called when the connection releases this association. A running operation completes but sends nothing. A
    /// close_notify is sent at once, or when the running operation has returned.
    pub fn let_go(&self, close_notify: bool) {
        let is_running = self.is_busy();
        self.holder.set(Holder::Operation { close_notify });
        if close_notify && !is_running {
            self.send_close_notify();
        }
    }

    fn send_close_notify(&self) {
        self.holder.set(Holder::Operation { close_notify: false });
        let operation = Operation::new(self, Purpose::CloseNotify, &[]);
        // The association ends even if this cannot be sent.
        let _ =
            self.ssl.hold("close_notify", &operation, |stage| stage.run(|ssl| operation.close_notify(ssl)));
    }
}
