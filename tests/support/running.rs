// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers and clients that run beside a test, in a folder with a certificate.

use crate::process::run;
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long a program may take to write what a test waits for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Makes `certificate.pem` for a host, and its `key.pem`, both behind a prefix.
pub fn make_certificate(folder: &Path, host: &str, prefix: &str) {
    let kind = ["-x509", "-nodes", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    let (subject, alternative) = (format!("/CN={host}"), format!("subjectAltName=DNS:{host}"));
    let name = ["-subj", &subject, "-addext", &alternative];
    let (key, certificate) = (format!("{prefix}key.pem"), format!("{prefix}certificate.pem"));
    let files = ["-keyout", &key, "-out", &certificate];
    run(Command::new("openssl").arg("req").args(kind).args(name).args(files).current_dir(folder));
}

/// A program that runs until the test has what it wants.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub fn start(folder: &Path, program: impl AsRef<Path>, arguments: &[&str]) -> Self {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("an output"));
        let (sender, lines) = channel();
        // Ends with the program's output, or when nobody waits for more.
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    pub fn write(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("an input");
        writeln!(input, "{line}").expect("the program reads");
    }

    /// Reads lines until one is this.
    pub fn wait_for(&mut self, line: &str) {
        while !self.rest_of(line).is_empty() {}
    }

    /// Reads lines until one begins with this, and returns its rest.
    pub fn rest_of(&mut self, start: &str) -> String {
        let mut lines = std::iter::from_fn(|| self.lines.recv_timeout(LONGEST_WAIT).ok());
        let rest = lines.find_map(|line| line.trim().strip_prefix(start).map(|rest| rest.trim().to_owned()));
        rest.unwrap_or_else(|| panic!("the program ends, or waits, without '{start}'"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody had a moment ago.
pub fn port() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.local_addr().expect("an address").port().to_string()
}

/// Runs a client that has to print this. It is started again while its server is not there yet.
pub fn wait_for_output(folder: &Path, client: &Path, arguments: &[&str], expected: &str) {
    let mut output = Vec::new();
    for _ in 0..50 {
        let outcome = Command::new(client).args(arguments).current_dir(folder).output();
        output = outcome.expect("the client runs").stdout;
        if output == expected.as_bytes() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{} prints '{}', not '{expected}'", client.display(), String::from_utf8_lossy(&output));
}
