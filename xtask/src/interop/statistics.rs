// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exported keys and SRTP beside foreign peers that know both: `examples/qt-statistics` on both plugins with OpenSSL's
//! s_server, and `examples/c/inspect.c`, which the crate's tests have built, with GnuTLS.

use crate::build::cmake::define;
use crate::build::{Flavour, cmake};
use crate::interop::certificates::{self, Identity};
use crate::interop::process::Process;
use crate::interop::trial::free_port;
use crate::system::{cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);
const KEYS: &str = "Keying material: ";
const GNUTLS_KEYS: &str = "- Key material: ";
const GNUTLS_SRTP: [&str; 2] = ["--srtp-profiles", "SRTP_AES128_CM_HMAC_SHA1_80"];

/// Fails unless ours tells what the server says, and stock that there is nothing to tell.
pub fn check() -> Result<u32> {
    certificates::make()?;
    let definitions = [define("INSTALLED", "ON"), define("CMAKE_PREFIX_PATH", installed().display())];
    cmake::build("examples/qt-statistics", &workspace::target("qt-statistics"), &definitions)?;
    let (ours, server) = exchange(Flavour::OURS)?;
    for start in ["qdtls-rs ", "datagrams: 3 out", "retransmissions: 0", "alert sent: 1 0"] {
        ensure!(ours.lines().any(|line| line.starts_with(start)), "no '{start}' on ours:\n{ours}");
    }
    ensure!(
        rest_of(&ours, KEYS)? == rest_of(&server, KEYS)?,
        "other keys than the server's:\n{ours}\n{server}"
    );
    let (stock, _) = exchange(Flavour::STOCK)?;
    ensure!(stock.trim() == "this QDtls is not served by qdtls-rs", "on stock:\n{stock}");
    client_of_gnutls()?;
    server_of_gnutls()?;
    Ok(4)
}

/// Our client gets the SRTP profile that GnuTLS's server offers.
fn client_of_gnutls() -> Result<()> {
    let port = free_port()?.to_string();
    let (certificate, key) = (Identity::Ecdsa.certificate(), Identity::Ecdsa.key());
    let files = cmd!(shell(), "gnutls-serv --udp --x509certfile {certificate} --x509keyfile {key}");
    let _server = Process::start(Command::from(files.args(["--port", &port]).args(GNUTLS_SRTP)), None)?;
    let inspect = inspect();
    let client = cmd!(shell(), "{inspect} {port} localhost");
    let client = Process::start(Command::from(client), None)?;
    ensure!(client.wait_for("connected", LIMIT), "no handshake:\n{}", client.text());
    let profile = rest_of(&client.text(), "SRTP profile: ")?.to_owned();
    ensure!(profile == "1", "not GnuTLS's SRTP profile:\n{}", client.text());
    Ok(())
}

/// Our server and GnuTLS's client export the same keys, and choose the same SRTP profile.
fn server_of_gnutls() -> Result<()> {
    let port = free_port()?.to_string();
    let (certificate, key) = (Identity::Ecdsa.certificate(), Identity::Ecdsa.key());
    let inspect = inspect();
    let server = Process::start(Command::from(cmd!(shell(), "{inspect} {port} {certificate} {key}")), None)?;
    ensure!(server.wait_for("ready", LIMIT), "the server does not start:\n{}", server.text());
    let export = ["--keymatexport", "EXPERIMENTAL-inspect", "--keymatexportsize", "20"];
    let client = cmd!(shell(), "stdbuf -oL gnutls-cli --udp --insecure {export...} {GNUTLS_SRTP...}");
    let client = Process::start(Command::from(client.args(["--port", &port, "127.0.0.1"])), None)?;
    ensure!(client.wait_for(GNUTLS_KEYS, LIMIT), "no keys of GnuTLS:\n{}", client.text());
    ensure!(server.wait_for("connected", LIMIT), "no handshake:\n{}", server.text());
    let (ours, theirs) = (server.text(), client.text());
    let keys = rest_of(&ours, KEYS)?.to_lowercase();
    ensure!(keys == rest_of(&theirs, GNUTLS_KEYS)?, "other keys than GnuTLS's:\n{ours}\n{theirs}");
    let profile = (rest_of(&ours, "SRTP profile: ")?, rest_of(&theirs, "- SRTP profile: ")?);
    ensure!(profile == ("1", GNUTLS_SRTP[1]), "other SRTP profiles:\n{ours}\n{theirs}");
    Ok(())
}

/// Where the crate's tests have built the example (tests/examples.rs).
fn inspect() -> PathBuf {
    workspace::target("tmp/examples/inspect")
}

/// Where the crate's tests have installed the library (tests/installed_package.rs).
fn installed() -> PathBuf {
    workspace::target("tmp/installed-package/prefix/usr")
}

/// The word behind this in what a program has printed.
fn rest_of<'a>(text: &'a str, start: &str) -> Result<&'a str> {
    let (_, rest) = text.split_once(start).with_context(|| format!("no '{start}' in:\n{text}"))?;
    rest.split_whitespace().next().context("nothing behind it")
}

/// What the example and the server print.
fn exchange(flavour: Flavour) -> Result<(String, String)> {
    let port = free_port()?.to_string();
    let (certificate, key) = (Identity::Ecdsa.certificate(), Identity::Ecdsa.key());
    let export = ["-keymatexport", "EXPERIMENTAL-example", "-keymatexportlen", "20"];
    let server =
        cmd!(shell(), "openssl s_server -dtls1_2 -accept {port} -cert {certificate} -key {key} {export...}");
    let server = Process::start(Command::from(server), None)?;
    ensure!(server.wait_for("ACCEPT", LIMIT), "s_server does not start:\n{}", server.text());

    let program = workspace::target("qt-statistics/qt-statistics");
    let client = cmd!(shell(), "{program} {port}").env("QT_PLUGIN_PATH", flavour.plugin_dir());
    let mut client = Process::start(Command::from(client), None)?;
    let status = client.end(LIMIT)?;
    ensure!(status.is_some_and(|status| status.success()), "the example fails:\n{}", client.text());
    ensure!(server.wait_for(KEYS, LIMIT), "the server prints no keys:\n{}", server.text());
    Ok((client.text(), server.text()))
}
