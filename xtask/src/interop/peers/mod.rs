// SPDX-License-Identifier: MIT OR Apache-2.0
//! The peers: how each is built, started as either side, and what it cannot do.

mod crates;
mod own;
mod programs;

use crate::interop::cases::{Case, Role};
use crate::interop::certificates::Identity;
use crate::interop::process::Pipe;
use crate::system::packages;
use anyhow::Result;
use std::process::Command;

pub struct Peer {
    pub name: &'static str,
    pub packages: &'static [&'static str],
    /// Makes its program, if it is one of the repository's.
    pub build: fn() -> Result<()>,
    pub version: fn() -> Result<String>,
    /// The command for a case, or why there is none.
    pub command: fn(&Launch) -> Result<Command, &'static str>,
    /// What a server prints when it is.
    pub ready: &'static str,
    /// What it prints after the other side's close_notify, one of these.
    pub closed: &'static [&'static str],
    pub echo: Echo,
    /// What the server and the client show in the cases of loss: certificates that take several datagrams.
    pub lossy: (Identity, Option<Identity>),
    /// Cases of this peer alone, with the role of ours.
    pub more: &'static [(Role, Case)],
    /// Failures on both plugins that are not theirs.
    pub limits: &'static [Limit],
}

/// Where a peer knows RSA and can be asked for a certificate.
const RSA: (Identity, Option<Identity>) = (Identity::Rsa, Some(Identity::Rsa));

const NO_RESTART: &str = "its server ignores a hello on a connection (RFC 6347, 4.2.8)";

/// A case, the role of ours or both, and why the peer does not succeed.
pub type Limit = (&'static str, Option<Role>, &'static str);

/// How the endpoint's messages come back.
#[derive(Clone, Copy, Debug)]
pub enum Echo {
    /// By the peer itself, which closes when it is asked to.
    Itself,
    /// By way of its standard output and input.
    Piped(Pipe),
    /// It answers as CoAP wants.
    Coap,
}

/// One start of a peer.
pub struct Launch<'a> {
    pub case: &'a Case,
    /// The peer's.
    pub role: Role,
    pub identity: Option<Identity>,
    pub port: u16,
    /// The second client of a case with two.
    pub is_second: bool,
    /// A path that this run of the case has for itself.
    pub scratch: &'a str,
}

pub const ALL: [&Peer; 12] = [
    &programs::OPENSSL,
    &programs::GNUTLS,
    &own::MBEDTLS,
    &own::PION,
    &own::JAVA,
    &own::WOLFSSL,
    &programs::BOTAN,
    &programs::LIBCOAP,
    &programs::LIBCOAP_GNUTLS,
    &crates::DIMPL,
    &crates::WEBRTC,
    &own::ERLANG,
];

/// Those that `cargo xtask test` runs.
pub const QUICK: [&Peer; 4] = [&programs::OPENSSL, &programs::GNUTLS, &own::MBEDTLS, &programs::LIBCOAP];

impl Peer {
    pub fn limit(&self, case: &Case, role: Role) -> Option<&'static str> {
        let is_it = |(name, of, _): &&Limit| *name == case.name && of.is_none_or(|of| of == role);
        self.limits.iter().find(is_it).map(|(_, _, why)| *why)
    }

    /// Its own cases for a role of ours.
    pub fn more(&self, role: Role) -> impl Iterator<Item = Case> {
        self.more.iter().filter(move |(of, _)| *of == role).map(|(_, case)| case.clone())
    }

    pub fn pipe(&self) -> Option<Pipe> {
        if let Echo::Piped(pipe) = self.echo { Some(pipe) } else { None }
    }

    /// Whether one of its processes connects twice where the case does.
    pub fn connects_twice(&self) -> bool {
        matches!(self.echo, Echo::Itself)
    }
}

fn version_of(package: &str) -> Result<String> {
    packages::field(package, "Version")
}

fn nothing() -> Result<()> {
    Ok(())
}
