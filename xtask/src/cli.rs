// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line. Only `main` knows it; other modules take plain arguments.

use crate::debian::{matrix, wheels};
use crate::system::Environment;
use crate::test::{fuzz, in_tree};
use clap::{Parser, Subcommand};

/// Builds, tests, measures and packages qdtls-rs
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", flatten_help = true, max_term_width = 110)]
pub struct CommandLine {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub environment: Environment,
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
    /// Run a client and a server on both plugins against other DTLS, and write docs/interop.md (half an hour)
    Interop {
        /// Only peers whose name begins with one of these; writes no document
        #[arg(value_name = "PEER")]
        peers: Vec<String>,
        /// Only cases whose name begins with this; writes no document
        #[arg(long = "case", value_name = "CASE")]
        cases: Vec<String>,
    },
    /// Print which lines of crate and adapter the tests run; needs rustup's llvm-tools (ten minutes)
    Coverage,
    /// Fuzz the library with libFuzzer and AddressSanitizer; needs Rust's nightly toolchain (hours)
    Fuzz {
        /// Only these
        #[arg(value_name = "TARGET", value_parser = fuzz::TARGETS)]
        targets: Vec<String>,
        /// For so long each
        #[arg(long, default_value_t = 30)]
        minutes: u64,
    },
    /// Run the unit tests that call no C in Miri; needs Rust's nightly toolchain (four minutes)
    Miri,
    /// Run the hardening tests under memcheck and sanitizers; needs Rust's nightly toolchain (half an hour)
    Sanitize,
    /// Fail each allocation of OpenSSL's, and each of the plugin's and Qt's, in a DTLS exchange (two minutes)
    Sweep {
        /// Also fail each allocation of the first exchange in a process (five minutes)
        #[arg(long)]
        all: bool,
        /// Use the plugin with Qt's own DTLS, for comparison
        #[arg(long)]
        stock: bool,
    },
    /// Run Qt's autotests on both plugins and the hardening tests on ours; the last line printed is the sum
    Autotests,
    /// Serve 2,000 peers that come and go, also badly, and write docs/reliability.md
    Soak {
        /// For so long; less than twenty writes no document
        #[arg(default_value_t = 20)]
        minutes: u32,
    },
    /// Run Qt's own tests of TLS beyond DTLS, and of QUdpSocket, on both plugins (some minutes)
    Suites,
    /// Run `autotests` and the crate's tests in each supported suite and architecture of Debian; as root (hours)
    Matrix {
        /// Only these
        #[arg(value_name = "SUITE", value_parser = matrix::SUITES.map(|suite| suite.name))]
        suites: Vec<String>,
    },
    /// Run Qt's autotests and the hardening tests on the official binaries of Qt 6.5 to 6.12 (some minutes)
    Wheels {
        /// With the plugins of these suites, as root, in place of the installed Qt's
        #[arg(value_name = "SUITE", value_parser = wheels::SUITES)]
        suites: Vec<String>,
    },
    /// Decrypt a capture of DTLS with tshark and our key log; as root
    Keylog,
    /// Check the crate for other systems, in a suite of Debian; as root (some minutes)
    Portability,
    /// Cross-build for Windows in a suite of Debian and test in Wine; as root (an hour)
    Windows {
        /// This machine is such a suite, with the packages and rustup's std for Windows
        #[arg(long)]
        here: bool,
    },
    /// Build this version of Qt with our DTLS and run its autotests (up to half an hour)
    InTree(in_tree::Build),
    /// Build the Debian packages and try them; as root (ten minutes)
    Deb {
        /// The suite to build in
        #[arg(default_value = "trixie")]
        suite: String,
        /// Cross-build them for this architecture, such as arm64, and do not try them
        #[arg(long = "for", value_name = "ARCHITECTURE")]
        architecture: Option<String>,
    },
    /// Make the Debian source package for the installed Qt; the last line printed is its unpacked folder
    DebSource,
    /// Build the RPM packages for the installed Qt and try the plugin (some minutes)
    Rpm,
    /// Name the crates in the library in a CycloneDX document; the last line printed is its path
    Sbom,
    /// Print where the bytes of both plugins are, stripped
    Size,
    /// Measure stock, ours and OpenSSL alone, and write docs/performance.md (ten minutes)
    Bench {
        /// Measure briefly and write no document (two minutes)
        #[arg(long)]
        quick: bool,
        /// Measure only the endpoint, and write its part of the document (eleven minutes)
        #[arg(long)]
        endpoint: bool,
        /// Measure only start-up and size, and write their part of the document (one minute)
        #[arg(long, conflicts_with = "endpoint")]
        start: bool,
        /// Measure nothing; draw the charts of docs/performance/samples.tsv
        #[arg(long, conflicts_with_all = ["quick", "endpoint", "start"])]
        redraw: bool,
    },
    /// Measure handshakes of stock and ours on bad networks, and write docs/loss.md (fifteen minutes)
    Lossy {
        /// Measure 20 handshakes, without loss and at 20 %, and write no document (two minutes)
        #[arg(long)]
        quick: bool,
    },
    /// Draw docs/figures/*.svg from their sources
    Figures,
    /// Write abi/qdtls_rs.abi, which `test` holds the header to, and show what breaks programs in use
    Abi {
        /// Change nothing; fail if programs in use would not survive the header
        #[arg(long)]
        check: bool,
    },
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
    use crate::system::workspace;

    fn parse(line: &str) -> Option<CommandLine> {
        CommandLine::try_parse_from(["xtask"].into_iter().chain(line.split_whitespace())).ok()
    }

    #[test]
    fn options_belong_to_their_verb() {
        let parsed = parse("plugin --stock --no-install --qt-source /src").unwrap();
        assert_eq!(parsed.verb, Verb::Plugin { stock: true });
        assert!(parsed.environment.no_install && parsed.environment.qt_source == Some("/src".into()));
        let right = [
            "sbom",
            "in-tree --unity 6.11.2",
            "deb",
            "deb sid",
            "deb --for arm64",
            "matrix trixie forky",
            "matrix armhf musl",
            "wheels",
            "wheels trixie",
            "bench --quick",
            "bench --endpoint --quick",
            "bench --start",
            "size",
            "lossy --quick",
            "fuzz --minutes 1 calls values",
        ];
        assert!(right.into_iter().all(|line| parse(line).is_some()));
        let wrong = [
            "",
            "tset",
            "test --stock",
            "test --qt-source",
            "in-tree --static",
            "matrix potato",
            "wheels bullseye",
        ];
        assert!(wrong.into_iter().all(|line| parse(line).is_none()));
    }

    /// The workflows for GitHub run verbs that there are.
    #[test]
    fn workflows_run_verbs() {
        let test = workspace::read(".github/workflows/test.yml").unwrap();
        assert!(test.lines().any(|line| line.trim() == "- run: cargo xtask test"));
        let weekly = workspace::read(".github/workflows/weekly.yml").unwrap();
        let (_, rest) = weekly.split_once("        verb:\n").unwrap();
        let verbs: Vec<_> = rest.lines().map_while(|line| line.strip_prefix("          - ")).collect();
        assert!(verbs.len() > 10, "{verbs:?}");
        let wrong: Vec<_> = verbs.iter().filter(|line| parse(line).is_none()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let suites = verbs.iter().filter_map(|verb| verb.strip_prefix("matrix "));
        assert!(suites.eq(matrix::SUITES.map(|suite| suite.name)));
    }
}
