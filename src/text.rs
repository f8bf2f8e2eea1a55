// SPDX-License-Identifier: MIT OR Apache-2.0
//! A text on the stack: formatting an error or a log line must not allocate (A4).

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::fmt::{self, Write};

/// Up to `N - 1` bytes of UTF-8, and a zero byte. A longer text is cut between two characters; a zero byte ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    /// The text of `value`.
    pub fn of(value: impl fmt::Display) -> Self {
        let mut text = Self { bytes: [0; N], length: 0 };
        // An error means that the text was cut.
        let _ = write!(text, "{value}");
        text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The text for C.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = N.saturating_sub(self.length + 1);
        let wanted = part.find('\0').unwrap_or(part.len());
        let fits = |end: &usize| *end <= room && part.is_char_boundary(*end);
        let end = (0..=wanted.min(room)).rev().find(fits).unwrap_or(0);
        let target = self.bytes.get_mut(self.length..self.length + end);
        if let (Some(target), Some(source)) = (target, part.as_bytes().get(..end)) {
            target.copy_from_slice(source);
            self.length += end;
        }
        if end == part.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn a4_a_long_text_is_cut_between_characters() {
        let text = Text::<6>::of(format_args!("a{}{}", "b", "cdéf"));
        assert_eq!((text.as_str(), text.as_c_str()), ("abcd", c"abcd"));
        assert_eq!(Text::<7>::of("abcdé").as_str(), "abcdé");
        assert_eq!(Text::<9>::of("ab\0cd").as_c_str(), c"ab");
        assert_eq!(Text::<1>::of("ab").as_str(), "");
        assert_eq!(Text::<4>::of("").as_c_str(), c"");
    }
}
