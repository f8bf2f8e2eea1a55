// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peers that are crates, each with a program of its own in qt-tests/interop/peers, its dependencies locked there.

use super::own::{OWN, RESTART, SOURCES, with_arguments};
use super::{Launch, Peer};
use crate::interop::cases::{Case, Expected, Role, Suite};
use crate::interop::certificates::Identity;
use crate::system::{Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

fn folder(name: &str) -> String {
    format!("{SOURCES}/{name}")
}

fn build(name: &str) -> Result<()> {
    let (cargo, target_dir) = (cargo(), target_dir(name));
    let manifest = format!("{}/Cargo.toml", folder(name));
    cmd!(shell(), "{cargo} build --quiet --locked --manifest-path {manifest} --target-dir {target_dir}")
        .quietly()
}

fn target_dir(name: &str) -> PathBuf {
    workspace::target(&format!("interop/{name}"))
}

/// As locked.
fn version(name: &str) -> Result<String> {
    let lock: toml::Table = toml::from_str(&workspace::read(format!("{}/Cargo.lock", folder(name)))?)?;
    let packages = lock.get("package").and_then(|packages| packages.as_array());
    let is_it = |package: &&toml::Value| package.get("name").and_then(|name| name.as_str()) == Some(name);
    let version = packages.and_then(|packages| packages.iter().find(is_it)?.get("version")?.as_str());
    version.map(String::from).with_context(|| format!("{name} is not locked"))
}

fn program(name: &str, launch: &Launch) -> Command {
    let file = target_dir(name).join("debug").join(format!("{name}-peer"));
    with_arguments(Command::new(file), launch)
}

const ECDSA: (Identity, Option<Identity>) = (Identity::Ecdsa, Some(Identity::Ecdsa));

pub const DIMPL: Peer = Peer {
    name: "dimpl",
    packages: &[],
    build: || build("dimpl"),
    version: || version("dimpl"),
    command: dimpl,
    lossy: ECDSA,
    limits: &[RESTART],
    ..OWN
};

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
    Ok(program("dimpl", &Launch { identity, ..*launch }))
}

pub const WEBRTC: Peer = Peer {
    name: "webrtc-dtls",
    build: || build("webrtc-dtls"),
    version: || version("webrtc-dtls"),
    command: webrtc,
    lossy: ECDSA,
    limits: &[
        ("each datagram lost in turn", Some(Role::Client), WEBRTC_ENDS),
        ("30 handshakes at 10 % loss", Some(Role::Client), WEBRTC_ENDS),
        ("echo of 16384 bytes", None, "webrtc-dtls reads datagrams of at most 8192 bytes"),
        RESTART,
    ],
    ..OWN
};

/// `handshake` in its handshaker.rs returns with the first state that is finished.
const WEBRTC_ENDS: &str = "its server never repeats its last flight (handshaker.rs)";

fn webrtc(launch: &Launch) -> Result<Command, &'static str> {
    let Case { suite, alpn, resumes, .. } = launch.case;
    match suite {
        Some(Suite::ChaCha20) => return Err("it has no ChaCha20"),
        _ if *alpn => return Err("it has no ALPN"),
        _ if *resumes => return Err("it has no resumption"),
        _ => {}
    }
    match launch.identity {
        Some(Identity::Rsa | Identity::Chain) => {
            Err("it takes no RSA key of its own (validate_config in config.rs)")
        }
        _ => Ok(program("webrtc-dtls", launch)),
    }
}
