// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use crate::in_tree::{Build, Options};
use crate::plugin::Flavour;
use std::path::PathBuf;

#[derive(Debug, PartialEq)]
pub enum Verb {
    Help,
    Plugin { flavour: Flavour },
    Demo,
    Test,
    Hardening,
    Sanitize,
    Sweep { flavour: Flavour, all: bool },
    Bench { quick: bool },
    Header { check: bool },
    Autotests,
    Matrix { suites: Vec<String> },
    Deb { suite: String },
    DebSource,
    Portability,
    InTree(Build),
}

#[derive(Debug, PartialEq)]
pub struct Request {
    pub verb: Verb,
    /// Missing Debian packages may be installed.
    pub install: bool,
    /// Source of qtbase to use in place of the one that Debian's installed packages were built from.
    pub qt_source: Option<PathBuf>,
}

pub fn help() -> &'static str {
    "\
Usage: cargo xtask <verb> [options]

Verbs:
  plugin            build the TLS plugin with our DTLS; the last line printed is the folder for QT_PLUGIN_PATH
    --stock           the same plugin with Qt's own DTLS
  demo              build the plugin and run examples/qt-echo on it
  test              run every check and test there is; the last line printed is the sum
  hardening         run the hardening tests on both plugins and write docs/hardening.md
  sanitize          run the hardening tests under memcheck and AddressSanitizer (ten minutes)
  sweep             fail each of OpenSSL's allocations in an exchange (a minute)
    --all             in the first exchange of a process, too (three minutes)
    --stock           on the plugin with Qt's own DTLS, to compare
  autotests         run Qt's autotests on both plugins and the hardening tests on ours; the last line printed is the sum
  matrix [SUITE...] do that, and test the crate, in each supported suite of Debian; as root (half an hour)
  portability       compile the crate for other systems, in a suite of Debian; as root (some minutes)
  in-tree VERSION   build a Qt of that version with our DTLS, and run Qt's autotests of it (up to half an hour)
    --static          static libraries
    --linked          OpenSSL linked, not found at run time
    --developer-build a developer build of Qt
    --unity           a unity build; Qt has them from 6.5 on
    --stock           with Qt's own DTLS, to compare
  deb [SUITE]       build the Debian packages and try them, in Debian 13 or the suite named; as root (ten minutes)
  deb-source        make their source package for the installed Qt; the last line printed is its unpacked folder
  bench             measure stock, ours and OpenSSL alone, and write docs/performance.md (six minutes)
    --quick           a look at everything, written nowhere (two minutes)
  header            refresh include/qdtls_rs.h from the Rust sources
    --check           change nothing, fail if it is not up to date

Options:
  --no-install      install nothing; a missing prerequisite is an error
  --qt-source DIR   use this source of qtbase, of the version of the installed Qt
  --help            print this
"
}

/// Parses what follows `cargo xtask`; the error is one line for the user.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut request = Request { verb: parse_verb(arguments.next())?, install: true, qt_source: None };
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), &mut request.verb) {
            ("--help" | "-h", verb) => *verb = Verb::Help,
            ("--stock", Verb::Plugin { flavour }) => *flavour = Flavour::Stock,
            ("--stock", Verb::Sweep { flavour, .. }) => *flavour = Flavour::Stock,
            ("--stock", Verb::InTree(build)) => build.flavour = Flavour::Stock,
            ("--static", Verb::InTree(build)) => build.options.static_qt = true,
            ("--linked", Verb::InTree(build)) => build.options.linked_openssl = true,
            ("--developer-build", Verb::InTree(build)) => build.options.developer_build = true,
            ("--unity", Verb::InTree(build)) => build.options.unity = true,
            (version, Verb::InTree(build)) if build.version.is_empty() && !version.starts_with('-') => {
                build.version = version.into();
            }
            ("--all", Verb::Sweep { all, .. }) => *all = true,
            ("--quick", Verb::Bench { quick }) => *quick = true,
            ("--check", Verb::Header { check }) => *check = true,
            ("--no-install", _) => request.install = false,
            ("--qt-source", _) => {
                let folder = arguments.next().ok_or("--qt-source needs a folder")?;
                request.qt_source = Some(PathBuf::from(folder));
            }
            (name, Verb::Deb { suite }) if !name.starts_with('-') => *suite = name.into(),
            (suite, Verb::Matrix { suites }) if !suite.starts_with('-') => suites.push(suite.into()),
            _ => return Err(format!("unknown option '{argument}'")),
        }
    }
    match &request.verb {
        Verb::InTree(build) if build.version.is_empty() => Err("in-tree needs a version of Qt".into()),
        _ => Ok(request),
    }
}

fn parse_verb(argument: Option<String>) -> Result<Verb, String> {
    match argument.as_deref() {
        Some("plugin") => Ok(Verb::Plugin { flavour: Flavour::Rust }),
        Some("demo") => Ok(Verb::Demo),
        Some("test") => Ok(Verb::Test),
        Some("hardening") => Ok(Verb::Hardening),
        Some("sanitize") => Ok(Verb::Sanitize),
        Some("sweep") => Ok(Verb::Sweep { flavour: Flavour::Rust, all: false }),
        Some("autotests") => Ok(Verb::Autotests),
        Some("deb") => Ok(Verb::Deb { suite: "trixie".into() }),
        Some("deb-source") => Ok(Verb::DebSource),
        Some("matrix") => Ok(Verb::Matrix { suites: Vec::new() }),
        Some("portability") => Ok(Verb::Portability),
        Some("in-tree") => {
            let (version, flavour, options) = (String::new(), Flavour::Rust, Options::default());
            Ok(Verb::InTree(Build { version, flavour, options }))
        }
        Some("bench") => Ok(Verb::Bench { quick: false }),
        Some("header") => Ok(Verb::Header { check: false }),
        Some("help" | "--help" | "-h") => Ok(Verb::Help),
        Some(other) => Err(format!("unknown verb '{other}'")),
        None => Err("a verb is missing".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn options_belong_to_their_verb() {
        let request = parse_line("plugin --stock --no-install --qt-source /src").unwrap();
        let verb = Verb::Plugin { flavour: Flavour::Stock };
        assert_eq!(request, Request { verb, install: false, qt_source: Some("/src".into()) });
        assert_eq!(parse_line("test --stock"), Err("unknown option '--stock'".into()));
        assert_eq!(parse_line("bench --quick").unwrap().verb, Verb::Bench { quick: true });
    }

    #[test]
    fn suites_belong_to_the_matrix() {
        let suites = vec!["trixie".into(), "forky".into()];
        assert_eq!(parse_line("matrix trixie forky").unwrap().verb, Verb::Matrix { suites });
        assert!(parse_line("autotests trixie").is_err());
    }

    #[test]
    fn a_qt_is_built_as_its_options_say() {
        let options = Options { static_qt: true, unity: true, ..Options::default() };
        let build = Build { version: "6.11.2".into(), flavour: Flavour::Stock, options };
        assert_eq!(build.name(), "6.11.2-static-unity-stock");
        assert_eq!(parse_line("in-tree --unity 6.11.2 --stock --static").unwrap().verb, Verb::InTree(build));
        assert_eq!(parse_line("in-tree --static"), Err("in-tree needs a version of Qt".into()));
        assert_eq!(parse_line("in-tree 6.11.2 6.4.2"), Err("unknown option '6.4.2'".into()));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse_line("tset"), Err("unknown verb 'tset'".into()));
        assert_eq!(parse_line(""), Err("a verb is missing".into()));
        assert_eq!(parse_line("test --qt-source"), Err("--qt-source needs a folder".into()));
    }
}
