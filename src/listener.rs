// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stateless side of a server: verifying that clients receive datagrams at the address they claim (RFC 6347,
//! 4.2.1). Qt's `QDtlsClientVerifier`.
//!
//! Each datagram costs one parse, one or two HMACs and at most one datagram sent; nothing is allocated or stored.

#![forbid(unsafe_code)]

use crate::cookie::{Check, CookieKey, Use, ValidCookie};
use crate::error::{Error, Result, Status};
use crate::host::{Host, SendResult};
use crate::log::{self, Kind};
use crate::peer::PeerAddress;
use crate::statistics::Cookies;
use crate::wire::hello::{ClientHello, HelloVerifyRequest};
use std::cell::RefCell;

/// Answers ClientHellos with cookies and recognises the clients that return one.
pub struct Listener<H> {
    key: RefCell<CookieKey>,
    host: H,
    cookies: Cookies,
}

impl<H: Host> Listener<H> {
    /// A listener with the process-wide cookie secret.
    pub fn new(host: H) -> Self {
        Self { key: RefCell::default(), host, cookies: Cookies::default() }
    }

    /// Sets the key that makes and checks cookies.
    pub fn set_cookie(&self, key: CookieKey) {
        self.key.replace(key);
    }

    /// What was done with the cookies.
    pub fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// As [`verify`], with this listener's key and host.
    pub fn verify(&self, peer: &PeerAddress, datagram: &[u8]) -> Result<bool> {
        let Some(hello) = ClientHello::parse(datagram) else {
            return Ok(false);
        };
        // Cloned, because the host may replace the key while it sends.
        let key = self.key.borrow().clone();
        verify(&key, peer, &hello, Use::Listen, &self.host, &self.cookies).map(|valid| valid.is_some())
    }
}

/// Checks the cookie of `hello`, received from `peer`. Answers a ClientHello without a valid cookie through `host`, and
/// returns `None`.
pub fn verify(
    key: &CookieKey,
    peer: &PeerAddress,
    hello: &ClientHello<'_>,
    cookie_use: Use,
    host: &dyn Host,
    cookies: &Cookies,
) -> Result<Option<ValidCookie>> {
    let check = key.check(peer, hello, host.now(), cookie_use)?;
    cookies.hello(matches!(check, Check::Valid(_)), !hello.cookie.is_empty());
    match check {
        Check::Valid(cookie) => Ok(Some(cookie)),
        Check::Answer(cookie) => {
            if !hello.cookie.is_empty() {
                log::report(
                    Kind::CookieRefused,
                    Some(*peer),
                    "ClientHello",
                    format_args!("its cookie is not valid, or no longer; it gets another"),
                );
            }
            let request = HelloVerifyRequest::new(hello, cookie.as_bytes());
            match host.send_to(peer, request.as_bytes()) {
                SendResult::Sent => {
                    cookies.issue();
                    Ok(None)
                }
                SendResult::Failed => Err(Error::new(Status::SendFailed, "HelloVerifyRequest")),
                SendResult::Lost | SendResult::Refused => {
                    Err(Error::new(Status::SendRefused, "HelloVerifyRequest"))
                }
            }
        }
    }
}
