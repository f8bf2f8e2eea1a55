// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS records: finding them in a datagram, and recognising invalid ones (RFC 6347, 4.1).
//!
//! OpenSSL ends a handshake on some records that anyone can forge. Recognisably invalid records are dropped before
//! OpenSSL sees them, as RFC 6347, 4.1.2.7 recommends (S8).

#![forbid(unsafe_code)]

use crate::role::Role;

/// The length of a record header.
pub const HEADER_LENGTH: usize = 13;
/// The length of the header of a handshake message fragment.
pub const HANDSHAKE_HEADER_LENGTH: usize = 12;

/// The content type of a ChangeCipherSpec record.
pub const CHANGE_CIPHER_SPEC: u8 = 20;
/// The content type of an alert.
pub const ALERT: u8 = 21;
/// The content type of handshake messages.
pub const HANDSHAKE: u8 = 22;
/// The content type of application data.
pub const APPLICATION_DATA: u8 = 23;
/// The handshake message type of a ClientHello.
pub const CLIENT_HELLO: u8 = 1;

/// The longest fragment of a protected record (RFC 5246, 6.2.3).
const MAX_FRAGMENT: usize = (1 << 14) + 2048;
/// OpenSSL's default limit for a handshake message (SSL_CTX_set_max_cert_list(3)). It ends the handshake on a longer
/// one.
const MAX_HANDSHAKE_MESSAGE: usize = 100 * 1024;

/// One record, borrowed from its datagram.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The content type.
    pub content: u8,
    /// The epoch: 0 until the first ChangeCipherSpec. Records of epoch 0 are not authenticated.
    pub epoch: u16,
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
    Some((Record { content, epoch: u16::from_be_bytes([epoch_high, epoch_low]), bytes, fragment }, rest))
}

/// The whole records at the start of `datagram`, without the tail.
pub fn whole_records(datagram: &[u8]) -> &[u8] {
    let mut rest = datagram;
    while let Some((_, behind)) = split_record(rest) {
        rest = behind;
    }
    datagram.get(..datagram.len() - rest.len()).unwrap_or_default()
}

impl Record<'_> {
    /// Returns whether it claims to be application data of an epoch that OpenSSL authenticates.
    pub fn is_application_data(&self) -> bool {
        self.epoch != 0 && self.content == APPLICATION_DATA
    }
}

/// Returns whether a record may be passed to OpenSSL during a handshake.
///
/// OpenSSL authenticates records of later epochs. In epoch 0 only handshake messages that the peer's role can send,
/// well-formed ChangeCipherSpecs and, unless `strict_alerts` is set, well-formed alerts are allowed.
pub fn admissible_in_handshake(record: &Record<'_>, role: Role, strict_alerts: bool) -> bool {
    if record.epoch != 0 {
        return true;
    }
    match record.content {
        CHANGE_CIPHER_SPEC => record.fragment == [1],
        ALERT => !strict_alerts && matches!(record.fragment, [1 | 2, _]),
        HANDSHAKE => well_formed_handshake(record.fragment, role),
        _ => false,
    }
}

fn well_formed_handshake(mut fragment: &[u8], role: Role) -> bool {
    loop {
        let Some((header, rest)) = fragment.split_first_chunk::<HANDSHAKE_HEADER_LENGTH>() else {
            return false;
        };
        let [kind, l2, l1, l0, _, _, o2, o1, o0, f2, f1, f0] = *header;
        let [length, offset, here] = [[l2, l1, l0], [o2, o1, o0], [f2, f1, f0]].map(u24);
        if !sent_in_the_clear_by_peer_of(role, kind)
            || length > MAX_HANDSHAKE_MESSAGE
            || offset + here > length
        {
            return false;
        }
        match rest.split_at_checked(here) {
            None => return false,
            Some((_, [])) => return true,
            Some((_, next)) => fragment = next,
        }
    }
}

/// Returns whether a peer sends this handshake message type in epoch 0 (RFC 5246, 7.4; RFC 6066; RFC 5077). Finished
/// is never sent in epoch 0.
fn sent_in_the_clear_by_peer_of(role: Role, kind: u8) -> bool {
    match role {
        // HelloVerifyRequest, NewSessionTicket, ServerHello .. ServerHelloDone, CertificateStatus
        Role::Client => matches!(kind, 2 | 3 | 4 | 11..=14 | 22),
        // ClientHello, Certificate, CertificateVerify, ClientKeyExchange
        Role::Server => matches!(kind, CLIENT_HELLO | 11 | 15 | 16),
    }
}

/// Decodes a 24-bit big-endian number, the format of handshake lengths.
pub fn u24([high, middle, low]: [u8; 3]) -> usize {
    (usize::from(high) << 16) | (usize::from(middle) << 8) | usize::from(low)
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

    fn admitted(content: u8, epoch: u16, fragment: &[u8], role: Role, strict: bool) -> bool {
        let bytes = record(content, epoch, fragment);
        let (record, rest) = split_record(&bytes).expect("one whole record");
        assert!(rest.is_empty());
        admissible_in_handshake(&record, role, strict)
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
        assert_eq!(whole_records(&datagram[..datagram.len() - 1]), first_alone);
        assert_eq!(whole_records(&datagram[..5]), []);
        assert!(split_record(&[22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_none(), "a TLS version");
    }

    #[test]
    fn s8_forged_records_are_told_apart() {
        let hello_done = [14, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0];
        assert!(admitted(HANDSHAKE, 0, &hello_done, Role::Client, false));
        assert!(!admitted(HANDSHAKE, 0, &hello_done, Role::Server, false));
        assert!(!admitted(HANDSHAKE, 0, &hello_done[..11], Role::Client, false));
        let overlong = [11, 0, 0, 4, 0, 1, 0, 0, 2, 0, 0, 3, 7, 7, 7];
        assert!(!admitted(HANDSHAKE, 0, &overlong, Role::Client, false));
        let finished = [20, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0];
        assert!(!admitted(HANDSHAKE, 0, &finished, Role::Client, false));
        assert!(admitted(CHANGE_CIPHER_SPEC, 0, &[1], Role::Client, true));
        assert!(!admitted(CHANGE_CIPHER_SPEC, 0, &[2], Role::Client, false));
        assert!(!admitted(CHANGE_CIPHER_SPEC, 0, &[1, 1], Role::Client, false));
        for unknown in [0, 19, 23, 24, 25, 255] {
            assert!(!admitted(unknown, 0, &[1], Role::Client, false), "content type {unknown}");
            assert!(admitted(unknown, 1, &[1], Role::Client, false), "epoch 1 is OpenSSL's to judge");
        }
    }

    #[test]
    fn s8_strict_alerts_are_a_choice() {
        assert!(admitted(ALERT, 0, &[2, 40], Role::Client, false));
        assert!(!admitted(ALERT, 0, &[2, 40], Role::Client, true));
        assert!(!admitted(ALERT, 0, &[2, 40, 0], Role::Client, false));
        assert!(!admitted(ALERT, 0, &[3, 40], Role::Client, false));
    }
}
