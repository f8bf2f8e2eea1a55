// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::wire::message::kind::*;
use crate::wire::record::{APPLICATION_DATA, split_record};

const LIMIT: usize = 102_400;

fn client() -> Admission {
    Admission::new(Role::Client, LIMIT)
}

fn server() -> Admission {
    Admission::new(Role::Server, LIMIT)
}

fn checked(filter: &Admission, content: u8, epoch: u8, fragment: &[u8], strict: bool) -> Result<(), Refusal> {
    let mut bytes = vec![content, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0];
    bytes.extend((fragment.len() as u16).to_be_bytes());
    bytes.extend(fragment);
    let (record, _) = split_record(&bytes).expect("one whole record");
    filter.check(&record, strict)
}

fn admits(filter: &Admission, content: u8, epoch: u8, fragment: &[u8]) -> bool {
    checked(filter, content, epoch, fragment, false).is_ok()
}

/// A fragment with these fields in its header.
fn fragment(kind: u8, length: usize, sequence: u8, offset: usize, here: usize, body: &[u8]) -> Vec<u8> {
    let [length, offset, here] = [length, offset, here].map(|number| (number as u32).to_be_bytes());
    let header = [&[kind][..], &length[1..], &[0, sequence], &offset[1..], &here[1..]].concat();
    [header.as_slice(), body].concat()
}

fn message(kind: u8, sequence: u8, body: &[u8]) -> Vec<u8> {
    fragment(kind, body.len(), sequence, 0, body.len(), body)
}

fn takes(filter: &Admission, kind: u8, sequence: u8, body: &[u8]) -> bool {
    admits(filter, HANDSHAKE, 0, &message(kind, sequence, body))
}

fn server_hello() -> Vec<u8> {
    let extensions = [0, 11, 0xff, 1, 0, 1, 0, 0, 23, 0, 2, 7, 7];
    [&[0xfe, 0xfd][..], &[7; 32], &[2, 9, 9], &[0xc0, 0x2b, 0], &extensions].concat()
}

fn client_hello() -> Vec<u8> {
    [&[0xfe, 0xfd][..], &[7; 32], &[0, 0], &[0, 2, 0xc0, 0x2b, 1, 0]].concat()
}

/// A well-formed body of each type, with the place that it has in a handshake after a cookie exchange.
fn genuine(role: Role) -> Vec<(u8, u8, Vec<u8>)> {
    match role {
        Role::Client => vec![
            (HELLO_VERIFY_REQUEST, 0, vec![0xfe, 0xff, 3, 1, 2, 3]),
            (SERVER_HELLO, 1, server_hello()),
            (CERTIFICATE, 2, vec![0, 0, 9, 0, 0, 2, 7, 7, 0, 0, 1, 7]),
            (CERTIFICATE_STATUS, 3, vec![1, 0, 0, 2, 7, 7]),
            (SERVER_KEY_EXCHANGE, 4, vec![3, 0, 23, 1, 4]),
            (CERTIFICATE_REQUEST, 5, vec![1, 64, 0, 2, 4, 3, 0, 4, 0, 2, 7, 7]),
            (SERVER_HELLO_DONE, 6, vec![]),
            (NEW_SESSION_TICKET, 7, vec![0, 0, 28, 32, 0, 2, 7, 7]),
        ],
        Role::Server => vec![
            (CLIENT_HELLO, 1, client_hello()),
            (CERTIFICATE, 2, vec![0, 0, 0]),
            (CLIENT_KEY_EXCHANGE, 3, vec![1, 4]),
            (CERTIFICATE_VERIFY, 4, vec![4, 3, 0, 2, 7, 7]),
        ],
    }
}

/// The types whose bodies are opaque without the cipher, or read up to a cookie only.
const OPAQUE: [u8; 3] = [SERVER_KEY_EXCHANGE, CLIENT_KEY_EXCHANGE, CLIENT_HELLO];

#[test]
fn genuine_handshakes_are_admitted_in_any_order_and_again() {
    for role in [Role::Client, Role::Server] {
        let mut flight = genuine(role);
        for _ in 0..flight.len() {
            flight.rotate_left(1);
            let filter = Admission::new(role, LIMIT);
            for (kind, sequence, body) in flight.iter().chain(&flight) {
                assert!(takes(&filter, *kind, *sequence, body), "{role:?}: type {kind}");
            }
        }
    }
}

#[test]
fn messages_in_fragments_and_in_one_record_are_admitted() {
    let filter = client();
    let body = [0x55; 300];
    for offset in (0..300).step_by(100) {
        let part = fragment(SERVER_KEY_EXCHANGE, 300, 2, offset, 100, &body[..100]);
        assert!(admits(&filter, HANDSHAKE, 0, &part));
    }
    let flight = [message(SERVER_HELLO, 1, &server_hello()), message(SERVER_HELLO_DONE, 3, &[])].concat();
    assert!(admits(&filter, HANDSHAKE, 0, &flight));
    // Without a cookie exchange, with a pre-shared key.
    let short = client();
    assert!(takes(&short, SERVER_HELLO, 0, &server_hello()) && takes(&short, SERVER_HELLO_DONE, 1, &[]));
}

#[test]
fn f9_headers_that_contradict_themselves_are_dropped() {
    for role in [Role::Client, Role::Server] {
        for (kind, place, body) in genuine(role) {
            let n = body.len();
            let huge = (1 << 24) - 1;
            for (length, offset, here) in [
                (n, 1, n),
                (n, huge, n),
                (n, 0, n + 1),
                (n + 1, 0, n + 1),
                (n, 0, huge),
                (huge, 0, huge),
                (n + 1, n + 1, 0),
                (n + 1, 0, 0),
                (n.wrapping_sub(1) & huge, 0, n),
                (0, 0, n + 1),
            ] {
                let forged = fragment(kind, length, place, offset, here, &body);
                let admitted = admits(&Admission::new(role, LIMIT), HANDSHAKE, 0, &forged);
                assert!(!admitted, "type {kind}: {here} of {length} at {offset}");
            }
            let whole = message(kind, place, &body);
            for cut in 0..whole.len() {
                assert!(
                    !admits(&Admission::new(role, LIMIT), HANDSHAKE, 0, &whole[..cut]),
                    "type {kind}: {cut}"
                );
            }
            let longer = [whole.as_slice(), &[0]].concat();
            assert!(!admits(&Admission::new(role, LIMIT), HANDSHAKE, 0, &longer), "type {kind}");
        }
    }
}

#[test]
fn f9_bodies_that_contradict_themselves_are_dropped() {
    for role in [Role::Client, Role::Server] {
        for (kind, place, body) in genuine(role) {
            if OPAQUE.contains(&kind) {
                continue;
            }
            let longer = [body.as_slice(), &[0]].concat();
            assert!(!takes(&Admission::new(role, LIMIT), kind, place, &longer), "type {kind}, one byte more");
            for cut in 0..body.len() {
                // A ServerHello may end in front of its extensions.
                let valid = kind == SERVER_HELLO && cut == 2 + 32 + 3 + 3;
                assert_eq!(
                    takes(&Admission::new(role, LIMIT), kind, place, &body[..cut]),
                    valid,
                    "{kind}: {cut}"
                );
            }
        }
    }
}

#[test]
fn f9_each_length_inside_a_message_is_checked() {
    let cases = [
        (HELLO_VERIFY_REQUEST, 0, vec![2]),
        (SERVER_HELLO, 1, vec![34, 40, 41, 44, 45, 49, 50]),
        (CERTIFICATE, 2, vec![0, 1, 2, 3, 4, 5, 8, 9, 10]),
        (CERTIFICATE_STATUS, 3, vec![1, 2, 3]),
        (CERTIFICATE_REQUEST, 5, vec![6, 7, 8, 9]),
        (NEW_SESSION_TICKET, 7, vec![4, 5]),
    ];
    for (kind, place, lengths) in cases {
        let (_, _, body) =
            genuine(Role::Client).into_iter().find(|(one, ..)| *one == kind).expect("a message");
        for length in lengths {
            for change in [1, 0xff, 0x80] {
                let mut forged = body.clone();
                forged[length] = forged[length].wrapping_add(change);
                assert!(!takes(&client(), kind, place, &forged), "type {kind}: byte {length} and {change}");
            }
        }
    }
    for (place, value) in [(0, 3), (34, 33), (39, 1)] {
        let mut forged = server_hello();
        forged[place] = value;
        assert!(!takes(&client(), SERVER_HELLO, 1, &forged), "ServerHello: {value} at {place}");
    }
}

#[test]
fn f9_a_hello_verify_request_is_not_fragmented() {
    assert!(!admits(&client(), HANDSHAKE, 0, &fragment(HELLO_VERIFY_REQUEST, 6, 0, 0, 3, &[0xfe, 0xff, 3])));
    assert!(!admits(&client(), HANDSHAKE, 0, &fragment(HELLO_VERIFY_REQUEST, 6, 0, 3, 3, &[1, 2, 3])));
}

#[test]
fn f9_messages_in_the_wrong_place_are_dropped() {
    for (role, kind, sequence) in [
        (Role::Client, SERVER_HELLO_DONE, 0),
        (Role::Client, CERTIFICATE, 0),
        (Role::Client, NEW_SESSION_TICKET, 0),
        (Role::Server, CERTIFICATE, 0),
        (Role::Server, CLIENT_KEY_EXCHANGE, 0),
        (Role::Server, CERTIFICATE_VERIFY, 0),
        (Role::Server, CERTIFICATE_VERIFY, 2),
    ] {
        let filter = Admission::new(role, LIMIT);
        let all = genuine(role);
        let (_, place, hello) =
            all.iter().find(|(one, ..)| [SERVER_HELLO, CLIENT_HELLO].contains(one)).expect("one");
        assert!(takes(
            &filter,
            if role == Role::Client { SERVER_HELLO } else { CLIENT_HELLO },
            *place,
            hello
        ));
        let (_, _, body) = all.iter().find(|(one, ..)| *one == kind).expect("one");
        assert!(!takes(&filter, kind, sequence, body), "type {kind} at {sequence}");
    }
    let waiting = client();
    assert!(takes(&waiting, HELLO_VERIFY_REQUEST, 0, &[0xfe, 0xff, 0]));
    assert!(!takes(&waiting, SERVER_HELLO_DONE, 1, &[]), "no ServerHello");
    assert!(takes(&waiting, SERVER_HELLO_DONE, 2, &[]));
    assert!(!takes(&waiting, SERVER_KEY_EXCHANGE, 3, &[1]), "after the end of the flight");
    assert!(!takes(&waiting, NEW_SESSION_TICKET, MAX_MESSAGES as u8, &[0; 6]), "no flight is so long");
}

#[test]
fn f9_a_message_is_what_its_first_fragment_says() {
    let filter = client();
    let part = |kind, length| fragment(kind, length, 2, 0, 1, &[0]);
    assert!(admits(&filter, HANDSHAKE, 0, &part(CERTIFICATE, 3000)));
    assert!(!admits(&filter, HANDSHAKE, 0, &part(CERTIFICATE, 3001)));
    assert!(!admits(&filter, HANDSHAKE, 0, &part(SERVER_KEY_EXCHANGE, 3000)));
    assert!(admits(&filter, HANDSHAKE, 0, &part(CERTIFICATE, 3000)));
}

#[test]
fn f9_types_that_the_peer_does_not_send_are_dropped() {
    for role in [Role::Client, Role::Server] {
        let own: Vec<_> = genuine(role).into_iter().map(|(kind, ..)| kind).collect();
        for kind in (0..=255).filter(|kind| !own.contains(kind)) {
            for sequence in [0, 1, 2] {
                assert!(
                    !takes(&Admission::new(role, LIMIT), kind, sequence, &[0; 64]),
                    "{role:?}: type {kind}"
                );
            }
        }
    }
}

#[test]
fn a6_lengths_are_limited_by_type_and_in_total() {
    for (role, kind, place, limit) in [
        (Role::Client, SERVER_HELLO, 1, 20_000),
        (Role::Client, NEW_SESSION_TICKET, 7, 65_541),
        (Role::Client, CERTIFICATE, 2, LIMIT),
        (Role::Client, CERTIFICATE_STATUS, 3, 16_384),
        (Role::Client, SERVER_KEY_EXCHANGE, 4, 16_384),
        (Role::Client, CERTIFICATE_REQUEST, 5, LIMIT),
        (Role::Server, CERTIFICATE, 2, LIMIT),
        (Role::Server, CLIENT_KEY_EXCHANGE, 3, 2048),
        (Role::Server, CERTIFICATE_VERIFY, 4, 16_384),
    ] {
        let forged = |length| {
            checked(
                &Admission::new(role, LIMIT),
                HANDSHAKE,
                0,
                &fragment(kind, length, place, 0, 1, &[0]),
                false,
            )
        };
        assert_eq!(forged(limit), Ok(()), "type {kind}");
        assert!(matches!(forged(limit + 1), Err(Refusal::TooLong(_))), "type {kind}");
    }
    let filter = client();
    let part = |kind, place, length| {
        checked(&filter, HANDSHAKE, 0, &fragment(kind, length, place, 0, 1, &[0]), false)
    };
    assert_eq!(part(CERTIFICATE, 2, LIMIT), Ok(()));
    assert_eq!(part(CERTIFICATE_REQUEST, 4, OTHER_MESSAGES - 10), Ok(()));
    assert!(matches!(part(SERVER_KEY_EXCHANGE, 3, 11), Err(Refusal::TooLong(_))));
    assert_eq!(part(SERVER_KEY_EXCHANGE, 3, 10), Ok(()));
}

#[test]
fn a21_the_limit_of_a_chain_is_the_programs() {
    let part = |limit: usize, length| {
        let part = fragment(CERTIFICATE, length, 2, 0, 1, &[0]);
        admits(&Admission::new(Role::Client, limit), HANDSHAKE, 0, &part)
    };
    assert!(part(300_000, 300_000) && !part(300_000, 300_001) && !part(2000, 2001));
}

#[test]
fn a6_early_records_are_counted() {
    let filter = client();
    for content in [APPLICATION_DATA, HANDSHAKE] {
        let admitted = (0..200).filter(|_| admits(&filter, content, 1, &[0; 40])).count();
        let most = if content == APPLICATION_DATA { MAX_EARLY_DATA } else { MAX_EARLY_OTHERS };
        assert_eq!(admitted, usize::from(most));
    }
    assert!(!admits(&filter, HANDSHAKE, 2, &[0; 40]), "no handshake has an epoch 2");
}

#[test]
fn f10_the_refusal_names_size_and_limit() {
    let part = fragment(CERTIFICATE, 200_000, 2, 0, 1, &[0]);
    let Err(Refusal::TooLong(reason)) = checked(&client(), HANDSHAKE, 0, &part, false) else {
        panic!("admitted");
    };
    assert_eq!(reason.to_string(), "dropped a Certificate of 200000 bytes, the limit is 102400");
}

#[test]
fn a7_a_hello_is_alone_in_its_record() {
    let hello = message(CLIENT_HELLO, 1, &client_hello());
    assert!(admits(&server(), HANDSHAKE, 0, &hello));
    let key = message(CLIENT_KEY_EXCHANGE, 2, &[1]);
    assert!(!admits(&server(), HANDSHAKE, 0, &[hello.as_slice(), &key].concat()));
    assert!(!admits(&server(), HANDSHAKE, 0, &[key, hello].concat()));
}

#[test]
fn s8_other_forged_records_are_told_apart() {
    assert!(admits(&client(), CHANGE_CIPHER_SPEC, 0, &[1]));
    for forged in [&[2][..], &[1, 1], &[]] {
        assert!(!admits(&client(), CHANGE_CIPHER_SPEC, 0, forged));
    }
    for unknown in [0, 19, 23, 24, 25, 255] {
        assert!(!admits(&client(), unknown, 0, &[1]), "content type {unknown}");
        assert!(admits(&client(), unknown, 1, &[1]), "epoch 1 is OpenSSL's to judge");
    }
}

#[test]
fn s8_strict_alerts_are_a_choice() {
    let alert = |fragment: &[u8], strict| checked(&client(), ALERT, 0, fragment, strict).is_ok();
    assert!(alert(&[2, 40], false) && !alert(&[2, 40], true));
    assert!(!alert(&[2, 40, 0], false) && !alert(&[3, 40], false));
}
