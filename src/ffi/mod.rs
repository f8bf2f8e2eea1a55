// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C ABI `qdtls_*`, and nothing that decides.
//!
//! An exported function checks its arguments, runs the core inside the guard that turns a panic into
//! an error, and converts the result. The conventions that C callers rely on are written once, in the
//! preamble of the header (`cbindgen.toml`).

mod address;
mod arguments;
mod connection;
mod cookie;
mod error;
mod handle;
mod library;
mod listener;
mod openssl;
mod program;

pub use address::*;
pub use connection::*;
pub use cookie::*;
pub use error::qdtls_error;
pub use library::*;
pub use listener::*;
pub use openssl::*;
pub use program::*;

#[cfg(all(test, feature = "linked"))]
mod tests;
