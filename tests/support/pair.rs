// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client and a server with a listener in front, which talk in memory and use the exported functions only. For the
//! crate's own tests and for the benchmarks: each names the crate `library` in the module that includes this one.

use super::library::error::Status;
use super::library::ffi::*;
use openssl_sys as ffi;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::rc::Rc;

const CLIENT: i32 = 0;
const SERVER: i32 = 1;
const COMPLETE: i32 = 3;
const NEED_VERDICT: i32 = 1;
const KEY: &[u8] = b"a pre-shared key";
const ALPN: &[u8] = b"\x04test";
const ADDRESS: qdtls_address = qdtls_address {
    family: 4,
    scope: 0,
    port: 5684,
    bytes: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// What a side proves itself with: the server by its certificate, or both sides by a key.
#[derive(Clone, Copy)]
pub enum Credentials {
    Certificate,
    Psk,
}

/// How an attempt to shake hands ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Connected,
    /// The first status that was not `Ok`.
    Failed(Status),
    /// Neither side sends, and at least one waits.
    Stuck,
}

/// The datagrams sent, oldest first, in memory reserved beforehand: a test can count what the library allocates.
struct Outbox {
    bytes: Vec<u8>,
    lengths: VecDeque<usize>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { bytes: Vec::with_capacity(1 << 15), lengths: VecDeque::with_capacity(32) }
    }
}

impl Outbox {
    fn push(&mut self, datagram: &[u8]) {
        self.bytes.extend_from_slice(datagram);
        self.lengths.push_back(datagram.len());
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        let length = self.lengths.pop_front()?;
        Some(self.bytes.drain(..length).collect())
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.lengths.clear();
    }
}

/// The program behind a handle.
#[derive(Default)]
struct Program {
    outbox: RefCell<Outbox>,
    released: Cell<u32>,
}

impl Program {
    fn callbacks(&self) -> qdtls_callbacks {
        qdtls_callbacks {
            size: size_of::<qdtls_callbacks>(),
            user: ptr::from_ref(self).cast_mut().cast(),
            send: Some(send),
            psk: Some(psk),
            now: None,
            release: Some(release),
            send_to: None,
            server_name: None,
        }
    }
}

unsafe extern "C" fn send(user: *mut c_void, datagram: *const u8, length: usize) -> i32 {
    // SAFETY: `user` is the Program that the handle was made with, which outlives it; the datagram is the library's.
    let (program, datagram) =
        unsafe { (&*user.cast::<Program>(), std::slice::from_raw_parts(datagram, length)) };
    program.outbox.borrow_mut().push(datagram);
    0
}

unsafe extern "C" fn psk(_: *mut c_void, _: *const qdtls_psk_request, reply: *mut qdtls_psk_reply) {
    // SAFETY: the reply is that of this callback; the bytes are static.
    unsafe { qdtls_psk_reply_set(reply, b"client".as_ptr(), 6, KEY.as_ptr(), KEY.len()) };
}

unsafe extern "C" fn release(user: *mut c_void) {
    // SAFETY: as in `send`.
    let program = unsafe { &*user.cast::<Program>() };
    program.released.set(program.released.get() + 1);
}

/// An `SSL_CTX`.
struct Context(*mut ffi::SSL_CTX);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by `context`, owned.
        unsafe { ffi::SSL_CTX_free(self.0) };
    }
}

impl Context {
    fn new(role: i32, credentials: Credentials) -> Self {
        // SAFETY: the objects are made here; their owners are the context, which takes references, and this function,
        // which frees its own.
        unsafe {
            let context = ffi::SSL_CTX_new(ffi::DTLS_method());
            assert_eq!(qdtls_context_prepare(context), Status::Ok);
            match credentials {
                Credentials::Psk => {
                    assert_eq!(ffi::SSL_CTX_set_cipher_list(context, c"PSK".as_ptr()), 1);
                }
                Credentials::Certificate if role == SERVER => use_new_certificate(context),
                Credentials::Certificate => {
                    ffi::SSL_CTX_set_verify(context, ffi::SSL_VERIFY_PEER, Some(note_errors));
                }
            }
            Self(context)
        }
    }
}

extern "C" fn note_errors(ok: i32, context: *mut ffi::X509_STORE_CTX) -> i32 {
    unsafe extern "C" {
        fn q_X509DtlsCallback(ok: i32, context: *mut ffi::X509_STORE_CTX) -> i32;
    }
    // SAFETY: OpenSSL calls with a live store context.
    unsafe { q_X509DtlsCallback(ok, context) }
}

/// An `SSL_CTX` for each side, which pairs can share.
pub struct Contexts {
    client: Rc<Context>,
    server: Rc<Context>,
}

impl Contexts {
    pub fn new(credentials: Credentials) -> Self {
        let [client, server] = [CLIENT, SERVER].map(|role| Rc::new(Context::new(role, credentials)));
        Self { client, server }
    }

    /// The context of a role, borrowed.
    pub fn context(&self, role: i32) -> *mut ffi::SSL_CTX {
        if role == SERVER { self.server.0 } else { self.client.0 }
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

/// One end of the connection. Its drop asserts that the handle released the program.
pub struct End {
    pub handle: *mut qdtls_connection,
    /// Borrowed from the connection.
    pub ssl: Cell<*mut ffi::SSL>,
    context: Rc<Context>,
    program: Box<Program>,
}

impl Drop for End {
    fn drop(&mut self) {
        // SAFETY: the handle is live and not used again.
        unsafe { qdtls_connection_free(self.handle) };
        assert_eq!(self.program.released.get(), 1);
    }
}

impl End {
    fn new(role: i32, context: Rc<Context>) -> Self {
        let program = Box::<Program>::default();
        let mut handle = ptr::null_mut();
        // SAFETY: all pointers are to live places; the program outlives the handle (see Drop).
        unsafe {
            assert_eq!(qdtls_connection_new(role, &program.callbacks(), &mut handle), Status::Ok);
            assert_eq!(qdtls_connection_set_peer(handle, &ADDRESS), Status::Ok);
            assert_eq!(qdtls_connection_set_alpn(handle, ALPN.as_ptr(), ALPN.len()), Status::Ok);
        }
        Self { handle, ssl: Cell::new(ptr::null_mut()), context, program }
    }

    /// Gives the connection an `SSL`.
    pub fn init(&self) -> Status {
        let mut ssl = ptr::null_mut();
        // SAFETY: the context is live; the SSL is consumed whatever the outcome.
        unsafe {
            assert_eq!(qdtls_context_new_ssl(self.context.0, &mut ssl), Status::Ok);
            let status = qdtls_connection_init_tls(self.handle, ssl, ptr::null_mut(), None);
            if status == Status::Ok {
                self.ssl.set(ssl);
            }
            status
        }
    }

    pub fn start(&self, datagram: &[u8]) -> Status {
        let mut need = 0;
        // SAFETY: the handle is live, the datagram readable.
        let status =
            unsafe { qdtls_connection_start(self.handle, datagram.as_ptr(), datagram.len(), &mut need) };
        self.judge(status, need)
    }

    pub fn proceed(&self, datagram: &[u8]) -> Status {
        let mut need = 0;
        // SAFETY: as in `start`.
        let status =
            unsafe { qdtls_connection_continue(self.handle, datagram.as_ptr(), datagram.len(), &mut need) };
        self.judge(status, need)
    }

    /// Gives it a datagram of the handshake. On a slow machine OpenSSL's timer can expire meanwhile, and what is repeated
    /// then arrives at an end that has finished.
    fn take_in(&self, datagram: &[u8]) -> Result<(), Status> {
        if self.state() == COMPLETE { self.read(datagram).map(drop) } else { must(self.proceed(datagram)) }
    }

    /// Accepts the peer when the connection asks for a verdict.
    fn judge(&self, status: Status, need: i32) -> Status {
        match status {
            // SAFETY: the handle is live.
            Status::Ok if need == NEED_VERDICT => unsafe { qdtls_connection_judge_peer(self.handle, 1) },
            status => status,
        }
    }

    /// Takes the oldest datagram sent.
    pub fn take(&self) -> Option<Vec<u8>> {
        self.program.outbox.borrow_mut().pop()
    }

    pub fn state(&self) -> i32 {
        let mut state = -1;
        // SAFETY: the handle is live.
        assert_eq!(unsafe { qdtls_connection_state(self.handle, &mut state) }, Status::Ok);
        state
    }

    pub fn write(&self, message: &[u8]) -> Status {
        let mut written = 0;
        // SAFETY: the handle is live, the message readable.
        unsafe { qdtls_connection_write(self.handle, message.as_ptr(), message.len(), &mut written) }
    }

    /// The plaintext of a datagram.
    pub fn read(&self, datagram: &[u8]) -> Result<Vec<u8>, Status> {
        let mut buffer = vec![0; 1 << 14];
        let length = self.read_into(datagram, &mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Writes the plaintext of a datagram to a buffer and returns its length.
    pub fn read_into(&self, datagram: &[u8], buffer: &mut [u8]) -> Result<usize, Status> {
        let (mut length, mut end) = (0, 0);
        // SAFETY: the handle is live, the datagram readable, the buffer writable.
        let status = unsafe {
            let (start, capacity) = (buffer.as_mut_ptr(), buffer.len());
            let (datagram, count) = (datagram.as_ptr(), datagram.len());
            qdtls_connection_read(self.handle, datagram, count, start, capacity, &mut length, &mut end)
        };
        if status == Status::Ok { Ok(length) } else { Err(status) }
    }
}

/// A client, a server that demands cookies, and a listener in front of it.
pub struct Pair {
    pub client: End,
    pub server: End,
    pub listener: *mut qdtls_listener,
    program: Box<Program>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        // SAFETY: the handle is live and not used again.
        unsafe { qdtls_listener_free(self.listener) };
        assert_eq!(self.program.released.get(), 1);
    }
}

impl Pair {
    pub fn new(credentials: Credentials) -> Self {
        Self::of(&Contexts::new(credentials))
    }

    pub fn of(contexts: &Contexts) -> Self {
        let client = End::new(CLIENT, contexts.client.clone());
        let server = End::new(SERVER, contexts.server.clone());
        let program = Box::<Program>::default();
        let (mut listener, mut cookie) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: all pointers are to live places; the cookie is copied.
        unsafe {
            assert_eq!(qdtls_listener_new(&program.callbacks(), &mut listener), Status::Ok);
            assert_eq!(qdtls_cookie_new(&mut cookie), Status::Ok);
            assert_eq!(qdtls_connection_set_cookie(server.handle, cookie), Status::Ok);
            qdtls_cookie_free(cookie);
        }
        Self { client, server, listener, program }
    }

    /// The client's first ClientHello, and its second, with the cookie that the listener asked for.
    pub fn hellos(&self) -> (Vec<u8>, Vec<u8>) {
        assert_eq!([self.client.init(), self.client.start(&[])], [Status::Ok; 2]);
        let first = self.client.take().expect("a ClientHello");
        assert_eq!(self.verify(&first), Ok(false));
        let request = self.answer().expect("a HelloVerifyRequest");
        assert_eq!(self.client.proceed(&request), Status::Ok);
        (first, self.client.take().expect("a ClientHello with a cookie"))
    }

    /// Returns whether the listener accepts the datagram's cookie.
    pub fn verify(&self, datagram: &[u8]) -> Result<bool, Status> {
        let mut verified = false;
        let (start, length) = (datagram.as_ptr(), datagram.len());
        // SAFETY: the handle is live, the datagram readable.
        match unsafe { qdtls_listener_verify(self.listener, &ADDRESS, start, length, &mut verified) } {
            Status::Ok => Ok(verified),
            status => Err(status),
        }
    }

    /// Sets up TLS on both sides, exchanges cookies and shakes hands.
    pub fn connect(&self) -> Outcome {
        match self.try_to_connect() {
            Err(status) => Outcome::Failed(status),
            Ok(()) if [&self.client, &self.server].iter().all(|end| end.state() == COMPLETE) => {
                Outcome::Connected
            }
            Ok(()) => Outcome::Stuck,
        }
    }

    fn try_to_connect(&self) -> Result<(), Status> {
        must(self.client.init())?;
        must(self.server.init())?;
        must(self.client.start(&[]))?;
        loop {
            if let Some(datagram) = self.client.take() {
                self.to_server(&datagram)?;
            } else if let Some(datagram) = self.answer() {
                self.client.take_in(&datagram)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Gives the server a datagram, the first ones by way of the listener.
    pub fn to_server(&self, datagram: &[u8]) -> Result<(), Status> {
        if !self.server.ssl.get().is_null() && self.server.state() != 0 {
            return self.server.take_in(datagram);
        }
        if self.verify(datagram)? { must(self.server.start(datagram)) } else { Ok(()) }
    }

    /// Takes the oldest datagram of the listener, or else of the server.
    pub fn answer(&self) -> Option<Vec<u8>> {
        let from_listener = self.program.outbox.borrow_mut().pop();
        from_listener.or_else(|| self.server.take())
    }

    /// Drops every datagram that was sent and not taken.
    pub fn drop_sent(&self) {
        for program in [&self.client.program, &self.server.program, &self.program] {
            program.outbox.borrow_mut().clear();
        }
    }
}

/// Where the cookie lies in a ClientHello: behind the headers of record and message, the version, the random and the
/// session id (RFC 6347, 4.2.1).
pub fn cookie_in(hello: &[u8]) -> Range<usize> {
    const SESSION_ID: usize = 13 + 12 + 2 + 32;
    let cookie = SESSION_ID + 1 + usize::from(hello[SESSION_ID]);
    cookie + 1..cookie + 1 + usize::from(hello[cookie])
}

fn must(status: Status) -> Result<(), Status> {
    if status == Status::Ok { Ok(()) } else { Err(status) }
}
