// SPDX-License-Identifier: MIT OR Apache-2.0
//! The archives that the machine's packages come from.

use crate::system::process::{Run, cmd, shell};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The machine's lists of archives, turned into lists of their sources: same archives, same keys.
pub fn lists_of_sources() -> Result<Vec<(String, String)>> {
    let folder = Path::new("/etc/apt");
    let parts = fs::read_dir(folder.join("sources.list.d")).into_iter().flatten().flatten();
    let files = parts.map(|part| part.path()).chain([folder.join("sources.list")]);
    let list = |file: std::path::PathBuf| {
        let is_list = matches!(file.extension()?.to_str()?, "list" | "sources");
        let name = file.file_name()?.to_str()?.to_owned();
        is_list.then_some((name, of_sources(&fs::read_to_string(file).ok()?)))
    };
    let lists: Vec<_> = files.filter_map(list).collect();
    (!lists.is_empty()).then_some(lists).context("no package lists in /etc/apt")
}

/// Both of apt's formats: lines `deb [options] uri suite component...`, and stanzas with a field `Types: deb`.
fn of_sources(list: &str) -> String {
    let line = |line: &str| match line.split_whitespace().next() {
        Some("deb") => line.replacen("deb", "deb-src", 1) + "\n",
        Some("deb-src") => String::new(),
        Some(word) if word.eq_ignore_ascii_case("types:") => "Types: deb-src\n".into(),
        _ => format!("{line}\n"),
    };
    list.lines().map(line).collect()
}

/// Has only the packages that are too new for sid.
pub const EXPERIMENTAL: &str = "experimental";

/// The complete suite that a suite is based on, mostly itself.
pub fn base_of(suite: &str) -> &str {
    if suite == EXPERIMENTAL { "sid" } else { suite }
}

/// Debian's archives.
#[derive(Debug, PartialEq)]
pub struct Archives {
    pub main: String,
    security: Option<String>,
}

impl Archives {
    /// Those the machine itself uses, whatever its suite.
    pub fn of_machine() -> Result<Self> {
        let uris = cmd!(shell(), "apt-get indextargets --format $(REPO_URI)").capture()?;
        Self::among(&uris).context("no archive of Debian's in the machine's package lists")
    }

    /// Other archives than Debian's are left out.
    fn among(uris: &str) -> Option<Self> {
        let ending = |name| uris.lines().find(|uri| uri.trim_end_matches('/').ends_with(name));
        Some(Self { main: ending("/debian")?.into(), security: ending("/debian-security").map(String::from) })
    }

    /// Without the one of security fixes. A copy of that is not always in step for all architectures, and packages of
    /// two need the same versions.
    pub fn main_only(self) -> Self {
        Self { security: None, ..self }
    }

    /// The contents of `sources.list`. Suites in preparation get their fixes in the main archive, and one that is not
    /// complete has what it lacks from another.
    pub fn list(&self, suite: &str) -> String {
        let is_release = !["forky", "testing", "sid", "unstable", EXPERIMENTAL].contains(&suite);
        let mut list = format!("deb {} {suite} main\n", self.main);
        if base_of(suite) != suite {
            list += &format!("deb {} {} main\n", self.main, base_of(suite));
        }
        if let Some(uri) = self.security.as_ref().filter(|_| is_release) {
            list += &format!("deb {uri} {suite}-security main\n");
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_packages_become_lists_of_sources() {
        let lines =
            "# deb x\ndeb [arch=amd64 signed-by=/k] http://h/debian s main\ndeb-src http://h/debian s main\n";
        assert_eq!(of_sources(lines), "# deb x\ndeb-src [arch=amd64 signed-by=/k] http://h/debian s main\n");
        let stanza = "Types: deb\nURIs: http://h/debian\nSuites: s\nComponents: main\nSigned-By: /k\n";
        assert_eq!(of_sources(stanza), stanza.replace("Types: deb", "Types: deb-src"));
    }

    #[test]
    fn fixes_of_a_release_come_from_an_archive_of_their_own() {
        let archives =
            Archives::among("http://x/other\nhttp://h/debian-security/\nhttp://h/debian\n").unwrap();
        let release = "deb http://h/debian trixie main\ndeb http://h/debian-security/ trixie-security main\n";
        assert_eq!(archives.list("trixie"), release);
        assert_eq!(archives.list("forky"), "deb http://h/debian forky main\n");
        let two = "deb http://h/debian experimental main\ndeb http://h/debian sid main\n";
        assert_eq!(archives.list(EXPERIMENTAL), two);
        assert_eq!(archives.main_only().list("trixie"), "deb http://h/debian trixie main\n");
        assert_eq!(Archives::among("http://x/other\nhttp://h/debian-security\n"), None);
    }
}
