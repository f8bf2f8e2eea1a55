// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests that need a process of their own, because what they do applies to the whole process.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const ALONE: &str = "QDTLS_TEST_ALONE";
const MOST: Duration = Duration::from_secs(120);

/// Returns whether this is the process of the test with this full name. If not, runs it, with these environment
/// variables, and asserts that it passes and ends.
pub(crate) fn is_alone(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", test]).env(ALONE, "1").envs(variables.iter().copied());
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a process");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() && start.elapsed() < MOST {
        sleep(Duration::from_millis(10));
    }
    // It has ended, or hangs.
    let _ = child.kill();
    let output = child.wait_with_output().expect("an output");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}
