// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks of the sources, the build files and the binaries.

pub mod abi;
pub mod clang;
pub mod deny;
pub mod elf;
pub mod forced_include;
pub mod package;
pub mod size;
pub mod sources;
