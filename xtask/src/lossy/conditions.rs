// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a link does to a datagram. A seed decides, so that stock and ours get the same link.

use fastrand::Rng;
use std::time::Duration;

/// Each way; shares are from 0 to 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    pub loss: f64,
    pub duplication: f64,
    pub delay: Duration,
    /// Is added to the delay, from nothing to this: datagrams overtake each other.
    pub jitter: Duration,
    /// The largest datagram that gets through, without the headers of IP and UDP.
    pub hole: Option<usize>,
}

/// One way of a link.
pub struct Way {
    conditions: Conditions,
    random: Rng,
}

impl Way {
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self { conditions, random: Rng::with_seed(seed) }
    }

    /// How long each copy of the next datagram takes; none when it is lost.
    ///
    /// Every datagram draws the same numbers, so that the nth has the same fate whatever the others are.
    pub fn next(&mut self, length: usize) -> Vec<Duration> {
        let Conditions { loss, duplication, delay, jitter, hole } = self.conditions;
        let mut draw = || self.random.f64();
        let (is_lost, is_doubled) = (draw() < loss, draw() < duplication);
        let delays = [draw(), draw()].map(|share| delay + jitter.mul_f64(share));
        let fits = hole.is_none_or(|largest| length <= largest);
        let copies = if is_lost || !fits { 0 } else { 1 + usize::from(is_doubled) };
        delays.into_iter().take(copies).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(conditions: Conditions, seed: u64, lengths: &[usize]) -> Vec<Vec<Duration>> {
        let mut way = Way::new(conditions, seed);
        lengths.iter().map(|length| way.next(*length)).collect()
    }

    #[test]
    fn a_seed_decides_whatever_the_datagrams_are() {
        let conditions = Conditions { loss: 0.3, duplication: 0.1, jitter: SECOND, ..Conditions::default() };
        let (short, long) = ([100; 500], [1000; 500]);
        let fate = fates(conditions, 7, &short);
        assert_eq!(fate, fates(conditions, 7, &long));
        assert_ne!(fate, fates(conditions, 8, &short));
        let more_loss = fates(Conditions { loss: 0.4, ..conditions }, 7, &short);
        assert!(fate.iter().zip(more_loss).all(|(less, more)| more.is_empty() || *less == more));
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn shares_are_what_they_say() {
        let conditions = Conditions { loss: 0.2, duplication: 0.1, ..Conditions::default() };
        let mut counts = [0; 3];
        for seed in 0..1000 {
            for fate in fates(conditions, seed, &[1; 10]) {
                counts[fate.len()] += 1;
            }
        }
        // Of 10,000; four standard deviations are 160.
        assert!((1840..2160).contains(&counts[0]), "{counts:?}");
        assert!((640..960).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn a_hole_swallows_what_is_larger_and_a_delay_is_the_least() {
        let link = Conditions { delay: SECOND, jitter: SECOND, hole: Some(600), ..Conditions::default() };
        let fates = fates(link, 1, &[600, 601, 600]);
        assert_eq!(fates.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
        assert!(fates.iter().flatten().all(|delay| (SECOND..2 * SECOND).contains(delay)), "{fates:?}");
        assert_eq!(super::tests::fates(Conditions::default(), 1, &[9000]), [[Duration::ZERO]]);
    }
}
