// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzz targets, for libFuzzer.

#![allow(missing_docs, reason = "as in tests, of which the targets are a part")]

#[path = "../../tests/fuzz/mod.rs"]
pub mod fuzz;
