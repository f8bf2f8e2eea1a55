// SPDX-License-Identifier: MIT OR Apache-2.0
//! qdtls-rs: the hardened Rust implementation of Qt's DTLS backend, delivered as a C-ABI drop-in.
//!
//! The crate is read from the outside in:
//!
//! | room | what it holds |
//! |---|---|
//! | `ffi` | every `extern "C"` item: argument checks, the panic guard, conversions; nothing is decided there |
//! | core | one file per concept, no I/O and no clock: [`listener`] (cookie exchange), [`connection`] (handshake state machine), [`session`] (one TLS association), [`cookie`], [`secret`], [`hello`], [`record`], [`numbering`], [`alpn`], [`peer`], [`timer`], [`settings`], [`error`], [`sink`] |
//! | `openssl` | the only place that calls OpenSSL: the function table, the error queue, owning wrappers |
//! | `os` | the only place that calls the operating system: locked memory, finding a loaded library |
//!
//! Datagrams and times go in; datagrams leave through the [`sink::Sink`] the caller supplies, results and the next
//! deadline come back. The C header `include/qdtls_rs.h` is generated from `ffi`; the C++ adapter that Qt compiles
//! stands in `src/qt`.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]
#![deny(dead_code)]

pub mod alpn;
pub mod bytes;
pub mod connection;
pub mod cookie;
pub mod error;
pub mod hello;
pub mod listener;
pub mod log;
pub mod numbering;
pub mod peer;
pub mod record;
pub mod secret;
pub mod session;
pub mod settings;
pub mod sink;
pub mod timer;

pub mod ffi;
pub mod openssl;
mod os;

/// The number of the C ABI: raised when a function or structure of the header changes incompatibly.
pub const ABI_VERSION: u32 = 1;
