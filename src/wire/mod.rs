// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS on the wire: bytes, no state except what a handshake has seen and counted, no OpenSSL.

#![forbid(unsafe_code)]

pub mod admission;
pub mod aead;
pub mod alpn;
pub mod flight;
pub mod hello;
pub mod message;
pub mod record;
pub mod sequence;
pub mod srtp;
pub mod vector;
