// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line. Only `main` knows it; other modules take plain arguments.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Builds, tests, measures and packages qdtls-rs
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", flatten_help = true, max_term_width = 110)]
pub struct CommandLine {
    #[command(subcommand)]
    pub verb: Verb,
    /// Install nothing; fail if a prerequisite is missing
    #[arg(long, global = true)]
    pub no_install: bool,
    /// Use this source of qtbase; its version must be that of the installed Qt, or of the Qt to build
    #[arg(long, global = true, value_name = "DIR")]
    pub qt_source: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Subcommand)]
pub enum Verb {
    /// Build the TLS plugin with our DTLS; the last line printed is the folder for QT_PLUGIN_PATH
    Plugin {
        /// Build the same plugin with Qt's own DTLS
        #[arg(long)]
        stock: bool,
    },
    /// Build the plugin and run examples/qt-echo on it
    Demo,
    /// Run all checks and tests; the last line printed is the sum
    Test,
    /// Run the hardening tests on both plugins and write docs/hardening.md
    Hardening,
    /// Run the hardening tests under memcheck and AddressSanitizer (ten minutes)
    Sanitize,
    /// Fail each of OpenSSL's allocations in a DTLS exchange (one minute)
    Sweep {
        /// Also fail each allocation of the first exchange in a process (three minutes)
        #[arg(long)]
        all: bool,
        /// Use the plugin with Qt's own DTLS, for comparison
        #[arg(long)]
        stock: bool,
    },
    /// Run Qt's autotests on both plugins and the hardening tests on ours; the last line printed is the sum
    Autotests,
    /// Run `autotests` and the crate's tests in each supported suite of Debian; as root (half an hour)
    Matrix {
        /// Only these suites
        #[arg(value_name = "SUITE")]
        suites: Vec<String>,
    },
    /// Check the crate for other systems, in a suite of Debian; as root (some minutes)
    Portability,
    /// Build this version of Qt with our DTLS and run its autotests (up to half an hour)
    InTree {
        /// The version of Qt, such as 6.11.2
        version: String,
        /// Build static libraries
        #[arg(long = "static")]
        static_qt: bool,
        /// Link OpenSSL instead of loading it at run time
        #[arg(long)]
        linked: bool,
        /// Make a developer build of Qt
        #[arg(long)]
        developer_build: bool,
        /// Make a unity build; Qt has them since 6.5
        #[arg(long)]
        unity: bool,
        /// Use Qt's own DTLS, for comparison
        #[arg(long)]
        stock: bool,
    },
    /// Build the Debian packages and try them; as root (ten minutes)
    Deb {
        /// The suite to build in
        #[arg(default_value = "trixie")]
        suite: String,
    },
    /// Make the Debian source package for the installed Qt; the last line printed is its unpacked folder
    DebSource,
    /// Measure stock, ours and OpenSSL alone, and write docs/performance.md (six minutes)
    Bench {
        /// Measure briefly and write no document (two minutes)
        #[arg(long)]
        quick: bool,
        /// Measure nothing; draw the charts of docs/performance/samples.tsv
        #[arg(long, conflicts_with = "quick")]
        redraw: bool,
    },
    /// Draw docs/figures/*.svg from their sources
    Figures,
    /// Refresh include/qdtls_rs.h from the Rust sources
    Header {
        /// Change nothing; fail if the header is out of date
        #[arg(long)]
        check: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<CommandLine> {
        CommandLine::try_parse_from(["xtask"].into_iter().chain(line.split_whitespace())).ok()
    }

    #[test]
    fn options_belong_to_their_verb() {
        let parsed = parse("plugin --stock --no-install --qt-source /src").unwrap();
        assert_eq!(parsed.verb, Verb::Plugin { stock: true });
        assert_eq!((parsed.no_install, parsed.qt_source), (true, Some("/src".into())));
        let right = ["in-tree --unity 6.11.2", "deb", "deb sid", "matrix trixie forky", "bench --quick"];
        assert!(right.into_iter().all(|line| parse(line).is_some()));
        let wrong = ["", "tset", "test --stock", "test --qt-source", "autotests trixie", "in-tree --static"];
        assert!(wrong.into_iter().all(|line| parse(line).is_none()));
    }
}
