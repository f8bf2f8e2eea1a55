// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS on the wire: bytes, no state except counters, no OpenSSL.

#![forbid(unsafe_code)]

pub mod alpn;
pub mod hello;
pub mod record;
pub mod sequence;
