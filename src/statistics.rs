// SPDX-License-Identifier: MIT OR Apache-2.0
//! What connections, listeners and the process have done, counted.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A number that only grows.
#[derive(Default)]
pub struct Count(Cell<u64>);

impl Count {
    /// Adds one.
    #[inline]
    pub fn one(&self) {
        self.add(1);
    }

    /// Adds a number.
    #[inline]
    pub fn add(&self, number: u64) {
        self.0.set(self.0.get().wrapping_add(number));
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Datagrams of one direction.
#[derive(Default)]
pub struct Traffic {
    /// Datagrams.
    pub datagrams: Count,
    /// The bytes of the datagrams.
    pub bytes: Count,
}

impl Traffic {
    /// Counts a datagram.
    #[inline]
    pub fn datagram(&self, length: usize) {
        self.datagrams.one();
        self.bytes.add(length as u64);
    }
}

/// What was received and not used, by reason.
#[derive(Default)]
pub struct Dropped {
    /// Bytes that are no record, at the end of a datagram.
    pub malformed: Count,
    /// Records that cannot be valid where they stand.
    pub unexpected: Count,
    /// Records of handshake messages that are longer than accepted.
    pub too_long: Count,
}

/// Records. Each is counted once on its way, to spend little on messages: the sums are made when they are asked for.
#[derive(Default)]
pub struct Records {
    /// Sent behind the first one of a datagram.
    pub more_sent: Count,
    /// Of application data that OpenSSL has got.
    pub data_received: Count,
    /// Others that it has got.
    pub others_received: Count,
    /// Of application data that it has decrypted.
    pub decrypted: Count,
}

/// Who sent an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This end.
    Sent,
    /// The peer.
    Received,
}

/// An alert as it is on the wire (RFC 5246, 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// 1 is a warning, 2 is fatal.
    pub level: u8,
    /// What it says, such as 0 for close_notify.
    pub description: u8,
}

/// The statistics of one association. They outlive it.
#[derive(Default)]
pub struct Statistics {
    /// From this end.
    pub sent: Traffic,
    /// From the peer.
    pub received: Traffic,
    /// The records of both.
    pub records: Records,
    /// What was not used.
    pub dropped: Dropped,
    /// Flights sent again.
    pub retransmissions: Count,
    alert_sent: Cell<Option<Alert>>,
    alert_received: Cell<Option<Alert>>,
    round_trip_us: Cell<u32>,
    began: Cell<Option<Instant>>,
    handshake: Cell<Option<Duration>>,
}

impl Statistics {
    /// The records sent. A datagram has one at least.
    pub fn records_sent(&self) -> u64 {
        self.sent.datagrams.get().wrapping_add(self.records.more_sent.get())
    }

    /// The records that OpenSSL has got.
    pub fn records_received(&self) -> u64 {
        self.records.data_received.get().wrapping_add(self.records.others_received.get())
    }

    /// The records of application data that OpenSSL has dropped: forged, or repeated.
    pub fn unauthentic(&self) -> u64 {
        self.records.data_received.get().saturating_sub(self.records.decrypted.get())
    }

    /// Notes an alert.
    pub fn note_alert(&self, direction: Direction, alert: Alert) {
        match direction {
            Direction::Sent => self.alert_sent.set(Some(alert)),
            Direction::Received => self.alert_received.set(Some(alert)),
        }
    }

    /// The last alert of a direction.
    pub fn last_alert(&self, direction: Direction) -> Option<Alert> {
        match direction {
            Direction::Sent => self.alert_sent.get(),
            Direction::Received => self.alert_received.get(),
        }
    }

    /// Notes the round trip, in microseconds.
    pub fn note_round_trip(&self, microseconds: u32) {
        self.round_trip_us.set(microseconds);
    }

    /// The round trip in microseconds; 0 if it was not measured.
    pub fn round_trip_us(&self) -> u32 {
        self.round_trip_us.get()
    }

    /// Notes that the handshake begins.
    pub fn note_begin(&self) {
        self.began.set(Some(Instant::now()));
        PROCESS.handshakes_started.one();
    }

    /// Notes that the handshake has ended.
    pub fn note_end(&self, is_complete: bool) {
        self.handshake.set(self.began.get().map(|began| began.elapsed()).filter(|_| is_complete));
        if is_complete { &PROCESS.handshakes_completed } else { &PROCESS.handshakes_failed }.one();
    }

    /// How long the handshake took, once it is complete.
    pub fn handshake(&self) -> Option<Duration> {
        self.handshake.get()
    }
}

/// What a listener or an endpoint has done with the ClientHellos of unknown clients.
#[derive(Default)]
pub struct Cookies {
    /// Cookies sent.
    pub issued: Count,
    /// Hellos with a valid cookie.
    pub accepted: Count,
    /// Hellos with a cookie that was not valid, each of which got another.
    pub refused: Count,
}

impl Cookies {
    /// Counts a hello, by whether its cookie is valid and whether it has one.
    pub fn hello(&self, is_valid: bool, has_cookie: bool) {
        if is_valid {
            self.accepted.one();
            PROCESS.cookies_accepted.one();
        } else if has_cookie {
            self.refused.one();
            PROCESS.cookies_refused.one();
        }
    }

    /// Counts a cookie that was sent.
    pub fn issue(&self) {
        self.issued.one();
        PROCESS.cookies_issued.one();
    }
}

/// A number that all threads share.
pub struct SharedCount(AtomicU64);

impl SharedCount {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The sums of the process.
pub struct Process {
    /// Associations that exist.
    pub associations: SharedCount,
    /// Handshakes that have begun.
    pub handshakes_started: SharedCount,
    /// Those that OpenSSL has finished.
    pub handshakes_completed: SharedCount,
    /// Those that have failed.
    pub handshakes_failed: SharedCount,
    /// See [`Cookies`].
    pub cookies_issued: SharedCount,
    /// See [`Cookies`].
    pub cookies_accepted: SharedCount,
    /// See [`Cookies`].
    pub cookies_refused: SharedCount,
}

/// The sums of this process.
pub static PROCESS: Process = Process {
    associations: SharedCount::new(),
    handshakes_started: SharedCount::new(),
    handshakes_completed: SharedCount::new(),
    handshakes_failed: SharedCount::new(),
    cookies_issued: SharedCount::new(),
    cookies_accepted: SharedCount::new(),
    cookies_refused: SharedCount::new(),
};

/// Counts as an association while it lives.
pub struct Alive(());

impl Default for Alive {
    fn default() -> Self {
        PROCESS.associations.one();
        Self(())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        PROCESS.associations.0.fetch_sub(1, Ordering::Relaxed);
    }
}
