// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

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
    Header { check: bool },
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
            ("--all", Verb::Sweep { all, .. }) => *all = true,
            ("--check", Verb::Header { check }) => *check = true,
            ("--no-install", _) => request.install = false,
            ("--qt-source", _) => {
                let folder = arguments.next().ok_or("--qt-source needs a folder")?;
                request.qt_source = Some(PathBuf::from(folder));
            }
            _ => return Err(format!("unknown option '{argument}'")),
        }
    }
    Ok(request)
}

fn parse_verb(argument: Option<String>) -> Result<Verb, String> {
    match argument.as_deref() {
        Some("plugin") => Ok(Verb::Plugin { flavour: Flavour::Rust }),
        Some("demo") => Ok(Verb::Demo),
        Some("test") => Ok(Verb::Test),
        Some("hardening") => Ok(Verb::Hardening),
        Some("sanitize") => Ok(Verb::Sanitize),
        Some("sweep") => Ok(Verb::Sweep { flavour: Flavour::Rust, all: false }),
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
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse_line("tset"), Err("unknown verb 'tset'".into()));
        assert_eq!(parse_line(""), Err("a verb is missing".into()));
        assert_eq!(parse_line("test --qt-source"), Err("--qt-source needs a folder".into()));
    }
}
