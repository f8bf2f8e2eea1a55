// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask suites`: Qt's own tests of TLS beyond DTLS, and of QUdpSocket, on both plugins. Functions that use Qt's
//! test server, or the web, are left out.

use crate::build::{self, Flavour, cmake, qt_source};
use crate::system::{Environment, Outcome, Run, cmd, packages, shell, workspace};
use crate::test::qt_program::{QtProgram, Totals};
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::collections::BTreeSet;
use std::path::Path;

/// Below Qt's folder `tests/auto/network`.
const SUITES: [&str; 14] = [
    "ssl/qasn1element",
    "ssl/qocsp",
    "ssl/qpassworddigestor",
    "ssl/qsslcertificate",
    "ssl/qsslcipher",
    "ssl/qssldiffiehellmanparameters",
    "ssl/qsslellipticcurve",
    "ssl/qsslerror",
    "ssl/qsslkey",
    "ssl/qsslserver",
    "ssl/qsslsocket",
    "ssl/qsslsocket_onDemandCertificates_member",
    "ssl/qsslsocket_onDemandCertificates_static",
    "socket/qudpsocket",
];

/// Prints what passes on each plugin. Fails if a test does on stock that does not on ours.
pub fn run(environment: &Environment) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment)?;
    let qt_source = &qt_source::find(environment)?;
    build::plugins(qt_source)?;
    let definitions = [cmake::define("QT_SOURCE_DIR", qt_source.display()), cmake::switch("SUITES", true)];
    cmake::build("qt-tests", &workspace::target("qt-tests-build"), &definitions)?;
    cmake::build_targets(&workspace::target("qt-tests-build"), &["suites"])?;

    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["suite", "ours", "stock", "not passed, ours", "stock"]);
    let mut worse = Vec::new();
    let mut sums = [0; 4];
    for suite in SUITES {
        let folder = &qt_source.join("tests/auto/network").join(suite);
        let name = format!("tst_{}", suite.rsplit('/').next().unwrap_or(suite));
        let functions = functions(&name, &workspace::read(folder.join(format!("{name}.cpp")))?)?;
        let on = |flavour| Ending::on(flavour, &name, folder, &functions).context(suite);
        // Without a name, the program would run all of its functions.
        if functions.is_empty() {
            table.add_row([&*name, "needs a server or the web"]);
            continue;
        }
        let (ours, stock) = (on(Flavour::OURS)?, on(Flavour::STOCK)?);
        let counts = [ours.passed.len(), stock.passed.len(), ours.others, stock.others];
        table.add_row([name].into_iter().chain(counts.map(|count| count.to_string())));
        sums = std::array::from_fn(|column| sums[column] + counts[column]);
        worse.extend(stock.passed.difference(&ours.passed).cloned());
    }
    table.add_row(["all".to_owned()].into_iter().chain(sums.map(|sum| sum.to_string())));
    println!("{table}");
    ensure!(worse.is_empty(), "passed on stock, not on ours: {}", worse.join("; "));
    Ok(())
}

/// How the tests ended on a plugin: the functions and rows that passed, and the number of others.
struct Ending {
    passed: BTreeSet<String>,
    others: usize,
}

impl Ending {
    fn on(flavour: Flavour, name: &str, folder: &Path, functions: &[String]) -> Result<Self> {
        eprintln!("{name} on {}", flavour.name());
        let functions: Vec<_> = functions.iter().map(String::as_str).collect();
        let (Outcome { stdout: output, .. }, loaded) =
            QtProgram { name, folder, flavour }.outcome(&[], &functions)?;
        // Some tests need no plugin.
        let is_right = loaded.iter().all(|plugin| *plugin == flavour.plugin_file());
        ensure!(is_right, "other plugins than that of {} are loaded: {loaded:?}", flavour.name());
        // A test that was ended by a signal has no totals.
        let Totals { passed, failed, skipped } = Totals::of(&output)?;
        let lines = output.lines().filter_map(|line| line.strip_prefix("PASS   : "));
        let ending = Self { passed: lines.map(String::from).collect(), others: (failed + skipped) as usize };
        ensure!(ending.passed.len() == passed as usize, "{passed} tests passed, but have other names");
        Ok(ending)
    }
}

/// The functions of a test that do not use Qt's test server, by the names under which the program knows them.
fn functions(name: &str, source: &str) -> Result<Vec<String>> {
    let program = build::program(name);
    let known = cmd!(shell(), "{program} -functions").capture()?;
    let known = known.lines().filter_map(|line| line.strip_suffix("()"));
    Ok(known.filter(|function| !uses_server(source, function)).map(String::from).collect())
}

/// Whether the function asks QtNetworkSettings for the name or address of a server, or for what it replies; or whether
/// it goes to one on the web.
fn uses_server(source: &str, function: &str) -> bool {
    let (_, rest) = source.split_once(&format!("::{function}()\n{{")).unwrap_or_default();
    let (body, _) = rest.split_once("\n}\n").unwrap_or_default();
    let asked = body.split("QtNetworkSettings::").skip(1).filter_map(|text| text.split('(').next());
    asked.into_iter().any(|name| name.contains("erver") || name.contains("Reply"))
        || body.contains("www.qt.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_need_a_server_are_known() {
        let source = "\
            void T::one()\n{\n    QtNetworkSettings::hasIPv6();\n}\n\n\
            void T::two()\n{\n    if (x) {\n    }\n    y(QtNetworkSettings::imapServerName(), 1);\n}\n";
        assert_eq!(["one", "two", "three"].map(|name| uses_server(source, name)), [false, true, false]);
    }
}
