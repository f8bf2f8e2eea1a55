// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record buffers with many connections: an operation allocates them and frees them.

use super::pair::{Credentials, End, Outcome, Pair};
use crate::error::Status;
use crate::openssl::buffers::KEPT;

fn connected() -> Pair {
    let pair = Pair::new(Credentials::Psk);
    assert_eq!(pair.connect(), Outcome::Connected);
    pair
}

/// Returns whether the connection has no record buffers; or has them, with an OpenSSL that cannot free them.
fn has_given_back(end: &End) -> bool {
    // SAFETY: `End` owns the handle and frees it on drop, so it is live.
    unsafe { &*end.handle }.association().expect("an association").ssl().has_released_buffers()
}

/// So many that the buffers of each are gone before its next use.
fn many() -> Vec<Pair> {
    (0..KEPT).map(|_| connected()).collect()
}

#[test]
fn idle_connections_give_their_buffers_back_and_go_on() {
    let pairs = many();
    for round in 0..3u8 {
        for pair in &pairs {
            // The first connections keep their buffers until their next operation.
            assert!(round == 0 || has_given_back(&pair.client) && has_given_back(&pair.server));
            for (from, to) in [(&pair.server, &pair.client), (&pair.client, &pair.server)] {
                assert_eq!(from.write(&[round; 1000]), Status::Ok);
                let datagram = from.take().expect("a datagram");
                assert_eq!(to.read(&datagram), Ok(vec![round; 1000]));
            }
        }
    }
}

#[test]
fn idle_connections_can_end() {
    for pair in many().iter().skip(KEPT / 2) {
        assert!(has_given_back(&pair.client) && has_given_back(&pair.server));
        // SAFETY: `End` owns the handle and frees it on drop, so it is live.
        assert_eq!(unsafe { crate::ffi::qdtls_connection_shutdown(pair.client.handle) }, Status::Ok);
        let farewell = pair.client.take().expect("a close_notify");
        assert_eq!(pair.server.read(&farewell), Ok(Vec::new()));
        assert_eq!(pair.server.state(), 0);
    }
}

#[test]
fn handshakes_survive_a_crowd() {
    let pair = Pair::new(Credentials::Psk);
    assert_eq!(pair.client.init(), Status::Ok);
    assert_eq!(pair.client.start(&[]), Status::Ok);
    let hello = pair.client.take().expect("a ClientHello");
    let crowd = many();
    assert_eq!(pair.verify(&hello), Ok(false));
    assert_eq!(pair.client.proceed(&pair.answer().expect("a HelloVerifyRequest")), Status::Ok);
    assert!(pair.client.take().is_some(), "a ClientHello with a cookie");
    assert!(has_given_back(&pair.client));
    drop(crowd);
}

#[test]
fn crowds_of_several_threads_are_one_crowd() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let pairs: Vec<_> = (0..KEPT / 4).map(|_| connected()).collect();
                for round in 0..20u8 {
                    for pair in &pairs {
                        assert_eq!(pair.client.write(&[round; 100]), Status::Ok);
                        let datagram = pair.client.take().expect("a datagram");
                        assert_eq!(pair.server.read(&datagram), Ok(vec![round; 100]));
                    }
                }
            });
        }
    });
}
