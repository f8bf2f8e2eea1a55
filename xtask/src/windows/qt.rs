// SPDX-License-Identifier: MIT OR Apache-2.0
//! The smallest Qt that has DTLS, its plugin with Qt's own DTLS and with ours, and Qt's autotests on both.

use crate::build::cmake::{self, define, switch};
use crate::build::qt_source;
use crate::system::{Environment, Run, cmd, shell, shell_in, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::in_tree::WITHOUT;
use crate::test::qt_program::without_settings;
use crate::windows::mingw;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// Where Debian has the Qt whose tools run on the machine.
const HOST: [(&str, &str); 2] =
    [("QT_HOST_PATH", "/usr"), ("QT_HOST_PATH_CMAKE_DIR", "/usr/lib/x86_64-linux-gnu/cmake")];

/// The variable on Qt's configure line.
const HOOK: &str = "CMAKE_PROJECT_QtBase_INCLUDE";

const PLUGIN: &str = "qopensslbackend.dll";

pub struct Qt {
    source: PathBuf,
    build_dir: PathBuf,
    pub version: String,
}

impl Qt {
    /// Builds and installs it, and its plugin with both DTLS.
    pub fn build(environment: &Environment) -> Result<Self> {
        let source = qt_source::find(environment)?;
        let version = qt_source::version(&source)?;
        let qt = Self { source, build_dir: mingw::folder("qt").join(&version), version };
        qt.configure(&[format!("-U{HOOK}")])?;
        eprintln!("building Qt {}", qt.version);
        let build_dir = &qt.build_dir;
        cmake::build_targets(build_dir, &["all"])?;
        cmd!(shell(), "cmake --install {build_dir}").quietly()?;
        qt.keep_plugin(true)?;

        eprintln!("building its plugin with our DTLS");
        let hook = workspace::root().join("cmake/qt-build.cmake");
        let crate_dir = mingw::folder("crate");
        qt.configure(&[
            define(HOOK, hook.display()),
            define("QDTLS_RS_CARGO_TARGET_DIR", crate_dir.display()),
            define("QDTLS_RS_ADAPTER_COMPILE_OPTIONS", "-O2;-Wall;-Wextra;-Werror"),
        ])?;
        cmake::build_targets(build_dir, &["QTlsBackendOpenSSLPlugin"])?;
        qt.keep_plugin(false)?;
        Ok(qt)
    }

    fn configure(&self, more: &[String]) -> Result<()> {
        let (source, build_dir) = (&self.source, &self.build_dir);
        let mut definitions = WITHOUT.map(|feature| switch(&format!("FEATURE_{feature}"), false)).to_vec();
        definitions.extend(mingw::definitions());
        definitions.extend(HOST.map(|(name, value)| define(name, value)));
        definitions.extend([
            define("CMAKE_BUILD_TYPE", "Release"),
            define("CMAKE_INSTALL_PREFIX", mingw::root().display()),
            define("INPUT_openssl", "runtime"),
            // For a shorter build. The adapter is optimised all the same.
            switch("QT_UNITY_BUILD", true),
            define("CMAKE_C_FLAGS_RELEASE", "-O0"),
            define("CMAKE_CXX_FLAGS_RELEASE", "-O0"),
            switch("FEATURE_dtls", true),
            switch("QT_BUILD_TESTS", false),
            switch("QT_BUILD_EXAMPLES", false),
        ]);
        cmd!(shell(), "cmake -G Ninja -S {source} -B {build_dir} {definitions...} {more...}").quietly()
    }

    /// Copies the plugin as it was built to a folder of its own.
    fn keep_plugin(&self, is_stock: bool) -> Result<()> {
        let folder = plugins(is_stock).join("tls");
        workspace::fresh(&folder)?;
        fs::copy(self.build_dir.join("plugins/tls").join(PLUGIN), folder.join(PLUGIN))?;
        Ok(())
    }

    /// Builds Qt's autotests for it, as an application would be.
    pub fn build_tests(&self) -> Result<()> {
        eprintln!("building Qt's autotests");
        let mut definitions = mingw::definitions().to_vec();
        definitions.extend(HOST.map(|(name, value)| define(name, value)));
        definitions.extend([define("QT_SOURCE_DIR", self.source.display()), define("PROGRAMS", "autotests")]);
        cmake::build("qt-tests", &mingw::folder("qt-tests"), &definitions)
    }

    /// Runs them on a plugin and no other, and returns how many passed. Fails unless all do.
    pub fn run_tests(&self, is_stock: bool) -> Result<u32> {
        let folder = mingw::folder("run").join(whose(is_stock));
        workspace::fresh(&folder)?;
        let conf = format!("[Paths]\nPlugins = {:?}\n", mingw::windows(&plugins(is_stock)));
        fs::write(folder.join("qt.conf"), conf)?;
        let run = |test: &str| {
            let program = folder.join(format!("{test}.exe"));
            fs::copy(mingw::folder("qt-tests").join("bin").join(format!("{test}.exe")), &program)?;
            let here = shell_in(&autotests::folder(&self.source, test));
            // Wine keeps variables that begin with QT_ from programs, unless WINE is put before.
            let command = without_settings(mingw::wine(&here, &program)?)
                .env("WINEQT_LOGGING_RULES", autotests::LOGGING_RULES)
                // On Windows, QtTest otherwise writes to a debugger.
                .env("WINEQT_FORCE_STDERR_LOGGING", "1");
            autotests::run_elsewhere(command, Some(&self.version), is_stock)
                .with_context(|| format!("{test} on {}", whose(is_stock)))
        };
        AUTOTESTS.into_iter().map(|test| Ok(run(test)?.passed)).sum()
    }
}

fn whose(is_stock: bool) -> &'static str {
    if is_stock { "stock" } else { "ours" }
}

fn plugins(is_stock: bool) -> PathBuf {
    mingw::folder("plugins").join(whose(is_stock))
}
