// SPDX-License-Identifier: MIT OR Apache-2.0
//! HMAC with the hash algorithms of Qt's `QCryptographicHash::Algorithm` (HMAC(3)).

mod key;
mod sha;

pub use key::{MacKey, SharedKey};

use super::{api, error_queue};
use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use std::ffi::CStr;

/// A hash algorithm, numbered as Qt's `QCryptographicHash::Algorithm`. OpenSSL does not provide all of them.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Hash {
    Md4 = 0,
    Md5 = 1,
    Sha1 = 2,
    Sha224 = 3,
    Sha256 = 4,
    Sha384 = 5,
    Sha512 = 6,
    Keccak224 = 7,
    Keccak256 = 8,
    Keccak384 = 9,
    Keccak512 = 10,
    Sha3_224 = 11,
    Sha3_256 = 12,
    Sha3_384 = 13,
    Sha3_512 = 14,
    Blake2b160 = 15,
    Blake2b256 = 16,
    Blake2b384 = 17,
    Blake2b512 = 18,
    Blake2s128 = 19,
    Blake2s160 = 20,
    Blake2s224 = 21,
    Blake2s256 = 22,
}

/// Every algorithm with OpenSSL's name for it, if there is one, in numerical order.
const NAMES: [(Hash, Option<&CStr>); 23] = [
    (Hash::Md4, Some(c"MD4")),
    (Hash::Md5, Some(c"MD5")),
    (Hash::Sha1, Some(c"SHA1")),
    (Hash::Sha224, Some(c"SHA224")),
    (Hash::Sha256, Some(c"SHA256")),
    (Hash::Sha384, Some(c"SHA384")),
    (Hash::Sha512, Some(c"SHA512")),
    (Hash::Keccak224, None),
    (Hash::Keccak256, None),
    (Hash::Keccak384, None),
    (Hash::Keccak512, None),
    (Hash::Sha3_224, Some(c"SHA3-224")),
    (Hash::Sha3_256, Some(c"SHA3-256")),
    (Hash::Sha3_384, Some(c"SHA3-384")),
    (Hash::Sha3_512, Some(c"SHA3-512")),
    (Hash::Blake2b160, None),
    (Hash::Blake2b256, None),
    (Hash::Blake2b384, None),
    (Hash::Blake2b512, Some(c"BLAKE2b512")),
    (Hash::Blake2s128, None),
    (Hash::Blake2s160, None),
    (Hash::Blake2s224, None),
    (Hash::Blake2s256, Some(c"BLAKE2s256")),
];

impl Hash {
    /// The highest number in use.
    pub const LAST: i32 = Hash::Blake2s256 as i32;

    fn openssl_name(self) -> Option<&'static CStr> {
        NAMES.iter().find(|(hash, _)| *hash == self).and_then(|(_, name)| *name)
    }
}

impl TryFrom<i32> for Hash {
    type Error = Error;

    fn try_from(number: i32) -> Result<Self> {
        let known = NAMES.iter().map(|(hash, _)| *hash).find(|hash| *hash as i32 == number);
        known.ok_or_else(|| {
            Error::because(Status::UnsupportedHash, "hash algorithm", format_args!("number {number}"))
        })
    }
}

/// The longest output of any hash (openssl/evp.h: EVP_MAX_MD_SIZE).
pub const MAX_MAC: usize = 64;

/// The output of an HMAC, as long as the hash's output.
pub type Mac = Bytes<MAX_MAC>;

/// Computes the HMAC (RFC 2104) of `data` with HMAC(3), which wipes its key pads.
pub fn hmac(hash: Hash, key: &[u8], data: &[u8]) -> Result<Mac> {
    let api = api()?;
    let unsupported = || {
        let text = "is not available in this OpenSSL library";
        Error::because(Status::UnsupportedHash, "HMAC", format_args!("{hash:?} {text}"))
    };
    let name = hash.openssl_name().ok_or_else(unsupported)?;
    let key_length = i32::try_from(key.len())
        .map_err(|_| Error::because(Status::InvalidArgument, "HMAC", "key too long"))?;

    error_queue::clear(api);
    // SAFETY: the argument is a C string; the result is null or a static object.
    let digest = unsafe { (api.EVP_get_digestbyname)(name.as_ptr()) };
    if digest.is_null() {
        return Err(unsupported());
    }
    let mut output = [0; MAX_MAC];
    let mut length = 0;
    // SAFETY: key and data are readable for the lengths given, and the output holds EVP_MAX_MD_SIZE bytes. HMAC does
    // not call back into this library.
    let result = unsafe {
        (api.HMAC)(
            digest,
            key.as_ptr().cast(),
            key_length,
            data.as_ptr(),
            data.len(),
            output.as_mut_ptr(),
            &mut length,
        )
    };
    if result.is_null() {
        let cause = error_queue::cause();
        // A hash may be known by name only, such as MD4 without the legacy provider.
        let status = if cause.is_unsupported() { Status::UnsupportedHash } else { Status::InitFailed };
        return Err(cause.into_error(status, "HMAC"));
    }
    let length = usize::try_from(length).unwrap_or(0);
    let mut mac = Mac::default();
    mac.push(output.get(..length).unwrap_or_default());
    Ok(mac)
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::*;

    #[test]
    fn rfc_4231_test_case_2() {
        let mac = hmac(Hash::Sha256, b"Jefe", b"what do ya want for nothing?").expect("SHA-256");
        let hex: String = mac.as_slice().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn numbers_are_qts() {
        for number in 0..=Hash::LAST {
            assert_eq!(Hash::try_from(number).map(|hash| hash as i32), Ok(number));
        }
        assert!(Hash::try_from(-1).is_err());
        assert!(Hash::try_from(Hash::LAST + 1).is_err());
    }
}
