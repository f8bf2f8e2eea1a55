// SPDX-License-Identifier: MIT OR Apache-2.0
//! Warnings, passed to one process-wide logger that the embedding program sets.
//!
//! A line names the operation, the peer if there is one, and the reason. It never contains a secret.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::RwLock;

/// A function that receives one finished line.
pub type Logger = Box<dyn Fn(&str) + Send + Sync>;

static LOGGER: RwLock<Option<Logger>> = RwLock::new(None);

/// Replaces the logger; `None`, the default, discards warnings.
pub fn set_logger(logger: Option<Logger>) {
    *LOGGER.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = logger;
}

/// Writes a warning.
pub fn warn(line: fmt::Arguments<'_>) {
    if let Some(logger) = &*LOGGER.read().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        logger(&line.to_string());
    }
}
