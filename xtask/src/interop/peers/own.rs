// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peers that are small programs of the repository, in qt-tests/interop/peers. All take the same arguments, `name=value`.

use super::{Echo, Launch, Limit, NO_RESTART, Peer, RSA, version_of};
use crate::interop::cases::{ALPN, PSK, PSK_IDENTITY, RENEGOTIATION, Role, Suite};
use crate::interop::certificates;
use crate::system::{Run, cmd, shell, workspace};
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub const SOURCES: &str = "qt-tests/interop/peers";

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
pub fn with_arguments(mut command: Command, launch: &Launch) -> Command {
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
    if let Some(identity) = launch.identity {
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
    argument("renegotiate", flag(case.renegotiates));
    command
}

fn own(name: &str, launch: &Launch) -> Command {
    with_arguments(Command::new(program(name)), launch)
}

/// With another name for the cipher suite; the last of two arguments counts.
fn own_with_suite(name: &str, launch: &Launch, rename: impl Fn(&str) -> String) -> Command {
    let mut command = own(name, launch);
    command.args(launch.case.suite.map(|suite| format!("suite={}", rename(suite.iana()))));
    command
}

/// What they have in common.
pub const OWN: Peer = Peer {
    name: "",
    packages: &[],
    build: || Ok(()),
    version: || Ok(String::new()),
    command: |_| Err("there is no program"),
    ready: "ready",
    closed: &["closed"],
    echo: Echo::Itself,
    lossy: RSA,
    more: &[],
    limits: &[],
};

pub const RESTART: Limit = ("restart on the same port", Some(Role::Client), NO_RESTART);

pub const MBEDTLS: Peer = Peer {
    name: "Mbed TLS",
    packages: &["libmbedtls-dev", "gcc", "libc6-dev"],
    build: || compile("mbedtls", &["-lmbedtls", "-lmbedx509", "-lmbedcrypto"]),
    version: || version_of("libmbedtls-dev"),
    // Its names are IANA's with hyphens.
    command: |launch| Ok(own_with_suite("mbedtls", launch, |iana| iana.replace('_', "-"))),
    more: &[(Role::Client, RENEGOTIATION)],
    ..OWN
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
    limits: &[
        ("each datagram lost in turn", Some(Role::Client), PION_PAUSES),
        (
            "resumption",
            None,
            "pion keeps sessions by id and has no tickets; Qt's configuration has only tickets",
        ),
        ("echo of 16384 bytes", None, "pion reads datagrams of at most 8192 bytes"),
        RESTART,
    ],
    ..OWN
};

/// `finish` in its handshaker.go waits for its timer after each, and its reader waits for `finish`. With its last flight
/// lost, an echo came after 11 s on ours and 5 s on stock, which repeats its own less often.
const PION_PAUSES: &str =
    "its server reads nothing for a second after each datagram of a repeated flight (handshaker.go)";

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
    limits: &[RESTART],
    ..OWN
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
    command: |launch| match launch.case.is_psk() {
        true => Err("Debian builds it without suites of a pre-shared key alone (WOLFSSL_STATIC_PSK)"),
        false => Ok(own("wolfssl", launch)),
    },
    limits: &[
        ("each datagram lost in turn", Some(Role::Client), WOLFSSL_IN_ORDER),
        ("30 handshakes at 10 % loss", Some(Role::Client), WOLFSSL_IN_ORDER),
        ("echo of 16384 bytes", None, "wolfSSL reads datagrams of at most 1400 bytes"),
        RESTART,
    ],
    ..OWN
};

const WOLFSSL_IN_ORDER: &str =
    "its server refuses a flight that lacks a datagram (unexpected_message), repeats no last flight";

pub const ERLANG: Peer = Peer {
    name: "Erlang",
    packages: &["erlang-ssl"],
    version: || version_of("erlang-ssl"),
    command: |launch| {
        let mut command = Command::new("escript");
        command.arg(format!("{SOURCES}/erlang/peer.escript"));
        Ok(with_arguments(command, launch))
    },
    limits: &[
        (
            "resumption",
            None,
            "Erlang keeps sessions of DTLS 1.2 by id and has no tickets; Qt's configuration has only tickets",
        ),
        ("echo of 16384 bytes", None, "Erlang takes no record of more than 16000 bytes or so"),
        RESTART,
    ],
    ..OWN
};
