// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is to be reached.

use super::instructions::Counts;
use super::markdown::{number, table, with_spread};
use super::samples::{Samples, Subject};
use anyhow::Result;

pub struct Target {
    what: String,
    limit: f64,
    found: f64,
    shown: String,
}

impl Target {
    pub fn is_reached(&self) -> bool {
        self.found <= self.limit
    }
}

/// Of the medians of what is measured, and of the counts.
pub fn all(samples: &Samples, counts: &Counts) -> Result<Vec<Target>> {
    use Subject::{Ours, Raw, Stock};
    let mut targets = Vec::new();
    for (what, name, below, limit) in [
        ("time of an ECDSA handshake", "handshake/ecdsa", Stock, 0.5),
        ("time of an ECDSA handshake", "handshake/ecdsa", Raw, 1.3),
        ("the same with the system's CA certificates", "handshake/ecdsa-cas", Stock, 0.35),
        ("time of an RSA handshake", "handshake/rsa", Stock, 0.55),
        ("resident memory of a kept server connection", "memory/rss", Raw, 1.0),
    ] {
        let ratio = samples.ratio(name, Ours, below)?;
        let what = format!("{what}, ours / {}", below.name());
        targets.push(Target { what, limit, found: ratio.median, shown: with_spread(ratio) });
    }
    for (what, limit, found) in counts.targets()? {
        targets.push(Target { what, limit, found, shown: number(found) });
    }
    Ok(targets)
}

pub fn show(targets: &[Target]) -> String {
    let row = |target: &Target| {
        let reached = if target.is_reached() { "yes" } else { "**no**" };
        vec![target.what.clone(), format!("≤ {}", number(target.limit)), target.shown.clone(), reached.into()]
    };
    let rows: Vec<_> = targets.iter().map(row).collect();
    table(&["what", "target", "found", "reached"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_up_to_its_limit() {
        let target = |found| Target { what: "w".into(), limit: 0.5, found, shown: number(found) };
        assert!(target(0.5).is_reached());
        assert!(!target(0.51).is_reached());
        let shown = show(&[target(0.4), target(0.6)]);
        assert!(shown.contains("| w | ≤ 0.50 | 0.40 | yes |\n| w | ≤ 0.50 | 0.60 | **no** |"), "{shown}");
    }
}
