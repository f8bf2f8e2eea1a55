// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that are measured at the same time, on one processor, of which one runs at a time.
//!
//! What else the machine does, and how fast its processor is just then, meets all of them alike.

use super::samples::Subject;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a process prints at the end of its turn (`qt-tests/bench/turns.h`).
const OVER: &str = "turn";

/// One of the processes.
pub struct Player {
    subject: Subject,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    lines: String,
    is_done: bool,
}

impl Player {
    /// Starts it, and lets it run to where it waits for its first turn.
    pub fn start(subject: Subject, mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("stdin is piped")?;
        let output = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut player = Self { subject, child, input, output, lines: String::new(), is_done: false };
        player.wait()?;
        Ok(player)
    }

    /// Reads what it prints in a turn.
    fn wait(&mut self) -> Result<()> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                self.is_done = true;
                return Ok(());
            }
            if line.trim_end() == OVER {
                return Ok(());
            }
            self.lines += &line;
        }
    }

    fn take_turn(&mut self) -> Result<()> {
        self.input.write_all(b"\n")?;
        self.wait()
    }

    /// What it has printed.
    fn finish(mut self) -> Result<(Subject, String)> {
        let status = self.child.wait()?;
        if !status.success() {
            bail!("{}: {status}", self.subject);
        }
        Ok((self.subject, std::mem::take(&mut self.lines)))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It has ended, or another one has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets all run to their ends, and returns what each has printed.
pub fn play(mut players: Vec<Player>) -> Result<Vec<(Subject, String)>> {
    while !players.iter().all(|player| player.is_done) {
        for player in players.iter_mut().filter(|player| !player.is_done) {
            let subject = player.subject;
            player.take_turn().with_context(|| format!("a turn of {subject}"))?;
        }
    }
    players.into_iter().map(Player::finish).collect()
}
