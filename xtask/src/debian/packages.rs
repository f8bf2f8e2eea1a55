// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask deb [SUITE]`: builds the Debian packages in a suite of Debian, with its rustc and without a network, and
//! tries them there: our plugin serves while the package is installed, and stock is back byte for byte afterwards. With
//! `--for ARCHITECTURE` they are cross-built, and not tried.

use crate::build::cmake::define;
use crate::build::qt_source;
use crate::check::elf;
use crate::debian::chroot::Chroot;
use crate::debian::source_package;
use crate::system::{Environment, Run, packages, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::qt_program::Totals;
use anyhow::{Context, Result, ensure};
use itertools::Itertools;
use std::fs;
use std::path::{Path, PathBuf};

const PLUGIN: &str = "qt6-qdtls-rs-plugin";
const SHARED_LIBRARY: &str = "libqdtls-rs0";
const LIBRARY: &str = "libqdtls-rs-dev";

/// For making the source package, checking the binary ones, and building what uses them.
const TOOLS: &[&str] = &["ca-certificates", "cargo", "git", "lintian", "make", "openssl"];

/// What lintian reports of packages that are not uploaded: the address, and that no bug asked for them.
const NOT_UPLOADED: &str =
    "bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs";

/// Builds, cleans, builds and cleans, for dpkg-buildpackage begins with cleaning (E2). In the end the source must be what
/// it was: dpkg-source refuses another.
/// As on Debian's own build machines, there is no network but the loopback interface.
const BUILD: &str = r#"
set -e
ip link set lo up
cd "$0"
DEB_BUILD_OPTIONS=nocheck debian/rules build
dpkg-buildpackage --no-sign --build=binary
debian/rules clean
dpkg-source --build .
"#;

const CROSS_BUILD: &str = "cd \"$0\" && exec dpkg-buildpackage --no-sign --build=binary --host-arch \"$1\"";

const AUTOTESTS_BUILD: &str = "deb-autotests";

/// Builds and runs programs that use either library, in C and in C++, with nothing but what is installed.
const CONSUMERS: &str = r#"
set -e
rm -rf "$1"
for library in QDtlsRs Shared; do
    cmake -S tests/consumers/cmake -B "$1/$library" -DLIBRARY=$library
    cmake --build "$1/$library"
done
for module in qdtls_rs qdtls_rs-shared; do
    mkdir -p "$1/$module"
    make -C tests/consumers/pkg-config OUT="$1/$module" MODULE=$module
done
for program in "$1"/*/c_program "$1"/*/cpp_program; do "$program"; done
"#;

pub fn run(suite: &str, environment: &Environment) -> Result<()> {
    let needed = [TOOLS, packages::PLUGIN, packages::DEB_SOURCE].concat();
    let packages = Packages { chroot: Chroot::with(&needed, suite, environment)? };
    packages.remove().context("packages of an earlier run")?;
    let debs = packages.build()?;
    packages.try_out(&debs)?;
    for deb in debs {
        println!("{}", packages.on_machine(&deb).display());
    }
    Ok(())
}

/// Cross-builds them for another architecture.
pub fn run_for(architecture: &str, suite: &str, environment: &Environment) -> Result<()> {
    let compilers = format!("crossbuild-essential-{architecture}");
    let needed = [TOOLS, packages::DEB_SOURCE, &[&*compilers]].concat();
    let packages =
        Packages { chroot: Chroot::with_foreign(&needed, suite, Some(architecture), environment)? };
    for deb in packages.cross_build(architecture)? {
        let field = |name| packages.run("dpkg-deb", &["--field", &deb.to_string_lossy(), name]);
        let is_for = field("Architecture")?;
        ensure!(is_for == architecture, "{} is for {is_for}", deb.display());
        println!("{}\n    Depends: {}", packages.on_machine(&deb).display(), field("Depends")?);
    }
    Ok(())
}

struct Packages {
    chroot: Chroot,
}

impl Packages {
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        self.chroot.command(program).args(arguments).capture()
    }

    /// Returns the packages, by the paths they have in the suite.
    fn build(&self) -> Result<Vec<PathBuf>> {
        let tree = self.source()?;
        self.run("apt-get", &["build-dep", "--yes", &tree])?;
        self.run("apt-get", &["install", "--yes", "iproute2"])?;
        eprintln!("building the packages, twice");
        self.run("unshare", &["--net", "--", "sh", "-c", BUILD, &tree])?;
        self.built()
    }

    fn cross_build(&self, architecture: &str) -> Result<Vec<PathBuf>> {
        let tree = self.source()?;
        let options = ["--yes", "--host-architecture", architecture, "--build-profiles", "cross,nocheck"];
        self.chroot.command("apt-get").arg("build-dep").args(options).arg(&tree).quietly()?;
        eprintln!("building the packages for {architecture}");
        self.run("unshare", &["--net", "--", "sh", "-c", CROSS_BUILD, &tree, architecture])?;
        self.built()
    }

    /// Makes the source package, and returns its unpacked folder.
    fn source(&self) -> Result<String> {
        eprintln!("making the source package");
        let output = self.run("cargo", &["xtask", "deb-source", "--no-install"])?;
        output.lines().next_back().map(String::from).context("deb-source names no folder")
    }

    /// Checks what was built.
    fn built(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.on_machine(&source_package::folder()))?;
        let names: Vec<_> =
            entries.map_ok(|entry| entry.file_name().to_string_lossy().into_owned()).try_collect()?;
        let find = |start: &str, end: &str| {
            let name = names.iter().find(|name| name.starts_with(start) && name.ends_with(end));
            let name = name.with_context(|| format!("no {start}*{end} was built"))?;
            anyhow::Ok(source_package::folder().join(name))
        };
        let lintian = self.chroot.command("lintian").args(["--allow-root", "--fail-on", "error"]);
        lintian.args(["--suppress-tags", NOT_UPLOADED]).arg(find("qdtls-rs_", ".changes")?).show()?;
        find(&format!("{PLUGIN}-dbgsym_"), ".deb")?;
        [PLUGIN, SHARED_LIBRARY, LIBRARY].iter().map(|package| find(&format!("{package}_"), ".deb")).collect()
    }

    fn try_out(&self, debs: &[PathBuf]) -> Result<()> {
        let own = self.plugin_of_qt()?;
        let stock = self.read(&own)?;
        let qt_source = self.build_autotests()?;
        let of_stock = self.run_autotests(&qt_source, true).context("before the installation")?;

        self.chroot.command("apt-get").args(["install", "--yes"]).args(debs).quietly()?;
        self.check_installed(&own, &stock)?;
        let of_ours = self.run_autotests(&qt_source, false).context("with the package")?;
        ensure!(of_ours == of_stock, "on ours {of_ours:?}, on stock {of_stock:?}");
        let passed = of_ours.iter().map(|totals| totals.passed).format(" + ");
        println!("installed: Qt's autotests pass {passed} on ours, the same on stock");
        self.run("apt-get", &["install", "--reinstall", "--yes", "libqt6network6"])?;
        self.check_installed(&own, &stock).context("after libqt6network6 was reinstalled")?;
        println!("libqt6network6 reinstalled: ours stays in its place");
        self.consumers_work()?;
        println!("{LIBRARY}: programs built by find_package() and pkg-config work");

        self.remove()?;
        ensure!(self.read(&own)? == stock, "{} is not stock's again", own.display());
        let diversions = self.run("dpkg-divert", &["--list", "*qdtls*"])?;
        ensure!(diversions.is_empty(), "left behind: {diversions}");
        ensure!(!self.on_root(&aside(&own)?).exists(), "the folder of Qt's own plugin was left behind");
        self.run("dpkg", &["--verify", "libqt6network6"])?;
        let again = self.run_autotests(&qt_source, true).context("after the removal")?;
        ensure!(again == of_stock, "stock has changed: {again:?}");
        println!("removed: stock is back byte for byte");
        Ok(())
    }

    /// Ours is where Qt looks, and Qt's own is aside.
    fn check_installed(&self, own: &Path, stock: &[u8]) -> Result<()> {
        let files = self.run("dpkg-query", &["--listfiles", PLUGIN])?;
        ensure!(files.lines().any(|line| Path::new(line) == own), "{PLUGIN} does not have {}", own.display());
        ensure!(self.read(own)? != stock, "{} is still stock's", own.display());
        let aside = aside(own)?.join(own.file_name().context("a file")?);
        ensure!(self.read(&aside)? == stock, "{} is not stock's", aside.display());
        let (own, aside) = (self.on_root(own), self.on_root(&aside));
        elf::check_stripped(&own)?;
        elf::check_protections(&own, &aside)
    }

    fn consumers_work(&self) -> Result<()> {
        let out = workspace::target("deb-consumers");
        let output = self.run("sh", &["-c", CONSUMERS, "consumers", &out.to_string_lossy()])?;
        let greetings = output.lines().filter(|line| line.contains(": qdtls-rs ")).count();
        ensure!(greetings == 8, "not all of the eight programs have worked:\n{output}");
        Ok(())
    }

    fn plugin_of_qt(&self) -> Result<PathBuf> {
        let files = self.run("dpkg-query", &["--listfiles", "libqt6network6"])?;
        let plugin = files.lines().find(|line| line.ends_with("/tls/libqopensslbackend.so"));
        plugin.map(PathBuf::from).context("libqt6network6 has no OpenSSL plugin")
    }

    /// Builds Qt's autotests of its DTLS, which run on the installed plugin, and returns Qt's source.
    fn build_autotests(&self) -> Result<PathBuf> {
        let query = ["--show", "--showformat=${source:Version}", "qt6-base-dev"];
        let qt_source = qt_source::folder_of(&self.run("dpkg-query", &query)?);
        let build = workspace::target(AUTOTESTS_BUILD);
        let (build, source) = (&*build.to_string_lossy(), define("QT_SOURCE_DIR", qt_source.display()));
        self.run("cmake", &["-G", "Ninja", "-S", "qt-tests", "-B", build, &source])?;
        self.run("cmake", &["--build", build, "--target", AUTOTESTS[0], AUTOTESTS[1]])?;
        Ok(qt_source)
    }

    /// Runs them, which must all pass, and on the DTLS that is expected.
    fn run_autotests(&self, qt_source: &Path, is_stock: bool) -> Result<Vec<Totals>> {
        let run = |name: &&'static str| {
            let there = self.chroot.command("sh").args(["-c", "cd \"$0\" && exec \"$1\""]);
            let program = workspace::target(AUTOTESTS_BUILD).join("bin").join(name);
            let test = there.arg(autotests::folder(qt_source, name)).arg(program);
            autotests::run_elsewhere(test, None, is_stock).context(*name)
        };
        AUTOTESTS.iter().map(run).collect()
    }

    fn remove(&self) -> Result<()> {
        self.run("dpkg", &["--purge", PLUGIN, LIBRARY, SHARED_LIBRARY]).map(|_| ())
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let path = self.on_root(path);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Where the machine sees a file of the suite.
    fn on_root(&self, path: &Path) -> PathBuf {
        self.chroot.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Where the machine sees a file that is below `target` in the suite.
    fn on_machine(&self, path: &Path) -> PathBuf {
        let target = workspace::target("");
        self.chroot.target.join(path.strip_prefix(target).unwrap_or(path))
    }
}

/// The folder that the package puts Qt's own plugin into.
fn aside(own: &Path) -> Result<PathBuf> {
    let libraries = own.ancestors().nth(4).context("the plugin is in a folder of Qt's")?;
    Ok(libraries.join(PLUGIN))
}
