// SPDX-License-Identifier: MIT OR Apache-2.0
//! examples/python-echo, on our plugin in the Qt that PySide6 brings along.

use crate::build::Flavour;
use crate::interop::certificates::{self, Identity};
use crate::interop::process::Process;
use crate::interop::trial::free_port;
use crate::system::{cmd, pip, shell, workspace};
use crate::test::qt_program::without_settings;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PACKAGES: [&str; 2] = ["PySide6_Essentials", "shiboken6"];
const PROGRAM: &str = "examples/python-echo/echo.py";
const LIMIT: Duration = Duration::from_secs(30);

/// Runs both sides and returns what they print. Fails if a line is missing.
pub fn run(qt_version: &str) -> Result<String> {
    let packages = install(qt_version)?;
    let port = free_port()?.to_string();
    let (certificate, key) = (Identity::Ecdsa.certificate(), Identity::Ecdsa.key());
    let server = start(&packages, &["server".as_ref(), port.as_ref(), &certificate, &key])?;
    ensure!(server.wait_for("listening", LIMIT), "{PROGRAM} does not listen:\n{}", server.text());
    let mut client =
        start(&packages, &["client".as_ref(), port.as_ref(), &certificates::authority(), "hello".as_ref()])?;
    client.end(LIMIT)?;
    server.wait_for("closed by the peer", LIMIT);
    let (server, client) = (server.text(), client.text());
    for (text, line) in [(&client, "echo: hello"), (&server, "closed by the peer")] {
        ensure!(text.contains(line), "{PROGRAM} does not print `{line}`:\n{server}\n{client}");
    }
    for text in [&server, &client] {
        ensure!(text.contains("DTLS by qdtls-rs"), "{PROGRAM} does not use our plugin:\n{text}");
    }
    Ok(format!("PySide6 {qt_version}: encrypted, echoed and closed in order, on ours"))
}

/// Once for a version.
fn install(version: &str) -> Result<PathBuf> {
    let folder = workspace::target("interop").join(format!("pyside-{version}"));
    pip::install(&PACKAGES.map(|package| format!("{package}=={version}")), &[], &folder)?;
    Ok(folder)
}

fn start(packages: &Path, arguments: &[&Path]) -> Result<Process> {
    let command = without_settings(cmd!(shell(), "python3 {PROGRAM}").args(arguments));
    let command = command.env("PYTHONPATH", packages).env("QT_PLUGIN_PATH", Flavour::OURS.plugin_dir());
    let command = command.env("QT_LOGGING_RULES", "qt.tlsbackend.ossl.debug=true");
    Process::start(Command::from(command), None)
}
