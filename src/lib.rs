// SPDX-License-Identifier: MIT OR Apache-2.0
//! qdtls-rs: the hardened Rust implementation of Qt's DTLS backend, delivered as a C-ABI drop-in.
//!
//! The modules, from the outside in:
//!
//! | module | contents |
//! |---|---|
//! | `rust` | with the feature `rust` the safe Rust API, on the `openssl` crate's contexts |
//! | `ffi` | the C ABI `qdtls_*`: argument checks, handles, conversions; no decisions |
//! | [`endpoint`] | many connections on one UDP socket: the one place with I/O, by `os` |
//! | core | one file or folder per concept, without I/O, a wall clock or `unsafe`: [`connection`] (the phases of a handshake), [`association`] (one TLS association and its operations), [`listener`] and [`cookie`] (the cookie exchange), [`wire`] (records, hellos), [`host`] (the interface to the embedding program), [`peer`], [`settings`], [`statistics`], [`retention`], [`timer`], [`secret`], [`error`], [`log`] |
//! | `openssl` | the only module that calls OpenSSL or is called by it: the function table, owning wrappers, callbacks |
//! | `memory` | allocations that may fail; where the standard library would end the process |
//! | `os` | the only module that calls the operating system: locked memory, finding a loaded library, UDP sockets |
//!
//! The caller passes datagrams and times in. Datagrams leave through the caller's [`host::Host`]; functions return
//! results and the next deadline. cbindgen generates the C header `include/qdtls_rs.h` from `ffi` and `openssl`. The
//! C++ adapter that Qt compiles is in `src/qt`.

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

pub mod association;
mod backtrace;
pub mod bytes;
pub mod connection;
pub mod cookie;
pub mod endpoint;
pub mod error;
pub mod host;
pub mod listener;
pub mod log;
mod memory;
pub mod panic;
pub mod peer;
pub mod retention;
pub mod role;
pub mod secret;
pub mod send_error;
pub mod server_name;
pub mod settings;
pub mod statistics;
pub mod text;
pub mod timer;
pub mod unix_time;
pub mod wire;

pub mod ffi;
pub mod openssl;
mod os;
#[cfg(feature = "rust")]
pub mod rust;

/// The version of the C ABI, raised when a function or structure of the header changes incompatibly.
pub const ABI_VERSION: u32 = 4;
