// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hash of the table of peers, in which every datagram's sender is looked up.
//!
//! A multiplication of what is hashed with a secret, folded: a sixth of SipHash's instructions. It is weaker, but not known
//! to those who choose addresses: the secrets are drawn for each table, no hash leaves the process, and only an address
//! that has returned its cookie gets into the table.

#![forbid(unsafe_code)]

use std::hash::{BuildHasher, Hasher, RandomState};

/// Secrets of one table.
pub struct AddressHash {
    start: u64,
    factor: u64,
}

impl Default for AddressHash {
    fn default() -> Self {
        let [start, factor] = [0, 1].map(|number: u8| RandomState::new().hash_one(number));
        // An even factor would lose a bit.
        Self { start, factor: factor | 1 }
    }
}

impl BuildHasher for AddressHash {
    type Hasher = AddressHasher;

    fn build_hasher(&self) -> AddressHasher {
        AddressHasher { hash: self.start, factor: self.factor }
    }
}

/// See the module documentation.
pub struct AddressHasher {
    hash: u64,
    factor: u64,
}

impl Hasher for AddressHasher {
    #[inline]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.hash ^ number) * u128::from(self.factor);
        self.hash = (product as u64) ^ ((product >> 64) as u64);
    }

    #[inline]
    fn write_u128(&mut self, number: u128) {
        self.write_u64(number as u64);
        self.write_u64((number >> 64) as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::PeerAddress;
    use std::collections::HashMap;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    /// How many addresses have the same lowest bits, of which there are 2^10, and highest bits, of which there are 2^7.
    fn fullest(addresses: impl Iterator<Item = PeerAddress>) -> (usize, usize) {
        let hash = AddressHash::default();
        let (mut low, mut high) = (HashMap::new(), HashMap::new());
        for address in addresses {
            let hash = hash.hash_one(address);
            *low.entry(hash & 0x3ff).or_insert(0) += 1;
            *high.entry(hash >> 57).or_insert(0) += 1;
        }
        (low.into_values().max().unwrap_or(0), high.into_values().max().unwrap_or(0))
    }

    #[test]
    fn addresses_that_are_alike_spread() {
        let address = |ip: IpAddr, port| PeerAddress::new(ip, port, 0).expect("valid");
        let v4 = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + number));
        let v6 = |number: u32| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + u128::from(number)));
        let v6_net = |number: u32| {
            IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + (u128::from(number) << 64) + 1))
        };
        let numbers = || 0..10_240u32;
        for (name, (low, high)) in [
            ("ports", fullest(numbers().map(|number| address(v4(0), 1024 + number as u16)))),
            ("IPv4", fullest(numbers().map(|number| address(v4(number), 5684)))),
            ("IPv6", fullest(numbers().map(|number| address(v6(number), 5684)))),
            ("IPv6 networks", fullest(numbers().map(|number| address(v6_net(number), 5684)))),
        ] {
            // On average 10 and 80.
            assert!(low < 60 && high < 240, "{name}: {low} {high}");
        }
    }

    #[test]
    fn each_table_has_secrets_of_its_own() {
        let [one, other] = [0, 1].map(|_| AddressHash::default().hash_one(7u64));
        assert_ne!(one, other);
    }
}
