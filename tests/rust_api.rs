// SPDX-License-Identifier: MIT OR Apache-2.0
//! The safe Rust API: pairs in memory whose sides move between threads, and the programs of `examples/rust` with OpenSSL's
//! own programs as peers.

#[path = "support/process.rs"]
mod process;
#[path = "support/running.rs"]
mod running;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod};
use openssl::x509::{X509, X509NameBuilder};
use qdtls_rs::rust::{
    Connection, Host, Listener, Need, Psk, PskRequest, Result, Role, State, Status, prepare,
};
use running::{Running, make_certificate, port, wait_for_output};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const PEER: ([u8; 4], u16) = ([127, 0, 0, 1], 5684);

/// Sends to a channel, fails or panics.
struct Wire {
    to: Sender<Vec<u8>>,
    fails: Option<io::Error>,
    panics: bool,
}

impl Host for Wire {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        assert!(!self.panics, "as a host may");
        self.fails.take().map_or(Ok(()), Err)?;
        self.to.send(datagram.to_vec()).map_err(|_| io::ErrorKind::NotConnected.into())
    }

    fn psk(&mut self, request: &PskRequest<'_>) -> Option<Psk> {
        assert_eq!(request.text, (request.role == Role::Server).then_some(&b"me"[..]));
        Some(Psk::new(b"me".to_vec(), b"a pre-shared key".to_vec()))
    }
}

/// A host that belongs to a thread.
struct Bound(#[allow(dead_code, reason = "for its type")] std::rc::Rc<()>);

impl Host for Bound {
    fn send(&mut self, _datagram: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a type has a trait: only then there is the constant that goes before the trait's.
macro_rules! has {
    ($type:ty: $trait:path) => {{
        #[allow(dead_code, reason = "not for a type with the trait")]
        trait Otherwise {
            const HAS: bool = false;
        }
        struct Asked<T>(std::marker::PhantomData<T>);
        impl<T> Otherwise for Asked<T> {}
        #[allow(dead_code, reason = "not for a type without the trait")]
        impl<T: $trait> Asked<T> {
            const HAS: bool = true;
        }
        <Asked<$type>>::HAS
    }};
}

#[test]
fn e12_a_connection_is_as_movable_as_its_host_and_never_shared() {
    const { assert!(has!(Connection<Wire>: Send)) };
    const { assert!(!has!(Connection<Bound>: Send)) };
    const { assert!(!has!(Connection<Wire>: Sync)) };
    const { assert!(has!(Listener: Send) && has!(Listener: Sync)) };
    const { assert!(has!(qdtls_rs::rust::Error: Send) && has!(qdtls_rs::rust::Error: Sync)) };
}

fn context(with: impl FnOnce(&mut SslContextBuilder)) -> SslContext {
    let mut context = SslContext::builder(SslMethod::dtls()).expect("a context");
    with(&mut context);
    prepare(&mut context).expect("a context for DTLS");
    context.build()
}

/// A client that verifies nobody, and a server with a certificate.
fn contexts() -> [SslContext; 2] {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&curve).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "echo.example").expect("a name");
    let (name, mut certificate) = (name.build(), X509::builder().expect("a certificate"));
    certificate.set_subject_name(&name).expect("a subject");
    certificate.set_issuer_name(&name).expect("an issuer");
    certificate.set_pubkey(&key).expect("a key");
    certificate.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("a time");
    certificate.set_not_after(&Asn1Time::days_from_now(2).expect("a time")).expect("a time");
    certificate.sign(&key, MessageDigest::sha256()).expect("a signature");
    let server = context(|context| {
        context.set_certificate(&certificate.build()).expect("a certificate");
        context.set_private_key(&key).expect("its key");
    });
    [context(|_| ()), server]
}

fn psk_contexts() -> [SslContext; 2] {
    let with_psk = |context: &mut SslContextBuilder| {
        context.set_cipher_list("PSK-AES128-GCM-SHA256").expect("a cipher");
    };
    [context(with_psk), context(with_psk)]
}

/// One end of a pair, with what the other has sent.
struct Side {
    connection: Connection<Wire>,
    incoming: Receiver<Vec<u8>>,
    need: Need,
}

/// A client and a server.
fn pair([client, server]: &[SslContext; 2], listener: &Listener) -> [Side; 2] {
    let ((to_server, from_client), (to_client, from_server)) = (channel(), channel());
    let side = |role, context, to, incoming| {
        let wire = Wire { to, fails: None, panics: false };
        let mut connection = Connection::new(role, SocketAddr::from(PEER), wire).expect("a connection");
        connection.require_cookie(listener);
        connection.set_alpn(b"\x04test").expect("a list");
        connection.init_tls(Ssl::new(context).expect("an SSL")).expect("TLS is set up");
        Side { connection, incoming, need: Need::Datagram }
    };
    [side(Role::Client, client, to_server, from_server), side(Role::Server, server, to_client, from_client)]
}

impl Side {
    /// Continues the handshake with what has come.
    fn step(&mut self) {
        while let Ok(datagram) = self.incoming.try_recv() {
            let need = match self.connection.state() {
                State::NotStarted => self.connection.start(&datagram),
                _ => self.connection.proceed(&datagram),
            };
            self.need = need.expect("the handshake goes on");
        }
    }

    fn read(&mut self, plaintext: &mut Vec<u8>) -> Result<()> {
        self.connection.read(&self.incoming.recv().expect("a datagram"), plaintext)
    }
}

/// Runs `work` on another thread, and takes the value back.
fn elsewhere<T: Send + 'static>(mut value: T, work: impl FnOnce(&mut T) + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        work(&mut value);
        value
    });
    thread.join().expect("no thread has panicked")
}

/// Shakes hands, with a cookie. Each step of each side is on a thread of its own.
fn connected(contexts: &[SslContext; 2]) -> [Side; 2] {
    let listener = Listener::new();
    let [client, mut server] = pair(contexts, &listener);
    let mut client = elsewhere(client, |client| {
        assert_eq!(client.connection.start(&[]), Ok(Need::Datagram));
        assert!(client.connection.time_left().is_some_and(|left| !left.is_zero()));
        assert_eq!(client.connection.handle_timeout(), Ok(false), "it is not due");
    });
    let hello = server.incoming.recv().expect("a hello");
    let to_client = server.connection.host_mut().to.clone();
    let answer = |answer: &[u8]| to_client.send(answer.to_vec()).map_err(io::Error::other);
    assert_eq!(listener.verify(PEER.into(), &hello, answer), Ok(false));
    client = elsewhere(client, Side::step);
    let hello = server.incoming.recv().expect("a hello with a cookie");
    assert_eq!(listener.verify(PEER.into(), &hello, |_| panic!("it is not answered")), Ok(true));
    server.need = server.connection.start(&hello).expect("the cookie is valid");
    for _ in 0..3 {
        client = elsewhere(client, Side::step);
        server = elsewhere(server, Side::step);
    }
    for side in [&mut client, &mut server] {
        assert_eq!(side.need, Need::Verdict);
        side.connection.judge_peer(true).expect("a verdict is awaited");
        assert_eq!((side.connection.state(), side.connection.time_left()), (State::Complete, None));
    }
    [client, server]
}

/// Each message is written on one thread and read on another; the last one ends the connection.
fn exchange([mut client, mut server]: [Side; 2]) {
    for _ in 0..3 {
        client = elsewhere(client, |client| client.connection.write(b"question").expect("it is sent"));
        server = elsewhere(server, |server| {
            let mut plaintext = b"the ".to_vec();
            server.read(&mut plaintext).expect("a message");
            assert_eq!(plaintext, b"the question");
            server.connection.write(b"answer").expect("it is sent");
        });
        let mut plaintext = Vec::new();
        client.read(&mut plaintext).expect("a message");
        assert_eq!(plaintext, b"answer");
    }
    client.connection.shutdown().expect("it is connected");
    let server = elsewhere(server, |server| {
        let end = server.read(&mut Vec::new()).expect_err("the end");
        assert_eq!(end.status(), Status::Closed);
    });
    for side in [client, server] {
        assert_eq!((side.connection.state(), side.connection.ssl(|_| ())), (State::NotStarted, None));
    }
}

#[test]
fn e12_a_connection_moves_between_threads_in_the_middle_of_a_handshake() {
    let [client, server] = connected(&contexts());
    let seen = client.connection.ssl(|ssl| {
        assert_eq!(ssl.selected_alpn_protocol(), Some(&b"test"[..]));
        (ssl.peer_certificate().is_some(), ssl.verify_result().as_raw())
    });
    assert_eq!(seen, Some((true, SELF_SIGNED)), "for the verdict");
    assert_eq!(client.connection.peer(), Some(PEER.into()));
    exchange([client, server]);
}

#[test]
fn e12_pre_shared_keys_come_from_the_host() {
    exchange(connected(&psk_contexts()));
}

/// More than keep their record buffers between operations.
#[test]
fn e12_many_connections_work_on_many_threads() {
    let contexts = &contexts();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let pairs: Vec<_> = (0..8).map(|_| connected(contexts)).collect();
                pairs.into_iter().for_each(exchange);
            });
        }
    });
}

#[test]
fn e12_a_lost_flight_is_repeated_on_another_thread() {
    let [mut client, server] = pair(&contexts(), &Listener::new());
    client.connection.start(&[]).expect("it is sent");
    server.incoming.recv().expect("a hello, which is lost");
    thread::sleep(client.connection.time_left().expect("the timer runs"));
    let client = elsewhere(client, |client| {
        while !client.connection.handle_timeout().expect("the handshake goes on") {
            thread::yield_now();
        }
    });
    assert!(server.incoming.try_recv().is_ok() && client.connection.state() == State::InProgress);
}

#[test]
fn e12_a_panic_of_the_host_reaches_its_program() {
    let [mut client, mut server] = connected(&psk_contexts());
    client.connection.host_mut().panics = true;
    let panic = catch_unwind(AssertUnwindSafe(|| client.connection.write(b"lost"))).expect_err("a panic");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as a host may"));
    client.connection.host_mut().panics = false;
    client.connection.write(b"sent").expect("the connection is as it was");
    let mut plaintext = Vec::new();
    server.read(&mut plaintext).expect("a message");
    assert_eq!(plaintext, b"sent");
}

#[test]
fn e12_a_failure_to_send_is_reported_and_leaves_the_connection() {
    let [mut client, mut server] = connected(&psk_contexts());
    for (error, expected) in [
        (io::ErrorKind::WouldBlock.into(), Status::SendRefused),
        (io::Error::from_raw_os_error(libc::ECONNREFUSED), Status::SendRefused),
        (io::Error::from_raw_os_error(libc::EMSGSIZE), Status::SendFailed),
        (io::ErrorKind::PermissionDenied.into(), Status::SendFailed),
    ] {
        client.connection.host_mut().fails = Some(error);
        let failed = client.connection.write(b"lost").expect_err("it is not sent");
        assert_eq!(failed.status(), expected, "{failed}");
    }
    client.connection.write(b"sent").expect("the connection is as it was");
    let mut plaintext = Vec::new();
    server.read(&mut plaintext).expect("a message");
    assert_eq!(plaintext, b"sent");
}

#[test]
fn e4_contexts_that_do_not_fit_are_refused() {
    let builder = |method| SslContext::builder(method).expect("a context");
    let refused = prepare(&mut builder(SslMethod::tls())).expect_err("TLS");
    assert_eq!(refused.status(), Status::InvalidArgument);
    let mut for_clients = builder(SslMethod::dtls_client());
    prepare(&mut for_clients).expect("a context for DTLS");
    for context in [builder(SslMethod::dtls()).build(), for_clients.build()] {
        let wire = Wire { to: channel().0, fails: None, panics: false };
        let mut server = Connection::new(Role::Server, PEER.into(), wire).expect("a connection");
        let refused = server.init_tls(Ssl::new(&context).expect("an SSL")).expect_err("it does not fit");
        assert_eq!(refused.status(), Status::InvalidArgument);
        assert_eq!(server.start(&[]).map_err(|error| error.status()), Err(Status::InvalidState));
    }
}

/// x509_vfy.h: X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT.
const SELF_SIGNED: i32 = 18;

/// A folder with a certificate.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-examples");
        fs::create_dir_all(&folder).expect("a folder for the certificate");
        make_certificate(&folder, "echo.example", "");
        folder
    })
}

/// The programs of `examples/rust`, built as their users would.
fn example(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--features", "rust", "--examples"]);
        let output = process::run(cargo.args(["--message-format", "json"])).stdout;
        let output = String::from_utf8_lossy(&output);
        let files = output.split("\"executable\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        files.map(PathBuf::from).collect()
    });
    let is_named = |program: &&PathBuf| program.file_stem().is_some_and(|stem| stem == name);
    programs.iter().find(is_named).expect("cargo names the program")
}

fn start(program: impl AsRef<Path>, arguments: &[&str]) -> Running {
    Running::start(folder(), program, arguments)
}

#[test]
fn e12_the_server_on_a_plain_socket_serves_openssl_and_the_client_on_tokio() {
    let port = port();
    let _server = start(example("plain_socket"), &[&port, "certificate.pem", "key.pem"]);
    let arguments = [&port, "certificate.pem", "echo.example", "hello"];
    wait_for_output(folder(), example("tokio"), &arguments, "hello\n");
    let to = format!("127.0.0.1:{port}");
    let mut client = start("openssl", &["s_client", "-dtls1_2", "-quiet", "-connect", &to]);
    client.write("from OpenSSL");
    client.wait_for("from OpenSSL");

    let arguments = [&port, "certificate.pem", "other.example", "hello"];
    let outcome = Command::new(example("tokio")).args(arguments).current_dir(folder()).output();
    let outcome = outcome.expect("the client runs");
    assert!(!outcome.status.success() && outcome.stdout.is_empty(), "{outcome:?}");
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("certificate verify failed"), "{outcome:?}");
}

#[test]
fn e12_the_client_on_tokio_talks_to_openssls_server() {
    let port = port();
    let arguments = ["-cert", "certificate.pem", "-key", "key.pem"];
    let to = ["s_server", "-dtls1_2", "-quiet", "-accept", &port];
    let mut server = start("openssl", &[&to[..], &arguments].concat());
    let arguments = [&port, "certificate.pem", "echo.example", "question\n"];
    let mut client = start(example("tokio"), &arguments);
    server.wait_for("question");
    server.write("answer");
    client.wait_for("answer");
}
