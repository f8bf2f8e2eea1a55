// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `struct timeval` that OpenSSL writes.
//!
//! OpenSSL's may differ from that of the `libc` crate: on 32-bit systems with 64-bit time it has 16 bytes, where the
//! crate has 8 (A19). This buffer holds every layout, and tells from what was written which one it was.

use std::ffi::c_void;
use std::time::Duration;

/// Room for the largest layout, prefilled with bytes that no time contains.
#[repr(C, align(8))]
pub struct Timeval([u8; 16]);

impl Timeval {
    /// A buffer to pass to OpenSSL.
    pub fn new() -> Self {
        Self([0xff; 16])
    }

    /// Where OpenSSL writes.
    pub fn as_mut_ptr(&mut self) -> *mut c_void {
        (&raw mut *self).cast()
    }

    /// The time that OpenSSL wrote.
    pub fn duration(&self) -> Duration {
        let (seconds, microseconds) = match self.0.last_chunk() {
            Some([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) => (self.word(0).into(), self.word(4)),
            _ => (self.double_word(0), self.word(if cfg!(target_endian = "little") { 8 } else { 12 })),
        };
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
    }

    fn word(&self, place: usize) -> i32 {
        self.0.get(place..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| i32::from_ne_bytes(*bytes))
    }

    fn double_word(&self, place: usize) -> i64 {
        self.0.get(place..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| i64::from_ne_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the buffer says after OpenSSL wrote these bytes.
    fn written(bytes: &[u8]) -> Duration {
        let mut buffer = Timeval::new();
        buffer.0[..bytes.len()].copy_from_slice(bytes);
        buffer.duration()
    }

    #[test]
    fn a19_every_layout_is_understood() {
        for (seconds, microseconds) in [(0, 0), (0, 1), (1, 0), (59, 999_999), (i32::MAX, 0)] {
            let expected = Duration::new(seconds as u64, microseconds as u32 * 1000);
            let words = |a: i32, b: i32| [a.to_ne_bytes(), b.to_ne_bytes()].concat();
            let double = |a: i32, b: i32| [i64::from(a).to_ne_bytes(), i64::from(b).to_ne_bytes()].concat();
            assert_eq!(written(&words(seconds, microseconds)), expected, "32-bit time");
            assert_eq!(written(&double(seconds, microseconds)), expected, "64-bit time");
            if cfg!(target_endian = "little") {
                // macOS: 32-bit microseconds and four bytes of padding, which may stay unwritten.
                assert_eq!(written(&double(seconds, microseconds)[..12]), expected, "64-bit seconds only");
            }
        }
    }

    #[test]
    fn a19_what_is_no_time_is_none() {
        assert_eq!(written(&[]), Duration::ZERO);
        assert_eq!(written(&[0x80; 16]).as_secs(), 0, "negative");
    }
}
