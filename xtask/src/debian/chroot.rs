// SPDX-License-Identifier: MIT OR Apache-2.0
//! Suites of Debian, each in a folder below `target/chroots`, to build and test in.
//!
//! The packages come from the archives that the machine itself uses, and apt checks their signatures. A command sees
//! the repository under its usual path, read-only, with the suite's own `target` in place of the machine's. All that is
//! mounted for it is mounted in its own namespace, and goes with the last of its processes.

use crate::debian::architecture::Architecture;
use crate::system::apt::{Archives, EXPERIMENTAL, base_of};
use crate::system::{Cmd, Environment, Run, cmd, is_root, packages, shell, workspace};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// A suite that is installed as far as apt.
pub struct Chroot {
    /// Its root folder, and what is `target` in the repository there, as the machine sees them.
    pub root: PathBuf,
    pub target: PathBuf,
    /// A Rust toolchain of the machine's that commands see there.
    rust: Option<PathBuf>,
    /// What commands build for and run, if that is not the machine's.
    architecture: Option<&'static Architecture>,
}

/// Variables that say how the network is reached.
const NETWORK: [&str; 3] = ["http_proxy", "https_proxy", "no_proxy"];

/// The certificates that the machine trusts, and their copy for cargo in the suite's target.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
const TRUSTED: &str = "trusted.crt";

/// Where debootstrap keeps what it knows of each suite.
const SCRIPTS: &str = "/usr/share/debootstrap/scripts";

/// apt in a suite: the copy of an archive may be older than its index promises, but is signed all the same. Another run
/// may be installing in the same suite.
const APT_SETTINGS: &str = "\
Acquire::Check-Valid-Until \"false\";
Acquire::Languages \"none\";
Acquire::Retries \"3\";
APT::Install-Recommends \"false\";
DPkg::Lock::Timeout \"600\";
";

/// Of all that is in experimental, OpenSSL is taken.
const OPENSSL_OF_EXPERIMENTAL: &str = "\
Package: src:openssl
Pin: release a=experimental
Pin-Priority: 900
";

/// The command that follows gets its own mounts and processes; none of them outlives it.
const IN_NAMESPACES: [&str; 5] = ["--mount", "--pid", "--fork", "--kill-child", "--"];

/// In addition a list of emulators of its own.
const EMULATED: [&str; 2] = ["--user", "--map-root-user"];

pub fn check_root() -> Result<()> {
    ensure!(is_root()?, "only root can make and enter suites of Debian: run this verb as root");
    Ok(())
}

impl Chroot {
    /// The suite, made on first use, with these packages in its newest versions.
    pub fn with(packages: &[&str], suite: &str, environment: &Environment) -> Result<Self> {
        Self::with_foreign(packages, suite, None, environment)
    }

    /// As [`Chroot::with`], where commands build for another architecture and can run its programs.
    pub fn for_architecture(
        packages: &[&str],
        suite: &str,
        architecture: Option<&'static Architecture>,
        environment: &Environment,
    ) -> Result<Self> {
        let Some(other) = architecture else { return Self::with(packages, suite, environment) };
        let packages = other.packages(packages);
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let chroot = Self::with_foreign(&packages, suite, Some(other.debian), environment)?;
        Ok(Self { architecture, ..chroot })
    }

    /// As [`Chroot::with`]; one that can also install packages of a foreign architecture is another.
    pub fn with_foreign(
        packages: &[&str],
        suite: &str,
        foreign: Option<&str>,
        environment: &Environment,
    ) -> Result<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let name = [suite].into_iter().chain(foreign).collect::<Vec<_>>().join("-");
        ensure!(!suite.is_empty() && name.bytes().all(is_name), "'{name}' is no name of a suite");
        check_root()?;
        packages::ensure(packages::CHROOT, environment)?;
        let folder = workspace::target("chroots").join(&name);
        let [root, target] = ["root", "target"].map(|name| folder.join(name));
        let chroot = Self { root, target, rust: None, architecture: None };
        fs::create_dir_all(&chroot.target)?;
        let archives = Archives::of_machine()?;
        let archives = if foreign.is_some() { archives.main_only() } else { archives };
        if !chroot.root.exists() {
            eprintln!("installing Debian's {suite} as target/chroots/{name}");
            chroot.make(base_of(suite), &archives.main)?;
        }
        fs::write(chroot.root.join("etc/apt/apt.conf.d/90qdtls-rs"), APT_SETTINGS)?;
        fs::write(chroot.root.join("etc/apt/sources.list"), archives.list(suite))?;
        if suite == EXPERIMENTAL {
            fs::write(chroot.root.join("etc/apt/preferences.d/90qdtls-rs"), OPENSSL_OF_EXPERIMENTAL)?;
        }
        if Path::new(CERTIFICATES).exists() {
            fs::copy(CERTIFICATES, chroot.target.join(TRUSTED))?;
        }
        if let Some(architecture) = foreign {
            chroot.command("dpkg").args(["--add-architecture", architecture]).quietly()?;
        }
        chroot.command("apt-get").arg("update").quietly()?;
        chroot.command("apt-get").args(["install", "--yes"]).args(packages).quietly()?;
        Ok(chroot)
    }

    /// Made under another name, so that what is under the final name is complete.
    fn make(&self, suite: &str, archive: &str) -> Result<()> {
        let partial = self.root.with_extension("partial");
        workspace::remove(&partial)?;
        // A debootstrap that is older than the suite does not know it; sid's script does the same.
        let is_known = Path::new(SCRIPTS).join(suite).exists();
        let script = (!is_known).then(|| Path::new(SCRIPTS).join("sid"));
        let debootstrap = ["debootstrap", "--variant=minbase", suite];
        cmd!(shell(), "unshare {IN_NAMESPACES...} {debootstrap...} {partial} {archive} {script...}")
            .quietly()?;
        Ok(fs::rename(&partial, &self.root)?)
    }

    /// Shows the machine's Rust toolchain there, for a suite whose own is too old. It has to be one of rustup's: they
    /// are each in a folder, and run on older systems than the machine.
    pub fn with_rust_of_machine(self) -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let folder = PathBuf::from(cmd!(shell(), "{rustc} --print sysroot").capture()?);
        let is_rustup = folder.join("bin/cargo").exists() && folder != Path::new("/usr");
        ensure!(is_rustup, "the machine's rustc is not rustup's");
        Ok(self.with_rust(folder))
    }

    /// Shows another toolchain of rustup's there.
    pub fn with_rust(mut self, folder: PathBuf) -> Self {
        self.rust = Some(folder);
        self
    }

    /// A command that runs there as root, in the root of the repository.
    pub fn command(&self, program: &str) -> Cmd<'static> {
        let rust = self.rust.as_deref().unwrap_or(Path::new(""));
        let emulator = self.architecture.and_then(|other| other.emulator);
        let emulated = emulator.iter().flat_map(|_| EMULATED);
        let enter =
            cmd!(shell(), "unshare {emulated...} {IN_NAMESPACES...} sh xtask/src/debian/chroot-enter.sh");
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let path = self.rust.iter().map(|rust| format!("{}/bin:", rust.display())).collect::<String>() + path;
        let network = NETWORK.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
        let trusted = self.target.join(TRUSTED).exists().then(|| workspace::target(TRUSTED));
        enter
            .args([&*self.root, &*self.target, rust])
            .args([emulator.unwrap_or_default(), program])
            .env_clear()
            .envs(network)
            .envs([("HOME", "/root"), ("LC_ALL", "C.UTF-8"), ("DEBIAN_FRONTEND", "noninteractive")])
            .env("PATH", path)
            .env("CARGO_HOME", workspace::target("cargo"))
            .envs(trusted.map(|certificates| ("CARGO_HTTP_CAINFO", certificates)))
            .envs(self.architecture.map(Architecture::environment).unwrap_or_default())
    }
}
