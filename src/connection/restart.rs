// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client that restarts from the same address (RFC 6347, 4.2.8; S22).

#![forbid(unsafe_code)]

use super::Connection;
use crate::association::Association;
use crate::association::operation::Purpose;
use crate::cookie::Use;
use crate::error::{Error, Result, Status};
use crate::listener;
use crate::role::Role;
use crate::wire::hello::ClientHello;
use crate::wire::record;

impl Connection {
    /// Handles a ClientHello of a client that restarted. Without a valid cookie it is answered like any other and the
    /// connection continues. With a valid cookie it ends the connection with `PeerRestarted`, and the client's next
    /// hello starts a new one. Returns whether the datagram was such a hello.
    #[inline]
    pub(super) fn answers_restart(&self, association: &Association, datagram: &[u8]) -> Result<bool> {
        match datagram.first() {
            Some(&record::HANDSHAKE) if self.role == Role::Server => self.answer_hello(association, datagram),
            _ => Ok(false),
        }
    }

    #[cold]
    fn answer_hello(&self, association: &Association, datagram: &[u8]) -> Result<bool> {
        let client_random = self.phase.borrow().client_random();
        let other_hello = |hello: &ClientHello<'_>| client_random != Some(*hello.random);
        let Some(hello) = ClientHello::parse(datagram).filter(other_hello) else {
            return Ok(false);
        };
        let Some(key) = self.cookie_key() else {
            return Ok(false);
        };
        let verified = association.hold("ClientHello", Purpose::Data, &[], |_, _| {
            // A failure to send the answer does not affect this connection.
            let since = association.verified_at();
            listener::verify(&key, &association.peer(), &hello, Use::Restart { since }, &**self.host)
                .unwrap_or(false)
        })?;
        if verified {
            self.reset();
            return Err(Error::new(Status::PeerRestarted, "ClientHello"));
        }
        Ok(true)
    }
}
