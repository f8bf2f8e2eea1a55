// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running other programs.

use crate::system::workspace;
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;
pub use xshell::{Cmd, Shell, cmd};

/// Runs commands in the root of the repository.
///
/// It lives as long as the program and never changes, so that a function can return a command.
pub fn shell() -> &'static Shell {
    thread_local! {
        static SHELL: &'static Shell = Box::leak(Box::new(shell_in(workspace::root())));
    }
    SHELL.with(|shell| *shell)
}

/// Runs commands in another folder. Their texts do not depend on the user's language.
pub fn shell_in(folder: &Path) -> Shell {
    let shell = Shell::new().expect("the current folder exists");
    shell.change_dir(folder);
    shell.set_var("LC_ALL", "C.UTF-8");
    shell
}

/// The cargo that runs us.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The Rust target of the machine.
pub fn rust_target() -> Result<String> {
    let verbose = cmd!(shell(), "rustc -vV").capture()?;
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(String::from).context("rustc has no host")
}

/// Does something with two subjects at once, each on a thread of its own, and returns both results, or the first error.
pub fn both<S: Copy + Send + Sync, T: Send>(
    subjects: [S; 2],
    work: impl Fn(S) -> Result<T> + Sync,
) -> Result<[T; 2]> {
    let [first, second] = subjects;
    thread::scope(|scope| {
        let second = scope.spawn(|| work(second));
        let first = work(first);
        let second = second.join().map_err(|_| anyhow!("a thread panicked"))?;
        Ok([first?, second?])
    })
}

pub fn is_root() -> Result<bool> {
    Ok(cmd!(shell(), "id --user").capture()? == "0")
}

/// How a command ended, and what it wrote.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

pub trait Run: Sized {
    /// Runs to the end, whatever that is.
    fn outcome(self) -> Result<Outcome>;

    /// Runs to the end and returns stdout without the last line break. Shows the output only if the command fails.
    fn capture(self) -> Result<String>;

    /// As [`Run::capture`], and also shows stdout as it comes.
    fn show(self) -> Result<String>;

    /// As [`Run::capture`], for a command that is run for its effect.
    fn quietly(self) -> Result<()> {
        self.capture().map(|_| ())
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Run for Cmd<'_> {
    fn outcome(self) -> Result<Outcome> {
        Ok(self.ignore_status().output()?.into())
    }

    fn capture(self) -> Result<String> {
        let name = self.to_string();
        let Outcome { status, stdout, stderr } = self.outcome()?;
        if !status.success() {
            eprint!("{stdout}{stderr}");
            bail!("`{name}` failed: {status}");
        }
        Ok(stdout.trim_end_matches('\n').to_owned())
    }

    fn show(self) -> Result<String> {
        let name = self.to_string();
        let mut child = Command::from(self).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut output = String::new();
        for line in BufReader::new(child.stdout.take().expect("stdout is piped")).lines() {
            let line = line?;
            eprintln!("{line}");
            output += &format!("{line}\n");
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("`{name}` failed: {status}");
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_run_in_the_repository_and_fail_with_their_name() {
        assert_eq!(cmd!(shell(), "pwd").capture().unwrap(), workspace::root().to_str().unwrap());
        assert_eq!(cmd!(shell(), "sh -c 'echo $LC_ALL; cat'").capture().unwrap(), "C.UTF-8");
        let error = cmd!(shell(), "sh -c 'exit 3'").capture().unwrap_err().to_string();
        assert_eq!(error, "`sh -c \"exit 3\"` failed: exit status: 3");
        assert_eq!(cmd!(shell(), "sh -c 'echo x >&2; exit 3'").outcome().unwrap().stderr, "x\n");
    }
}
