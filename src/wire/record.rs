// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS records: finding them in a datagram (RFC 6347, 4.1).

#![forbid(unsafe_code)]

/// The length of a record header.
pub const HEADER_LENGTH: usize = 13;

/// The content type of a ChangeCipherSpec record.
pub const CHANGE_CIPHER_SPEC: u8 = 20;
/// The content type of an alert.
pub const ALERT: u8 = 21;
/// The content type of handshake messages.
pub const HANDSHAKE: u8 = 22;
/// The content type of application data.
pub const APPLICATION_DATA: u8 = 23;

/// The longest fragment of a protected record (RFC 5246, 6.2.3).
const MAX_FRAGMENT: usize = (1 << 14) + 2048;

/// One record, borrowed from its datagram.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The content type.
    pub content: u8,
    /// The epoch: 0 until the first ChangeCipherSpec. Records of epoch 0 are not authenticated.
    pub epoch: u16,
    /// The header alone.
    pub header: &'a [u8; HEADER_LENGTH],
    /// The header and fragment as they are in the datagram.
    pub bytes: &'a [u8],
    /// The bytes after the header.
    pub fragment: &'a [u8],
}

/// Splits the first record off a datagram. `None` if it does not start with a whole record of a DTLS version; the
/// rest of the datagram is then unusable.
#[inline]
pub fn split_record(datagram: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = datagram.split_first_chunk::<HEADER_LENGTH>()?;
    let [content, major, _minor, epoch_high, epoch_low, _, _, _, _, _, _, length_high, length_low] = *header;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    if major != 0xfe || length > MAX_FRAGMENT {
        return None;
    }
    let (fragment, rest) = rest.split_at_checked(length)?;
    let (bytes, _) = datagram.split_at_checked(HEADER_LENGTH + length)?;
    let epoch = u16::from_be_bytes([epoch_high, epoch_low]);
    Some((Record { content, epoch, header, bytes, fragment }, rest))
}

/// The whole records at the start of `datagram`, without the tail.
pub fn whole_records(datagram: &[u8]) -> &[u8] {
    let mut rest = datagram;
    while let Some((_, behind)) = split_record(rest) {
        rest = behind;
    }
    datagram.get(..datagram.len() - rest.len()).unwrap_or_default()
}

/// The number of whole records at the start of `datagram`.
pub fn count(datagram: &[u8]) -> u64 {
    let (mut rest, mut count) = (datagram, 0);
    while let Some((_, behind)) = split_record(rest) {
        (rest, count) = (behind, count + 1);
    }
    count
}

/// Returns whether a datagram starts with a record of an epoch that has keys.
pub fn is_protected(datagram: &[u8]) -> bool {
    split_record(datagram).is_some_and(|(record, _)| record.epoch != 0)
}

impl Record<'_> {
    /// The sequence number, of 48 bits.
    pub fn number(&self) -> u64 {
        let [_, _, _, _, _, n5, n4, n3, n2, n1, n0, _, _] = *self.header;
        u64::from_be_bytes([0, 0, n5, n4, n3, n2, n1, n0])
    }

    /// Returns whether it claims to be application data of an epoch that OpenSSL authenticates.
    pub fn is_application_data(&self) -> bool {
        self.epoch != 0 && self.content == APPLICATION_DATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: u8, epoch: u16, fragment: &[u8]) -> Vec<u8> {
        let mut bytes = vec![content, 0xfe, 0xfd];
        bytes.extend(epoch.to_be_bytes());
        bytes.extend([0; 6]);
        bytes.extend((fragment.len() as u16).to_be_bytes());
        bytes.extend(fragment);
        bytes
    }

    #[test]
    fn records_are_split_and_truncated_ones_end_the_datagram() {
        let mut datagram = record(HANDSHAKE, 0, &[1, 2, 3]);
        datagram.extend(record(23, 1, &[4]));
        let (first, rest) = split_record(&datagram).expect("the first record");
        assert_eq!((first.content, first.epoch, first.fragment), (HANDSHAKE, 0, [1, 2, 3].as_slice()));
        let (second, rest) = split_record(rest).expect("the second record");
        assert_eq!((second.content, second.epoch, second.bytes.len()), (23, 1, HEADER_LENGTH + 1));
        assert!(rest.is_empty());
        for cut in 0..HEADER_LENGTH + 3 {
            assert!(split_record(&datagram[..cut]).is_none(), "{cut}");
        }
        let first_alone = &datagram[..HEADER_LENGTH + 3];
        assert_eq!(whole_records(&datagram), datagram);
        assert_eq!((count(&datagram), count(first_alone), count(&datagram[..5])), (2, 1, 0));
        assert_eq!(whole_records(&datagram[..datagram.len() - 1]), first_alone);
        assert!(whole_records(&datagram[..5]).is_empty());
        assert!(split_record(&[22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_none(), "a TLS version");
    }
}
