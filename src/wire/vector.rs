// SPDX-License-Identifier: MIT OR Apache-2.0
//! Vectors of variable length: a length, then that many bytes (RFC 5246, 4.3).

#![forbid(unsafe_code)]

/// Decodes a big-endian number.
pub fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, &byte| (number << 8) | usize::from(byte))
}

/// Splits off a vector whose length has `N` bytes.
pub fn split_vector<const N: usize>(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<N>()?;
    rest.split_at_checked(number(length))
}

/// Returns the contents of a vector that takes up all of `bytes`.
pub fn whole_vector<const N: usize>(bytes: &[u8]) -> Option<&[u8]> {
    split_vector::<N>(bytes).filter(|(_, rest)| rest.is_empty()).map(|(contents, _)| contents)
}

/// Returns whether `bytes` consists of vectors with a length of `N` bytes, each after `prefix` other bytes.
pub fn is_list<const N: usize>(mut bytes: &[u8], prefix: usize) -> bool {
    while !bytes.is_empty() {
        let behind_prefix = bytes.get(prefix..).and_then(split_vector::<N>);
        let Some((_, rest)) = behind_prefix else {
            return false;
        };
        bytes = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_one_to_three_bytes() {
        assert_eq!(split_vector::<1>(&[2, 7, 8, 9]), Some((&[7, 8][..], &[9][..])));
        assert_eq!(whole_vector::<2>(&[0, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(whole_vector::<3>(&[0, 0, 0]), Some(&[][..]));
        assert_eq!(whole_vector::<1>(&[1, 7, 8]), None);
        assert_eq!(split_vector::<3>(&[1, 0, 0, 7]), None);
    }

    #[test]
    fn lists_end_with_a_whole_element() {
        assert!(is_list::<1>(&[], 0) && is_list::<1>(&[1, 7, 0], 0) && is_list::<2>(&[9, 9, 0, 1, 7], 2));
        assert!(!is_list::<1>(&[1, 7, 2, 7], 0) && !is_list::<2>(&[9, 9, 0], 2) && !is_list::<2>(&[9], 2));
    }
}
