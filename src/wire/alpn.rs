// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists of application protocols in wire format: each name is preceded by its length (RFC 7301, 3.1).

#![forbid(unsafe_code)]

/// The names in a list, up to the first malformed one.
pub fn names(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = list.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        list = rest;
        Some(name)
    })
}

/// Returns whether a list consists of names of 1 to 255 bytes only. An empty list does.
pub fn is_well_formed(list: &[u8]) -> bool {
    names(list).all(|name| !name.is_empty())
        && names(list).map(|name| 1 + name.len()).sum::<usize>() == list.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s20_lists_are_read_to_their_end() {
        assert_eq!(names(b"\x04coap\x02h2").collect::<Vec<_>>(), [b"coap".as_slice(), b"h2"]);
        assert!(is_well_formed(b"") && is_well_formed(b"\x04coap"));
        for malformed in [b"\x05coap".as_slice(), b"\x00", b"\x04coap\x00", b"\x02h2\x01"] {
            assert!(!is_well_formed(malformed), "{malformed:?}");
        }
    }
}
