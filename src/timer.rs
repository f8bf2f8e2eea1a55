// SPDX-License-Identifier: MIT OR Apache-2.0
//! The retransmission timer of a handshake (RFC 6347, 4.2.4.1).
//!
//! OpenSSL runs it and asks for its next interval. The first interval of a flight follows the round trip that was measured
//! in this handshake, as RFC 9147, 5.8.2 recommends; before there is one it is a setting. Each retransmission doubles the
//! interval.

#![forbid(unsafe_code)]

use crate::os;
use crate::settings;
use std::cell::Cell;
use std::time::Duration;

/// The last tries of a flight, whose times are kept to tell which one was answered.
const TRIES: usize = 4;

/// The timer of one association. All times are microseconds of the clock that OpenSSL's timer uses.
#[derive(Default)]
pub struct Timer {
    interval: Cell<u32>,
    /// How often the present flight was sent.
    tries: Cell<u32>,
    /// When, and the number of the record behind each; the last try first.
    sent: Cell<[Sent; TRIES]>,
    /// When a flight was last sent without the timer.
    repeated: Cell<u64>,
    /// When the datagram under way arrived.
    arrival: Cell<u64>,
    round_trip: Cell<Option<RoundTrip>>,
    /// Whether the round trip of the present flight is known.
    is_measured: Cell<bool>,
}

#[derive(Clone, Copy, Default)]
struct Sent {
    at: u64,
    next_record: u64,
}

/// The estimate of RFC 6298, 2, in microseconds. The first timeout is 1.5 times the round trip, as RFC 9147, 5.8.2 has it:
/// a handshake has too few flights for the three times of RFC 6298 to decrease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RoundTrip {
    smoothed: u32,
    variation: u32,
    /// The round trip may be shorter.
    is_bound: bool,
}

impl RoundTrip {
    fn first(measured: u32) -> Self {
        Self { smoothed: measured, variation: measured / 8, is_bound: false }
    }

    fn at_most(measured: u32) -> Self {
        Self { is_bound: true, ..Self::first(measured) }
    }

    fn updated(self, measured: u32) -> Self {
        if self.is_bound {
            return Self::first(measured);
        }
        let weighted = |old: u32, new: u32, weight: u64| {
            ((u64::from(old) * (weight - 1) + u64::from(new)) / weight) as u32
        };
        let variation = weighted(self.variation, self.smoothed.abs_diff(measured), 4);
        Self { smoothed: weighted(self.smoothed, measured, 8), variation, is_bound: false }
    }

    fn timeout(self) -> u32 {
        self.smoothed.saturating_add(self.variation.saturating_mul(4))
    }
}

impl Timer {
    /// Notes that a datagram has arrived, which may answer the present flight.
    pub fn note_arrival(&self) {
        self.arrival.set(os::wall_clock_us());
    }

    /// Notes that the present flight was sent in records before `next_record`.
    pub fn note_sent(&self, next_record: u64) {
        let [first, second, third, _] = self.sent.get();
        self.sent.set([Sent { at: os::wall_clock_us(), next_record }, first, second, third]);
    }

    /// Notes that the datagram under way answers the try that contained a record. Without such a message, a flight that
    /// was sent twice measures nothing (RFC 6298, 3). Some peers name the first record whichever they answer.
    pub fn note_answer_to(&self, record: u64) {
        let sent = self.sent.get();
        let is_answered = |(_, try_): &(usize, &Sent)| try_.at != 0 && record < try_.next_record;
        let Some((age, answered)) = sent.iter().enumerate().rfind(is_answered) else { return };
        let round_trip = self.arrival.get().saturating_sub(answered.at);
        if age == 0 {
            self.measure(round_trip);
        } else {
            self.note_upper_bound(round_trip);
            self.is_measured.set(true);
        }
    }

    /// Takes into account that the round trip is at most this long: from a cookie's making to its arrival, which a repeated
    /// ClientHello makes longer.
    pub fn note_upper_bound(&self, round_trip: u64) {
        let longest = u32::try_from(round_trip).unwrap_or(u32::MAX).min(longest());
        self.round_trip.set(Some(RoundTrip::at_most(longest)));
    }

    /// Takes a measured round trip into account.
    fn measure(&self, round_trip: u64) {
        let measured = u32::try_from(round_trip).unwrap_or(u32::MAX).min(longest());
        let updated = self.round_trip.get().map_or(RoundTrip::first(measured), |old| old.updated(measured));
        self.round_trip.set(Some(updated));
        self.is_measured.set(true);
    }

    /// Returns whether the present flight may be sent again although the timer has not expired, which takes the shortest
    /// interval at least. Its answer then measures nothing (RFC 6298, 3).
    pub fn may_repeat(&self) -> bool {
        let now = os::wall_clock_us();
        let [sent, ..] = self.sent.get();
        let last = self.repeated.get().max(sent.at);
        let may = now.abs_diff(last) >= shortest().into();
        if may {
            self.repeated.set(now);
            self.is_measured.set(true);
        }
        may
    }

    /// Returns the interval that follows one of `previous` microseconds, or the first of another flight for 0.
    pub fn next_interval(&self, previous: u32) -> u32 {
        let interval = if previous == 0 { self.first_interval() } else { self.later_interval(previous) };
        self.interval.set(interval);
        interval
    }

    /// The estimated round trip in microseconds; 0 if nothing was measured.
    pub fn round_trip_us(&self) -> u32 {
        self.round_trip.get().map_or(0, |round_trip| round_trip.smoothed)
    }

    /// How often the present flight was sent.
    pub fn tries(&self) -> u32 {
        self.tries.get()
    }

    /// Returns whether the system's clock was set back while the timer was running: OpenSSL, which uses that clock, then
    /// still waits for `left`. To wait for no longer than the longest interval is left to OpenSSL (F11).
    pub fn was_set_back(&self, left: Duration) -> bool {
        left > Duration::from_micros(longest().max(self.interval.get()).into())
    }

    fn first_interval(&self) -> u32 {
        let [first, ..] = self.sent.get();
        if self.tries.get() == 1 && first.at != 0 && !self.is_measured.get() {
            self.measure(self.arrival.get().saturating_sub(first.at));
        }
        let was_repeated = self.tries.replace(1) > 1;
        self.sent.set(Default::default());
        self.is_measured.set(false);
        match self.round_trip.get() {
            Some(round_trip) => round_trip.timeout().clamp(shortest(), longest()),
            // RFC 6347, 4.2.4.1: the value stays until a flight was answered without a retransmission.
            None if was_repeated => self.interval.get(),
            None => next_interval_us(0),
        }
    }

    fn later_interval(&self, previous: u32) -> u32 {
        self.tries.set(self.tries.get().saturating_add(1));
        next_interval_us(previous)
    }
}

/// Returns the interval that follows one of `previous` microseconds, or the first interval for 0, without a measured
/// round trip.
pub fn next_interval_us(previous: u32) -> u32 {
    match previous {
        0 => milliseconds(settings::TIMEOUT_INITIAL_MS.get()),
        _ => previous.saturating_mul(2).min(longest()),
    }
}

fn shortest() -> u32 {
    milliseconds(settings::TIMEOUT_MIN_MS.get()).min(longest())
}

fn longest() -> u32 {
    milliseconds(settings::TIMEOUT_MAX_MS.get().max(settings::TIMEOUT_INITIAL_MS.get()))
}

fn milliseconds(ms: u64) -> u32 {
    u32::try_from(ms.saturating_mul(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u32 = 1000;

    /// A timer whose first flight was answered after `round_trip`.
    fn answered(round_trip: u32) -> Timer {
        let timer = Timer::default();
        timer.next_interval(0);
        timer.sent.set([
            Sent { at: 1_000_000, next_record: 1 },
            Sent::default(),
            Sent::default(),
            Sent::default(),
        ]);
        timer.arrival.set(1_000_000 + u64::from(round_trip));
        timer
    }

    #[test]
    fn s13_doubles_to_sixty_seconds() {
        let timer = Timer::default();
        let mut interval = 0;
        let intervals = [(); 10].map(|()| {
            interval = timer.next_interval(interval);
            interval / MS
        });
        assert_eq!(intervals, [400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
        assert_eq!(timer.tries(), 10);
    }

    #[test]
    fn the_first_interval_follows_the_round_trip() {
        for (round_trip, expected) in [(1, 100), (80, 120), (3400, 5100), (50_000, 60_000)] {
            assert_eq!(answered(round_trip * MS).next_interval(0), expected * MS, "{round_trip}");
        }
        let timer = answered(200 * MS);
        assert_eq!(timer.next_interval(0), 300 * MS);
        timer.note_sent(2);
        timer.arrival.set(timer.sent.get()[0].at + 400_000);
        assert_eq!(timer.next_interval(0), 500 * MS, "225 and four times 68.75");
    }

    #[test]
    fn the_age_of_a_cookie_bounds_the_first_interval() {
        for (age, expected) in [(0, 100), (200, 300), (3400, 5100), (90_000, 60_000)] {
            let timer = Timer::default();
            timer.note_upper_bound(age * u64::from(MS));
            assert_eq!(timer.next_interval(0), expected * MS, "{age}");
        }
    }

    #[test]
    fn a_repeated_flight_measures_nothing() {
        let timer = answered(500 * MS);
        assert_eq!(timer.next_interval(400 * MS), 800 * MS);
        assert_eq!(timer.next_interval(0), 800 * MS, "and keeps its interval");
        assert_eq!(timer.next_interval(0), 400 * MS);
    }

    /// A timer whose flight was sent in records 0 to `tries` - 1, a second apart, and answered 3.4 s after the last.
    fn repeated(tries: u64) -> Timer {
        let timer = Timer::default();
        let mut interval = 0;
        for record in 0..tries {
            interval = timer.next_interval(interval);
            timer.note_sent(record + 1);
            let [last, earlier @ ..] = timer.sent.get();
            let [second, third, fourth] = earlier;
            timer.sent.set([Sent { at: (record + 1) * 1_000_000, ..last }, second, third, fourth]);
        }
        timer.arrival.set(tries * 1_000_000 + 3_400_000);
        timer
    }

    #[test]
    fn an_answer_that_names_its_record_measures_a_repeated_flight() {
        for tries in [2, 4, 5, 12] {
            let timer = repeated(tries);
            timer.note_answer_to(tries - 1);
            assert_eq!(timer.next_interval(0), 5100 * MS, "{tries}");
        }
    }

    /// dimpl's HelloVerifyRequest names record 0 always.
    #[test]
    fn an_answer_to_an_earlier_try_is_a_bound_until_a_flight_is_measured() {
        let timer = repeated(2);
        timer.note_answer_to(0);
        assert_eq!(timer.next_interval(0), 6600 * MS, "1.5 times 4.4 s");
        timer.note_sent(3);
        timer.arrival.set(timer.sent.get()[0].at + 2000);
        assert_eq!(timer.next_interval(0), 100 * MS);
    }

    #[test]
    fn f11_a_wait_beyond_every_interval_is_noticed() {
        let waits = |seconds, interval_s: u32| {
            let timer = Timer::default();
            timer.interval.set(interval_s * 1_000_000);
            timer.was_set_back(Duration::from_secs(seconds))
        };
        assert!(!waits(1, 1) && !waits(60, 1) && !waits(300, 300));
        assert!(waits(61, 1) && waits(3600, 60) && waits(301, 300));
    }
}
