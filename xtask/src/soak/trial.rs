// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run of the server and its peers.

use crate::build::{self, Flavour};
use crate::system::{Run, cmd, shell, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, ensure};
use itertools::Itertools;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

pub const PROGRAMS: [&str; 2] = ["dtls_soak_server", "soak_peers"];

/// Until when the server must say its port.
const START: Duration = Duration::from_secs(20);

pub struct Plan {
    pub peers: u32,
    /// Before the flood.
    pub seconds: u32,
    pub flood_per_second: u32,
    pub flood_seconds: u32,
}

/// The server in one second.
#[derive(Debug, Deserialize)]
pub struct Sample {
    pub resident: u64,
    pub heap: u64,
    /// Of the processor, since its start.
    pub processor_ms: u64,
    pub peers: u64,
    pub completed: u64,
    pub failed: u64,
}

/// One number of a sample.
pub type Column = fn(&Sample) -> u64;

pub struct Trial {
    /// Before the flood, and during it.
    pub samples: Vec<Sample>,
    pub flood: Vec<Sample>,
    counts: HashMap<String, u64>,
}

pub fn run(flavour: Flavour, plan: &Plan, folder: &Path) -> Result<Trial> {
    let log = folder.join(format!("{}.tsv", flavour.name()));
    let mut server = Server::start(flavour, folder, &log)?;
    let port = server.port(&log)?;
    let peers = build::program(PROGRAMS[1]);
    let numbers = [port, plan.peers, plan.seconds, plan.flood_per_second, plan.flood_seconds];
    let numbers = numbers.map(|number| number.to_string());
    eprintln!("{} peers of the {} plugin", plan.peers, flavour.name());
    let counts = cmd!(shell(), "{peers} {numbers...}").capture()?;
    ensure!(server.0.try_wait()?.is_none(), "the server has ended");
    drop(server);

    let mut samples = samples(&fs::read_to_string(log)?)?;
    ensure!(samples.len() > plan.flood_seconds as usize, "the server has said too little");
    let flood = samples.split_off(samples.len() - plan.flood_seconds as usize);
    Ok(Trial { samples, flood, counts: self::counts(&counts)? })
}

struct Server(Child);

impl Server {
    fn start(flavour: Flavour, folder: &Path, log: &Path) -> Result<Self> {
        let program = QtProgram::new(PROGRAMS[0], flavour).place_alone()?;
        let mut command = Command::new(program);
        command.arg(folder.join("server.crt")).arg(folder.join("server.key"));
        let server = command.current_dir(workspace::root()).stdout(File::create(log)?).spawn();
        Ok(Self(server.context("the server does not start")?))
    }

    fn port(&mut self, log: &Path) -> Result<u32> {
        let start = Instant::now();
        while start.elapsed() < START {
            let text = fs::read_to_string(log)?;
            let port = text.lines().next().and_then(|line| line.strip_prefix("port "));
            if let Some(port) = port.filter(|_| text.contains('\n')) {
                return Ok(port.parse()?);
            }
            ensure!(self.0.try_wait()?.is_none(), "the server has ended");
            thread::sleep(Duration::from_millis(50));
        }
        anyhow::bail!("the server does not say its port")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It runs until it is killed; one that has ended by itself was noticed before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines but the first, which is the port, and a last one that is not whole.
fn samples(log: &str) -> Result<Vec<Sample>> {
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    workspace::table(whole.split_once('\n').map_or("", |(_, samples)| samples))
}

fn counts(output: &str) -> Result<HashMap<String, u64>> {
    Ok(workspace::table::<(String, u64)>(output)?.into_iter().collect())
}

impl Trial {
    /// What the peers have counted under this name.
    pub fn count(&self, name: &str) -> Result<u64> {
        self.counts.get(name).copied().with_context(|| format!("the peers have not counted: {name}"))
    }

    /// By what heap and resident memory are larger in the last fifth before the flood than in the second.
    pub fn growth(&self) -> [f64; 2] {
        let fifth = self.samples.len() / 5;
        let (early, late) = (&self.samples[fifth..2 * fifth], &self.samples[4 * fifth..]);
        let growth = |memory: Column| mean(late, memory) / mean(early, memory) - 1.0;
        [growth(|sample| sample.heap), growth(|sample| sample.resident)]
    }

    /// The processor's time for a second before the flood, and during it, in milliseconds.
    pub fn processor(&self) -> [f64; 2] {
        let before = self.samples.len().saturating_sub(self.flood.len());
        [&self.samples[before..], &self.flood[..]].map(|samples| {
            let spent =
                samples.iter().tuple_windows().map(|(one, next)| next.processor_ms - one.processor_ms);
            spent.sum::<u64>() as f64 / samples.len().saturating_sub(1) as f64
        })
    }
}

pub fn mean(samples: &[Sample], value: Column) -> f64 {
    samples.iter().map(value).sum::<u64>() as f64 / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(heaps: &[u64]) -> Trial {
        let sample = |(second, heap): (usize, &u64)| Sample {
            resident: 100,
            heap: *heap,
            processor_ms: 10 * second as u64,
            peers: 1,
            completed: 1,
            failed: 0,
        };
        let samples = heaps.iter().enumerate().map(sample).collect();
        Trial { samples, flood: Vec::new(), counts: HashMap::new() }
    }

    #[test]
    fn growth_is_seen_after_the_warm_up() {
        let [heap, resident] = trial(&[1, 100, 100, 100, 110]).growth();
        assert!((heap - 0.1).abs() < 1e-9 && resident == 0.0);
        assert!(trial(&[1, 100, 50, 100, 100]).growth()[0] == 0.0);
    }

    #[test]
    fn a_sample_is_a_whole_line() {
        let log = "port 7\n1\t2\t3\t4\t5\t6\n1\t2\t3\t4\t5\t7\n1\t2\t3";
        let samples = samples(log).unwrap();
        assert_eq!((samples.len(), samples[1].failed), (2, 7));
        assert!(super::samples("port 7\n1\t2\n\n").is_err());
    }
}
