// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handshake messages in epoch 0: their fragments, and what is invalid about one taken alone (RFC 6347, 4.2.2; RFC 5246,
//! 7.4).

#![forbid(unsafe_code)]

use super::vector::{is_list, number, split_vector, whole_vector};
use crate::role::Role;

/// The length of the header of a handshake message fragment.
pub const HEADER_LENGTH: usize = 12;

/// The longest ClientHello, without header. Only a session ticket makes one longer than a few hundred bytes.
pub const MAX_CLIENT_HELLO: usize = 1 << 15;

/// The types of handshake message that are sent in epoch 0 (RFC 5246, 7.4; RFC 6347, 4.3.2; RFC 5077; RFC 6066).
#[allow(missing_docs, reason = "the names are the RFCs'")]
pub mod kind {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const HELLO_VERIFY_REQUEST: u8 = 3;
    pub const NEW_SESSION_TICKET: u8 = 4;
    pub const CERTIFICATE: u8 = 11;
    pub const SERVER_KEY_EXCHANGE: u8 = 12;
    pub const CERTIFICATE_REQUEST: u8 = 13;
    pub const SERVER_HELLO_DONE: u8 = 14;
    pub const CERTIFICATE_VERIFY: u8 = 15;
    pub const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub const CERTIFICATE_STATUS: u8 = 22;
}

/// One fragment of a handshake message.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// The type of the message.
    pub kind: u8,
    /// The length of the whole message, without its header.
    pub length: usize,
    /// The message's sequence number.
    pub sequence: u16,
    /// The place of the fragment in the message.
    pub offset: usize,
    /// The bytes of this fragment.
    pub body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Splits the first fragment off the content of a record. `None` if it ends after its message or its record, or is
    /// an empty part of a message, with which OpenSSL would complete the message.
    #[inline]
    pub fn split(content: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, rest) = content.split_first_chunk::<HEADER_LENGTH>()?;
        let [kind, l2, l1, l0, s1, s0, o2, o1, o0, f2, f1, f0] = *header;
        let [length, offset, here] = [[l2, l1, l0], [o2, o1, o0], [f2, f1, f0]].map(|bytes| number(&bytes));
        let (body, rest) = rest.split_at_checked(here)?;
        let sequence = u16::from_be_bytes([s1, s0]);
        let fits = offset + here <= length && (here > 0 || length == 0);
        fits.then_some((Self { kind, length, sequence, offset, body }, rest))
    }

    /// The header of the fragment. Lengths have three bytes, and a fragment ends within its message.
    pub fn header(&self) -> [u8; HEADER_LENGTH] {
        let [_, l2, l1, l0] = (self.length as u32).to_be_bytes();
        let [s1, s0] = self.sequence.to_be_bytes();
        let [_, o2, o1, o0] = (self.offset as u32).to_be_bytes();
        let [_, f2, f1, f0] = (self.body.len() as u32).to_be_bytes();
        [self.kind, l2, l1, l0, s1, s0, o2, o1, o0, f2, f1, f0]
    }

    /// The first `length` bytes of this fragment as one of its own, and the rest, if there is any.
    pub fn split_body(&self, length: usize) -> (Self, Option<Self>) {
        match self.body.split_at_checked(length) {
            Some((body, behind)) if !behind.is_empty() => {
                let rest = Self { offset: self.offset + length, body: behind, ..*self };
                (Self { body, ..*self }, Some(rest))
            }
            _ => (*self, None),
        }
    }

    /// The message, if it consists of this fragment only.
    pub fn whole(&self) -> Option<&'a [u8]> {
        (self.body.len() == self.length).then_some(self.body)
    }

    /// Returns whether the bytes of the message contradict each other, as far as they are here. A message whose form
    /// depends on the cipher is not looked at.
    pub fn contradicts_itself(&self) -> bool {
        let parse: fn(&[u8]) -> Option<()> = match self.kind {
            // It is shorter than the smallest MTU, so that no server splits it.
            kind::HELLO_VERIFY_REQUEST if self.whole().is_none() => return true,
            kind::HELLO_VERIFY_REQUEST => hello_verify_request,
            kind::SERVER_HELLO => server_hello,
            kind::NEW_SESSION_TICKET => new_session_ticket,
            kind::CERTIFICATE => certificate,
            kind::CERTIFICATE_STATUS => certificate_status,
            kind::CERTIFICATE_REQUEST => certificate_request,
            kind::CERTIFICATE_VERIFY => certificate_verify,
            _ => return false,
        };
        self.whole().is_some_and(|body| parse(body).is_none())
    }
}

/// What is known of a type of message before the handshake gives it a meaning.
pub struct Rule {
    receiver: Role,
    kind: u8,
    name: &'static str,
    shortest: usize,
    longest: Longest,
    /// The types of message that may come directly before this one.
    after: &'static [u8],
}

enum Longest {
    Bytes(usize),
    /// The program's limit for certificate chains (SSL_CTX_set_max_cert_list(3)).
    CertificateList,
}

/// OpenSSL ends the handshake on messages longer than its limits (ossl_statem_client_max_message_size). These are as
/// large, or smaller where no genuine message comes near (A6).
#[rustfmt::skip]
const RULES: [Rule; 12] = {
    use Longest::{Bytes, CertificateList};
    use Role::{Client, Server};
    use kind::*;
    const fn rule(receiver: Role, kind: u8, name: &'static str, shortest: usize, longest: Longest,
                  after: &'static [u8]) -> Rule {
        Rule { receiver, kind, name, shortest, longest, after }
    }
    [
        rule(Client, HELLO_VERIFY_REQUEST, "HelloVerifyRequest", 3, Bytes(2 + 1 + 255), &[HELLO_VERIFY_REQUEST]),
        rule(Client, SERVER_HELLO, "ServerHello", 38, Bytes(20_000), &[HELLO_VERIFY_REQUEST]),
        rule(Client, NEW_SESSION_TICKET, "NewSessionTicket", 6, Bytes(4 + 2 + 0xffff),
             &[SERVER_HELLO, SERVER_HELLO_DONE]),
        rule(Client, CERTIFICATE, "Certificate", 3, CertificateList, &[SERVER_HELLO]),
        rule(Client, CERTIFICATE_STATUS, "CertificateStatus", 4, Bytes(1 << 14), &[CERTIFICATE]),
        rule(Client, SERVER_KEY_EXCHANGE, "ServerKeyExchange", 1, Bytes(1 << 14),
             &[SERVER_HELLO, CERTIFICATE, CERTIFICATE_STATUS]),
        rule(Client, CERTIFICATE_REQUEST, "CertificateRequest", 4, CertificateList,
             &[CERTIFICATE, CERTIFICATE_STATUS, SERVER_KEY_EXCHANGE]),
        rule(Client, SERVER_HELLO_DONE, "ServerHelloDone", 0, Bytes(0),
             &[SERVER_HELLO, CERTIFICATE, CERTIFICATE_STATUS, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST]),
        rule(Server, CLIENT_HELLO, "ClientHello", 2 + 32 + 1 + 1, Bytes(MAX_CLIENT_HELLO), &[CLIENT_HELLO]),
        rule(Server, CERTIFICATE, "Certificate", 3, CertificateList, &[CLIENT_HELLO]),
        rule(Server, CLIENT_KEY_EXCHANGE, "ClientKeyExchange", 1, Bytes(2048), &[CLIENT_HELLO, CERTIFICATE]),
        rule(Server, CERTIFICATE_VERIFY, "CertificateVerify", 2, Bytes(1 << 14), &[CLIENT_KEY_EXCHANGE]),
    ]
};

impl Rule {
    /// The rule for a type of message that a peer of `receiver` sends in epoch 0. Finished, for instance, has none.
    pub fn of(receiver: Role, kind: u8) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.receiver == receiver && rule.kind == kind)
    }

    /// The name of the message.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The shortest and the longest message, without header.
    pub fn lengths(&self, max_cert_list: usize) -> (usize, usize) {
        let longest = match self.longest {
            Longest::Bytes(longest) => longest,
            Longest::CertificateList => max_cert_list,
        };
        (self.shortest, longest)
    }

    /// Returns whether the message may be the first one.
    pub fn may_be_first(&self) -> bool {
        matches!(self.kind, kind::CLIENT_HELLO | kind::SERVER_HELLO | kind::HELLO_VERIFY_REQUEST)
    }

    /// Returns whether a message of type `before` may come directly before this one.
    pub fn may_follow(&self, before: u8) -> bool {
        self.after.contains(&before)
    }
}

/// Skips a version of DTLS.
fn behind_version(body: &[u8]) -> Option<&[u8]> {
    body.split_first_chunk::<2>().filter(|([major, _], _)| *major == 0xfe).map(|(_, rest)| rest)
}

fn hello_verify_request(body: &[u8]) -> Option<()> {
    let _cookie = whole_vector::<1>(behind_version(body)?)?;
    Some(())
}

fn server_hello(body: &[u8]) -> Option<()> {
    let (_random, body) = behind_version(body)?.split_first_chunk::<32>()?;
    let (session_id, body) = split_vector::<1>(body)?;
    let ([_, _, compression], extensions) = body.split_first_chunk::<3>()?;
    let extensions = if extensions.is_empty() { extensions } else { whole_vector::<2>(extensions)? };
    (session_id.len() <= 32 && *compression == 0 && is_list::<2>(extensions, 2)).then_some(())
}

fn new_session_ticket(body: &[u8]) -> Option<()> {
    let (_lifetime_hint, ticket) = body.split_first_chunk::<4>()?;
    whole_vector::<2>(ticket).map(drop)
}

fn certificate(body: &[u8]) -> Option<()> {
    whole_vector::<3>(body).filter(|list| is_list::<3>(list, 0)).map(drop)
}

fn certificate_status(body: &[u8]) -> Option<()> {
    let (_type, response) = body.split_first()?;
    whole_vector::<3>(response).map(drop)
}

/// DTLS 1.2 has a list of signature algorithms before the names; DTLS 1.0 has none.
fn certificate_request(body: &[u8]) -> Option<()> {
    let (_types, rest) = split_vector::<1>(body)?;
    let names = |bytes| whole_vector::<2>(bytes).filter(|list| is_list::<2>(list, 0)).map(drop);
    let behind_algorithms = split_vector::<2>(rest).and_then(|(_, rest)| names(rest));
    behind_algorithms.or_else(|| names(rest))
}

/// DTLS 1.2 has the signature's algorithm before the signature; DTLS 1.0 has none.
fn certificate_verify(body: &[u8]) -> Option<()> {
    let behind_algorithm = body.get(2..).and_then(whole_vector::<2>);
    behind_algorithm.or_else(|| whole_vector::<2>(body)).map(drop)
}
