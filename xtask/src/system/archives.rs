// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian archives that the machine uses.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

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
    pub fn lists(&self, suite: &str) -> String {
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
