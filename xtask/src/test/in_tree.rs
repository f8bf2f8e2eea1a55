// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask in-tree`: Qt built from Debian's source with our hook on its configure line, and Qt's tests of DTLS run
//! in it.
//!
//! It is the smallest Qt that has DTLS. In a shared developer build the tests are Qt's own targets, built and run where
//! they lie. Any other Qt is installed into a folder first, and the tests are built against that, as an application would be.

use crate::build::cmake::{self, define, switch};
use crate::build::plugin::Flavour;
use crate::build::qt_source;
use crate::system::process::{Outcome, Run, cmd, shell, shell_in};
use crate::system::{Environment, packages, workspace};
use crate::test::autotests::AUTOTESTS;
use crate::test::qt_program::{Totals, without_settings};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Which Qt to build.
pub struct Build {
    pub version: String,
    pub flavour: Flavour,
    pub options: Options,
}

/// What differs from Qt's default.
#[derive(Clone, Copy, Default)]
pub struct Options {
    pub static_qt: bool,
    pub linked_openssl: bool,
    pub developer_build: bool,
    pub unity: bool,
}

/// Parts of qtbase that have no part in DTLS.
const WITHOUT: [&str; 7] = ["gui", "widgets", "sql", "dbus", "xml", "concurrent", "printsupport"];

/// What our adapter writes to the log when it is first used.
const SIGN_OF_OURS: &str = "DTLS by qdtls-rs";

pub fn run(build: &Build, environment: &Environment) -> Result<()> {
    packages::ensure(packages::IN_TREE, environment.install)?;
    let source = match &environment.qt_source {
        Some(_) => qt_source::find(environment)?,
        None => qt_source::of_version(&build.version)?,
    };
    ensure!(qt_source::version(&source)? == build.version, "{} is another version", source.display());

    let folder = workspace::target("in-tree").join(build.name());
    let (qt, prefix) = (folder.join("qt"), folder.join("installed"));
    let configured = timed("configuring", || build.configure(&source, &qt, &prefix))?;
    let targets: &[&str] = match build.tests_are_in_tree() {
        true => &["QTlsBackendOpenSSLPlugin", AUTOTESTS[0], AUTOTESTS[1]],
        false => &["all"],
    };
    let built = timed("building", || cmake::build_targets(&qt, targets).map(|_| ()))?;
    let again = cmake::build_targets(&qt, targets)?;
    ensure!(again.contains("ninja: no work to do"), "a second build of the same did something:\n{again}");

    let programs = if build.tests_are_in_tree() {
        Programs::in_tree(&source, &qt)
    } else {
        cmd!(shell(), "cmake --install {qt}").quietly()?;
        Programs::outside(&source, &prefix, &folder.join("tests"))?
    };
    let mut words = vec![build.name()];
    for name in AUTOTESTS {
        let totals = programs.run(name, build.flavour)?;
        ensure!(totals.all_passed(), "{name}: {totals:?}");
        words.push(format!("{name} {} passed", totals.passed));
    }
    words.push(format!("configured in {configured} s, built in {built} s"));
    println!("{}", words.join(", "));
    Ok(())
}

impl Build {
    /// A name for its folder and for the table of results.
    fn name(&self) -> String {
        let words = [
            (self.options.static_qt, "static"),
            (self.options.linked_openssl, "linked"),
            (self.options.developer_build, "developer"),
            (self.options.unity, "unity"),
            (self.flavour.is_stock(), "stock"),
        ];
        let set = words.iter().filter(|(is_set, _)| *is_set).map(|(_, word)| *word);
        std::iter::once(&*self.version).chain(set).collect::<Vec<_>>().join("-")
    }

    fn configure(&self, source: &Path, qt: &Path, prefix: &Path) -> Result<()> {
        let Options { static_qt, linked_openssl, developer_build, unity } = self.options;
        let mut definitions =
            WITHOUT.map(|feature| switch(&format!("FEATURE_{feature}"), self.needs(feature))).to_vec();
        definitions.extend([
            define("CMAKE_BUILD_TYPE", "Release"),
            define("CMAKE_INSTALL_PREFIX", prefix.display()),
            define("INPUT_openssl", if linked_openssl { "linked" } else { "runtime" }),
            switch("BUILD_SHARED_LIBS", !static_qt),
            switch("FEATURE_developer_build", developer_build),
            switch("QT_BUILD_TESTS", self.tests_are_in_tree()),
            switch("QT_BUILD_EXAMPLES", false),
        ]);
        if unity {
            definitions.push(switch("QT_UNITY_BUILD", true));
        }
        if !self.flavour.is_stock() {
            let hook = workspace::root().join("cmake/qt-build.cmake");
            definitions.push(define("CMAKE_PROJECT_QtBase_INCLUDE", hook.display()));
        }
        cmd!(shell(), "cmake -G Ninja -S {source} -B {qt} {definitions...}").quietly()
    }

    /// Whether Qt's own targets are run. Qt 6.4 does not link them to the plugins of a static Qt.
    fn tests_are_in_tree(&self) -> bool {
        self.options.developer_build && !self.options.static_qt
    }

    /// Qt 6.4 does not configure its tests without its GUI module; it is not built for them.
    fn needs(&self, feature: &str) -> bool {
        feature == "gui" && self.tests_are_in_tree() && self.version.starts_with("6.4.")
    }
}

/// The two tests, and where they run.
struct Programs {
    binaries: PathBuf,
    /// The tests' folders in Qt's source, with their data.
    source: PathBuf,
    each_in_a_folder: bool,
}

const TESTS: &str = "tests/auto/network/ssl";

impl Programs {
    fn in_tree(source: &Path, qt: &Path) -> Self {
        Self { binaries: qt.join(TESTS), source: source.join(TESTS), each_in_a_folder: true }
    }

    /// Built outside of Qt's tree, for the Qt that is installed in `prefix`.
    fn outside(source: &Path, prefix: &Path, build_dir: &Path) -> Result<Self> {
        let definitions = [
            define("CMAKE_PREFIX_PATH", prefix.display()),
            define("QT_SOURCE_DIR", source.display()),
            define("PROGRAMS", "autotests"),
            // Debian's patches turn off what links a static Qt's plugins to its programs.
            switch("QT_SKIP_AUTO_PLUGIN_INCLUSION", false),
        ];
        cmake::build("qt-tests", build_dir, &definitions)?;
        Ok(Self { binaries: build_dir.join("bin"), source: source.join(TESTS), each_in_a_folder: false })
    }

    fn run(&self, name: &str, flavour: Flavour) -> Result<Totals> {
        let folder = name.trim_start_matches("tst_");
        let binaries = if self.each_in_a_folder { self.binaries.join(folder) } else { self.binaries.clone() };
        let here = shell_in(&self.source.join(folder));
        let program = without_settings(here.cmd(binaries.join(name)));
        let program = program.env("QT_LOGGING_RULES", "qt.tlsbackend.ossl.debug=true");
        // QtTest writes to stdout; what comes before its first test is on stderr.
        let Outcome { status, stdout, stderr } = program.outcome()?;
        let output = stdout + &stderr;
        ensure!(status.success(), "{name}: {status}\n{output}");
        let is_stock = !output.contains(SIGN_OF_OURS);
        ensure!(is_stock == flavour.is_stock(), "{name} must run on {}'s DTLS:\n{output}", flavour.name());
        Totals::of(&output).with_context(|| name.to_owned())
    }
}

/// The seconds it took.
fn timed(name: &str, work: impl FnOnce() -> Result<()>) -> Result<u64> {
    eprintln!("{name}");
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_options() {
        let options = Options { static_qt: true, unity: true, ..Options::default() };
        let build = Build { version: "6.11.2".into(), flavour: Flavour::Stock, options };
        assert_eq!(build.name(), "6.11.2-static-unity-stock");
    }
}
