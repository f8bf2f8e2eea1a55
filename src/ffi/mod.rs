// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C ABI `qdtls_*`: argument checks and conversions, no decisions.
//!
//! An exported function checks its arguments, runs the core inside the guard that turns a panic into an error, and
//! converts the result. The preamble of the header (`cbindgen.toml`) states the conventions that C callers rely on.

mod address;
mod arguments;
mod connection;
mod cookie;
mod endpoint;
mod error;
mod events;
mod handle;
mod library;
mod listener;
mod openssl;
mod program;
mod session;
mod statistics;

pub use address::*;
pub use connection::*;
pub use cookie::*;
pub use endpoint::*;
pub use error::qdtls_error;
pub use events::*;
pub use library::*;
pub use listener::*;
pub use openssl::*;
pub use program::*;
pub use session::*;
pub use statistics::*;

#[cfg(all(test, feature = "linked"))]
pub(crate) mod tests;
