// SPDX-License-Identifier: MIT OR Apache-2.0
//! The address of a peer, checked and in canonical form.

#![forbid(unsafe_code)]

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// A unicast address with a port. An IPv4-mapped IPv6 address is converted to IPv4, so that a peer has the same
/// identity on IPv4 and dual-stack sockets. Small, and compared in a few steps: an endpoint does it for each datagram.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    /// The halves of the IPv6 address; IPv4 addresses in their mapped form.
    high: u64,
    low: u64,
    /// The IPv6 zone (RFC 4007), which is 0 except for link-local addresses, and behind it the port.
    rest: u64,
}

/// What stands before an IPv4 address in the lower half of its mapped form (RFC 4291, 2.5.5.2).
const MAPPED: u64 = 0xffff;

/// The length of the longest [`PeerAddress::identity`].
pub const IDENTITY_LENGTH: usize = 16 + 4 + 2;

impl PeerAddress {
    /// Checks the parts and converts them to canonical form.
    #[inline]
    pub fn new(ip: IpAddr, port: u16, scope: u32) -> Result<Self> {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip, port),
            IpAddr::V6(ip) => Self::of_v6(ip, port, scope),
        }
    }

    /// The same for IPv4.
    #[inline]
    pub fn of_v4(ip: Ipv4Addr, port: u16) -> Result<Self> {
        if port == 0 || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() {
            return Err(unusable());
        }
        Ok(Self { high: 0, low: MAPPED << 32 | u64::from(ip.to_bits()), rest: port.into() })
    }

    /// The same for IPv6.
    #[inline]
    pub fn of_v6(ip: Ipv6Addr, port: u16, scope: u32) -> Result<Self> {
        if let Some(v4) = ip.to_ipv4_mapped() {
            return Self::of_v4(v4, port);
        }
        if port == 0 || ip.is_unspecified() || ip.is_multicast() {
            return Err(unusable());
        }
        let scope = if ip.is_unicast_link_local() { scope } else { 0 };
        let bits = ip.to_bits();
        let rest = u64::from(scope) << 16 | u64::from(port);
        Ok(Self { high: (bits >> 64) as u64, low: bits as u64, rest })
    }

    /// The address that the system's interfaces take.
    pub fn to_socket(&self) -> SocketAddr {
        match self.ip() {
            IpAddr::V4(v4) => SocketAddr::from((v4, self.port())),
            IpAddr::V6(v6) => SocketAddrV6::new(v6, self.port(), 0, self.scope()).into(),
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
        match self.is_v4() {
            true => Ipv4Addr::from_bits(self.low as u32).into(),
            false => self.to_v6().into(),
        }
    }

    /// Returns whether it is an IPv4 address.
    #[inline]
    fn is_v4(&self) -> bool {
        self.high == 0 && self.low >> 32 == MAPPED
    }

    /// The IP address as an IPv6 address, in mapped form if it is none.
    pub fn to_v6(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(u128::from(self.high) << 64 | u128::from(self.low))
    }

    /// The zone of a link-local address; 0 for others.
    pub fn scope(&self) -> u32 {
        (self.rest >> 16) as u32
    }

    /// The UDP port, never 0.
    pub fn port(&self) -> u16 {
        self.rest as u16
    }

    /// The bytes that identify this peer in a cookie: address, scope if it has one, and port. Their number depends on
    /// the kind of address.
    pub fn identity(&self) -> Bytes<IDENTITY_LENGTH> {
        let mut bytes = Bytes::default();
        match self.ip() {
            IpAddr::V4(v4) => bytes.push(&v4.octets()),
            IpAddr::V6(v6) => bytes.push(&v6.octets()),
        }
        if self.scope() != 0 {
            bytes.push(&self.scope().to_be_bytes());
        }
        bytes.push(&self.port().to_be_bytes());
        bytes
    }

    /// The size of the IP and UDP headers of a datagram (RFC 791, RFC 8200, RFC 768; without options).
    pub fn header_overhead(&self) -> u16 {
        match self.ip() {
            IpAddr::V4(_) => 20 + 8,
            IpAddr::V6(_) => 40 + 8,
        }
    }
}

/// In few steps: an endpoint looks every datagram's up.
impl Hash for PeerAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Of a mapped address, only what is the same in all of them is shifted out.
        if !self.is_v4() {
            state.write_u64(self.high);
            state.write_u64(self.low);
            return state.write_u64(self.rest);
        }
        state.write_u64(self.low << 16 | self.rest);
    }
}

impl fmt::Debug for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ip(), self.scope()) {
            (IpAddr::V4(v4), _) => write!(f, "{v4}:{}", self.port()),
            (IpAddr::V6(v6), 0) => write!(f, "[{v6}]:{}", self.port()),
            (IpAddr::V6(v6), scope) => write!(f, "[{v6}%{scope}]:{}", self.port()),
        }
    }
}

#[cold]
fn unusable() -> Error {
    Error::new(Status::InvalidAddress, "peer address")
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
