// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peers that are small programs of the repository, in qt-tests/interop/peers. All take the same arguments, `name=value`.

use super::{Echo, Launch, Limit, NO_RESTART, Peer, RSA, version_of};
use crate::interop::cases::{ALPN, Expected, PSK, PSK_IDENTITY, Role, Suite};
use crate::interop::certificates::{self, Identity};
use crate::system::{Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result};
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
const OWN: Peer = Peer {
    name: "",
    packages: &[],
    build: || Ok(()),
    version: || Ok(String::new()),
    command: |_| Err("there is no program"),
    ready: "ready",
    closed: &["closed"],
    echo: Echo::Itself,
    lossy: RSA,
    limits: &[],
};

const RESTART: Limit = ("restart on the same port", Some(Role::Client), NO_RESTART);

pub const MBEDTLS: Peer = Peer {
    name: "Mbed TLS",
    packages: &["libmbedtls-dev", "gcc", "libc6-dev"],
    build: || compile("mbedtls", &["-lmbedtls", "-lmbedx509", "-lmbedcrypto"]),
    version: || version_of("libmbedtls-dev"),
    // Its names are IANA's with hyphens.
    command: |launch| Ok(own_with_suite("mbedtls", launch, |iana| iana.replace('_', "-"))),
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

pub const DIMPL: Peer = Peer {
    name: "dimpl",
    packages: &[],
    build: build_dimpl,
    version: version_of_dimpl,
    command: dimpl,
    lossy: (Identity::Ecdsa, Some(Identity::Ecdsa)),
    limits: &[RESTART],
    ..OWN
};

const DIMPL_FOLDER: &str = "qt-tests/interop/peers/dimpl";

fn build_dimpl() -> Result<()> {
    let (cargo, target_dir) = (cargo(), workspace::target("interop/dimpl"));
    let manifest = format!("{DIMPL_FOLDER}/Cargo.toml");
    cmd!(shell(), "{cargo} build --quiet --locked --manifest-path {manifest} --target-dir {target_dir}")
        .quietly()
}

/// As locked.
fn version_of_dimpl() -> Result<String> {
    let lock: toml::Table = toml::from_str(&workspace::read(format!("{DIMPL_FOLDER}/Cargo.lock"))?)?;
    let packages = lock.get("package").and_then(|packages| packages.as_array());
    let is_it = |package: &&toml::Value| package.get("name").and_then(|name| name.as_str()) == Some("dimpl");
    let version = packages.and_then(|packages| packages.iter().find(is_it)?.get("version")?.as_str());
    version.map(String::from).context("dimpl is not locked")
}

fn dimpl(launch: &Launch) -> Result<Command, &'static str> {
    let case = launch.case;
    match case.suite {
        Some(Suite::Psk) => return Err("its only suite with a pre-shared key is PSK_AES128_CCM_8"),
        Some(Suite::Cbc) => return Err("it has no CBC suites"),
        Some(Suite::Ccm8) => return Err("it has CCM8 with a pre-shared key only"),
        _ => {}
    }
    if case.server == Identity::Rsa || case.client == Some(Identity::Rsa) {
        return Err("it has no RSA");
    }
    if case.alpn {
        return Err("it has no ALPN");
    }
    if case.resumes {
        return Err("it has no resumption");
    }
    if case.identity(launch.role) == Some(Identity::Chain) || case.mtu.is_some() {
        return Err("it has no RSA, and sends and reads one certificate");
    }
    let refuses_here =
        case.is_refusal() && (case.expected == Expected::RefusalOfClient) == (launch.role == Role::Server);
    if refuses_here {
        return Err("it leaves the verification of certificates to its application");
    }
    if case.demands && launch.role == Role::Client && case.client.is_none() {
        return Err("it always has a certificate");
    }
    // It needs one also where it does not show it.
    let identity = case.identity(launch.role).or(Some(Identity::Ecdsa));
    let command = Command::new(workspace::target("interop/dimpl/debug/dimpl-peer"));
    Ok(with_arguments(command, &Launch { identity, ..*launch }))
}
