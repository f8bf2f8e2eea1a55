// SPDX-License-Identifier: MIT OR Apache-2.0
//! Median and quartiles.

use anyhow::{Context, Result};

/// Half of the values lie from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Result<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Ok(Self {
            low: quantile(&sorted, 0.25)?,
            median: quantile(&sorted, 0.5)?,
            high: quantile(&sorted, 0.75)?,
        })
    }

    /// The same in another unit.
    pub fn map(self, convert: impl Fn(f64) -> f64) -> Self {
        let (one, other) = (convert(self.low), convert(self.high));
        Self { low: one.min(other), median: convert(self.median), high: one.max(other) }
    }
}

/// Between two values, the line through them counts.
fn quantile(sorted: &[f64], share: f64) -> Result<f64> {
    let last = sorted.len().checked_sub(1).context("no values")?;
    let position = share * last as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Ok(below + (above - below) * position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_between_the_values() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { low: 1.75, median: 2.5, high: 3.25 });
        assert_eq!(Spread::of(&[7.0]).unwrap(), Spread { low: 7.0, median: 7.0, high: 7.0 });
        assert!(Spread::of(&[]).is_err());
    }

    #[test]
    fn a_rate_is_the_inverse_of_a_time() {
        let spread = Spread { low: 1.0, median: 2.0, high: 4.0 }.map(|value| 1.0 / value);
        assert_eq!(spread, Spread { low: 0.25, median: 0.5, high: 1.0 });
    }
}
