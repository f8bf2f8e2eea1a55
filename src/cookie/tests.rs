// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::error::Status;
use crate::openssl::hmac::MacKey;
use crate::settings::{COOKIE_LIFETIME_S, COOKIE_SECRET_SIZE};
use crate::wire::hello::tests::client_hello;

const NOW: UnixTime = UnixTime(1_700_000_000_000);

fn peer(port: u16) -> PeerAddress {
    PeerAddress::new([127, 0, 0, 1].into(), port, 0).expect("a valid address")
}

fn user_key() -> CookieKey {
    CookieKey::new(Hash::Sha256, b"a user's secret").expect("valid parameters")
}

fn later(seconds: u64) -> UnixTime {
    UnixTime(NOW.0 + seconds * 1000)
}

/// Returns whether a cookie made by `key` for one hello is accepted with another.
fn accepted(
    key: &CookieKey,
    made_for: (&PeerAddress, &[u8]),
    shown: (&PeerAddress, &[u8]),
    at: UnixTime,
) -> bool {
    let first = client_hello(1, made_for.1, &[], &[]);
    let cookie = key.issue(made_for.0, &ClientHello::parse(&first).expect("hello"), NOW).expect("a cookie");
    let second = client_hello(1, shown.1, cookie.as_bytes(), &[0; 20]);
    judged(key, shown.0, &second, at)
}

fn judged(key: &CookieKey, peer: &PeerAddress, datagram: &[u8], at: UnixTime) -> bool {
    let hello = ClientHello::parse(datagram).expect("hello");
    matches!(key.check(peer, &hello, at, Use::Listen).expect("a result"), Check::Valid(_))
}

#[test]
fn s15_bound_to_peer_and_hello() {
    for key in [user_key(), CookieKey::default()] {
        assert!(accepted(&key, (&peer(1), &[]), (&peer(1), &[]), NOW));
        assert!(!accepted(&key, (&peer(1), &[]), (&peer(2), &[]), NOW), "another port");
    }
}

#[test]
fn i2_not_bound_to_the_session_id() {
    for key in [user_key(), CookieKey::default()] {
        assert!(accepted(&key, (&peer(1), &[7; 32]), (&peer(1), &[8; 32]), NOW));
    }
}

#[test]
fn s15_bound_to_version_and_random() {
    let key = user_key();
    let first = client_hello(1, &[], &[], &[]);
    let cookie = key.issue(&peer(1), &ClientHello::parse(&first).expect("hello"), NOW).expect("a cookie");
    let good = client_hello(1, &[], cookie.as_bytes(), &[]);
    assert!(judged(&key, &peer(1), &good, NOW));
    for place in [26, 27, 58] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        assert!(!judged(&key, &peer(1), &bad, NOW), "byte {place}");
    }
}

#[test]
fn s15_expires() {
    let key = user_key();
    let lifetime = COOKIE_LIFETIME_S.get();
    assert!(accepted(&key, (&peer(1), &[]), (&peer(1), &[]), later(lifetime)));
    assert!(!accepted(&key, (&peer(1), &[]), (&peer(1), &[]), later(lifetime + 1)));
    let cycle = UnixTime(NOW.0 + (1 << TIME_BITS));
    assert!(!accepted(&key, (&peer(1), &[]), (&peer(1), &[]), cycle), "what it shows of its time wraps");
}

#[test]
fn i4_a_cookie_outlives_a_handshake_attempt() {
    // OpenSSL sends a ClientHello again after 1, 2, 4 seconds and so on, at last each minute, twelve times.
    let attempt = (1 + 2 + 4 + 8 + 16 + 32) + 6 * 60;
    assert!(COOKIE_LIFETIME_S.get() > attempt);
}

/// A hello with a cookie that was made now.
fn answer(key: &CookieKey) -> Vec<u8> {
    let first = client_hello(1, &[], &[], &[]);
    let cookie = key.issue(&peer(1), &ClientHello::parse(&first).expect("hello"), NOW).expect("a cookie");
    client_hello(1, &[], cookie.as_bytes(), &[])
}

#[test]
fn a23_start_accepts_a_cookie_longer_than_the_listener() {
    let key = user_key();
    let lifetime = COOKIE_LIFETIME_S.get();
    let second = answer(&key);
    let hello = ClientHello::parse(&second).expect("hello");
    let accepted = |at, shown| matches!(key.check(&peer(1), &hello, at, shown), Ok(Check::Valid(_)));
    for (more, listener, start) in [(0, true, true), (1, false, true), (60, false, true), (61, false, false)]
    {
        let at = later(lifetime + more);
        assert_eq!((accepted(at, Use::Listen), accepted(at, Use::Start)), (listener, start), "{more}");
    }
}

#[test]
fn a17_no_cookie_older_than_the_connection_restarts_it() {
    let key = user_key();
    let lifetime = COOKIE_LIFETIME_S.get();
    let second = answer(&key);
    let hello = ClientHello::parse(&second).expect("hello");
    let restarts =
        |at, since| matches!(key.check(&peer(1), &hello, at, Use::Restart { since }), Ok(Check::Valid(_)));
    let before = UnixTime(NOW.0 - 1);
    assert!(restarts(later(1), None) && restarts(later(1), Some(before)));
    assert!(!restarts(later(1), Some(NOW)), "the cookie is not newer than the connection");
    assert!(!restarts(later(1), Some(later(1))), "the cookie is older than the connection");
    assert!(restarts(NOW, Some(later(3600))), "the clock was set back");
    assert!(!restarts(later(lifetime + 1), Some(before)), "expired");
}

#[test]
fn a_valid_cookie_tells_its_age() {
    let key = user_key();
    let second = answer(&key);
    let hello = ClientHello::parse(&second).expect("hello");
    for ms in [0, 1, 3400] {
        let check = key.check(&peer(1), &hello, UnixTime(NOW.0 + ms), Use::Start).expect("a result");
        assert!(matches!(check, Check::Valid(valid) if valid.age == ms), "{ms}");
    }
}

#[test]
fn a7_only_the_answer_to_a_request_proves_an_address() {
    let key = user_key();
    let mut second = answer(&key);
    for (sequence, valid) in [(0, false), (1, true)] {
        second[18] = sequence;
        for shown in [Use::Listen, Use::Start, Use::Restart { since: None }] {
            let hello = ClientHello::parse(&second).expect("hello");
            let check = key.check(&peer(1), &hello, NOW, shown).expect("a result");
            assert_eq!(matches!(check, Check::Valid(_)), valid, "{sequence}");
        }
    }
    second[18] = 2;
    assert!(ClientHello::parse(&second).is_none(), "not answered either (I4)");
}

#[test]
fn s15_every_hash_fits_or_is_refused() {
    let mut working = 0;
    for number in 0..=Hash::LAST {
        let hash = Hash::try_from(number).expect("an enumerator");
        match CookieKey::new(hash, b"a user's secret") {
            Err(error) => assert_eq!(error.status(), Status::UnsupportedHash),
            Ok(key) => {
                working += 1;
                assert!(accepted(&key, (&peer(1), &[]), (&peer(1), &[]), NOW), "{hash:?}");
            }
        }
    }
    assert!(working >= 6, "SHA-1, SHA-2 and SHA-3 are in every OpenSSL");
}

#[test]
fn r14_a_wrong_cookie_is_answered_with_the_right_one() {
    let key = user_key();
    let hello = client_hello(1, &[], &[], &[]);
    let right = key.issue(&peer(1), &ClientHello::parse(&hello).expect("hello"), NOW).expect("a cookie");
    for cookie in
        [vec![], vec![0], right.as_bytes()[..31].to_vec(), vec![right.as_bytes()[0]; 32], vec![9; 255]]
    {
        let hello = client_hello(1, &[], &cookie, &[]);
        let hello = ClientHello::parse(&hello).expect("hello");
        match key.check(&peer(1), &hello, NOW, Use::Listen).expect("a result") {
            Check::Valid(_) => panic!("accepted {cookie:?}"),
            Check::Answer(fresh) => assert_eq!(fresh.as_bytes(), right.as_bytes()),
        }
    }
}

#[test]
fn the_stand_in_is_not_the_secret_and_means_it() {
    let default = CookieKey::default();
    let stand_in = default.secret(<[u8]>::to_vec).expect("a stand-in");
    assert_eq!(stand_in.len() as u64, COOKIE_SECRET_SIZE.get());
    let lent = CookieKey::new(Hash::Sha256, &stand_in).expect("valid parameters");
    let hello = client_hello(1, &[], &[], &[]);
    let cookie = default.issue(&peer(1), &ClientHello::parse(&hello).expect("hello"), NOW).expect("a cookie");
    assert!(judged(&lent, &peer(1), &client_hello(1, &[], cookie.as_bytes(), &[]), NOW));
    let input = hmac_input(Moment::at(NOW), &peer(1), &ClientHello::parse(&hello).expect("hello"));
    let key = MacKey::new(Hash::Sha256, &stand_in).expect("a key");
    let made_with_the_stand_in = key.mac(input.as_slice()).expect("a mac");
    assert_ne!(
        Cookie::new(Moment::at(NOW), Number::default(), &made_with_the_stand_in).as_bytes(),
        cookie.as_bytes()
    );
}

#[test]
fn an_empty_secret_is_refused() {
    assert_eq!(
        CookieKey::new(Hash::Sha256, b"").map_err(|e| e.status()).err(),
        Some(Status::InvalidArgument)
    );
}

#[test]
fn s15_what_is_authenticated_is_told_apart_and_short() {
    let v6 = |port, scope| {
        PeerAddress::new("fe80::1".parse().expect("an address"), port, scope).expect("a valid address")
    };
    let mut inputs = Vec::new();
    for random in [1, 2] {
        let datagram = client_hello(random, &[], &[], &[]);
        let hello = ClientHello::parse(&datagram).expect("hello");
        for peer in [peer(1), peer(2), v6(1, 0), v6(0x0304, 0x0001_0002)] {
            for made in [NOW, later(1)] {
                inputs.push(hmac_input(Moment::at(made), &peer, &hello).as_slice().to_vec());
            }
        }
    }
    let (shortest, longest) = (inputs.iter().map(Vec::len).min(), inputs.iter().map(Vec::len).max());
    assert_eq!((shortest, longest), (Some(48), Some(64)));
    inputs.sort();
    inputs.dedup();
    assert_eq!(inputs.len(), 16);
}
