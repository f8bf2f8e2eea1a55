// SPDX-License-Identifier: MIT OR Apache-2.0
//! `examples/qt-statistics` on both plugins, with OpenSSL's s_server, which knows some of it as well.

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

/// Fails unless ours tells what the server says, and stock that there is nothing to tell.
pub fn check() -> Result<u32> {
    certificates::make()?;
    let definitions = [define("INSTALLED", "ON"), define("CMAKE_PREFIX_PATH", installed().display())];
    cmake::build("examples/qt-statistics", &workspace::target("qt-statistics"), &definitions)?;
    let (ours, server) = exchange(Flavour::OURS)?;
    for start in ["qdtls-rs ", "datagrams: 3 out", "retransmissions: 0", "alert sent: 1 0"] {
        ensure!(ours.lines().any(|line| line.starts_with(start)), "no '{start}' on ours:\n{ours}");
    }
    ensure!(keys_of(&ours)? == keys_of(&server)?, "other keys than the server's:\n{ours}\n{server}");
    let (stock, _) = exchange(Flavour::STOCK)?;
    ensure!(stock.trim() == "this QDtls is not served by qdtls-rs", "on stock:\n{stock}");
    Ok(2)
}

/// Where the crate's tests have installed the library (tests/installed_package.rs).
fn installed() -> PathBuf {
    workspace::target("tmp/installed-package/prefix/usr")
}

fn keys_of(text: &str) -> Result<&str> {
    let (_, keys) = text.split_once(KEYS).with_context(|| format!("no keys:\n{text}"))?;
    keys.split_whitespace().next().context("no keys")
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
