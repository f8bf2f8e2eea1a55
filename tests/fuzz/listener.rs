// SPDX-License-Identifier: MIT OR Apache-2.0
//! A listener on any datagram, beside OpenSSL's DTLSv1_listen(3).

mod openssl;

use super::library::cookie::CookieKey;
use super::library::host::{Host, Psk, PskRequest, SendResult};
use super::library::listener::Listener;
use super::library::openssl::hmac::Hash;
use super::library::peer::PeerAddress;
use super::library::unix_time::UnixTime;
use super::library::wire::message::MAX_CLIENT_HELLO;
use super::mutation::{byte, mutate, rest};
use arbitrary::Unstructured;
use openssl::Plain;
use std::cell::{OnceCell, RefCell};
use std::net::Ipv4Addr;

/// What a listener does with a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ignored,
    /// Answered with this.
    Answered(Vec<u8>),
    Verified,
}

pub fn run(input: &[u8]) {
    thread_local! {
        static LISTENERS: OnceCell<Listeners> = const { OnceCell::new() };
    }
    LISTENERS.with(|listeners| listeners.get_or_init(Listeners::new).compare(input));
}

struct Listeners {
    ours: Listener<Program>,
    plain: Plain,
    hellos: [Vec<u8>; 2],
}

impl Listeners {
    fn new() -> Self {
        let ours = Listener::new(Program);
        ours.set_cookie(CookieKey::new(Hash::Sha256, b"a secret").expect("a key"));
        let first = hello(&[]);
        let Verdict::Answered(request) = judge(&ours, &first) else { panic!("a hello is answered") };
        let cookie = &request[request.len() - 32..];
        let second = hello(cookie);
        Self { ours, plain: Plain::new(&second, cookie), hellos: [first, second] }
    }

    /// The first byte says what the rest is: a datagram, or changes of a hello without or with a cookie.
    fn compare(&self, input: &[u8]) {
        let mut input = Unstructured::new(input);
        let mut datagram = match byte(&mut input) % 4 {
            0 => rest(&mut input).to_vec(),
            choice => self.hellos[usize::from(choice & 1)].clone(),
        };
        if !input.is_empty() {
            mutate(&mut input, &mut datagram);
        }
        let (ours, plain) = (judge(&self.ours, &datagram), self.plain.judge(&datagram));
        assert!(agree(&datagram, &ours, &plain), "ours: {ours:?}\nplain: {plain:?}\n{datagram:?}");
    }
}

/// A verdict of ours is OpenSSL's, or a documented difference.
fn agree(datagram: &[u8], ours: &Verdict, plain: &Verdict) -> bool {
    match (ours, plain) {
        (Verdict::Answered(ours), Verdict::Answered(plain)) => differ_in_numbers_and_cookies(ours, plain),
        (ours, plain) if ours == plain => true,
        (ours, _) => differs_by_design(datagram, ours),
    }
}

/// The record number: DTLSv1_listen(3) of some versions has its own. The cookie: the comparison's is a fixed one.
fn differ_in_numbers_and_cookies(ours: &[u8], plain: &[u8]) -> bool {
    let fixed = |datagram: &[u8]| [&datagram[..3], &datagram[11..28]].concat();
    ours.len() >= 28 && plain.len() == ours.len() && fixed(ours) == fixed(plain)
}

/// What this library ignores, or answers, because OpenSSL would not go on with it.
fn differs_by_design(datagram: &[u8], ours: &Verdict) -> bool {
    let at = |place: usize| datagram.get(place).copied().unwrap_or(0);
    let length = u32::from_be_bytes([0, at(14), at(15), at(16)]) as usize;
    let message_sequence = u16::from_be_bytes([at(17), at(18)]);
    let (major_version, session_id) = (at(25), at(59));
    match ours {
        Verdict::Ignored => {
            message_sequence > 1 || length > MAX_CLIENT_HELLO || major_version != 0xfe || session_id > 32
        }
        // The number of a hello that answers nothing (A7).
        Verdict::Answered(_) => message_sequence == 0,
        Verdict::Verified => false,
    }
}

fn judge(listener: &Listener<Program>, datagram: &[u8]) -> Verdict {
    let peer = PeerAddress::new(Ipv4Addr::LOCALHOST.into(), 5684, 0).expect("an address");
    let verified = listener.verify(&peer, datagram).expect("nothing fails");
    match (verified, SENT.take()) {
        (true, None) => Verdict::Verified,
        (false, None) => Verdict::Ignored,
        (false, Some(answer)) => Verdict::Answered(answer),
        (true, Some(_)) => panic!("verified and answered"),
    }
}

thread_local! {
    static SENT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Program;

impl Host for Program {
    fn send(&self, datagram: &[u8]) -> SendResult {
        assert!(SENT.replace(Some(datagram.to_vec())).is_none(), "one answer");
        SendResult::Sent
    }

    fn psk(&self, _: &PskRequest<'_>) -> Option<Psk> {
        None
    }

    fn now(&self) -> UnixTime {
        UnixTime(1_800_000_000_000)
    }
}

/// A ClientHello in one record.
fn hello(cookie: &[u8]) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend([7; 32]);
    body.extend([0, cookie.len() as u8]);
    body.extend(cookie);
    body.extend([0, 2, 0xc0, 0x2b, 1, 0]);
    let length = body.len() as u8;
    let sequence = u8::from(!cookie.is_empty());
    let message = [&[1, 0, 0, length, 0, sequence, 0, 0, 0, 0, 0, length], body.as_slice()].concat();
    let record = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, sequence, 0, message.len() as u8];
    [record.as_slice(), &message].concat()
}
