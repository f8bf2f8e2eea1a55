// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run of the endpoint and a peer.

use crate::build::{Flavour, plugin};
use crate::interop::cases::{ALPN, Case, Closer, Expected, PSK, Role};
use crate::interop::certificates;
use crate::interop::peers::{Echo, Launch, Peer};
use crate::interop::process::Process;
use crate::interop::relay::{Loss, Relay};
use crate::system::{cmd, shell, workspace};
use crate::test::qt_program::without_settings;
use anyhow::{Context, Result, ensure};
use itertools::Itertools;
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// How long a program may take to begin.
const START: Duration = Duration::from_secs(20);

pub struct Trial<'a> {
    pub peer: &'a Peer,
    /// Ours.
    pub role: Role,
    pub case: &'a Case,
    pub flavour: Flavour,
    /// The endpoint's program, beside a qt.conf for that plugin.
    pub endpoint: &'a Path,
    pub loss: Loss,
    pub limit: Duration,
}

/// What came of it.
pub struct Ending {
    pub is_success: bool,
    /// The endpoint's lines, of which the last says why it failed.
    pub lines: Vec<String>,
    /// From the first datagram to the first message that came back.
    pub time: Option<Duration>,
    pub lost: u32,
    pub noticed_close: bool,
}

/// The plugin that the qt.conf beside a program leaves it.
fn plugin_of(program: &Path) -> Result<PathBuf> {
    let conf = fs::read_to_string(program.with_file_name("qt.conf"))?;
    let folder = conf.split('"').nth(1).context("a qt.conf without a folder")?;
    Ok(Path::new(folder).join("tls").join(plugin::FILE_NAME))
}

impl Trial<'_> {
    /// The inner error is a case that the peer has no command for.
    pub fn run(&self) -> Result<Result<Ending, &'static str>> {
        // Some peers need two neighbouring ports.
        let scratch = workspace::target(&format!("interop/run/{}", free_port()?));
        let scratch = scratch.to_string_lossy();
        match self.role {
            Role::Client => self.as_client(&scratch),
            Role::Server => self.as_server(&scratch),
        }
    }

    fn as_client(&self, scratch: &str) -> Result<Result<Ending, &'static str>> {
        let (port, mut peer) = match self.start_server(scratch)? {
            Ok(server) => server,
            Err(lack) => return Ok(Err(lack)),
        };
        if !peer.text().contains(self.peer.ready) {
            return Ok(Ok(Ending::without_server(&peer.text())));
        }
        let relay = Relay::start(port, self.loss)?;
        let mut endpoint = self.start_endpoint(relay.port)?;
        let status = endpoint.end(self.limit + START)?;
        Ok(Ok(self.ending(&endpoint, status, &mut peer, &relay)))
    }

    /// The peer as server, and its port. Another program may take a free port first, so that it is tried again.
    fn start_server(&self, scratch: &str) -> Result<Result<(u16, Process), &'static str>> {
        let mut tries = 3;
        loop {
            let port = free_port()?;
            let peer = match self.start_peer(port, false, scratch)? {
                Ok(peer) => peer,
                Err(lack) => return Ok(Err(lack)),
            };
            tries -= 1;
            if peer.wait_for(self.peer.ready, START) || tries == 0 {
                return Ok(Ok((port, peer)));
            }
        }
    }

    fn as_server(&self, scratch: &str) -> Result<Result<Ending, &'static str>> {
        let mut endpoint = self.start_endpoint(0)?;
        endpoint.wait_for("listening ", START);
        let lines = endpoint.text();
        let port = lines.lines().find_map(|line| line.strip_prefix("listening ")?.parse().ok());
        let port = port.with_context(|| format!("the endpoint does not listen:\n{lines}"))?;
        let relay = Relay::start(port, self.loss)?;
        let mut peer = match self.start_peer(relay.port, false, scratch)? {
            Ok(peer) => peer,
            Err(lack) => return Ok(Err(lack)),
        };
        let line = self.line_before_second_client();
        if line.is_some_and(|line| endpoint.wait_for(line, self.limit + START)) {
            if self.case.restarts {
                peer.kill();
            } else {
                peer.end(Duration::from_secs(2))?;
            }
            peer = self.start_peer(relay.port, true, scratch)?.map_err(anyhow::Error::msg)?;
        }
        let status = endpoint.end(self.limit + START)?;
        Ok(Ok(self.ending(&endpoint, status, &mut peer, &relay)))
    }

    fn line_before_second_client(&self) -> Option<&'static str> {
        match self.case {
            Case { restarts: true, .. } => Some("echo "),
            Case { resumes: true, .. } if !self.peer.connects_twice() => Some("closed "),
            _ => None,
        }
    }

    fn start_peer(&self, port: u16, is_second: bool, scratch: &str) -> Result<Result<Process, &'static str>> {
        let role = if self.role == Role::Client { Role::Server } else { Role::Client };
        let (case, identity) = (self.case, self.case.identity(role));
        match (self.peer.command)(&Launch { case, role, identity, port, is_second, scratch }) {
            Ok(command) => Process::start(command, self.peer.pipe()).map(Ok),
            Err(lack) => Ok(Err(lack)),
        }
    }

    fn start_endpoint(&self, port: u16) -> Result<Process> {
        let program = self.endpoint;
        let arguments = self.endpoint_arguments(port);
        let command = without_settings(cmd!(shell(), "{program} {arguments...}"));
        let process = Process::start(Command::from(command), None)?;
        ensure!(process.wait_for("plugin ", START), "the endpoint does not start:\n{}", process.text());
        let (lines, plugin) = (process.text(), plugin_of(program)?);
        let is_right = lines.lines().any(|line| line == format!("plugin {}", plugin.display()));
        ensure!(is_right, "{} must be loaded; loaded: {lines}", plugin.display());
        Ok(process)
    }

    fn endpoint_arguments(&self, port: u16) -> Vec<String> {
        let case = self.case;
        let mut arguments = vec![self.role.to_string()];
        let mut option = |name: &str, value: String| arguments.push(format!("--{name}={value}"));
        option("port", port.to_string());
        option("authority", certificates::authority().display().to_string());
        option("limit", self.limit.as_millis().to_string());
        option("sizes", case.sizes.iter().map(|size| size.max(&self.smallest()).to_string()).join(","));
        option("closer", self.closer().into());
        if let Some(identity) = case.identity(self.role) {
            option("certificate", identity.certificate().display().to_string());
            option("key", identity.key().display().to_string());
        }
        if case.is_psk() {
            option("psk", self.psk());
        }
        if let Some(suite) = case.suite {
            option("ciphers", format!("{}:@SECLEVEL=0", suite.openssl()));
        }
        if let Some(mtu) = case.mtu {
            option("mtu", mtu.to_string());
        }
        if case.alpn {
            option("alpn", ALPN.into());
        }
        let verifies = if self.role == Role::Client { !case.is_psk() } else { case.demands };
        let is_coap = matches!(self.peer.echo, Echo::Coap);
        let switches = [
            ("--verify", verifies),
            ("--no-cookie", !case.cookies),
            ("--resume", case.resumes),
            ("--restart", case.restarts),
            ("--coap", is_coap),
        ];
        arguments.extend(switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.into()));
        arguments
    }

    /// A line has its end, too; Botan takes one of two bytes for a command.
    fn smallest(&self) -> u32 {
        if self.peer.pipe().is_some_and(|pipe| pipe.by_line) { 3 } else { 1 }
    }

    /// CoAP's programs take the key as a text.
    fn psk(&self) -> String {
        match self.peer.echo {
            Echo::Coap => PSK.bytes().map(|byte| format!("{byte:02x}")).collect(),
            _ => PSK.into(),
        }
    }

    fn closer(&self) -> &'static str {
        match self.case.closer {
            _ if self.case.has_loss() => "nobody",
            Closer::Peer => "peer",
            Closer::Anyone | Closer::Ours => "ours",
        }
    }

    fn ending(
        &self,
        endpoint: &Process,
        status: Option<ExitStatus>,
        peer: &mut Process,
        relay: &Relay,
    ) -> Ending {
        let noticed_close = self.case.closer == Closer::Ours && self.notices_close(peer);
        self.keep_output(endpoint, peer);
        let time = relay.began().zip(endpoint.time_of("echo ")).map(|(from, to)| to.duration_since(from));
        Ending {
            is_success: status.is_some_and(|status| status.success()),
            lines: endpoint.text().lines().map(String::from).collect(),
            time,
            lost: relay.lost(),
            noticed_close,
        }
    }

    /// For a look at what both printed last.
    fn keep_output(&self, endpoint: &Process, peer: &Process) {
        let (name, role, case, plugin) = (self.peer.name, self.role, self.case.name, self.flavour.name());
        let name = format!("{name} {role} {case} {plugin} {:?}", self.loss);
        let name = name.replace(|one: char| !one.is_alphanumeric(), "-");
        let file = workspace::target("interop/output").join(name).with_extension("txt");
        let text = format!("{}\n{}", endpoint.text(), peer.text());
        let _ = std::fs::create_dir_all(workspace::target("interop/output"));
        let _ = std::fs::write(file, text);
    }

    fn notices_close(&self, peer: &Process) -> bool {
        let marks = self.peer.closed;
        (0..20).any(|_| {
            let text = peer.text();
            marks.iter().any(|mark| text.contains(mark)) || {
                std::thread::sleep(Duration::from_millis(100));
                false
            }
        })
    }
}

impl Ending {
    fn without_server(output: &str) -> Self {
        let line = format!("the peer's server does not start: {output}");
        Self { is_success: false, lines: vec![line], time: None, lost: 0, noticed_close: false }
    }

    /// Whether it is what the case wants.
    pub fn judge(&self, trial: &Trial) -> Verdict {
        let last = self.lines.last().map_or("no output", String::as_str).trim_start_matches("failed ");
        match trial.case.expected {
            Expected::RefusalOfClient | Expected::RefusalOfServer => self.judge_refusal(trial, last),
            _ if !self.is_success => Verdict::Wrong(last.into()),
            _ => self.judge_details(trial.case),
        }
    }

    fn judge_refusal(&self, trial: &Trial, last: &str) -> Verdict {
        let by_ours = (trial.case.expected == Expected::RefusalOfServer) == (trial.role == Role::Client);
        if self.lines.iter().any(|line| line.starts_with("echo")) {
            return Verdict::Wrong("not refused".into());
        }
        // Ours says why; a peer that refuses sends an alert, or says nothing.
        let has_failed = self.lines.iter().any(|line| line.starts_with("failed "));
        let is_right = if by_ours { last.contains("PeerVerificationError") } else { has_failed };
        if is_right { Verdict::Right } else { Verdict::Wrong(last.into()) }
    }

    fn judge_details(&self, case: &Case) -> Verdict {
        let mut handshakes = self.lines.iter().rev().filter_map(|line| line.strip_prefix("handshake "));
        let last = handshakes.next().unwrap_or_default();
        if case.suite.is_some_and(|suite| !last.contains(suite.openssl())) {
            Verdict::Partly(format!("another cipher suite: {last}"))
        } else if case.alpn && !last.ends_with(ALPN) {
            Verdict::Partly("connected, no protocol agreed on".into())
        } else if case.resumes && !last.contains(" resumed") {
            Verdict::Partly("connected, by a full handshake".into())
        } else if case.closer == Closer::Ours && !self.noticed_close {
            Verdict::Partly("not noticed by the peer".into())
        } else {
            Verdict::Right
        }
    }
}

/// What a run is worth.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Right,
    /// Connected, but not as the case wants.
    Partly(String),
    Wrong(String),
}

/// A port that is free, and so is the one before it.
pub fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        let port = socket.local_addr()?.port();
        if UdpSocket::bind(("127.0.0.1", port - 1)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no two free ports")
}
