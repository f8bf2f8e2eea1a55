// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask fuzz [TARGET...]`: the targets of `tests/fuzz` with libFuzzer and AddressSanitizer, by cargo-fuzz.

use crate::system::{Environment, Run, cmd, nightly, shell, tools, workspace};
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::fs;
use std::time::Instant;

pub const TARGETS: [&str; 5] = ["listener", "handshake", "established", "calls", "values"];

const HEADINGS: [&str; 5] = ["target", "inputs", "seconds", "edges reached", "findings"];
const LONGEST_INPUT: u32 = 600;

/// Fuzzes each target for some minutes, and prints what it came to. A finding ends its target; the others go on.
pub fn run(targets: &[String], minutes: u64, environment: &Environment) -> Result<()> {
    nightly::require("rustc", "rust-src", "`cargo test --test fuzz` runs the same targets without it")?;
    let fuzz = tools::find("cargo-fuzz", "0.13.1", environment)?;
    let cargo_fuzz = |verb, target: &str| {
        let command = cmd!(shell(), "{fuzz} {verb} --features libfuzzer {target}");
        // The linker does not find what counts the edges if it optimises.
        let command = command.env("CARGO_PROFILE_RELEASE_LTO", "false");
        nightly::with(command)
    };
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(HEADINGS);
    let mut found_something = Vec::new();
    for target in
        TARGETS.into_iter().filter(|name| targets.is_empty() || targets.iter().any(|one| one == name))
    {
        eprintln!("fuzzing {target} for {minutes} minutes");
        cargo_fuzz("build", target).quietly()?;
        let found = workspace::root().join("fuzz/corpus").join(target);
        fs::create_dir_all(&found)?;
        let command = cargo_fuzz("run", target).arg(&found).arg(format!("tests/fuzz/corpus/{target}"));
        let seconds = minutes * 60;
        let options = [format!("-max_total_time={seconds}"), format!("-max_len={LONGEST_INPUT}")];
        let command = command.args(["--", "-print_final_stats=1", "-timeout=120"]).args(options);
        let start = Instant::now();
        let outcome = command.outcome()?;
        let log = workspace::target(&format!("fuzz-{target}.log"));
        fs::write(&log, &outcome.stderr)?;
        let Numbers { inputs, edges } =
            Numbers::read(&outcome.stderr).with_context(|| log.display().to_string())?;
        let is_clean = outcome.status.success();
        let seconds = start.elapsed().as_secs().to_string();
        table.add_row([target, &inputs, &seconds, &edges, if is_clean { "0" } else { "1" }]);
        if !is_clean {
            found_something.push(log.display().to_string());
        }
    }
    println!("{table}");
    ensure!(found_something.is_empty(), "a finding each is in {}", found_something.join(", "));
    Ok(())
}

/// What libFuzzer says at its end.
#[derive(Debug, PartialEq)]
struct Numbers {
    inputs: String,
    edges: String,
}

impl Numbers {
    fn read(log: &str) -> Result<Self> {
        let after = |line: &str, word: &str| {
            let (_, rest) = line.split_once(word)?;
            rest.split_whitespace().next().map(str::to_owned)
        };
        let last = |word| log.lines().rev().find_map(|line| after(line, word));
        let inputs = last("stat::number_of_executed_units:").context("no number of inputs")?;
        let edges = last(" cov: ").context("no coverage")?;
        Ok(Self { inputs, edges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_numbers_count() {
        let log = "#2\tINITED cov: 3 ft: 4\n#1024\tREDUCE cov: 17 ft: 20 corp: 5/9b\n\
                   Done 1024 runs in 1 second(s)\nstat::number_of_executed_units: 1024\nstat::new_units_added: 3\n";
        let expected = Numbers { inputs: "1024".into(), edges: "17".into() };
        assert_eq!(Numbers::read(log).unwrap(), expected);
        assert!(Numbers::read("").is_err());
    }
}
