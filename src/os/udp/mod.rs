// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datagrams on a UDP socket of the program's, many in a system call where the system can.

#[cfg(target_os = "linux")]
mod linux;
mod options;
mod outbox;
#[cfg(not(target_os = "linux"))]
mod portable;
mod reports;
mod run;
mod socket;

#[cfg(target_os = "linux")]
pub use linux::{INBOX_SIZE, Inbox};
pub use outbox::Outbox;
#[cfg(not(target_os = "linux"))]
pub use portable::{INBOX_SIZE, Inbox};
pub use reports::REPORTS;
pub use socket::{Route, Udp};
