// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program at work: its output as it comes, an echo by way of its standard input, its end.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the endpoint's messages consist of, and with what it asks for the end.
const LETTERS: &[u8] = b"~^|";
pub const CLOSE_REQUEST: &str = "please-close";

/// How a program that only prints what it receives, and sends what it reads, is made to echo.
#[derive(Clone, Copy, Debug)]
pub struct Pipe {
    /// Ends its input where it should close; otherwise `Some` is written.
    pub close: Option<&'static str>,
    /// Sends whole lines only.
    pub by_line: bool,
}

pub struct Process {
    child: Child,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    state: Mutex<Lines>,
    news: Condvar,
}

#[derive(Default)]
struct Lines {
    text: String,
    /// When each line was complete.
    times: Vec<Instant>,
    open_streams: u32,
}

impl Process {
    pub fn start(mut command: Command, pipe: Option<Pipe>) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {command:?}"))?;
        let output = Arc::new(Output::default());
        output.state.lock().expect("no thread panics").open_streams = 2;
        let echo = Echo { pipe, stdin: child.stdin.take(), printed: Vec::new() };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let of_stdout = Arc::clone(&output);
        thread::spawn(move || of_stdout.read(stdout, echo));
        let of_stderr = Arc::clone(&output);
        thread::spawn(move || of_stderr.read(stderr, Echo::default()));
        Ok(Self { child, output })
    }

    /// Waits until it has printed that.
    pub fn wait_for(&self, text: &str, limit: Duration) -> bool {
        self.output.wait(limit, |lines| lines.text.contains(text))
    }

    /// Waits for its end.
    pub fn end(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let is_over = self.output.wait(limit, |lines| lines.open_streams == 0);
        Ok(if is_over { Some(self.child.wait()?) } else { None })
    }

    pub fn text(&self) -> String {
        self.output.state.lock().expect("no thread panics").text.clone()
    }

    /// When the line that begins with this was complete.
    pub fn time_of(&self, beginning: &str) -> Option<Instant> {
        let lines = self.output.state.lock().expect("no thread panics");
        let index = lines.text.lines().position(|line| line.starts_with(beginning))?;
        lines.times.get(index).copied()
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Output {
    fn read(&self, stream: Option<impl Read>, mut echo: Echo) {
        let mut buffer = [0; 1 << 15];
        let mut stream = stream.expect("it is piped");
        while let Ok(size @ 1..) = stream.read(&mut buffer) {
            let bytes = &buffer[..size];
            let mut lines = self.state.lock().expect("no thread panics");
            lines.text.push_str(&String::from_utf8_lossy(bytes));
            let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
            lines.times.extend(std::iter::repeat_n(Instant::now(), breaks));
            drop(lines);
            self.news.notify_all();
            echo.take(bytes);
        }
        self.state.lock().expect("no thread panics").open_streams -= 1;
        self.news.notify_all();
    }

    fn wait(&self, limit: Duration, is_met: impl Fn(&Lines) -> bool) -> bool {
        let lines = self.state.lock().expect("no thread panics");
        let met =
            self.news.wait_timeout_while(lines, limit, |lines| !is_met(lines) && lines.open_streams > 0);
        is_met(&met.expect("no thread panics").0)
    }
}

#[derive(Default)]
struct Echo {
    pipe: Option<Pipe>,
    /// Stays open as long as the program's output.
    stdin: Option<ChildStdin>,
    printed: Vec<u8>,
}

impl Echo {
    fn take(&mut self, bytes: &[u8]) {
        let Some(pipe) = self.pipe else { return };
        let mut answer: Vec<u8> = bytes.iter().copied().filter(|byte| LETTERS.contains(byte)).collect();
        if pipe.by_line && !answer.is_empty() {
            answer.push(b'\n');
        }
        self.printed.extend(bytes);
        let is_end = self.printed.windows(CLOSE_REQUEST.len()).any(|bytes| bytes == CLOSE_REQUEST.as_bytes());
        if is_end {
            self.printed.clear();
            answer.extend(pipe.close.unwrap_or_default().bytes());
        } else {
            // A request may come in two parts.
            self.printed.drain(..self.printed.len().saturating_sub(CLOSE_REQUEST.len()));
        }
        if let Some(stdin) = &mut self.stdin {
            // It may have ended.
            let _ = stdin.write_all(&answer).and_then(|()| stdin.flush());
        }
        if is_end && pipe.close.is_none() {
            self.stdin = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_made_to_echo_and_to_end() {
        // What comes behind the request must not look like a message: it may be read together with that.
        let script = "printf 'banner ~~'; read line; printf '%s.' \"$line\"; printf please-; sleep 0.1; echo close; tr '~' -";
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut process = Process::start(command, Some(Pipe { close: None, by_line: true })).unwrap();
        let status = process.end(Duration::from_secs(10)).unwrap();
        assert!(status.is_some_and(|status| status.success()));
        assert_eq!(process.text(), "banner ~~~~.please-close\n--\n");
        assert!(process.time_of("banner").is_some() && process.time_of("other").is_none());
    }
}
