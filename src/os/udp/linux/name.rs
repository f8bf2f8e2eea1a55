// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses as the system has them.

use crate::peer::PeerAddress;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A `struct sockaddr_in` or `sockaddr_in6`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl Default for Name {
    fn default() -> Self {
        // SAFETY: an address consists of integers, for which zero is valid.
        unsafe { std::mem::zeroed() }
    }
}

impl Name {
    /// The address that the system has stored; `None` if no peer can have it.
    #[inline]
    pub(super) fn get(&self) -> Option<PeerAddress> {
        // SAFETY: all bytes are initialised, and any are integers. Both structures begin with the family.
        let (family, v4, v6) = unsafe { (self.v4.sin_family, &self.v4, &self.v6) };
        match i32::from(family) {
            libc::AF_INET => {
                let ip = Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr));
                PeerAddress::of_v4(ip, u16::from_be(v4.sin_port)).ok()
            }
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                PeerAddress::of_v6(ip, u16::from_be(v6.sin6_port), v6.sin6_scope_id).ok()
            }
            _ => None,
        }
    }

    /// Stores the address as an IPv4 or IPv6 socket takes it, and returns its size.
    pub(super) fn set(&mut self, address: PeerAddress, is_ipv6: bool) -> libc::socklen_t {
        match address.ip() {
            IpAddr::V4(ip) if !is_ipv6 => {
                self.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as _,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: ip.to_bits().to_be() },
                    sin_zero: [0; 8],
                };
                size_of::<libc::sockaddr_in>() as _
            }
            _ => {
                self.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as _,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: address.to_v6().octets() },
                    sin6_scope_id: address.scope(),
                };
                size_of::<libc::sockaddr_in6>() as _
            }
        }
    }
}
