// SPDX-License-Identifier: MIT OR Apache-2.0
//! The archives that the machine's packages come from.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A list of archives, in one of apt's two formats.
pub struct List {
    pub name: String,
    text: String,
    format: Format,
}

enum Format {
    /// `deb [options] uri suite component...`
    Lines,
    /// deb822: stanzas with fields such as `Types: deb` and `URIs: uri...`
    Stanzas,
}

/// The machine's own lists.
pub fn lists_of_machine() -> Result<Vec<List>> {
    let folder = Path::new("/etc/apt");
    let parts = fs::read_dir(folder.join("sources.list.d")).into_iter().flatten().flatten();
    let mut files: Vec<_> = parts.map(|part| part.path()).collect();
    files.sort();
    files.insert(0, folder.join("sources.list"));
    let lists: Vec<_> = files.iter().filter_map(List::read).collect();
    (!lists.is_empty()).then_some(lists).with_context(|| format!("no package lists in {}", folder.display()))
}

impl List {
    /// A file that is no list, or cannot be read, is left out.
    fn read(file: &PathBuf) -> Option<Self> {
        let format = match file.extension()?.to_str()? {
            "list" => Format::Lines,
            "sources" => Format::Stanzas,
            _ => return None,
        };
        Some(Self { name: file.file_name()?.to_str()?.into(), text: fs::read_to_string(file).ok()?, format })
    }

    /// The list of the archives' sources: same archives, same keys.
    pub fn of_sources(&self) -> String {
        match self.format {
            Format::Lines => {
                let packages = self.text.lines().filter_map(|line| line.trim_start().strip_prefix("deb"));
                let packages = packages.filter(|rest| rest.starts_with([' ', '\t']));
                packages.map(|rest| format!("deb-src{rest}\n")).collect()
            }
            Format::Stanzas => {
                let is_types = |line: &str| line.to_ascii_lowercase().starts_with("types:");
                let line = |line| format!("{}\n", if is_types(line) { "Types: deb-src" } else { line });
                self.text.lines().map(line).collect()
            }
        }
    }

    fn uris(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| match self.format {
            Format::Lines => {
                let rest = line.trim_start().strip_prefix("deb ")?.trim_start();
                let rest = rest.strip_prefix('[').map_or(Some(rest), |rest| Some(rest.split_once(']')?.1))?;
                rest.split_whitespace().next()
            }
            Format::Stanzas => line.strip_prefix("URIs:")?.split_whitespace().next(),
        })
    }
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
        let lists = lists_of_machine()?;
        let uris: Vec<_> = lists.iter().flat_map(List::uris).collect();
        Self::among(&uris).context("no archive of Debian's in the machine's package lists")
    }

    /// Others than Debian publish packages, too.
    fn among(uris: &[&str]) -> Option<Self> {
        let ending = |name| uris.iter().find(|uri| uri.trim_end_matches('/').ends_with(name));
        let first = |name| ending(name).map(|uri| (*uri).to_owned());
        Some(Self { main: first("/debian")?, security: first("/debian-security") })
    }

    /// The contents of `sources.list`. Suites in preparation get their fixes in the main archive.
    pub fn list(&self, suite: &str) -> String {
        let is_release = !["forky", "testing", "sid", "unstable"].contains(&suite);
        let mut list = format!("deb {} {suite} main\n", self.main);
        if let Some(uri) = self.security.as_ref().filter(|_| is_release) {
            list += &format!("deb {uri} {suite}-security main\n");
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "\
# deb http://c/debian s main
deb [arch=amd64 signed-by=/k] http://h/debian bookworm main
deb http://h/debian/ s main
deb-src http://s/debian s main
";
    const STANZA: &str = "Types: deb\nURIs: http://h/debian\nSuites: s\nComponents: main\nSigned-By: /k\n";

    fn list(text: &str, format: Format) -> List {
        List { name: "name".into(), text: text.into(), format }
    }

    #[test]
    fn lists_of_packages_become_lists_of_sources() {
        let lines = "deb-src [arch=amd64 signed-by=/k] http://h/debian bookworm main\ndeb-src http://h/debian/ s main\n";
        assert_eq!(list(LINES, Format::Lines).of_sources(), lines);
        let stanza = STANZA.replace("Types: deb", "Types: deb-src");
        assert_eq!(list(STANZA, Format::Stanzas).of_sources(), stanza);
    }

    #[test]
    fn archives_are_found_in_both_formats() {
        let lines = list(LINES, Format::Lines);
        assert_eq!(lines.uris().collect::<Vec<_>>(), ["http://h/debian", "http://h/debian/"]);
        assert_eq!(list(STANZA, Format::Stanzas).uris().collect::<Vec<_>>(), ["http://h/debian"]);
    }

    #[test]
    fn fixes_of_a_release_come_from_an_archive_of_their_own() {
        let uris = ["http://x/other", "http://h/debian-security", "http://h/debian"];
        let archives = Archives::among(&uris).unwrap();
        let release = "deb http://h/debian trixie main\ndeb http://h/debian-security trixie-security main\n";
        assert_eq!(archives.list("trixie"), release);
        assert_eq!(archives.list("forky"), "deb http://h/debian forky main\n");
        assert_eq!(Archives::among(&uris[..2]), None);
    }
}
