// SPDX-License-Identifier: MIT OR Apache-2.0
//! Suites of Debian, each in a folder below `target/chroots`, to build and test in.
//!
//! The packages come from the archives that the machine itself uses, and apt checks their signatures. A command sees
//! the repository under its usual path, read-only, with a `target` of the suite's own in place of the machine's. All
//! that is mounted for it is mounted in a namespace of its own, and goes with the last of its processes.

use crate::system::archives::Archives;
use crate::system::process::{capture, command};
use crate::system::workspace;
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A suite that is installed as far as apt.
pub struct Chroot {
    folder: PathBuf,
    /// A Rust toolchain of the machine's that is to be seen there.
    rust: Option<PathBuf>,
}

/// Variables that say how the network is reached.
const NETWORK: [&str; 3] = ["http_proxy", "https_proxy", "no_proxy"];

/// Whom the machine trusts. cargo trusts them there, too, under the second name in the suite's target.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
const TRUSTED: &str = "trusted.crt";

/// Where debootstrap has what it knows of each suite.
const SCRIPTS: &str = "/usr/share/debootstrap/scripts";

/// apt in a suite: an index may be older than it promises, which is how an archive that is a copy often is; what it
/// says is signed all the same. Somebody else may be installing in the same suite.
const APT_SETTINGS: &str = "\
Acquire::Check-Valid-Until \"false\";
Acquire::Languages \"none\";
Acquire::Retries \"3\";
APT::Install-Recommends \"false\";
DPkg::Lock::Timeout \"600\";
";

impl Chroot {
    /// The suite, made on first use.
    pub fn of(suite: &str) -> Result<Self> {
        let valid =
            !suite.is_empty() && suite.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        ensure!(valid, "'{suite}' is no name of a suite");
        ensure!(capture(command("id").arg("--user"))?.trim() == "0", "only root can make and enter chroots");
        let chroot = Self { folder: workspace::target("chroots").join(suite), rust: None };
        fs::create_dir_all(chroot.target())?;
        let archives = Archives::of_machine()?;
        if !chroot.root().exists() {
            eprintln!("installing Debian's {suite} below target/chroots");
            chroot.make(suite, &archives)?;
        }
        fs::write(chroot.root().join("etc/apt/apt.conf.d/90qdtls-rs"), APT_SETTINGS)?;
        fs::write(chroot.root().join("etc/apt/sources.list"), archives.lists(suite))?;
        if Path::new(CERTIFICATES).exists() {
            fs::copy(CERTIFICATES, chroot.target().join(TRUSTED))?;
        }
        Ok(chroot)
    }

    /// Its root folder, as the machine sees it.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// What is `target` in the repository there, as the machine sees it.
    pub fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Made under another name, so that what is under the final name is complete.
    fn make(&self, suite: &str, archives: &Archives) -> Result<()> {
        let partial = self.folder.join("root.partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        let mut debootstrap = in_namespaces();
        debootstrap.args(["debootstrap", "--variant=minbase", suite]).arg(&partial).arg(&archives.main);
        // One that is older than the suite does not know its name; what it does is the same as for sid.
        if !Path::new(SCRIPTS).join(suite).exists() {
            debootstrap.arg(Path::new(SCRIPTS).join("sid"));
        }
        capture(&mut debootstrap)?;
        fs::rename(&partial, self.root())?;
        Ok(())
    }

    /// Sees to it that the packages are there, in the suite's newest versions.
    pub fn install(&self, packages: &[&str]) -> Result<()> {
        capture(self.command("apt-get").args(["update"]))?;
        capture(self.command("apt-get").args(["install", "--yes"]).args(packages))?;
        Ok(())
    }

    /// Shows the machine's Rust toolchain there, for a suite whose own is too old. It has to be one of rustup's: they
    /// are each in a folder, and run on older systems than the machine.
    pub fn with_rust_of_machine(mut self) -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let folder = PathBuf::from(capture(command(rustc).args(["--print", "sysroot"]))?.trim());
        ensure!(
            folder.join("bin/cargo").exists() && folder != Path::new("/usr"),
            "the machine's rustc is not rustup's"
        );
        self.rust = Some(folder);
        Ok(self)
    }

    /// A command that is run there as root, in the root of the repository.
    pub fn command(&self, program: &str) -> Command {
        let mut command = in_namespaces();
        let rust = self.rust.as_deref().unwrap_or(Path::new(""));
        command
            .args(["sh", "xtask/src/debian/chroot-enter.sh"])
            .args([&*self.root(), &*self.target(), rust])
            .arg(program);
        let mut path = String::from("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        if let Some(rust) = &self.rust {
            path = format!("{}/bin:{path}", rust.display());
        }
        command.env_clear().envs(NETWORK.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
        command.envs([("HOME", "/root"), ("LC_ALL", "C.UTF-8"), ("DEBIAN_FRONTEND", "noninteractive")]);
        command.env("PATH", path).env("CARGO_HOME", workspace::target("cargo"));
        if self.target().join(TRUSTED).exists() {
            command.env("CARGO_HTTP_CAINFO", workspace::target(TRUSTED));
        }
        command
    }
}

/// What follows on the command line sees mounts and processes of its own; none of either outlives it.
fn in_namespaces() -> Command {
    let mut unshare = command("unshare");
    unshare.args(["--mount", "--pid", "--fork", "--kill-child", "--"]);
    unshare
}
