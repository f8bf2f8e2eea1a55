// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the network reports of an earlier datagram (F4). The system returns each report once, from the next call on a
//! connected socket, and does not do what that call asks for (ip(7)).

use crate::os::send_error as number;
use std::io;

/// The error numbers of ICMP: port or protocol unreachable, parameter problem.
pub const REPORTS: [i32; 4] = [number::ECONNREFUSED, number::ECONNRESET, number::ENOPROTOOPT, number::EPROTO];

/// How often a call is made: reports of other datagrams may come meanwhile.
const TRIES: usize = 4;

/// Makes a call again that has only returned a report.
#[inline]
pub fn past_reports<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let is_report = |error: &io::Error| error.raw_os_error().is_some_and(|error| REPORTS.contains(&error));
    let mut outcome = call();
    for _ in 1..TRIES {
        match &outcome {
            Err(error) if is_report(error) => outcome = call(),
            _ => break,
        }
    }
    outcome
}
