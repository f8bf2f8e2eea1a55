// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stateless cookie exchange on the wire: reading a ClientHello, writing a HelloVerifyRequest (RFC 6347, 4.2.1).
//!
//! Nothing is allocated: the parser borrows from the datagram and stops at the first byte that does not fit.

#![forbid(unsafe_code)]

use super::message::{self, Fragment, kind};
use super::record::{self, HANDSHAKE, Record};
use super::vector::split_vector;
use crate::bytes::Bytes;

/// The longest cookie that this library makes. Every DTLS 1.0 and 1.2 client accepts 32 bytes (RFC 4347, 4.2.1).
pub const MAX_COOKIE: usize = 32;

/// The longest HelloVerifyRequest that this library writes.
pub const MAX_HELLO_VERIFY_REQUEST: usize =
    record::HEADER_LENGTH + message::HEADER_LENGTH + 2 + 1 + MAX_COOKIE;

/// The version in a HelloVerifyRequest, which DTLS 1.2 servers use too. It is not part of negotiation (RFC 6347,
/// 4.2.1).
const DTLS_1_0: [u8; 2] = [0xfe, 0xff];
/// The message sequence number of the ClientHello that answers a HelloVerifyRequest (RFC 6347, 4.2.2). OpenSSL starts
/// with no other. A client whose hellos have higher numbers would answer each HelloVerifyRequest with another hello, and
/// none could start a handshake (I4).
const ANSWER_SEQUENCE: u16 = 1;

/// The fields of a ClientHello up to its cookie. All of them are in the first fragment.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// The epoch and sequence number of its record, which the answer repeats.
    pub record_number: [u8; 8],
    /// The number of the message: 0, or 1 after a HelloVerifyRequest.
    pub message_sequence: u16,
    /// The length of the whole message.
    pub length: usize,
    /// The version that the client offers.
    pub version: [u8; 2],
    /// The client's random.
    pub random: &'a [u8; 32],
    /// The cookie, empty in the first ClientHello.
    pub cookie: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Parses the ClientHello, or its first fragment, at the start of a datagram.
    #[inline]
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (record, _) = record::split_record(datagram)?;
        Self::from_record(&record)
    }

    /// Parses the ClientHello, or its first fragment, in a record of epoch 0.
    pub fn from_record(record: &Record<'a>) -> Option<Self> {
        if record.content != HANDSHAKE || record.epoch != 0 {
            return None;
        }
        let (fragment, behind) = Fragment::split(record.fragment)?;
        let is_start = fragment.kind == kind::CLIENT_HELLO && fragment.offset == 0;
        let in_bounds = fragment.sequence <= ANSWER_SEQUENCE && fragment.length <= message::MAX_CLIENT_HELLO;
        // DTLSv1_listen(3) ignores a hello that does not fill its record.
        if !is_start || !in_bounds || !behind.is_empty() {
            return None;
        }
        let (version, body) = fragment.body.split_first_chunk::<2>()?;
        let (random, body) = body.split_first_chunk::<32>()?;
        let (session_id, body) = split_vector::<1>(body)?;
        let (cookie, _) = split_vector::<1>(body)?;
        let [major, _] = *version;
        if major != 0xfe || session_id.len() > 32 {
            return None;
        }
        let (_, number) = record.bytes.split_first_chunk::<3>()?;
        let (record_number, _) = number.split_first_chunk::<8>()?;
        let (record_number, version) = (*record_number, *version);
        let (message_sequence, length) = (fragment.sequence, fragment.length);
        Some(Self { record_number, message_sequence, length, version, random, cookie })
    }

    /// The cookie, if the hello answers a HelloVerifyRequest. With another message sequence number OpenSSL would not
    /// start the handshake (A7).
    pub fn returned_cookie(&self) -> Option<&'a [u8]> {
        (self.message_sequence == ANSWER_SEQUENCE && !self.cookie.is_empty()).then_some(self.cookie)
    }
}

/// A finished HelloVerifyRequest.
pub struct HelloVerifyRequest(Bytes<MAX_HELLO_VERIFY_REQUEST>);

impl HelloVerifyRequest {
    /// Makes the answer to `hello` with `cookie`. Its record repeats the ClientHello's number, so that the server
    /// keeps no count (RFC 6347, 4.2.1).
    pub fn new(hello: &ClientHello<'_>, cookie: &[u8]) -> Self {
        let cookie = cookie.get(..MAX_COOKIE).unwrap_or(cookie);
        let body = 2 + 1 + cookie.len();
        // The lengths are below 256 (MAX_HELLO_VERIFY_REQUEST), so one byte each is enough.
        let [body_length, cookie_length] = [body as u8, cookie.len() as u8];
        let record_length = body_length + message::HEADER_LENGTH as u8;

        let mut request = Bytes::default();
        request.push(&[HANDSHAKE]);
        request.push(&DTLS_1_0);
        request.push(&hello.record_number);
        request.push(&[0, record_length]);
        request.push(&[kind::HELLO_VERIFY_REQUEST, 0, 0, body_length, 0, 0, 0, 0, 0, 0, 0, body_length]);
        request.push(&DTLS_1_0);
        request.push(&[cookie_length]);
        request.push(cookie);
        Self(request)
    }

    /// The datagram to send.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A ClientHello record with the given cookie and extension bytes.
    pub(crate) fn client_hello(random: u8, session_id: &[u8], cookie: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend([random; 32]);
        body.push(session_id.len() as u8);
        body.extend(session_id);
        body.push(cookie.len() as u8);
        body.extend(cookie);
        body.extend(tail);
        let length = (body.len() as u32).to_be_bytes();
        let sequence = u8::from(!cookie.is_empty());
        let mut message =
            vec![1, length[1], length[2], length[3], 0, sequence, 0, 0, 0, length[1], length[2], length[3]];
        message.extend(body);
        let mut bytes = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 9];
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message);
        bytes
    }

    #[test]
    fn a_hello_is_read_up_to_its_cookie() {
        let datagram = client_hello(7, &[1, 2], &[3, 4, 5], &[0; 40]);
        let hello = ClientHello::parse(&datagram).expect("a ClientHello");
        assert_eq!(hello.version, [0xfe, 0xfd]);
        assert_eq!(hello.random, &[7; 32]);
        assert_eq!(hello.cookie, [3, 4, 5]);
        assert_eq!(hello.record_number, [0, 0, 0, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn a_first_fragment_is_enough_and_a_later_one_is_not() {
        let mut datagram = client_hello(7, &[], &[9; 32], &[0; 40]);
        let whole = datagram[14..17].to_vec();
        datagram[15] += 1;
        assert!(ClientHello::parse(&datagram).is_some_and(|hello| hello.cookie == [9; 32]));
        datagram[14..17].copy_from_slice(&whole);
        datagram[21] = 1;
        assert!(ClientHello::parse(&datagram).is_none());
    }

    #[test]
    fn a7_nothing_stands_behind_the_hello_in_its_record() {
        let datagram = client_hello(7, &[], &[9; 32], &[0; 40]);
        let mut longer = datagram.clone();
        longer.push(0);
        assert!(ClientHello::parse(&longer).is_some(), "behind the record");
        longer[12] += 1;
        assert!(ClientHello::parse(&longer).is_none(), "in the record");
        let mut announced = datagram;
        announced[14] = 1;
        assert!(ClientHello::parse(&announced).is_none(), "longer than the handshake accepts");
    }

    #[test]
    fn no_prefix_and_no_flipped_byte_panics() {
        let datagram = client_hello(7, &[1; 32], &[3; 32], &[0; 4]);
        let body = record::HEADER_LENGTH + message::HEADER_LENGTH;
        for cut in 0..datagram.len() {
            assert!(ClientHello::parse(&datagram[..cut]).is_none(), "{cut}");
        }
        for place in 0..body {
            for value in 0..=255 {
                let mut other = datagram.clone();
                other[place] = value;
                let _ = ClientHello::parse(&other);
            }
        }
    }

    #[test]
    fn the_answer_is_well_formed_and_not_longer_than_the_hello() {
        let datagram = client_hello(7, &[], &[], &[0, 2, 0xc0, 0x2b, 1, 0]);
        let hello = ClientHello::parse(&datagram).expect("a ClientHello");
        let request = HelloVerifyRequest::new(&hello, &[5; 32]);
        let bytes = request.as_bytes();
        assert_eq!(bytes.len(), MAX_HELLO_VERIFY_REQUEST);
        assert!(bytes.len() <= datagram.len(), "no amplification");
        let (record, rest) = record::split_record(bytes).expect("a record");
        assert!(rest.is_empty());
        assert_eq!(&record.bytes[3..11], hello.record_number);
        assert_eq!(record.fragment[0], kind::HELLO_VERIFY_REQUEST);
        assert_eq!(&record.fragment[12..], [[0xfe, 0xff, 32].as_slice(), &[5; 32]].concat());
    }

    #[test]
    fn r16_a_cookie_longer_than_ours_stays_within_bounds() {
        let datagram = client_hello(7, &[], &[], &[]);
        let hello = ClientHello::parse(&datagram).expect("a ClientHello");
        for length in [0, 1, MAX_COOKIE, MAX_COOKIE + 1, 255, 100_000] {
            let request = HelloVerifyRequest::new(&hello, &vec![5; length]);
            let (record, rest) = record::split_record(request.as_bytes()).expect("a whole record");
            assert!(rest.is_empty());
            assert_eq!(
                usize::from(record.fragment[14]),
                length.min(MAX_COOKIE),
                "the length byte says what follows"
            );
        }
    }
}
