// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two ends of a connection.

#![forbid(unsafe_code)]

/// An end of a connection.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends the first ClientHello.
    Client = 0,
    /// Answers the ClientHello.
    Server = 1,
}
