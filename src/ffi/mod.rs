// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C ABI: every `extern "C"` item of the crate, and nothing that decides.
//!
//! An exported function checks its arguments, runs the core inside the guard that turns a panic into
//! an error, and converts the result. The conventions that C callers rely on are written once, in the
//! preamble of the header (`cbindgen.toml`).

mod address;
mod arguments;
mod callbacks;
mod connection;
mod connection_questions;
mod connection_settings;
mod cookie;
mod error;
mod guard;
mod library;
mod listener;
pub mod qt_callbacks;

pub use address::*;
pub use callbacks::*;
pub use connection::*;
pub use connection_questions::*;
pub use connection_settings::*;
pub use cookie::*;
pub use error::*;
pub use library::*;
pub use listener::*;

#[cfg(all(test, feature = "linked"))]
mod tests;
