// SPDX-License-Identifier: MIT OR Apache-2.0
//! A byte string on the stack.

#![forbid(unsafe_code)]

/// Up to `N` bytes. A part that does not fit is left out as a whole; callers choose an `N` that is large enough.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Self {
        Self { bytes: [0; N], length: 0 }
    }
}

impl<const N: usize> Bytes<N> {
    /// Appends `part`.
    #[inline]
    pub fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(part);
            self.length = end;
        }
    }

    /// The bytes appended so far.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn r16_what_does_not_fit_is_left_out() {
        let mut bytes = Bytes::<4>::default();
        bytes.push(&[1, 2, 3]);
        bytes.push(&[4, 5]);
        assert_eq!(bytes.as_slice(), [1, 2, 3]);
        bytes.push(&[4]);
        assert_eq!(bytes.as_slice(), [1, 2, 3, 4]);
    }
}
