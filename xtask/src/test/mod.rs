// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests that run programs on the plugins.

pub mod autotests;
pub mod callgrind;
pub mod coredump;
pub mod cost;
pub mod coverage;
pub mod demo;
pub mod fuzz;
pub mod hardening;
pub mod in_tree;
pub mod instrumented;
pub mod key_log;
pub mod memcheck;
pub mod miri;
pub mod qt_program;
pub mod run;
pub mod sanitize;
pub mod suites;
pub mod sweep;
