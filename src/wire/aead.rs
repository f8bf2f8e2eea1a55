// SPDX-License-Identifier: MIT OR Apache-2.0
//! What AEAD ciphers add to a record.

#![forbid(unsafe_code)]

/// The explicit nonce and the tag of GCM (RFC 5288, 3) and CCM (RFC 6655, 3).
pub const LONGEST_EXPANSION: usize = 8 + 16;
/// CCM with a short tag (RFC 6655, 4), or no explicit nonce with ChaCha20-Poly1305 (RFC 7905, 2).
const SHORT_EXPANSION: usize = 16;

/// The number of bytes that an AEAD cipher adds to a record. `id` is the cipher suite, in its low 16 bits.
pub fn expansion(id: u32) -> usize {
    match id & 0xffff {
        // TLS_*_WITH_AES_*_CCM_8 (RFC 6655, 7251) and TLS_*_WITH_CHACHA20_POLY1305_SHA256 (RFC 7905).
        0xc0a0..=0xc0a3 | 0xc0a8..=0xc0ab | 0xc0ae..=0xc0af | 0xcca8..=0xccae => SHORT_EXPANSION,
        _ => LONGEST_EXPANSION,
    }
}

#[cfg(test)]
mod tests {
    use super::expansion;

    #[test]
    fn s8_expansion_of_each_kind_of_cipher() {
        for (suite, expected) in [
            (0xc02b, 24), // ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            (0xc0ac, 24), // ECDHE_ECDSA_WITH_AES_128_CCM
            (0xc0ae, 16), // ECDHE_ECDSA_WITH_AES_128_CCM_8
            (0xc0a9, 16), // PSK_WITH_AES_256_CCM_8
            (0xc0a5, 24), // PSK_WITH_AES_256_CCM
            (0xcca9, 16), // ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        ] {
            assert_eq!(expansion(0x0300_0000 | suite), expected, "{suite:x}");
        }
    }
}
