// SPDX-License-Identifier: MIT OR Apache-2.0
//! How often an event is passed on that anyone can cause as often as they like (A8).

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

/// The events of one kind. A second begins with the first of them that is passed on.
#[derive(Default)]
pub struct Limiter {
    /// The millisecond in which the present second began, and in the lowest byte how many were passed on since.
    second: AtomicU64,
    left_out: AtomicU64,
}

const SECOND_MS: u64 = 1000;
const COUNT_BITS: u32 = 8;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

impl Limiter {
    /// One for events that have not occurred.
    pub const fn new() -> Self {
        Self { second: AtomicU64::new(0), left_out: AtomicU64::new(0) }
    }

    /// Returns how many events were left out if one may be passed on now; otherwise counts it.
    pub fn admit(&self, now_ms: u64, most_a_second: u8) -> Option<u64> {
        let next = |second: u64| {
            let (start, count) = (second >> COUNT_BITS, second & COUNT_MASK);
            if count == 0 || now_ms >= start.saturating_add(SECOND_MS) {
                return Some((now_ms << COUNT_BITS) | 1);
            }
            (count < most_a_second.into()).then_some(second + 1)
        };
        match self.second.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Some(self.left_out.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.leave_out();
                None
            }
        }
    }

    /// Counts an event that is not passed on.
    pub fn leave_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;

    #[test]
    fn a8_an_event_is_passed_on_so_often_in_a_second() {
        const NO: Option<u64> = None;
        type Table = &'static [(u64, Option<u64>)];
        let tables: [(u8, Table); 5] = [
            (1, &[(0, Some(0)), (0, NO), (1, NO), (999, NO), (1000, Some(3)), (1001, NO), (1999, NO)]),
            (1, &[(700, Some(0)), (1699, NO), (1700, Some(1)), (5000, Some(0)), (5001, NO), (6000, Some(1))]),
            (
                3,
                &[
                    (10, Some(0)),
                    (500, Some(0)),
                    (1009, Some(0)),
                    (1009, NO),
                    (1010, Some(1)),
                    (2009, Some(0)),
                ],
            ),
            // The clock of a process is at 0 when its first event comes, and does not go back.
            (2, &[(0, Some(0)), (0, Some(0)), (0, NO), (86_400_000 * 365, Some(1))]),
            (255, &[(1, Some(0)), (1, Some(0)), (1, Some(0))]),
        ];
        for (most, table) in tables {
            let limiter = Limiter::new();
            for (row, (now, expected)) in table.iter().enumerate() {
                assert_eq!(limiter.admit(*now, most), *expected, "{most} a second, row {row}");
            }
        }
    }

    #[test]
    fn a8_every_event_is_passed_on_or_counted_once() {
        let limiter = Limiter::new();
        let counted: u64 = std::thread::scope(|scope| {
            let work = || -> u64 {
                (0..10_000).filter_map(|now| limiter.admit(now, 8)).map(|left_out| left_out + 1).sum()
            };
            let threads = [(); 4].map(|()| scope.spawn(work));
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(counted + limiter.left_out.into_inner(), 40_000);
    }
}
