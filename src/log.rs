// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where warnings go: one process-wide logger that the embedding program sets.
//!
//! A line names the operation, the peer where there is one, and the reason; never a secret.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::RwLock;

/// Receives one finished line.
pub type Logger = Box<dyn Fn(&str) + Send + Sync>;

static LOGGER: RwLock<Option<Logger>> = RwLock::new(None);

/// Replaces the logger; `None` makes the library silent, which is how it starts.
pub fn set_logger(logger: Option<Logger>) {
    *LOGGER.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = logger;
}

/// Writes a warning.
pub fn warn(line: fmt::Arguments<'_>) {
    if let Some(logger) = &*LOGGER.read().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        logger(&line.to_string());
    }
}
