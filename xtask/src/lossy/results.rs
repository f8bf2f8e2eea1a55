// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came of the handshakes of a row on one plugin.

use super::relay::Traffic;
use crate::system::workspace;
use anyhow::{Result, ensure};
use itertools::Itertools;
use serde::Deserialize;

/// A line of `dtls_lossy`.
#[derive(Deserialize)]
struct Line {
    index: usize,
    ms: f64,
    outcome: String,
}

#[derive(Debug, PartialEq)]
pub struct Results {
    /// In seconds, in order; infinite for a handshake that did not finish.
    seconds: Vec<f64>,
    /// Of each handshake, finished or not, on average.
    pub datagrams: f64,
    /// The largest in any handshake.
    pub longest_flight: usize,
    /// How those that did not finish ended, and how many ended so.
    pub failures: Vec<(String, usize)>,
}

impl Results {
    pub fn new(output: &str, traffic: &[Traffic]) -> Result<Self> {
        let lines: Vec<Line> = workspace::table(output)?;
        let is_each_once = lines.iter().map(|line| line.index).sorted().eq(0..traffic.len());
        ensure!(is_each_once && !lines.is_empty(), "not one line for each of {}", traffic.len());
        let is_complete = |line: &&Line| line.outcome == "completed";
        let seconds = |line| if is_complete(&line) { line.ms / 1000.0 } else { f64::INFINITY };
        let failures =
            lines.iter().filter(|line| !is_complete(line)).map(|line| line.outcome.trim().to_owned());
        let datagrams: usize = traffic.iter().map(|link| link.datagrams).sum();
        Ok(Self {
            seconds: lines.iter().map(seconds).sorted_by(f64::total_cmp).collect(),
            datagrams: datagrams as f64 / traffic.len() as f64,
            longest_flight: traffic.iter().map(|link| link.longest_flight).max().unwrap_or_default(),
            failures: failures.counts().into_iter().sorted().collect(),
        })
    }

    pub fn count(&self) -> usize {
        self.seconds.len()
    }

    pub fn completed(&self) -> usize {
        self.seconds.iter().filter(|seconds| seconds.is_finite()).count()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The time within which this share of all handshakes has finished; infinite if fewer did.
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.seconds.len() as f64).ceil() as usize;
        self.seconds.get(rank.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAFFIC: [Traffic; 4] = [
        Traffic { datagrams: 6, longest_flight: 1 },
        Traffic { datagrams: 8, longest_flight: 3 },
        Traffic { datagrams: 6, longest_flight: 1 },
        Traffic { datagrams: 30, longest_flight: 2 },
    ];

    #[test]
    fn those_that_do_not_finish_count_as_the_slowest() {
        let output = "1\t500\tcompleted\n0\t20\tcompleted\n3\t60000\tlate \n2\t5\tfailed X: y\n";
        let results = Results::new(output, &TRAFFIC).unwrap();
        assert_eq!((results.completed(), results.count()), (2, 4));
        assert_eq!([0.1, 0.25, 0.5].map(|share| results.quantile(share)), [0.02, 0.02, 0.5]);
        assert_eq!([0.75, 0.9, 1.0].map(|share| results.quantile(share)), [f64::INFINITY; 3]);
        assert_eq!((results.datagrams, results.longest_flight), (12.5, 3));
        assert_eq!(results.failures, [("failed X: y".to_owned(), 1), ("late".to_owned(), 1)]);
    }

    #[test]
    fn each_handshake_has_one_line() {
        let line = |index| format!("{index}\t1\tcompleted\n");
        let output = |indexes: &[usize]| indexes.iter().map(|index| line(*index)).collect::<String>();
        assert!(Results::new(&output(&[0, 1, 2, 3]), &TRAFFIC).is_ok());
        assert!(Results::new(&output(&[0, 1, 2]), &TRAFFIC).is_err());
        assert!(Results::new(&output(&[0, 1, 2, 2]), &TRAFFIC).is_err());
        assert!(Results::new("", &[]).is_err());
    }
}
