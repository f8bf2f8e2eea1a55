// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the documents say of files and versions is true.

#[path = "support/texts.rs"]
mod texts;

use qdtls_rs::log::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use texts::{arguments, literals, quoted, sources, table, with_ellipses};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Those for readers, at the root and in docs.
fn documents() -> Vec<PathBuf> {
    let files = [ROOT.into(), Path::new(ROOT).join("docs")].into_iter().flat_map(|folder| {
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path())
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

#[test]
fn e10_links_lead_to_files() {
    let documents = documents();
    assert!(documents.len() > 5, "{documents:?}");
    for document in documents {
        let folder = document.parent().expect("a folder");
        for link in fs::read_to_string(&document).expect("a text").split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.contains("://");
            assert!(!is_file || folder.join(target).exists(), "{}: {target}", document.display());
        }
    }
}

#[test]
fn e10_versions_are_those_of_the_sources() {
    let version = env!("CARGO_PKG_VERSION");
    let header = text("include/qdtls_rs.h");
    let abi =
        header.lines().find_map(|line| line.strip_prefix("#define QDTLS_ABI_VERSION ")).expect("a number");
    assert!(text("README.md").contains(&format!("Version {version}, ABI {abi}.")));
    let changes = text("CHANGELOG.md");
    let newest = changes.split("\n## ").nth(1).expect("a version");
    assert!(
        newest.starts_with(&format!("{version} - ")) && newest.contains(&format!("ABI {abi}.")),
        "{newest}"
    );

    let versions = text("cmake/versions.cmake");
    let lists = [("KNOWN", &["README.md", "docs/platforms.md"][..]), ("LIKELY", &["docs/platforms.md"])];
    for (list, documents) in lists {
        let (_, rest) = versions.split_once(&format!("set(QDTLS_RS_{list}_QT ")).expect("versions");
        let listed = rest.split(')').next().expect("the end of the list");
        for document in documents {
            let text = text(document);
            let missing: Vec<_> =
                listed.split_whitespace().filter(|version| !text.contains(*version)).collect();
            assert!(missing.is_empty(), "{document} does not name Qt {missing:?}");
        }
    }

    let rust = env!("CARGO_PKG_RUST_VERSION");
    for document in ["README.md", "docs/packaging.md"] {
        assert!(text(document).contains(&format!("Rust {rust}")), "{document} does not name Rust {rust}");
    }
    assert!(text("packaging/debian/control").contains(&format!("rustc:native (>= {rust})")));
    assert!(text("packaging/vcpkg/qdtls-rs/vcpkg.json").contains(&format!("\"version\": \"{version}\",")));
    let spec = text("packaging/rpm/qdtls-rs.spec");
    let has_line = |name: &str, value: &str| {
        spec.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.trim() == value))
    };
    assert!(has_line("Version:", version) && has_line("BuildRequires:", &format!("rust >= {rust}")));
}

/// Operations and reasons, by the name of their event.
type Reported = BTreeMap<String, [BTreeSet<String>; 2]>;

/// What the sources report with texts of their own: `report(Kind::..., peer, "operation", format_args!("reason"))`.
fn reported() -> Reported {
    let mut all = Reported::new();
    for source in sources(&Path::new(ROOT).join("src"), "rs") {
        let reports = arguments(&source, "report(").filter(|call| call.trim_start().starts_with("Kind::"));
        for call in reports {
            let kind = call.trim_start().trim_start_matches("Kind::").split(',').next().unwrap_or_default();
            let (before, reason) = call.split_once("format_args!").expect("a reason, where it is reported");
            let [operations, reasons] = all.entry(kind.to_owned()).or_default();
            operations.extend(literals(before).into_iter().map(with_ellipses));
            reasons.extend(literals(reason).into_iter().map(with_ellipses).filter(|text| text != "…"));
        }
        let refusals =
            arguments(&source, " refuse(").filter_map(|call| literals(call).pop().map(String::from));
        let [_, reasons] = all.entry("CallbackRefused".into()).or_default();
        reasons.extend(refusals);
    }
    all
}

/// `ThisName` as `THIS_NAME`.
fn screaming(name: &str) -> String {
    let with_gaps: String =
        name.chars().map(|c| if c.is_uppercase() { format!("_{c}") } else { c.to_string() }).collect();
    with_gaps.trim_start_matches('_').to_uppercase()
}

#[test]
fn every_event_is_in_the_table() {
    let rows = table(&text("docs/settings.md"), "| event | level | operation | reason | when |");
    let reported = reported();
    let documented: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(documented, Kind::ALL.map(|kind| screaming(&format!("{kind:?}"))));
    let header = text("include/qdtls_rs.h");
    for (row, kind) in rows.iter().zip(Kind::ALL) {
        let name = format!("{kind:?}");
        assert!(header.contains(&format!("QDTLS_EVENT_KIND_{} = {},", screaming(&name), kind as i32)));
        assert_eq!(row[1], format!("{:?}", kind.level()).to_lowercase(), "{name}");
        let [operations, reasons] = reported.get(&name).cloned().unwrap_or_default();
        assert_eq!(quoted(&row[3]), reasons, "the reasons of {name}");
        if !operations.is_empty() {
            assert_eq!(quoted(&row[2]), operations, "the operations of {name}");
        }
    }
    let unknown: Vec<_> = reported.keys().filter(|name| !documented.contains(&screaming(name))).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    // The search finds them.
    assert!(reported.len() >= 10 && reported["CallbackRefused"][1].len() > 5, "{reported:?}");
}

/// The text of a line of Qt's log: printf's format, or what a stream is given.
fn line_of(statement: &str) -> String {
    let parts: Vec<_> = statement.split("<<").skip(1).collect();
    if parts.is_empty() {
        return with_ellipses(&literals(statement).concat());
    }
    let words = parts.iter().map(|part| literals(part).pop().unwrap_or("…"));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_line_of_the_plugin_is_in_the_table() {
    let rows = table(&text("docs/settings.md"), "| level | text | when |");
    let documented: BTreeSet<_> =
        rows.iter().map(|row| (row[0].clone(), row[1].trim_matches('`').to_owned())).collect();
    let mut written = BTreeSet::new();
    for source in sources(&Path::new(ROOT).join("src/qt"), "cpp") {
        for (call, level) in [("Warning(", "warning"), ("Debug(", "debug"), ("Info(", "info")] {
            for prefix in ["qC", "q"] {
                let start = format!(" {prefix}{call}");
                let statements = source.split(&start).skip(1);
                let lines = statements.map(|rest| line_of(rest.split(';').next().unwrap_or_default()));
                // An event is passed on as it is.
                written.extend(lines.filter(|line| line != "…").map(|line| (level.to_owned(), line)));
            }
        }
    }
    assert_eq!(documented, written);
}

/// The number that an expression of the sources is.
fn product(expression: &str) -> u64 {
    let factor = |text: &str| text.trim().replace('_', "").parse::<u64>().expect("a number");
    expression.split('*').map(factor).product()
}

#[test]
fn every_environment_variable_is_in_the_table() {
    let rows = table(&text("docs/settings.md"), "| variable | default | bounds | meaning |");
    let documented: BTreeSet<_> = rows.iter().map(|row| row[..3].to_vec()).collect();
    let source = text("src/settings.rs");
    let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut read: BTreeSet<_> = arguments(shipped, "Setting::new(")
        .map(|call| {
            let (name, numbers) = call.split_once(',').expect("numbers");
            let numbers: Vec<_> =
                numbers.trim_end_matches([',', '\n', ' ']).split(',').map(product).collect();
            let [default, least, most] = numbers[..] else { panic!("{call}") };
            let bounds = if most == 1 { format!("{least}, {most}") } else { format!("{least} to {most}") };
            vec![format!("`{}`", name.trim_matches('"')), default.to_string(), bounds]
        })
        .collect();
    let names = arguments(shipped, "var_os(").map(|name| format!("`{}`", name.trim_matches('"')));
    read.extend(names.map(|name| vec![name, "none".into(), "a file".into()]));
    assert_eq!(documented, read);

    // Nothing else reads the environment.
    let all = [("rs", ""), ("cpp", "qt"), ("h", "qt")]
        .map(|(extension, folder)| sources(&Path::new(ROOT).join("src").join(folder), extension));
    let ways = ["env::var", "getenv", "qEnvironmentVariable"];
    let readers: Vec<_> =
        all.iter().flatten().filter(|text| ways.iter().any(|way| text.contains(way))).collect();
    assert_eq!(readers.len(), 1, "{readers:?}");
    assert_eq!(source.matches("env::var").count(), 2);
}
