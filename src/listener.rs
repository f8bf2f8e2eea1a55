// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stateless side of a server: telling clients that receive what is sent to their address from those that only
//! claim it (RFC 6347, 4.2.1). Qt's `QDtlsClientVerifier`.
//!
//! A datagram is parsed, one HMAC computed, at most one datagram sent, and nothing allocated or remembered.

use crate::cookie::{CookieKey, Verdict};
use crate::error::{Error, Result, Status};
use crate::hello::{ClientHello, HelloVerifyRequest};
use crate::peer::PeerAddress;
use crate::sink::{SendResult, Sink};

/// Whether `datagram`, which came from `peer`, starts with a ClientHello whose cookie is valid.
///
/// A ClientHello without a valid cookie is answered through `sink`. Anything else is ignored: anyone can send it.
pub fn verify(key: &CookieKey, peer: &PeerAddress, datagram: &[u8], sink: &dyn Sink) -> Result<bool> {
    let Some(hello) = ClientHello::parse(datagram) else {
        return Ok(false);
    };
    match key.judge(peer, &hello, sink.now())? {
        Verdict::Verified => Ok(true),
        Verdict::Unverified(cookie) => {
            let request = HelloVerifyRequest::new(&hello, cookie.as_bytes());
            match sink.send(request.as_bytes()) {
                SendResult::Sent => Ok(false),
                SendResult::Failed => Err(Error::new(Status::SendFailed, "HelloVerifyRequest")),
                SendResult::Lost | SendResult::Refused => {
                    Err(Error::new(Status::SendRefused, "HelloVerifyRequest"))
                }
            }
        }
    }
}
