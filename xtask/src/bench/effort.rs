// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much is measured.

pub struct Effort {
    pub rounds: usize,
    /// What `dtls_bench` and `raw_bench` multiply their repetitions by.
    pub repetitions: usize,
}

impl Effort {
    /// Six minutes on the machine of docs/performance.md.
    pub const USUAL: Self = Self { rounds: 21, repetitions: 60 };
    /// Shows that everything works, and numbers to be taken with care.
    pub const QUICK: Self = Self { rounds: 3, repetitions: 8 };
}
