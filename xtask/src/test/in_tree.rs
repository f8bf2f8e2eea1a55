// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask in-tree`: Qt built from Debian's source with our hook on its configure line, and Qt's tests of DTLS run
//! in it.
//!
//! It is the smallest Qt that has DTLS. In a shared developer build the tests are Qt's own targets, built and run where
//! they lie. Any other Qt is installed into a folder first, and the tests are built against that, as an application would be.

use crate::build::cmake::{self, define, switch};
use crate::build::qt_source;
use crate::system::{Environment, Run, cmd, packages, shell, shell_in, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::qt_program::without_settings;
use anyhow::{Context, Result, ensure};
use clap::Args;
use itertools::Itertools;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Which Qt to build, and what differs from its default.
#[derive(Args, Debug, Default, PartialEq)]
pub struct Build {
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
}

/// Parts of qtbase that have no part in DTLS.
pub const WITHOUT: [&str; 7] = ["gui", "widgets", "sql", "dbus", "xml", "concurrent", "printsupport"];

pub fn run(build: &Build, environment: &Environment) -> Result<()> {
    packages::ensure(packages::IN_TREE, environment)?;
    let source = match &environment.qt_source {
        Some(_) => qt_source::find(environment)?,
        None => qt_source::of_version(&build.version)?,
    };
    ensure!(qt_source::version(&source)? == build.version, "{} is another version", source.display());

    let folder = workspace::target("in-tree").join(build.name());
    let qt = folder.join("qt");
    let configured = timed("configuring", || build.configure(&source, &qt, &folder.join("installed")))?;
    let targets: &[&str] = match build.tests_are_in_tree() {
        true => &["QTlsBackendOpenSSLPlugin", AUTOTESTS[0], AUTOTESTS[1]],
        false => &["all"],
    };
    let built = timed("building", || cmake::build_targets(&qt, targets).map(|_| ()))?;
    let again = cmake::build_targets(&qt, targets)?;
    ensure!(again.contains("ninja: no work to do"), "a second build of the same did something:\n{again}");

    let mut words = vec![build.name()];
    for (name, program) in AUTOTESTS.into_iter().zip(build.programs(&source, &qt, &folder)?) {
        let here = shell_in(&autotests::folder(&source, name));
        let totals =
            autotests::run_elsewhere(without_settings(here.cmd(program)), Some(&build.version), build.stock)
                .context(name)?;
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
            (self.static_qt, "static"),
            (self.linked, "linked"),
            (self.developer_build, "developer"),
            (self.unity, "unity"),
            (self.stock, "stock"),
        ];
        let set = words.iter().filter(|(is_set, _)| *is_set).map(|(_, word)| *word);
        std::iter::once(&*self.version).chain(set).join("-")
    }

    fn configure(&self, source: &Path, qt: &Path, prefix: &Path) -> Result<()> {
        let mut definitions =
            WITHOUT.map(|feature| switch(&format!("FEATURE_{feature}"), self.needs(feature))).to_vec();
        definitions.extend([
            define("CMAKE_BUILD_TYPE", "Release"),
            define("CMAKE_INSTALL_PREFIX", prefix.display()),
            define("INPUT_openssl", if self.linked { "linked" } else { "runtime" }),
            switch("BUILD_SHARED_LIBS", !self.static_qt),
            switch("FEATURE_developer_build", self.developer_build),
            switch("QT_BUILD_TESTS", self.tests_are_in_tree()),
            switch("QT_BUILD_EXAMPLES", false),
        ]);
        if self.unity {
            definitions.push(switch("QT_UNITY_BUILD", true));
        }
        if !self.stock {
            let hook = workspace::root().join("cmake/qt-build.cmake");
            definitions.push(define("CMAKE_PROJECT_QtBase_INCLUDE", hook.display()));
        }
        cmd!(shell(), "cmake -G Ninja -S {source} -B {qt} {definitions...}").quietly()
    }

    /// Whether Qt's own targets are run. Qt 6.4 does not link them to the plugins of a static Qt.
    fn tests_are_in_tree(&self) -> bool {
        self.developer_build && !self.static_qt
    }

    /// Qt 6.4 does not configure its tests without its GUI module; it is not built for them.
    fn needs(&self, feature: &str) -> bool {
        feature == "gui" && self.tests_are_in_tree() && self.version.starts_with("6.4.")
    }

    /// The tests' programs. Those that are not Qt's own targets are built for the Qt that is installed below `folder`.
    fn programs(&self, source: &Path, qt: &Path, folder: &Path) -> Result<[PathBuf; 2]> {
        if self.tests_are_in_tree() {
            return Ok(AUTOTESTS.map(|name| autotests::folder(qt, name).join(name)));
        }
        cmd!(shell(), "cmake --install {qt}").quietly()?;
        let definitions = [
            define("CMAKE_PREFIX_PATH", folder.join("installed").display()),
            define("QT_SOURCE_DIR", source.display()),
            define("PROGRAMS", "autotests"),
            // Debian's patches turn off what links a static Qt's plugins to its programs.
            switch("QT_SKIP_AUTO_PLUGIN_INCLUSION", false),
        ];
        let tests = folder.join("tests");
        cmake::build("qt-tests", &tests, &definitions)?;
        Ok(AUTOTESTS.map(|name| tests.join("bin").join(name)))
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
        let qt =
            Build { version: "6.11.2".into(), stock: true, static_qt: true, unity: true, ..Build::default() };
        assert_eq!(qt.name(), "6.11.2-static-unity-stock");
    }
}
