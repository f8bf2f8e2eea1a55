// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client and a server that talk in memory.

use openssl_sys as ffi;
use qdtls_rs::connection::{Connection, Need};
use qdtls_rs::cookie::{CookieKey, UnixTime};
use qdtls_rs::openssl::context;
use qdtls_rs::openssl::ssl::{PlaintextBuffer, Ssl};
use qdtls_rs::peer::PeerAddress;
use qdtls_rs::record::Role;
use qdtls_rs::sink::{Psk, PskRequest, SendResult, Sink};
use qdtls_rs::{listener, openssl};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::ptr::NonNull;
use std::rc::Rc;

/// The time never changes: cookies do not expire in between.
pub const NOW: UnixTime = UnixTime(1_000_000_000);

/// Where either side is seen to be.
pub fn peer() -> PeerAddress {
    PeerAddress::new(Ipv4Addr::LOCALHOST.into(), 5684, 0).expect("it is an address to talk to")
}

/// Keeps what is sent.
#[derive(Default)]
struct Outbox(RefCell<VecDeque<Vec<u8>>>);

impl Sink for Outbox {
    fn send(&self, datagram: &[u8]) -> SendResult {
        self.0.borrow_mut().push_back(datagram.to_vec());
        SendResult::Sent
    }

    fn psk(&self, _: &PskRequest<'_>) -> Option<Psk> {
        None
    }

    fn now(&self) -> UnixTime {
        NOW
    }
}

impl Outbox {
    fn take(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().pop_front()
    }
}

/// Throws away what is sent.
pub struct Discard;

impl Sink for Discard {
    fn send(&self, _: &[u8]) -> SendResult {
        SendResult::Sent
    }

    fn psk(&self, _: &PskRequest<'_>) -> Option<Psk> {
        None
    }

    fn now(&self) -> UnixTime {
        NOW
    }
}

/// An `SSL_CTX` for each side, shared by all connections. The client verifies nobody.
pub struct Contexts {
    client: NonNull<ffi::SSL_CTX>,
    server: NonNull<ffi::SSL_CTX>,
}

impl Drop for Contexts {
    fn drop(&mut self) {
        // SAFETY: made by `new`, owned; connections hold references of their own.
        unsafe {
            ffi::SSL_CTX_free(self.client.as_ptr());
            ffi::SSL_CTX_free(self.server.as_ptr());
        }
    }
}

impl Contexts {
    pub fn new() -> Self {
        openssl::api().expect("OpenSSL is linked");
        let prepared = || {
            // SAFETY: the context is made here, and nobody else has it yet.
            unsafe {
                let made =
                    NonNull::new(ffi::SSL_CTX_new(ffi::DTLS_method())).expect("an SSL_CTX can be made");
                context::prepare(made).expect("a context can be prepared");
                made
            }
        };
        let (client, server) = (prepared(), prepared());
        // SAFETY: the context is live.
        unsafe { use_new_certificate(server.as_ptr()) };
        Self { client, server }
    }
}

/// Gives the context a new EC key with a self-signed certificate.
///
/// # Safety
/// `context` is live.
unsafe fn use_new_certificate(context: *mut ffi::SSL_CTX) {
    // SAFETY: the objects are made and freed here; the context takes references of its own.
    unsafe {
        let ec = ffi::EC_KEY_new_by_curve_name(ffi::NID_X9_62_prime256v1);
        assert_eq!(ffi::EC_KEY_generate_key(ec), 1);
        let key = ffi::EVP_PKEY_new();
        assert_eq!(ffi::EVP_PKEY_set1_EC_KEY(key, ec), 1);
        let certificate = ffi::X509_new();
        ffi::X509_gmtime_adj(ffi::X509_getm_notBefore(certificate), -3600);
        ffi::X509_gmtime_adj(ffi::X509_getm_notAfter(certificate), 3600);
        assert_eq!(ffi::X509_set_pubkey(certificate, key), 1);
        assert!(ffi::X509_sign(certificate, key, ffi::EVP_sha256()) > 0);
        assert_eq!(ffi::SSL_CTX_use_certificate(context, certificate), 1);
        assert_eq!(ffi::SSL_CTX_use_PrivateKey(context, key), 1);
        ffi::X509_free(certificate);
        ffi::EVP_PKEY_free(key);
        ffi::EC_KEY_free(ec);
    }
}

/// The two sides; the server demands a cookie of `key`.
pub struct Pair<'a> {
    pub client: Connection,
    server: Connection,
    from_client: Rc<Outbox>,
    from_server: Rc<Outbox>,
    key: &'a CookieKey,
}

impl<'a> Pair<'a> {
    pub fn new(contexts: &Contexts, key: &'a CookieKey) -> Self {
        let (from_client, from_server) = (Rc::new(Outbox::default()), Rc::new(Outbox::default()));
        let client = Connection::new(Role::Client, from_client.clone());
        let server = Connection::new(Role::Server, from_server.clone());
        server.set_cookie(Some(key.clone()));
        for (connection, context) in [(&client, contexts.client), (&server, contexts.server)] {
            connection.set_peer(peer()).expect("it is not connected");
            // SAFETY: the context is live.
            let ssl = unsafe { Ssl::of_context(context) }.expect("an SSL can be made");
            assert!(connection.init_tls(Box::new(()), ssl).is_ok());
        }
        Self { client, server, from_client, from_server, key }
    }

    /// The client's first ClientHello.
    pub fn first_datagram(&self) -> Vec<u8> {
        assert_eq!(self.client.start(&[]).ok(), Some(Need::Datagram));
        self.from_client.take().expect("a client begins")
    }

    /// What the client sends in answer to a datagram.
    pub fn answer(&self, datagram: &[u8]) -> Vec<u8> {
        assert_eq!(self.client.proceed(datagram).ok(), Some(Need::Datagram));
        self.from_client.take().expect("a client answers")
    }

    /// The cookie exchange and the handshake.
    pub fn connect(&self) {
        let first = self.first_datagram();
        assert_eq!(self.verify(&first), Some(false));
        let second = self.answer(&self.from_server.take().expect("a listener answers"));
        assert_eq!(self.verify(&second), Some(true));
        judge(&self.server, self.server.start(&second).ok());
        loop {
            if let Some(datagram) = self.from_server.take() {
                judge(&self.client, self.client.proceed(&datagram).ok());
            } else if let Some(datagram) = self.from_client.take() {
                judge(&self.server, self.server.proceed(&datagram).ok());
            } else {
                break;
            }
        }
        self.client.write(b"m").expect("both sides are connected");
        assert_eq!(self.decrypt(&self.from_client.take().expect("it was sent"), &mut [0; 64]), 1);
    }

    fn verify(&self, datagram: &[u8]) -> Option<bool> {
        listener::verify(self.key, &peer(), datagram, &*self.from_server).ok()
    }

    /// What the client sends for a message.
    pub fn encrypted(&self, message: &[u8]) -> Vec<u8> {
        self.forget_sent();
        self.client.write(message).expect("the client is connected");
        self.from_client.take().expect("it was sent")
    }

    pub fn forget_sent(&self) {
        self.from_client.0.borrow_mut().clear();
    }

    /// The length of the plaintext of a datagram of the client's.
    pub fn decrypt(&self, datagram: &[u8], buffer: &mut [u8]) -> usize {
        // SAFETY: the buffer is ours alone until `read` has returned.
        let plaintext = unsafe { PlaintextBuffer::new(buffer.as_mut_ptr(), buffer.len()) };
        self.server.read(datagram, plaintext).expect("the server is connected").0
    }
}

/// Accepts the peer when its verdict is asked for.
fn judge(connection: &Connection, need: Option<Need>) {
    match need.expect("a handshake goes on") {
        Need::Datagram => {}
        Need::Verdict => connection.judge_peer(true).expect("the verdict was asked for"),
    }
}
