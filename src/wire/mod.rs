// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS on the wire: bytes only, no state but counters, no OpenSSL.

#![forbid(unsafe_code)]

pub mod alpn;
pub mod hello;
pub mod record;
pub mod sequence;
