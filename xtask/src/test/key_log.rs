// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask keylog`: tshark decrypts with the key log what OpenSSL's `s_client` and an echo server say, and cannot
//! without. One server is the example in C, the other examples/qt-echo on our plugin.

use crate::build::{Flavour, cmake, plugin, qt_source};
use crate::interop::process::Process;
use crate::interop::trial::free_port;
use crate::system::{Cmd, Environment, Run, cargo, cmd, packages, shell, shell_in, workspace};
use crate::test::qt_program::without_settings;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What the client sends and the server sends back.
const LINE: &str = "this line is encrypted";
/// Both of them, as [`Capture::decrypted`] shows them.
const LINES: &str = "this line is encrypted\\n\nthis line is encrypted\\n";

const KEYS: &str = "keys";
const SETTING: (&str, &str) = ("QDTLS_KEY_LOG", "1");
const FILE: (&str, &str) = ("SSLKEYLOGFILE", KEYS);

const LIMIT: Duration = Duration::from_secs(20);

pub fn run(environment: &Environment) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO, packages::KEY_LOG].concat(), environment)?;
    let folder = workspace::target("key-log");
    workspace::fresh(&folder)?;
    make_certificate(&folder)?;
    for server in [in_c(&folder)?, in_qt(environment)?] {
        server.check(&folder.join(server.name)).with_context(|| server.name)?;
        println!("{}: decrypted with the key log, and only if it is switched on", server.name);
    }
    let versions = [cmd!(shell(), "tshark --version"), cmd!(shell(), "openssl version")];
    for version in versions {
        println!("{}", version.capture()?.lines().next().unwrap_or_default());
    }
    Ok(())
}

fn make_certificate(folder: &Path) -> Result<()> {
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost"];
    let request = cmd!(shell(), "openssl req -x509 -nodes -days 2 {kind...}");
    request.arg("-keyout").arg(key).arg("-out").arg(certificate).quietly()
}

struct Server {
    name: &'static str,
    program: PathBuf,
    /// Where `PORT` stands for its port. Each run has a folder of its own, two below that of the certificate.
    arguments: &'static [&'static str],
    plugin_dir: Option<PathBuf>,
}

fn in_c(folder: &Path) -> Result<Server> {
    let (cargo, target) = (cargo(), workspace::target(""));
    cmd!(shell(), "{cargo} build --package qdtls-rs --lib --target-dir {target}").quietly()?;
    let (library, program) = (workspace::target("debug/libqdtls_rs.a"), folder.join("echo_server"));
    let warnings = ["-Wall", "-Wextra", "-Werror"];
    let libraries = ["-lssl", "-lcrypto", "-lm", "-ldl", "-pthread"];
    let compiler = cmd!(shell(), "cc -std=c11 -D_DEFAULT_SOURCE {warnings...} -Iinclude");
    compiler
        .arg("examples/c/echo_server.c")
        .arg(library)
        .args(libraries)
        .arg("-o")
        .arg(&program)
        .quietly()?;
    let arguments = &["PORT", "../../server.crt", "../../server.key"];
    Ok(Server { name: "c", program, arguments, plugin_dir: None })
}

fn in_qt(environment: &Environment) -> Result<Server> {
    let plugin_dir = plugin::build(Flavour::OURS, &qt_source::find(environment)?)?;
    let build_dir = workspace::target("qt-echo");
    cmake::build("examples/qt-echo", &build_dir, &[])?;
    let arguments = &["server", "--port", "PORT", "--cert", "../../server.crt", "--key", "../../server.key"];
    Ok(Server { name: "qt", program: build_dir.join("qt-echo"), arguments, plugin_dir: Some(plugin_dir) })
}

impl Server {
    fn check(&self, folder: &Path) -> Result<()> {
        for (name, settings) in [("setting-alone", SETTING), ("file-alone", FILE)] {
            let port = free_port()?.to_string();
            let written = self.serve(&folder.join(name), &port, &[settings])?;
            ensure!(written.is_empty(), "{name}: it has written {written:?}");
        }
        let (folder, port) = (folder.join("both"), free_port()?.to_string());
        let capture = Capture::start(folder.with_extension("pcapng"), &port)?;
        let written = self.serve(&folder, &port, &[SETTING, FILE])?;
        ensure!(written == [KEYS], "it has written {written:?}");
        let keys = folder.join(KEYS);
        let mode = fs::metadata(&keys)?.permissions().mode() & 0o7777;
        ensure!(mode == 0o600, "the key log has mode {mode:o}");
        until("the capture has no data of both sides", || Ok(capture.records()? >= 2))?;
        let (with, without) = (capture.decrypted(Some(&keys))?, capture.decrypted(None)?);
        ensure!(with == LINES, "tshark decrypts '{with}'");
        ensure!(without.is_empty(), "tshark decrypts without keys '{without}'");
        Ok(())
    }

    /// Runs it for one client in an empty folder, and returns the names of what it has written there.
    fn serve(&self, folder: &Path, port: &str, settings: &[(&str, &str)]) -> Result<Vec<String>> {
        workspace::fresh(folder)?;
        let (shell, program) = (shell_in(folder), &self.program);
        let arguments =
            self.arguments.iter().map(|argument| if *argument == "PORT" { port } else { *argument });
        let command = without_settings(cmd!(shell, "{program} {arguments...}")).env_remove(FILE.0);
        let command = command.envs(self.plugin_dir.iter().map(|folder| ("QT_PLUGIN_PATH", folder)));
        let server = Process::start(Command::from(command.envs(settings.iter().copied())), None)?;
        until("the server does not answer", || exchange(port)).with_context(|| server.text())?;
        let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }
}

/// Sends the line and waits for it. Not so if the server does not listen yet.
fn exchange(port: &str) -> Result<bool> {
    let client =
        cmd!(shell(), "timeout 10 openssl s_client -dtls1_2 -quiet -no_ign_eof -connect 127.0.0.1:{port}");
    let mut command = Command::from(client.env_remove(FILE.0));
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut input = client.stdin.take().context("no input")?;
    // One that has ended already reads nothing.
    let _ = writeln!(input, "{LINE}");
    let mut answer = String::new();
    BufReader::new(client.stdout.take().context("no output")?).read_line(&mut answer)?;
    // The end of its input ends it.
    drop(input);
    client.wait()?;
    Ok(answer.trim_end() == LINE)
}

fn until(otherwise: &str, is_met: impl Fn() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !is_met()? {
        ensure!(start.elapsed() < LIMIT, "{otherwise}");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// The datagrams to and from a port of the loopback interface. It goes on until it is dropped.
struct Capture {
    file: PathBuf,
    port: String,
    _dumpcap: Process,
}

impl Capture {
    fn start(file: PathBuf, port: &str) -> Result<Self> {
        let filter = format!("udp port {port}");
        let dumpcap = Process::start(cmd!(shell(), "dumpcap -i lo -f {filter} -w {file}").into(), None)?;
        let has_begun = dumpcap.wait_for("File: ", LIMIT);
        ensure!(has_begun, "dumpcap, which may need root, does not begin:\n{}", dumpcap.text());
        Ok(Self { file, port: port.into(), _dumpcap: dumpcap })
    }

    /// How many records with data it has so far.
    fn records(&self) -> Result<usize> {
        // The last datagram may not be whole yet, which tshark calls an error.
        let outcome = self.tshark(None, "dtls.record.content_type == 23", "frame.number").outcome()?;
        Ok(outcome.stdout.lines().count())
    }

    /// What the records contain, a line for each.
    fn decrypted(&self, keys: Option<&Path>) -> Result<String> {
        self.tshark(keys, "data", "data.text").capture()
    }

    fn tshark(&self, keys: Option<&Path>, filter: &str, field: &str) -> Cmd<'static> {
        let Self { file, port, .. } = self;
        // Without a file that the user's preferences name.
        let keys = format!("tls.keylog_file:{}", keys.unwrap_or(Path::new("")).display());
        let as_text = "data.show_as_text:TRUE";
        cmd!(
            shell(),
            "tshark -r {file} -d udp.port=={port},dtls -o {keys} -o {as_text} -Y {filter} -T fields -e {field}"
        )
    }
}
