// SPDX-License-Identifier: MIT OR Apache-2.0
//! Suites of Debian, each in a folder below `target/chroots`, to build and test in.
//!
//! The packages come from the archives that the machine itself uses, and apt checks their signatures. A command sees
//! the repository under its usual path, read-only, with a `target` of the suite's own in place of the machine's. All
//! that is mounted for it is mounted in a namespace of its own, and goes with the last of its processes.

use crate::process::{capture, command};
use crate::workspace;
use anyhow::{Context, Result, ensure};
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
            .args(["sh", "xtask/src/chroot-enter.sh"])
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

/// Where packages come from.
#[derive(Debug, PartialEq)]
pub struct Archives {
    pub main: String,
    security: Option<String>,
}

impl Archives {
    /// Those the machine itself uses, whatever its suite.
    pub fn of_machine() -> Result<Self> {
        let folder = Path::new("/etc/apt");
        let parts = fs::read_dir(folder.join("sources.list.d")).into_iter().flatten().flatten();
        let mut files: Vec<_> = parts.map(|part| part.path()).collect();
        files.sort();
        files.insert(0, folder.join("sources.list"));
        let mut uris = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file).unwrap_or_default();
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("list") => uris.extend(text.lines().filter_map(uri_of_line).map(String::from)),
                Some("sources") => uris.extend(text.lines().filter_map(uri_of_field).map(String::from)),
                _ => {}
            }
        }
        Self::among(&uris).context("no archive of Debian's in the machine's package lists")
    }

    /// Others than Debian publish packages, too.
    fn among(uris: &[String]) -> Option<Self> {
        let first = |name| uris.iter().find(|uri| uri.trim_end_matches('/').ends_with(name)).cloned();
        Some(Self { main: first("/debian")?, security: first("/debian-security") })
    }

    /// The contents of `sources.list`. Suites in the making get their fixes in the main archive.
    fn lists(&self, suite: &str) -> String {
        let is_release = !["forky", "testing", "sid", "unstable"].contains(&suite);
        let mut lists = format!("deb {} {suite} main\n", self.main);
        if let Some(uri) = self.security.as_ref().filter(|_| is_release) {
            lists += &format!("deb {uri} {suite}-security main\n");
        }
        lists
    }
}

/// The one-line format: `deb [options] uri suite component...`.
fn uri_of_line(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("deb ")?.trim_start();
    let rest = rest.strip_prefix('[').map_or(Some(rest), |rest| Some(rest.split_once(']')?.1))?;
    rest.split_whitespace().next()
}

/// The deb822 format: stanzas with a field `URIs: uri...`.
fn uri_of_field(line: &str) -> Option<&str> {
    line.strip_prefix("URIs:")?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_in_both_formats() {
        assert_eq!(
            uri_of_line("deb [arch=amd64 signed-by=/k] http://h/debian bookworm main"),
            Some("http://h/debian")
        );
        assert_eq!(uri_of_line("deb http://h/debian/ s main"), Some("http://h/debian/"));
        assert_eq!(uri_of_line("deb-src http://h/debian s main"), None);
        assert_eq!(uri_of_line("# deb http://h/debian s main"), None);
        assert_eq!(uri_of_field("URIs: http://h/debian"), Some("http://h/debian"));
        assert_eq!(uri_of_field("Suites: s"), None);
    }

    #[test]
    fn fixes_of_a_release_come_from_an_archive_of_their_own() {
        let uris = ["http://x/other", "http://h/debian-security", "http://h/debian"].map(String::from);
        let archives = Archives::among(&uris).unwrap();
        let release = "deb http://h/debian trixie main\ndeb http://h/debian-security trixie-security main\n";
        assert_eq!(archives.lists("trixie"), release);
        assert_eq!(archives.lists("forky"), "deb http://h/debian forky main\n");
        assert_eq!(Archives::among(&uris[..2]), None);
    }
}
