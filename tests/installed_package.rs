// SPDX-License-Identifier: MIT OR Apache-2.0
//! The package that `cmake --install` puts in place serves programs outside of the project, also after it is moved.

#[path = "support/compiler.rs"]
mod compiler;
#[path = "support/declared.rs"]
mod declared;
#[path = "support/library.rs"]
mod library;
#[path = "support/process.rs"]
mod process;
#[path = "support/symbols.rs"]
mod symbols;

use process::run;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

/// Those of the shared library.
const SONAME: &str = "libqdtls_rs.so.0";
const VERSION_NODE: &str = "QDTLS_RS_0";

/// Two prefixes with the same files: one as installed, one moved afterwards.
struct Prefixes {
    installed: PathBuf,
    moved: PathBuf,
}

fn prefixes() -> &'static Prefixes {
    static PREFIXES: OnceLock<Prefixes> = OnceLock::new();
    PREFIXES.get_or_init(|| {
        let folder = Path::new(TMPDIR).join("installed-package");
        let build = folder.join("build");
        let mut configure = Command::new("cmake");
        configure.args(["-S", &format!("{ROOT}/cmake"), "-DCMAKE_INSTALL_LIBDIR=lib"]).arg("-B").arg(&build);
        run(configure.arg(format!("-DQDTLS_RS_CARGO={}", env!("CARGO"))));
        run(Command::new("cmake").arg("--build").arg(&build));

        let [installed, moved, before] =
            ["prefix", "moved", "before"].map(|name| fresh(folder.join(name).join("usr")));
        for prefix in [&installed, &before] {
            run(Command::new("cmake").arg("--install").arg(&build).arg("--prefix").arg(prefix));
        }
        fs::rename(before, &moved).expect("a prefix that can be moved");
        Prefixes { installed, moved }
    })
}

/// The path of an empty folder.
fn fresh(folder: PathBuf) -> PathBuf {
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder that can be emptied");
    }
    fs::create_dir_all(&folder).expect("a folder that can be made");
    folder
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeSet<String> {
    let output = run(Command::new("find").arg(folder).args(["-type", "f", "-printf", "%P\\n"]));
    String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect()
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The two libraries, by the names that their users say.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Static,
    Shared,
}

impl Kind {
    fn target(self) -> &'static str {
        if self == Self::Shared { "Shared" } else { "QDtlsRs" }
    }

    fn module(self) -> &'static str {
        if self == Self::Shared { "qdtls_rs-shared" } else { "qdtls_rs" }
    }
}

/// Programs in C and C++ that have shaken hands say the version of the library, and need the shared one if they were
/// linked to it. CMake tells them where it is; others hear it from `library_path`.
fn assert_work(folder: &Path, kind: Kind, library_path: &str) {
    for (name, language) in [("c_program", "C"), ("cpp_program", "C++")] {
        let program = folder.join(name);
        let output = run(Command::new(&program).env("LD_LIBRARY_PATH", library_path));
        let expected = format!("{language}: qdtls-rs {} (ABI 4)\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        let needed = dynamic_entries(&program, "NEEDED");
        assert_eq!(needed.contains(SONAME), kind == Kind::Shared, "{program:?} needs {needed:?}");
    }
}

/// The names that `readelf --dynamic` shows in brackets at the entries of a kind.
fn dynamic_entries(file: &Path, kind: &str) -> BTreeSet<String> {
    let output = run(Command::new("readelf").env("LC_ALL", "C").args(["--dynamic", "--wide"]).arg(file));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let entries = text.lines().filter(|line| line.contains(&format!("({kind})")));
    entries.filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned())).collect()
}

/// The symbols that a shared library exports, each with its version. The version itself is a symbol, and absolute.
fn exported_symbols(library: &Path) -> BTreeSet<String> {
    let options = ["--dynamic", "--format=posix", "--defined-only", "--with-symbol-versions"];
    let output = run(Command::new("nm").args(options).arg(library));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbols = text.lines().filter_map(|line| line.split_once(' '));
    symbols.filter(|(_, rest)| !rest.starts_with("A ")).map(|(name, _)| name.to_owned()).collect()
}

fn cmake_consumer_works(prefix: &Path, kind: Kind, name: &str) {
    let build = fresh(Path::new(TMPDIR).join("consumers").join(name));
    let mut configure = Command::new("cmake");
    configure.args(["-S", &format!("{ROOT}/tests/consumers/cmake"), "-B"]).arg(&build);
    configure.arg(format!("-DLIBRARY={}", kind.target()));
    run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    let found = text(&build.join("CMakeCache.txt"));
    assert!(found.contains(&format!("QDtlsRs_DIR:PATH={}", prefix.display())), "{found}");
    run(Command::new("cmake").arg("--build").arg(&build));
    assert_work(&build, kind, "");
}

fn pkg_config_consumer_works(prefix: &Path, kind: Kind, name: &str, pkg_config: &str) {
    let out = fresh(Path::new(TMPDIR).join("consumers").join(name));
    let mut make = Command::new("make");
    make.args(["-C", &format!("{ROOT}/tests/consumers/pkg-config")]).arg(format!("OUT={}", out.display()));
    make.arg(format!("PKG_CONFIG={pkg_config}")).arg(format!("MODULE={}", kind.module()));
    for (variable, standard) in [("CC", "c11"), ("CXX", "c++17")] {
        make.env(variable, compiler::compiler(standard).get_program());
    }
    let library_dir = prefix.join("lib");
    run(make.env("PKG_CONFIG_PATH", library_dir.join("pkgconfig")));
    assert_work(&out, kind, &library_dir.to_string_lossy());
}

#[test]
fn nothing_but_the_package_is_installed() {
    let expected = [
        "include/qdtls_rs.h",
        "include/qdtls_rs_qt.h",
        "lib/cmake/QDtlsRs/QDtlsRsConfig.cmake",
        "lib/cmake/QDtlsRs/QDtlsRsConfigVersion.cmake",
        "lib/libqdtls_rs.a",
        "lib/libqdtls_rs.so.0.1.0",
        "lib/pkgconfig/qdtls_rs-shared.pc",
        "lib/pkgconfig/qdtls_rs.pc",
        "share/doc/qdtls-rs/LICENSE-APACHE",
        "share/doc/qdtls-rs/LICENSE-MIT",
        "share/doc/qdtls-rs/abi.md",
    ];
    assert_eq!(files(&prefixes().installed), expected.map(String::from).into());
}

#[test]
fn cmake_projects_find_it() {
    cmake_consumer_works(&prefixes().installed, Kind::Static, "cmake");
}

#[test]
fn cmake_projects_find_it_where_it_was_moved() {
    cmake_consumer_works(&prefixes().moved, Kind::Static, "cmake-moved");
}

#[test]
fn cmake_projects_find_the_shared_one_where_it_was_moved() {
    cmake_consumer_works(&prefixes().moved, Kind::Shared, "cmake-shared");
}

#[test]
fn pkg_config_projects_find_it() {
    pkg_config_consumer_works(&prefixes().installed, Kind::Static, "pkg-config", "pkg-config");
}

#[test]
fn pkg_config_projects_find_it_where_it_was_moved() {
    let moved = &prefixes().moved;
    let pkg_config = format!("pkg-config --define-variable=prefix={}", moved.display());
    pkg_config_consumer_works(moved, Kind::Static, "pkg-config-moved", &pkg_config);
}

#[test]
fn pkg_config_projects_find_the_shared_one() {
    pkg_config_consumer_works(&prefixes().installed, Kind::Shared, "pkg-config-shared", "pkg-config");
}

#[test]
fn e9_pkg_config_names_the_folders_themselves() {
    let prefix = &prefixes().installed;
    let flags = run(Command::new("pkg-config")
        .args(["--cflags", "--libs-only-L", "qdtls_rs"])
        .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")));
    let [include, lib] = ["include", "lib"].map(|name| prefix.join(name).display().to_string());
    assert_eq!(String::from_utf8_lossy(&flags.stdout).trim(), format!("-I{include} -L{lib}"));
}

#[test]
fn e8_components_are_refused_with_a_reason() {
    assert_eq!(components_refused(&prefixes().installed, "Shared"), None);
    let refused = components_refused(&prefixes().installed, "x").expect("an error");
    assert!(refused.contains("QDtlsRs has no component `x`, only `Shared` and `Qt`"), "{refused}");
    // As where only the static library was built.
    let without = fresh(Path::new(TMPDIR).join("installed-package/without-shared"));
    run(Command::new("cp").arg("-r").arg(prefixes().installed.join("lib")).arg(&without));
    fs::remove_file(without.join("lib/libqdtls_rs.so")).expect("the link of the shared library");
    let refused = components_refused(&without, "Shared").expect("an error");
    assert!(refused.contains("QDtlsRs is installed without its shared library"), "{refused}");
}

/// What a project hears that requires a component.
fn components_refused(prefix: &Path, component: &str) -> Option<String> {
    let folder = fresh(Path::new(TMPDIR).join("consumers/components"));
    let project = format!(
        "cmake_minimum_required(VERSION 3.21)\nproject(consumer LANGUAGES C)\n\
        find_package(QDtlsRs REQUIRED COMPONENTS {component})\n"
    );
    fs::write(folder.join("CMakeLists.txt"), project).expect("a project that can be written");
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
    let configure = Command::new("cmake").current_dir(&folder).args([".", &prefix]).output();
    let configure = configure.expect("cmake runs");
    let errors = String::from_utf8_lossy(&configure.stderr).into_owned();
    (!configure.status.success()).then_some(errors)
}

/// Neither the folder of the repository nor that of cargo is in the library.
#[test]
fn e9_equal_sources_in_other_folders_give_the_same_library() {
    let folder = fresh(Path::new(TMPDIR).join("elsewhere"));
    let sources =
        ["benches", "build.rs", "Cargo.lock", "Cargo.toml", "cbindgen.toml", "cmake", "docs", "fuzz"];
    let others = ["examples", "include", "LICENSE-APACHE", "LICENSE-MIT", "src", "tests", "xtask"];
    let sources = sources.into_iter().chain(others);
    // cargo's package has neither fuzz nor xtask.
    let sources = sources.filter(|name| Path::new(ROOT).join(name).exists());
    run(Command::new("cp").args(["-r", "-t"]).arg(&folder).args(sources).current_dir(ROOT));
    // Another folder of cargo, which unpacks into it what was downloaded before.
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home =
        cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).expect("cargo's folder");
    let other_home = folder.join("cargo-home");
    fs::create_dir_all(other_home.join("registry")).expect("a folder that can be made");
    for name in ["config.toml", "registry/index", "registry/cache"] {
        std::os::unix::fs::symlink(cargo_home.join(name), other_home.join(name)).expect("a link");
    }

    let build = folder.join("build");
    let cargo = format!("-DQDTLS_RS_CARGO={}", env!("CARGO"));
    let configure = ["-S", "cmake", "-B", "build", &cargo];
    run(Command::new("cmake").current_dir(&folder).args(configure).env("CARGO_HOME", &other_home));
    run(Command::new("cmake").arg("--build").arg(&build).env("CARGO_HOME", &other_home));
    for (built, installed) in
        [("qdtls_rs_package/libqdtls_rs.a", "libqdtls_rs.a"), ("libqdtls_rs.so", "libqdtls_rs.so")]
    {
        let built = fs::read(build.join(built)).expect("the library");
        let other = fs::read(prefixes().installed.join("lib").join(installed)).expect("the library");
        assert!(built == other, "{installed} differs: {} and {} bytes", built.len(), other.len());
    }
}

#[test]
fn only_what_the_header_declares_is_global() {
    let archive = prefixes().installed.join("lib/libqdtls_rs.a");
    assert_eq!(symbols::global_symbols(&archive), declared::declared_functions());
}

/// Name and versions are what programs are linked to: they change with the ABI only.
#[test]
fn the_shared_library_exports_what_the_header_declares_and_its_version() {
    let library = prefixes().installed.join("lib/libqdtls_rs.so");
    assert_eq!(dynamic_entries(&library, "SONAME"), BTreeSet::from([SONAME.into()]));
    let versioned = declared::declared_functions().into_iter().map(|name| format!("{name}@@{VERSION_NODE}"));
    assert_eq!(exported_symbols(&library), versioned.collect());
}

/// One of its own would be a second OpenSSL in the process.
#[test]
fn the_shared_library_contains_no_openssl() {
    let needed = dynamic_entries(&prefixes().installed.join("lib/libqdtls_rs.so"), "NEEDED");
    let needs = |library| needed.iter().any(|name| name.starts_with(library));
    assert!(needs("libssl.so") && needs("libcrypto.so"), "{needed:?}");
}

#[test]
fn the_version_is_the_crates() {
    let version = run(Command::new("pkg-config")
        .args(["--modversion", "qdtls_rs"])
        .env("PKG_CONFIG_PATH", prefixes().installed.join("lib/pkgconfig")));
    assert_eq!(String::from_utf8_lossy(&version.stdout).trim(), env!("CARGO_PKG_VERSION"));
}

/// Both files name the libraries that rustc names, without those that every C compiler links by itself.
#[test]
fn the_native_libraries_are_those_of_rustc() {
    let (_, native) = library::build_static_library();
    let of_rustc: BTreeSet<_> =
        native.iter().map(String::as_str).filter(|name| !["-lgcc_s", "-lc"].contains(name)).collect();
    let package = prefixes().installed.join("lib");

    let description = text(&package.join("pkgconfig/qdtls_rs.pc"));
    let libraries = |line: &'static str| {
        let rest = description.lines().find_map(|candidate| candidate.strip_prefix(line));
        rest.unwrap_or_else(|| panic!("{line} is missing in:\n{description}")).split_whitespace()
    };
    let of_pkg_config: BTreeSet<_> = libraries("Libs: -L${libdir} -l:libqdtls_rs.a").collect();
    let required: Vec<_> = libraries("Requires:").collect();
    assert_eq!(required, ["libssl", ">=", "1.1.1", "libcrypto", ">=", "1.1.1"]);
    assert_eq!(&of_pkg_config | &BTreeSet::from(["-lssl", "-lcrypto"]), of_rustc);

    let config = text(&package.join("cmake/QDtlsRs/QDtlsRsConfig.cmake"));
    let (_, rest) = config.split_once("INTERFACE_LINK_LIBRARIES \"").expect("what has to be linked");
    let (interface, _) = rest.split_once('"').expect("the end of the list");
    let (openssl, of_cmake): (Vec<_>, _) =
        interface.split(';').partition(|library| library.starts_with("OpenSSL::"));
    assert_eq!(openssl, ["OpenSSL::SSL", "OpenSSL::Crypto"]);
    assert_eq!(BTreeSet::from_iter(of_cmake), of_pkg_config);
}
