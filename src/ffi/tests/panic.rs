// SPDX-License-Identifier: MIT OR Apache-2.0
//! A panic in a function that OpenSSL or C calls fails the running operation only.

use super::pair::{Credentials, Outcome, Pair};
use crate::error::Status;
use crate::ffi::{qdtls_connection_last_error, qdtls_error};
use crate::openssl::bio::q_dgram_puts;
use crate::openssl::callbacks::q_generate_cookie_callback;
use crate::panic::tests::{ask_for_panic, panics};
use std::ffi::CStr;

/// Runs `body` while every function called `name` panics, which must happen at least once.
fn panicking<R>(name: &'static str, body: impl FnOnce() -> R) -> R {
    ask_for_panic(Some(name));
    let result = body();
    assert!(panics() > 0, "{name} was not called");
    ask_for_panic(None);
    result
}

/// Does a handshake while the callback panics. Afterwards the handles can be freed, and new ones work.
fn connect_despite_panic_in(name: &'static str, credentials: Credentials) -> Outcome {
    let pair = Pair::new(credentials);
    let outcome = panicking(name, || pair.connect());
    drop(pair);
    assert_eq!(Pair::new(credentials).connect(), Outcome::Connected, "after a panic in {name}");
    outcome
}

#[test]
fn in_the_cookie_callbacks() {
    let outcome = connect_despite_panic_in("q_verify_cookie_callback", Credentials::Certificate);
    assert_eq!(outcome, Outcome::Failed(Status::CookieRejected));

    let (mut cookie, mut length) = ([0; 255], 0);
    let made = panicking("q_generate_cookie_callback", || {
        // SAFETY: the outputs are locals; the function allows a null SSL.
        unsafe { q_generate_cookie_callback(std::ptr::null_mut(), cookie.as_mut_ptr(), &mut length) }
    });
    assert_eq!((made, length), (0, 0));
}

#[test]
fn in_the_verification_callback() {
    let outcome = connect_despite_panic_in("q_X509DtlsCallback", Credentials::Certificate);
    assert_eq!(outcome, Outcome::Failed(Status::HandshakeFailed));
}

#[test]
fn in_the_psk_callbacks() {
    for name in ["q_PSK_client_callback", "q_PSK_server_callback"] {
        let outcome = connect_despite_panic_in(name, Credentials::Psk);
        assert_eq!(outcome, Outcome::Failed(Status::HandshakeFailed), "{name}");
    }
}

#[test]
fn in_the_datagram_bio() {
    for (name, expected) in [
        ("q_dgram_read", Outcome::Failed(Status::HandshakeFailed)),
        ("q_dgram_write", Outcome::Failed(Status::HandshakeFailed)),
        ("q_dgram_create", Outcome::Failed(Status::InitFailed)),
        ("q_dgram_ctrl", Outcome::Failed(Status::HandshakeFailed)),
    ] {
        assert_eq!(connect_despite_panic_in(name, Credentials::Certificate), expected, "{name}");
    }
}

#[test]
fn in_puts_of_the_datagram_bio() {
    // SAFETY: the function allows a null BIO; the text is a C string.
    let puts = || unsafe { q_dgram_puts(std::ptr::null_mut(), c"text".as_ptr()) };
    assert_eq!(panicking("q_dgram_puts", puts), -1);
}

#[test]
fn in_what_has_a_harmless_fallback() {
    for name in ["timer_length", "select_alpn"] {
        assert_eq!(connect_despite_panic_in(name, Credentials::Certificate), Outcome::Connected, "{name}");
    }
}

#[test]
fn in_reads_and_writes_of_a_connection() {
    for name in ["q_dgram_read", "q_dgram_write"] {
        let pair = Pair::new(Credentials::Certificate);
        assert_eq!(pair.connect(), Outcome::Connected);
        assert_eq!(pair.client.write(b"message"), Status::Ok);
        let datagram = pair.client.take().expect("a record");
        match name {
            "q_dgram_read" => {
                let received = panicking(name, || pair.server.read(&datagram));
                assert_eq!(received, Ok(Vec::new()), "the connection ended, nothing was read");
                assert_eq!(pair.server.state(), 0);
            }
            _ => assert_eq!(panicking(name, || pair.client.write(b"message")), Status::ConnectionFailed),
        }
    }
}

#[test]
fn in_an_exported_function() {
    let pair = Pair::new(Credentials::Certificate);
    assert_eq!(pair.client.init(), Status::Ok);
    assert_eq!(panicking("qdtls_connection_start", || pair.client.start(&[])), Status::Internal);
    assert_eq!(panicking("qdtls_listener_verify", || pair.verify(&[])), Err(Status::Internal));

    let mut error = qdtls_error {
        size: size_of::<qdtls_error>(),
        status: 0,
        category: 0,
        openssl_code: 0,
        operation: std::ptr::null(),
        reason: std::ptr::null(),
    };
    // SAFETY: the pair owns the handle, so it is live; the texts are valid until its next error.
    let (status, operation) = unsafe {
        let status = qdtls_connection_last_error(pair.client.handle, &mut error);
        (status, CStr::from_ptr(error.operation))
    };
    assert_eq!((status, error.status), (Status::Ok, Status::Internal as i32));
    assert_eq!(operation, c"qdtls_connection_start");
    assert_eq!(pair.connect(), Outcome::Connected, "the handles are as usable as before");
}

#[test]
fn in_the_end_of_a_handle() {
    for name in ["qdtls_connection_free", "qdtls_listener_free"] {
        let pair = Pair::new(Credentials::Certificate);
        assert_eq!(pair.connect(), Outcome::Connected);
        // Dropping the pair asserts that its programs were released.
        panicking(name, || drop(pair));
    }
}
