// SPDX-License-Identifier: MIT OR Apache-2.0
//! The address of a peer, checked and in canonical form.

#![forbid(unsafe_code)]

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// A unicast address with a port. An IPv4-mapped IPv6 address is converted to IPv4, so that a peer has the same
/// identity on IPv4 and dual-stack sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    ip: IpAddr,
    /// The IPv6 zone (RFC 4007); 0 except for link-local addresses, whose identity includes it.
    scope: u32,
    port: u16,
}

/// The length of the longest [`PeerAddress::identity`].
pub const IDENTITY_LENGTH: usize = 16 + 4 + 2;

impl PeerAddress {
    /// Checks the parts and converts them to canonical form.
    #[inline]
    pub fn new(ip: IpAddr, port: u16, scope: u32) -> Result<Self> {
        let ip = ip.to_canonical();
        let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        if port == 0 || ip.is_unspecified() || ip.is_multicast() || broadcast {
            return Err(unusable());
        }
        let scope = match ip {
            IpAddr::V6(v6) if is_link_local(v6) => scope,
            _ => 0,
        };
        Ok(Self { ip, scope, port })
    }

    /// The address that the system's interfaces take.
    pub fn to_socket(&self) -> SocketAddr {
        match self.ip {
            IpAddr::V4(v4) => SocketAddr::from((v4, self.port)),
            IpAddr::V6(v6) => SocketAddrV6::new(v6, self.port, 0, self.scope).into(),
        }
    }

    /// The address of what came in. Refuses what no peer can have.
    #[inline]
    pub fn of_socket(address: SocketAddr) -> Result<Self> {
        let scope = match address {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(v6) => v6.scope_id(),
        };
        Self::new(address.ip(), address.port(), scope)
    }

    /// The IP address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The zone of a link-local address; 0 for others.
    pub fn scope(&self) -> u32 {
        self.scope
    }

    /// The UDP port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The bytes that identify this peer in a cookie: address, scope if it has one, and port. Their number depends on
    /// the kind of address.
    pub fn identity(&self) -> Bytes<IDENTITY_LENGTH> {
        let mut bytes = Bytes::default();
        match self.ip {
            IpAddr::V4(v4) => bytes.push(&v4.octets()),
            IpAddr::V6(v6) => bytes.push(&v6.octets()),
        }
        if self.scope != 0 {
            bytes.push(&self.scope.to_be_bytes());
        }
        bytes.push(&self.port.to_be_bytes());
        bytes
    }

    /// The size of the IP and UDP headers of a datagram (RFC 791, RFC 8200, RFC 768; without options).
    pub fn header_overhead(&self) -> u16 {
        match self.ip {
            IpAddr::V4(_) => 20 + 8,
            IpAddr::V6(_) => 40 + 8,
        }
    }
}

/// In few steps: an endpoint looks every datagram's up.
impl Hash for PeerAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let rest = u64::from(self.scope) << 16 | u64::from(self.port);
        match self.ip {
            IpAddr::V4(v4) => state.write_u64(u64::from(v4.to_bits()) << 16 | rest),
            IpAddr::V6(v6) => {
                state.write_u128(v6.to_bits());
                state.write_u64(rest);
            }
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ip, self.scope) {
            (IpAddr::V4(v4), _) => write!(f, "{v4}:{}", self.port),
            (IpAddr::V6(v6), 0) => write!(f, "[{v6}]:{}", self.port),
            (IpAddr::V6(v6), scope) => write!(f, "[{v6}%{scope}]:{}", self.port),
        }
    }
}

#[cold]
fn unusable() -> Error {
    Error::new(Status::InvalidAddress, "peer address")
}

fn is_link_local(v6: Ipv6Addr) -> bool {
    let [first, ..] = v6.segments();
    first & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(ip: &str, port: u16, scope: u32) -> Result<PeerAddress> {
        PeerAddress::new(ip.parse().expect("a literal address"), port, scope)
    }

    #[test]
    fn s17_unusable_addresses_are_refused() {
        for ip in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0"] {
            assert_eq!(peer(ip, 5684, 0).map_err(|e| e.status()), Err(Status::InvalidAddress), "{ip}");
        }
        assert_eq!(peer("127.0.0.1", 0, 0).map_err(|e| e.status()), Err(Status::InvalidAddress));
    }

    #[test]
    fn s28_one_peer_has_one_identity() {
        assert_eq!(peer("::ffff:127.0.0.1", 5684, 0), peer("127.0.0.1", 5684, 0));
        assert_eq!(peer("2001:db8::1", 5684, 3), peer("2001:db8::1", 5684, 0));
        assert_ne!(peer("fe80::1", 5684, 3), peer("fe80::1", 5684, 2));
    }

    #[test]
    fn s28_socket_addresses_are_canonical() {
        for (text, same) in
            [("127.0.0.1:9", "127.0.0.1:9"), ("[::ffff:127.0.0.1]:9", "127.0.0.1:9"), ("[::1]:9", "[::1]:9")]
        {
            let [one, other] =
                [text, same].map(|text| text.parse::<SocketAddr>().expect("a literal address"));
            assert_eq!(PeerAddress::of_socket(one).map(|peer| peer.to_socket()), Ok(other), "{text}");
        }
        assert!(PeerAddress::of_socket("0.0.0.0:9".parse().expect("a literal address")).is_err());
    }

    #[test]
    fn identities_differ_in_each_part() {
        let all = [
            peer("127.0.0.1", 5684, 0),
            peer("127.0.0.1", 5683, 0),
            peer("127.0.0.2", 5684, 0),
            peer("::1", 5684, 0),
            peer("fe80::1", 5684, 1),
            peer("fe80::1", 5684, 2),
        ]
        .map(|p| p.expect("valid").identity());
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a.as_slice() != b.as_slice()));
        }
        assert_eq!(all.map(|identity| identity.as_slice().len()), [6, 6, 6, 18, 22, 22]);
    }
}
