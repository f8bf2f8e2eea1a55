// SPDX-License-Identifier: MIT OR Apache-2.0
//! `tests/fuzz/listener`, for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| qdtls_fuzz::fuzz::run("listener", input));
