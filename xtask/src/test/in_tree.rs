// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask in-tree`: a Qt of its own, built from Debian's source with our hook on its configure line, and Qt's
//! tests of DTLS run in it.
//!
//! It is the smallest Qt that has DTLS. In a shared developer build the tests are Qt's own targets, built and run where
//! they lie. Any other Qt is installed into a folder first, and the tests are built against that, as an application would be.

use crate::build::plugin::Flavour;
use crate::build::qt_source;
use crate::system::environment::Environment;
use crate::system::packages;
use crate::system::process::{self, capture, command};
use crate::system::workspace;
use crate::test::autotests;
use crate::test::qt_program::{Totals, clean_command, totals};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Which Qt is to be built.
#[derive(Debug, PartialEq)]
pub struct Build {
    pub version: String,
    pub flavour: Flavour,
    pub options: Options,
}

/// How it is to be built: what differs from Qt's default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
        Some(folder) => qt_source::find(Some(folder))?,
        None => qt_source::of_version(&build.version)?,
    };
    ensure!(qt_source::version(&source)? == build.version, "{} is another version", source.display());

    let folder = workspace::target("in-tree").join(build.name());
    let (qt, prefix) = (folder.join("qt"), folder.join("installed"));
    let configured = timed("configuring", || build.configure(&source, &qt, &prefix))?;
    let targets: &[&str] = match build.tests_are_in_tree() {
        true => &["QTlsBackendOpenSSLPlugin", autotests::AUTOTESTS[0], autotests::AUTOTESTS[1]],
        false => &["all"],
    };
    let built = timed("building", || {
        capture(command("cmake").arg("--build").arg(&qt).arg("--target").args(targets)).map(|_| ())
    })?;
    let again = capture(command("cmake").arg("--build").arg(&qt).arg("--target").args(targets))?;
    ensure!(again.contains("ninja: no work to do"), "a second build of the same did something:\n{again}");

    let programs = if build.tests_are_in_tree() {
        Programs::in_tree(&source, &qt)
    } else {
        capture(command("cmake").arg("--install").arg(&qt))?;
        Programs::outside(&source, &prefix, &folder.join("tests"))?
    };
    let mut words = vec![build.name()];
    for name in autotests::AUTOTESTS {
        let totals = programs.run(name, build.flavour)?;
        ensure!(totals.failed == 0 && totals.skipped == 0 && totals.passed > 0, "{name}: {totals:?}");
        words.push(format!("{name} {} passed", totals.passed));
    }
    words.push(format!("configured in {configured} s, built in {built} s"));
    println!("{}", words.join(", "));
    Ok(())
}

impl Build {
    /// A name for its folder and for the table of results.
    pub fn name(&self) -> String {
        let options = self.options;
        let words = [
            (options.static_qt, "static"),
            (options.linked_openssl, "linked"),
            (options.developer_build, "developer"),
            (options.unity, "unity"),
            (self.flavour.is_stock(), "stock"),
        ];
        let set = words.iter().filter(|(is_set, _)| *is_set).map(|(_, word)| *word);
        std::iter::once(&*self.version).chain(set).collect::<Vec<_>>().join("-")
    }

    fn configure(&self, source: &Path, qt: &Path, prefix: &Path) -> Result<()> {
        let Options { static_qt, linked_openssl, developer_build, unity } = self.options;
        let switch = |name: &str, value: bool| format!("-D{name}={}", if value { "ON" } else { "OFF" });
        let mut configure = command("cmake");
        configure.args(["-G", "Ninja", "-S"]).arg(source).arg("-B").arg(qt);
        configure.args(WITHOUT.map(|feature| switch(&format!("FEATURE_{feature}"), self.needed(feature))));
        configure.args([
            "-DCMAKE_BUILD_TYPE=Release".into(),
            format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()),
            format!("-DINPUT_openssl={}", if linked_openssl { "linked" } else { "runtime" }),
            switch("BUILD_SHARED_LIBS", !static_qt),
            switch("FEATURE_developer_build", developer_build),
            switch("QT_BUILD_TESTS", self.tests_are_in_tree()),
            switch("QT_BUILD_EXAMPLES", false),
        ]);
        if unity {
            configure.arg(switch("QT_UNITY_BUILD", true));
        }
        if !self.flavour.is_stock() {
            let hook = workspace::root().join("cmake/qt-build.cmake");
            configure.arg(format!("-DCMAKE_PROJECT_QtBase_INCLUDE={}", hook.display()));
        }
        capture(&mut configure).map(|_| ())
    }

    /// Whether Qt's own targets are run. Qt 6.4 does not link them to the plugins of a static Qt.
    fn tests_are_in_tree(&self) -> bool {
        self.options.developer_build && !self.options.static_qt
    }

    /// Qt 6.4 does not configure its tests without its GUI module; it is not built for them.
    fn needed(&self, feature: &str) -> bool {
        feature == "gui" && self.tests_are_in_tree() && self.version.starts_with("6.4.")
    }
}

/// The two tests, and where they are to be run.
struct Programs {
    binaries: PathBuf,
    /// The tests' folders in Qt's source, with their data.
    source: PathBuf,
    each_in_a_folder: bool,
}

impl Programs {
    fn in_tree(source: &Path, qt: &Path) -> Self {
        let tests = "tests/auto/network/ssl";
        Self { binaries: qt.join(tests), source: source.join(tests), each_in_a_folder: true }
    }

    /// Built outside of Qt's tree, for the Qt that is installed in `prefix`.
    fn outside(source: &Path, prefix: &Path, build_dir: &Path) -> Result<Self> {
        let mut configure = command("cmake");
        configure
            .args(["-G", "Ninja", "-S"])
            .arg(workspace::root().join("qt-tests"))
            .arg("-B")
            .arg(build_dir);
        configure.args([
            format!("-DCMAKE_PREFIX_PATH={}", prefix.display()),
            format!("-DQT_SOURCE_DIR={}", source.display()),
            "-DPROGRAMS=autotests".into(),
            // Debian's patches turn off what brings a static Qt's plugins into its programs.
            "-DQT_SKIP_AUTO_PLUGIN_INCLUSION=OFF".into(),
        ]);
        capture(&mut configure)?;
        capture(command("cmake").arg("--build").arg(build_dir))?;
        let source = source.join("tests/auto/network/ssl");
        Ok(Self { binaries: build_dir.join("bin"), source, each_in_a_folder: false })
    }

    fn run(&self, name: &str, flavour: Flavour) -> Result<Totals> {
        let folder = name.trim_start_matches("tst_");
        let binaries = if self.each_in_a_folder { self.binaries.join(folder) } else { self.binaries.clone() };
        let mut program = clean_command(binaries.join(name));
        program
            .env("QT_LOGGING_RULES", "qt.tlsbackend.ossl.debug=true")
            .current_dir(self.source.join(folder));
        let output = output_of(&mut program)?;
        if output.contains(SIGN_OF_OURS) == flavour.is_stock() {
            bail!("{name} did not run on the {} DTLS:\n{output}", flavour.name());
        }
        totals(&output).with_context(|| format!("{name} printed no totals"))
    }
}

/// Both streams: QtTest writes to the first, and to the other what comes before its first test.
fn output_of(program: &mut Command) -> Result<String> {
    let output = program.output().with_context(|| format!("cannot run {}", process::name(program)))?;
    let text =
        [output.stdout, output.stderr].map(|stream| String::from_utf8_lossy(&stream).into_owned()).concat();
    ensure!(output.status.success(), "{}: {}\n{text}", process::name(program), output.status);
    Ok(text)
}

/// The seconds it took.
fn timed(name: &str, work: impl FnOnce() -> Result<()>) -> Result<u64> {
    eprintln!("{name}");
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs())
}
