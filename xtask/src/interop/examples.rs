// SPDX-License-Identifier: MIT OR Apache-2.0
//! Qt's examples secureudpserver and secureudpclient, operated without a screen, on each plugin.

use crate::build::{Flavour, cmake};
use crate::interop::process::Process;
use crate::interop::trial::free_port;
use crate::system::{cmd, shell, workspace};
use crate::test::qt_program::{QtProgram, without_settings};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const NAMES: [&str; 2] = ["secureudpserver", "secureudpclient"];
const LIMIT: Duration = Duration::from_secs(20);

/// Runs both on each plugin and returns what came of it. Fails if they do not understand each other on ours.
pub fn run(qt_source: &Path) -> Result<String> {
    if !qt_source.join("examples/network").join(NAMES[0]).exists() {
        return Ok("this source of Qt has none".into());
    }
    cmake::build_targets(&workspace::target("qt-tests-build"), &NAMES)?;
    let (ours, stock) = (exchange(Flavour::OURS)?, exchange(Flavour::STOCK)?);
    if let Exchange::NoAddress = ours {
        return Ok("not run, since the server takes no loopback address and the machine has no other".into());
    }
    ensure!(matches!(ours, Exchange::Right), "Qt's examples on ours: {}", ours.text());
    Ok(format!("ours: {}; stock: {}", ours.text(), stock.text()))
}

enum Exchange {
    Right,
    Wrong(String),
    NoAddress,
}

impl Exchange {
    fn text(&self) -> &str {
        match self {
            Self::Right => "connected, and messages went both ways",
            Self::Wrong(output) => output,
            Self::NoAddress => "no address",
        }
    }
}

fn exchange(flavour: Flavour) -> Result<Exchange> {
    let port = free_port()?.to_string();
    let server = start(NAMES[0], flavour, &[&port])?;
    server.wait_for("Server is listening on address ", LIMIT);
    let text = server.text();
    if text.contains("no address") {
        return Ok(Exchange::NoAddress);
    }
    let after = text.split_once("Server is listening on address ").map(|(_, after)| after);
    let address = after.and_then(|after| after.split_whitespace().next());
    let address = address.with_context(|| format!("secureudpserver does not listen:\n{text}"))?;
    let client = start(NAMES[1], flavour, &[&port, address])?;
    let is_right =
        client.wait_for("received a DTLS datagram", LIMIT) && server.wait_for("A message from", LIMIT);
    Ok(if is_right {
        Exchange::Right
    } else {
        Exchange::Wrong(format!("{} {}", client.text(), server.text()))
    })
}

fn start(name: &str, flavour: Flavour, arguments: &[&str]) -> Result<Process> {
    let program = QtProgram::new(name, flavour).place_alone()?;
    Process::start(Command::from(without_settings(cmd!(shell(), "{program} {arguments...}"))), None)
}
