// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs of `examples/c`, built as their users would, with OpenSSL's own programs as peers.

#[path = "support/compiler.rs"]
mod compiler;
#[path = "support/library.rs"]
mod library;
#[path = "support/process.rs"]
mod process;
#[path = "support/running.rs"]
mod running;

use compiler::compiler;
use process::run;
use running::{Running, make_certificate, port, wait_for_output};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/c");

/// How many lines an example may have that shows how little is needed.
const SHORT: [(&str, usize); 2] = [("echo_server.c", 60), ("psk_client.c", 60)];

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
        fs::create_dir_all(&folder).expect("a folder for the programs");
        build_all(&folder);
        make_certificate(&folder, "echo.example", "");
        make_certificate(&folder, "other.example", "other_");
        folder
    })
}

fn build_all(folder: &Path) {
    let (library, native) = library::build_static_library();
    for entry in fs::read_dir(EXAMPLES).expect("the examples") {
        let source = entry.expect("a file").path();
        let standard =
            if source.extension().is_some_and(|extension| extension == "c") { "c11" } else { "c++17" };
        let program = folder.join(source.file_stem().expect("a name"));
        let mut compiler = compiler(standard);
        compiler.arg("-D_DEFAULT_SOURCE").arg(&source).arg(&library).args(&native);
        run(compiler.arg("-o").arg(program));
    }
}

fn program(name: &str) -> PathBuf {
    folder().join(name)
}

fn start(program: impl AsRef<Path>, arguments: &[&str]) -> Running {
    Running::start(folder(), program, arguments)
}

fn output_of(client: &str, arguments: &[&str], expected: &str) {
    wait_for_output(folder(), &program(client), arguments, expected);
}

#[test]
fn examples_are_as_short_as_they_say() {
    for (name, most) in SHORT {
        let text = fs::read_to_string(Path::new(EXAMPLES).join(name)).expect("an example");
        assert!(text.lines().count() <= most, "{name} has {} lines", text.lines().count());
    }
}

#[test]
fn the_echo_server_serves_openssl_and_the_echo_client() {
    let port = port();
    let _server = start(program("echo_server"), &[&port, "certificate.pem", "key.pem"]);
    output_of("echo_client", &[&port, "certificate.pem", "echo.example", "hello"], "hello\n");

    let to = format!("127.0.0.1:{port}");
    let mut client = start("openssl", &["s_client", "-dtls1_2", "-quiet", "-connect", &to]);
    client.write("from OpenSSL");
    client.wait_for("from OpenSSL");
}

#[test]
fn the_echo_client_refuses_a_server_with_another_name() {
    let port = port();
    let _server = start(program("echo_server"), &[&port, "certificate.pem", "key.pem"]);
    output_of("echo_client", &[&port, "certificate.pem", "echo.example", "hello"], "hello\n");
    let arguments = [&port, "certificate.pem", "other.example", "hello"];
    let outcome = Command::new(program("echo_client")).args(arguments).current_dir(folder()).output();
    let outcome = outcome.expect("the client runs");
    assert!(!outcome.status.success() && outcome.stdout.is_empty(), "{outcome:?}");
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("certificate verify failed"), "{outcome:?}");
}

#[test]
fn the_clients_talk_to_openssls_server() {
    let with_certificate = ["-cert", "certificate.pem", "-key", "key.pem"];
    let with_key = ["-nocert", "-psk", "6b6579", "-psk_identity", "me"];
    let by_name = ["certificate.pem", "echo.example", "question\n"];
    for (server, client, arguments) in [
        (&with_certificate[..], "echo_client", &by_name),
        (&with_key, "psk_client", &["me", "key", "question\n"]),
    ] {
        let port = port();
        let to = ["s_server", "-dtls1_2", "-quiet", "-accept", &port];
        let mut server = start("openssl", &[&to[..], server].concat());
        let mut client = start(program(client), &[&[&*port][..], arguments].concat());
        server.wait_for("question");
        server.write("answer");
        client.wait_for("answer");
    }
}

#[test]
fn what_was_negotiated_is_what_openssls_server_says() {
    let port = port();
    let server = ["s_server", "-dtls1_2", "-accept", &port, "-cert", "certificate.pem", "-key", "key.pem"];
    let export = ["-keymatexport", "EXPERIMENTAL-inspect", "-keymatexportlen", "20"];
    let srtp = ["-use_srtp", "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"];
    let mut server = start("openssl", &[&server[..], &export, &srtp].concat());
    let mut client = start(program("inspect"), &[&port, "echo.example"]);
    assert_eq!(client.rest_of("signature:"), "id-ecPublicKey, SHA256");
    assert_eq!(client.rest_of("extended master secret:"), "yes");
    let keys = client.rest_of("Keying material:");
    let profile = client.rest_of("SRTP profile:");
    assert_eq!(profile, "7");
    assert_eq!(client.rest_of("SRTP client key:").len(), 32);
    client.rest_of("connected");
    assert_eq!(server.rest_of("SRTP Extension negotiated, profile="), "SRTP_AEAD_AES_128_GCM");
    assert_eq!(server.rest_of("Keying material:"), keys);
}

#[test]
fn the_alert_of_openssls_server_is_reported() {
    let port = port();
    let files = ["-cert", "certificate.pem", "-key", "key.pem"];
    let demanding = ["s_server", "-dtls1_2", "-quiet", "-accept", &port, "-Verify", "1"];
    let _server = start("openssl", &[&demanding[..], &files].concat());
    let mut client = start(program("inspect"), &[&port, "echo.example"]);
    // QDTLS_STATUS_ALERT_RECEIVED, and a fatal handshake_failure.
    assert_eq!(client.rest_of("status:"), "17");
    assert_eq!(client.rest_of("alert received:"), (2 * 256 + 40).to_string());
}

#[test]
fn openssls_client_gets_the_certificate_of_the_name_it_asks_for() {
    let port = port();
    let certificates =
        ["certificate.pem", "key.pem", "other.example", "other_certificate.pem", "other_key.pem"];
    let _server = start(program("two_names"), &[&[&*port][..], &certificates].concat());
    let to = format!("127.0.0.1:{port}");
    for (asked, shown) in
        [("other.example", "other.example"), ("echo.example", "echo.example"), ("third", "echo.example")]
    {
        let shown = format!("subject=CN={shown}");
        let is_shown = (0..50).any(|_| {
            let mut client = Command::new("openssl");
            client.args(["s_client", "-dtls1_2", "-connect", &to, "-servername", asked]);
            let output = client.stdin(Stdio::null()).output().expect("openssl runs").stdout;
            String::from_utf8_lossy(&output).replace(' ', "").contains(&shown)
        });
        assert!(is_shown, "{asked}");
    }
}

/// The peers of `cargo xtask soak`: they connect, vanish, begin again, replay and send noise.
fn build_peers() -> PathBuf {
    let sources = ["flood.cpp", "peer.cpp", "peers_main.cpp"];
    let sources = sources.map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("qt-tests/soak").join(name));
    let program = program("soak_peers");
    let mut compiler = compiler("c++17");
    run(compiler.args(sources).arg("-o").arg(&program).args(["-lssl", "-lcrypto", "-lpthread"]));
    program
}

#[test]
fn a_thousand_peers_are_served() {
    let (port, peers) = (port(), build_peers());
    let mut server = start(program("many_peers"), &[&port, "certificate.pem", "key.pem", "1000"]);
    let _peers = start(peers, &[&port, "1000", "60", "0", "0"]);
    server.wait_for("1000 clients");
    drop(server.child.stdin.take());
    assert!(server.child.wait().expect("the server ends").success());
}
