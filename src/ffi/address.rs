// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peer addresses.

use crate::error::{Error, Result, Status};
use crate::peer::PeerAddress;
use std::net::IpAddr;

/// An IP address and a UDP port.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_address {
    /// 4 for IPv4, 6 for IPv6. Any other value gives `QDTLS_STATUS_INVALID_ADDRESS`.
    pub family: i32,
    /// The zone of a link-local IPv6 address: an interface index (RFC 4007). Ignored for other addresses.
    pub scope: u32,
    /// The port in host byte order, not 0.
    pub port: u16,
    /// The address in network byte order; IPv4 uses the first four bytes.
    pub bytes: [u8; 16],
}

impl From<PeerAddress> for qdtls_address {
    fn from(peer: PeerAddress) -> Self {
        let (family, bytes) = match peer.ip() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                (4, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            IpAddr::V6(v6) => (6, v6.octets()),
        };
        Self { family, scope: peer.scope(), port: peer.port(), bytes }
    }
}

impl qdtls_address {
    /// Returns the checked address in canonical form.
    #[inline]
    pub(super) fn to_peer(self) -> Result<PeerAddress> {
        let [a, b, c, d, ..] = self.bytes;
        let ip: IpAddr = match self.family {
            4 => [a, b, c, d].into(),
            6 => self.bytes.into(),
            family => {
                return Err(Error::because(
                    Status::InvalidAddress,
                    "peer address",
                    format_args!("{family} is not an address family (4 or 6)"),
                ));
            }
        };
        PeerAddress::new(ip, self.port, self.scope)
    }
}
