// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two ends of a connection.

#![forbid(unsafe_code)]

/// Which end of the connection this is. The numbers are the C ABI's.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends the first ClientHello.
    Client = 0,
    /// Answers it.
    Server = 1,
}
