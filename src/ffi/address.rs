// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peer addresses, and the BIO that is told of one.

use super::arguments::{bytes, invalid};
use super::guard::call;
use crate::error::{Error, Result, Status};
use crate::openssl::{self, bio};
use crate::os;
use crate::peer::PeerAddress;
use openssl_sys::BIO;
use std::net::IpAddr;
use std::ptr::NonNull;

/// An IP address and a UDP port.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_address {
    /// 4 for IPv4, 6 for IPv6; anything else is refused.
    pub family: i32,
    /// Zone of a link-local IPv6 address (an interface index, RFC 4007), otherwise 0.
    pub scope: u32,
    /// Port in host byte order, not 0.
    pub port: u16,
    /// The address in network byte order; IPv4 uses the first four bytes.
    pub bytes: [u8; 16],
}

impl qdtls_address {
    /// The checked, canonical form.
    pub(super) fn to_peer(self) -> Result<PeerAddress> {
        let [a, b, c, d, ..] = self.bytes;
        let ip: IpAddr = match self.family {
            4 => [a, b, c, d].into(),
            6 => self.bytes.into(),
            family => {
                let reason = format!("{family} is no address family (4 or 6)");
                return Err(Error::because(Status::InvalidAddress, "peer address", reason));
            }
        };
        PeerAddress::new(ip, self.port, self.scope)
    }
}

/// Tells a datagram BIO (BIO_s_datagram(3)) that its socket is connected to a peer, as BIO_ctrl_set_connected(3) does,
/// after checking the address.
///
/// `address` is a `struct sockaddr_in` or `sockaddr_in6` of `length` bytes; the scope id of the latter is kept. A BIO of
/// this library's own connections already knows its peer and is refused with `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `bio` is null or a live BIO; `address` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_bio_set_connected(bio: *mut BIO, address: *const u8, length: usize) -> Status {
    call("qdtls_bio_set_connected", || {
        // SAFETY: passed on.
        let address = unsafe { bytes(address, length) }?;
        let bio = NonNull::new(bio).ok_or_else(|| invalid("the BIO is null"))?;
        let malformed = || {
            let reason = format!("{length} bytes do not hold a socket address of family AF_INET or AF_INET6");
            Error::because(Status::InvalidAddress, "peer address", reason)
        };
        let (ip, port, scope) = os::socket_address(address).ok_or_else(malformed)?;
        PeerAddress::new(ip, port, scope)?;
        // SAFETY: live by the caller's promise.
        if unsafe { bio::is_ours(openssl::api()?, bio) } {
            return Err(Error::new(Status::InvalidState, "qdtls_bio_set_connected"));
        }
        // SAFETY: live by the caller's promise; the address is whole, as was just checked.
        unsafe { bio::set_connected(bio, address) }
    })
}
