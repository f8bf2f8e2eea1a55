// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client that restarts from the same address (RFC 6347, 4.2.8; S22).

#![forbid(unsafe_code)]

use super::Connection;
use crate::association::Association;
use crate::association::operation::Purpose;
use crate::cookie::Use;
use crate::error::{Error, Result, Status};
use crate::listener;
use crate::log;
use crate::role::Role;
use crate::statistics::Cookies;
use crate::wire::hello::ClientHello;
use crate::wire::record;

impl Connection {
    /// Handles a ClientHello of a client that restarted. Without a valid cookie it is answered like any other and the
    /// connection continues. With a valid cookie it ends the connection with `PeerRestarted`, and the client's next
    /// hello starts a new one. So does the true hello, when a server waits for the rest of one that was altered on the way.
    /// Returns whether the datagram was such a hello.
    #[inline]
    pub(super) fn answers_restart(&self, association: &Association, datagram: &[u8]) -> Result<bool> {
        match datagram.first() {
            Some(&record::HANDSHAKE) if self.role == Role::Server => self.answer_hello(association, datagram),
            _ => Ok(false),
        }
    }

    #[cold]
    fn answer_hello(&self, association: &Association, datagram: &[u8]) -> Result<bool> {
        let Some(hello) = ClientHello::parse(datagram) else {
            return Ok(false);
        };
        let waits_for_other = association.waits_for_other_hello(&hello);
        if self.phase.borrow().client_random() == Some(*hello.random) && !waits_for_other {
            return Ok(false);
        }
        let Some(key) = self.cookie_key() else {
            return Ok(false);
        };
        let since = association.verified_at();
        let cookie_use = if waits_for_other { Use::Start } else { Use::Restart { since } };
        let valid = association.hold("ClientHello", Purpose::Data, &[], |_, _| {
            // A failure to send the answer does not affect this connection.
            let peer = association.peer();
            let cookies = Cookies::default();
            listener::verify(&key, &peer, &hello, cookie_use, &**self.host, &cookies).unwrap_or(None)
        })?;
        if valid.is_some() {
            self.reset();
            let restarted = Error::new(Status::PeerRestarted, "ClientHello");
            log::report_failure(&restarted, Some(association.peer()));
            return Err(restarted);
        }
        Ok(true)
    }
}
