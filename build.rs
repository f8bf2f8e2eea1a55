// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generates the C header from the Rust sources into `OUT_DIR`.
//!
//! Users compile against the committed `include/qdtls_rs.h`. `tests/header.rs` fails when the two differ;
//! `cargo xtask header` refreshes the committed one.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");

    // What the linked OpenSSL was built without; openssl-sys says it.
    println!("cargo:rustc-check-cfg=cfg(openssl_no_srtp)");
    let without = std::env::var("DEP_OPENSSL_CONF").unwrap_or_default();
    if without.split(',').any(|part| part == "OPENSSL_NO_SRTP") {
        println!("cargo:rustc-cfg=openssl_no_srtp");
    }

    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("qdtls_rs.h");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    match cbindgen::generate(&root) {
        Ok(bindings) => {
            bindings.write_to_file(&out);
        }
        // rustc reports a source that does not parse, with a better message than cbindgen's.
        Err(error) => println!("cargo:warning=header not generated: {error}"),
    }
    println!("cargo:rustc-env=QDTLS_GENERATED_HEADER={}", out.display());
    // The tests build programs that use the library, for where they run.
    println!("cargo:rustc-env=QDTLS_TARGET={}", std::env::var("TARGET").expect("cargo sets TARGET"));
}
