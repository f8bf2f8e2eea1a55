// SPDX-License-Identifier: MIT OR Apache-2.0
//! The protection profiles of SRTP (RFC 5764, 4.1.2; RFC 7714, 14.2).

#![forbid(unsafe_code)]

use std::ffi::CStr;

/// The longest key and the longest salt of a profile, in bytes.
pub const LONGEST_KEY: usize = 32;
/// See [`LONGEST_KEY`].
pub const LONGEST_SALT: usize = 14;

/// A protection profile.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its number on the wire.
    pub number: u16,
    /// OpenSSL's name (SSL_CTX_set_tlsext_use_srtp(3)).
    pub name: &'static CStr,
    /// The length of a master key in bytes.
    pub key: usize,
    /// The length of a master salt in bytes.
    pub salt: usize,
}

/// The profiles that every OpenSSL has.
const PROFILES: [Profile; 4] = [
    Profile { number: 1, name: c"SRTP_AES128_CM_SHA1_80", key: 16, salt: 14 },
    Profile { number: 2, name: c"SRTP_AES128_CM_SHA1_32", key: 16, salt: 14 },
    Profile { number: 7, name: c"SRTP_AEAD_AES_128_GCM", key: 16, salt: 12 },
    Profile { number: 8, name: c"SRTP_AEAD_AES_256_GCM", key: 32, salt: 12 },
];

/// The profile with a number.
pub fn profile(number: u16) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.number == number)
}

/// The keys of a profile, as the exporter gives them: the client's and the server's key, the client's and the server's
/// salt (RFC 5764, 4.2).
pub fn split<'a>(profile: &Profile, material: &'a [u8]) -> Option<[&'a [u8]; 4]> {
    let (client_key, rest) = material.split_at_checked(profile.key)?;
    let (server_key, rest) = rest.split_at_checked(profile.key)?;
    let (client_salt, rest) = rest.split_at_checked(profile.salt)?;
    let (server_salt, _) = rest.split_at_checked(profile.salt)?;
    Some([client_key, server_key, client_salt, server_salt])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_before_salts_and_the_clients_first() {
        let profile = profile(8).expect("SRTP_AEAD_AES_256_GCM");
        let material: Vec<u8> = (0..88).collect();
        let parts = split(profile, &material).expect("enough");
        assert_eq!(
            parts.map(|part| (part.first().copied(), part.len())),
            [(Some(0), 32), (Some(32), 32), (Some(64), 12), (Some(76), 12)]
        );
        assert_eq!(split(profile, &material[..87]), None);
    }

    #[test]
    fn the_longest_key_and_salt_are_those_of_a_profile() {
        assert_eq!(PROFILES.iter().map(|profile| profile.key).max(), Some(LONGEST_KEY));
        assert_eq!(PROFILES.iter().map(|profile| profile.salt).max(), Some(LONGEST_SALT));
    }
}
