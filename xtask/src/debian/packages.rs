// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask deb [SUITE]`: builds the Debian packages in a suite of Debian, by its own rustc and without a network,
//! and tries there what they promise: ours serves while it is installed, and stock is back byte for byte afterwards.

use crate::debian::chroot::Chroot;
use crate::debian::source_package;
use crate::system::packages;
use crate::system::process::{capture, show};
use crate::system::workspace;
use crate::test::autotests;
use crate::test::qt_program::{Totals, totals};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const PLUGIN: &str = "qt6-qdtls-rs-plugin";
const LIBRARY: &str = "libqdtls-rs-dev";

/// For making the source package, checking the binary ones, and building what uses them.
const TOOLS: &[&str] = &["ca-certificates", "cargo", "git", "lintian", "make", "openssl"];

/// What lintian has against packages that nobody uploads: the address, and that no bug asked for them.
const NOT_UPLOADED: &str =
    "bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs";

/// How a program finds out whose DTLS it has.
const LOG: &str = "QT_LOGGING_RULES=qt.tlsbackend.ossl.debug=true";
const OURS: &str = "DTLS by qdtls-rs";

pub fn run(suite: &str, install: bool) -> Result<()> {
    packages::ensure(packages::CHROOT, install)?;
    let packages = Packages { chroot: Chroot::of(suite)? };
    packages.chroot.install(&[TOOLS, packages::PLUGIN, packages::DEB_SOURCE].concat())?;
    packages.remove().context("packages of an earlier run")?;
    let debs = packages.build()?;
    packages.try_out(&debs)?;
    for deb in debs {
        println!("{}", packages.on_machine(&deb).display());
    }
    Ok(())
}

struct Packages {
    chroot: Chroot,
}

impl Packages {
    /// Returns the two packages, by the paths they have in the suite.
    fn build(&self) -> Result<Vec<PathBuf>> {
        eprintln!("making the source package");
        let output = capture(self.chroot.command("cargo").args(["xtask", "deb-source", "--no-install"]))?;
        let tree = output.lines().next_back().context("deb-source names no folder")?;
        capture(self.chroot.command("apt-get").args(["build-dep", "--yes", tree]))?;
        eprintln!("building the packages");
        let build = "cd \"$0\" && dpkg-buildpackage --no-sign --build=binary";
        let mut without_network = self.chroot.command("unshare");
        without_network.args(["--net", "--", "sh", "-c", build, tree]);
        capture(&mut without_network)?;

        let folder = self.on_machine(&source_package::folder());
        let names = files(&folder)?;
        let find = |start: &str, end: &str| {
            let name = names.iter().find(|name| name.starts_with(start) && name.ends_with(end));
            name.map(|name| source_package::folder().join(name))
                .with_context(|| format!("no {start}*{end} was built"))
        };
        let changes = find("qdtls-rs_", ".changes")?;
        let mut lintian = self.chroot.command("lintian");
        lintian.args(["--allow-root", "--fail-on", "error", "--suppress-tags", NOT_UPLOADED]);
        show(lintian.arg(changes))?;
        [PLUGIN, LIBRARY].iter().map(|package| find(&format!("{package}_"), ".deb")).collect()
    }

    fn try_out(&self, debs: &[PathBuf]) -> Result<()> {
        let own = self.plugin_of_qt()?;
        let stock = self.read(&own)?;
        let programs = Programs::build(self)?;
        let of_stock = programs.run(false).context("before the installation")?;

        self.apt(&["install"], debs)?;
        self.check_installed(&own, &stock)?;
        let of_ours = programs.run(true).context("with the package")?;
        ensure!(of_ours == of_stock, "on ours {of_ours:?}, on stock {of_stock:?}");
        let passed: Vec<_> = of_ours.iter().map(|totals| totals.passed.to_string()).collect();
        println!("installed: Qt's autotests pass {} on ours, the same on stock", passed.join(" + "));
        self.apt(&["install", "--reinstall"], &["libqt6network6".into()])?;
        self.check_installed(&own, &stock).context("after libqt6network6 was installed anew")?;
        println!("libqt6network6 installed anew: ours stays in its place");
        self.consumers_work()?;
        println!("{LIBRARY}: programs built by find_package() and pkg-config work");

        self.remove()?;
        ensure!(self.read(&own)? == stock, "{} is not stock's again", own.display());
        let diversions = capture(self.chroot.command("dpkg-divert").args(["--list", "*qdtls*"]))?;
        ensure!(diversions.is_empty(), "left behind: {diversions}");
        ensure!(!self.on_root(&self.aside(&own)?).exists(), "the folder of Qt's own plugin was left behind");
        capture(self.chroot.command("dpkg").args(["--verify", "libqt6network6"]))?;
        let again = programs.run(false).context("after the removal")?;
        ensure!(again == of_stock, "stock has changed: {again:?}");
        println!("removed: stock is back byte for byte");
        Ok(())
    }

    /// Ours is where Qt looks, and Qt's own is aside.
    fn check_installed(&self, own: &Path, stock: &[u8]) -> Result<()> {
        let owner = capture(self.chroot.command("dpkg-query").arg("--listfiles").arg(PLUGIN))?;
        ensure!(owner.lines().any(|line| Path::new(line) == own), "{PLUGIN} does not have {}", own.display());
        ensure!(self.read(own)? != stock, "{} is still stock's", own.display());
        let aside = self.aside(own)?.join(own.file_name().context("a file")?);
        ensure!(self.read(&aside)? == stock, "{} is not stock's", aside.display());
        Ok(())
    }

    /// The projects of the tests, with nothing but what is installed.
    fn consumers_work(&self) -> Result<()> {
        let out = workspace::target("deb-consumers");
        let script = "set -e; rm -rf \"$1\"; mkdir -p \"$1/make\"; \
            cmake -S tests/consumers/cmake -B \"$1/cmake\"; cmake --build \"$1/cmake\"; \
            make -C tests/consumers/pkg-config OUT=\"$1/make\"; \
            for kind in cmake make; do for name in c_program cpp_program; do \"$1/$kind/$name\"; done; done";
        let output = capture(self.chroot.command("sh").args(["-c", script, "consumers"]).arg(&out))?;
        let greetings = output.lines().filter(|line| line.contains(": qdtls-rs ")).count();
        ensure!(greetings == 4, "not all of the four programs have worked:\n{output}");
        Ok(())
    }

    /// Where Qt has its own plugin.
    fn plugin_of_qt(&self) -> Result<PathBuf> {
        let listing = capture(self.chroot.command("dpkg-query").args(["--listfiles", "libqt6network6"]))?;
        let plugin = listing.lines().find(|line| line.ends_with("/tls/libqopensslbackend.so"));
        plugin.map(PathBuf::from).context("libqt6network6 has no OpenSSL plugin")
    }

    /// The folder that the package puts Qt's own plugin into.
    fn aside(&self, own: &Path) -> Result<PathBuf> {
        let libraries = own.ancestors().nth(4).context("the plugin is in a folder of Qt's")?;
        Ok(libraries.join(PLUGIN))
    }

    fn remove(&self) -> Result<()> {
        capture(self.chroot.command("dpkg").args(["--purge", PLUGIN, LIBRARY]))?;
        Ok(())
    }

    fn apt(&self, arguments: &[&str], packages: &[PathBuf]) -> Result<()> {
        capture(self.chroot.command("apt-get").args(arguments).arg("--yes").args(packages))?;
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let path = self.on_root(path);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Where the machine sees a file of the suite.
    fn on_root(&self, path: &Path) -> PathBuf {
        self.chroot.root().join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Where the machine sees a file that is below `target` in the suite.
    fn on_machine(&self, path: &Path) -> PathBuf {
        let target = workspace::target("");
        self.chroot.target().join(path.strip_prefix(target).unwrap_or(path))
    }
}

/// Qt's autotests of its DTLS, which run on the installed plugin.
struct Programs<'a> {
    packages: &'a Packages,
    qt_source: PathBuf,
    build: PathBuf,
}

impl<'a> Programs<'a> {
    fn build(packages: &'a Packages) -> Result<Self> {
        let chroot = &packages.chroot;
        let query = ["--show", "--showformat=${source:Version}", "qt6-base-dev"];
        let version = capture(chroot.command("dpkg-query").args(query))?;
        let qt_source = workspace::target("qt-source").join(version.trim());
        let build = workspace::target("deb-autotests");
        let mut configure = chroot.command("cmake");
        configure.args(["-G", "Ninja", "-S", "qt-tests", "-B"]).arg(&build);
        capture(configure.arg(format!("-DQT_SOURCE_DIR={}", qt_source.display())))?;
        capture(
            chroot.command("cmake").arg("--build").arg(&build).arg("--target").args(autotests::AUTOTESTS),
        )?;
        Ok(Self { packages, qt_source, build })
    }

    /// Runs them, which must all pass, and on the DTLS that is expected.
    fn run(&self, ours: bool) -> Result<Vec<Totals>> {
        autotests::AUTOTESTS.iter().map(|name| self.run_one(name, ours)).collect()
    }

    fn run_one(&self, name: &str, ours: bool) -> Result<Totals> {
        let folder = autotests::folder(&self.qt_source, name);
        let program = self.build.join("bin").join(name);
        let mut run = self.packages.chroot.command("env");
        let script = "cd \"$0\" && exec \"$1\" 2>&1";
        let output = capture(run.args([LOG, "sh", "-c", script]).arg(folder).arg(program))?;
        ensure!(output.contains(OURS) == ours, "{name}: ours is to answer: {ours}, but that is not so");
        let totals = totals(&output).with_context(|| format!("{name} printed no totals"))?;
        ensure!(totals.failed == 0 && totals.passed > 0, "{name}: {totals:?}");
        Ok(totals)
    }
}

fn files(folder: &Path) -> Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}
