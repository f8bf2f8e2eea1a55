// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peers that are small programs of the repository, in qt-tests/interop/peers. All take the same arguments, `name=value`.

use super::{Echo, Launch, Peer, version_of};
use crate::interop::cases::{ALPN, PSK, PSK_IDENTITY, Suite};
use crate::interop::certificates;
use crate::system::{Run, cmd, shell, workspace};
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const SOURCES: &str = "qt-tests/interop/peers";

fn program(name: &str) -> PathBuf {
    workspace::target("interop/peers").join(name)
}

/// Of C, with a library.
fn compile(name: &str, libraries: &[&str]) -> Result<()> {
    let output = program(name);
    fs::create_dir_all(workspace::target("interop/peers"))?;
    let sources = [format!("{SOURCES}/{name}/peer.c"), format!("{SOURCES}/common/common.c")];
    let include = format!("-I{SOURCES}/common");
    cmd!(
        shell(),
        "cc -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra {include} -o {output} {sources...} {libraries...}"
    )
    .quietly()
}

/// What all of them take.
fn with_arguments(mut command: Command, launch: &Launch) -> Command {
    let Launch { case, role, port, .. } = launch;
    let flag = |is_on: bool| if is_on { "1" } else { "" };
    let mut argument = |name: &str, value: &str| {
        if !value.is_empty() {
            command.arg(format!("{name}={value}"));
        }
    };
    argument("role", &role.to_string());
    argument("port", &port.to_string());
    argument("ca", &certificates::authority().to_string_lossy());
    if let Some(identity) = case.identity(*role) {
        argument("cert", &identity.certificate().to_string_lossy());
        argument("key", &identity.key().to_string_lossy());
    }
    if case.is_psk() {
        argument("psk", PSK);
        argument("identity", PSK_IDENTITY);
    }
    argument("suite", case.suite.map_or("", |suite| suite.iana()));
    argument("alpn", if case.alpn { ALPN } else { "" });
    argument("demand", flag(case.demands));
    argument("resume", flag(case.resumes));
    command
}

fn own(name: &str, launch: &Launch) -> Command {
    with_arguments(Command::new(program(name)), launch)
}

pub const MBEDTLS: Peer = Peer {
    name: "Mbed TLS",
    packages: &["libmbedtls-dev", "gcc", "libc6-dev"],
    build: || compile("mbedtls", &["-lmbedtls", "-lmbedx509", "-lmbedcrypto"]),
    version: || version_of("libmbedtls-dev"),
    command: |launch| Ok(own("mbedtls", launch)),
    ready: "ready",
    closed: &["closed"],
    echo: Echo::Itself,
    limits: &[],
};

pub const PION: Peer = Peer {
    name: "pion",
    packages: &["golang-go", "golang-github-pion-dtls.v2-dev"],
    build: build_pion,
    version: || version_of("golang-github-pion-dtls.v2-dev"),
    command: |launch| match launch.case.suite {
        Some(Suite::ChaCha20) => Err("it has no ChaCha20"),
        _ => Ok(own("pion", launch)),
    },
    ready: "ready",
    closed: &["closed"],
    echo: Echo::Itself,
    limits: &[],
};

/// Debian has its library's source where Go without modules looks for it.
fn build_pion() -> Result<()> {
    let (output, source) = (program("pion"), format!("{SOURCES}/pion/peer.go"));
    let cache = workspace::target("interop/go-cache");
    let command = cmd!(shell(), "go build -o {output} {source}").env("GOCACHE", cache);
    command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").quietly()
}

pub const JAVA: Peer = Peer {
    name: "OpenJDK",
    packages: &["openjdk-17-jdk-headless"],
    build: || {
        let (output, source) = (program("java"), format!("{SOURCES}/java"));
        cmd!(shell(), "javac -d {output} {source}/Peer.java {source}/Credentials.java").quietly()
    },
    version: || version_of("openjdk-17-jdk-headless"),
    command: java,
    ready: "ready",
    closed: &["closed"],
    echo: Echo::Itself,
    limits: &[],
};

fn java(launch: &Launch) -> Result<Command, &'static str> {
    match launch.case.suite {
        Some(Suite::Psk) => return Err("it has no pre-shared keys"),
        Some(Suite::Ccm8) => return Err("it has no CCM suites"),
        _ => {}
    }
    let mut command = Command::new("java");
    command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp"]).arg(program("java"));
    command.arg("Peer");
    Ok(with_arguments(command, launch))
}

pub const WOLFSSL: Peer = Peer {
    name: "wolfSSL",
    packages: &["libwolfssl-dev", "gcc", "libc6-dev"],
    build: || compile("wolfssl", &["-lwolfssl"]),
    version: || version_of("libwolfssl-dev"),
    command: |launch| Ok(own("wolfssl", launch)),
    ready: "ready",
    closed: &["closed"],
    echo: Echo::Itself,
    limits: &[],
};
