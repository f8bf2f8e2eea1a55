// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the exported functions that look inside the crate: panics, allocations, record buffers.

use crate as library;

mod allocation;
pub(crate) mod alone;
mod buffer;
mod logger;
#[allow(dead_code, reason = "the fuzz targets use the rest")]
#[path = "../../../tests/support/pair.rs"]
mod pair;
mod panic;
mod timer;
