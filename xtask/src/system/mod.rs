// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes, paths, installed packages: what the other folders stand on.

pub mod archives;
pub mod environment;
pub mod packages;
pub mod process;
pub mod repository;
pub mod workspace;
