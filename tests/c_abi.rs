// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C++ program of `tests/c-abi`, which tests the C ABI from outside: built, run, and run again under valgrind, where
//! calls from inside callbacks show that nothing in use was freed or changed.

#[path = "support/compiler.rs"]
mod compiler;
#[path = "support/isolated.rs"]
mod isolated;
#[path = "support/library.rs"]
mod library;
#[path = "support/process.rs"]
mod process;
#[path = "support/program.rs"]
mod program;

use process::run;
use program::HEADER;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program, built once, with the library in the form in which it is installed.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| program::build("c-abi", "harness", &[]))
}

/// How many processes share the cases under valgrind, where some take long.
const SHARES: usize = 4;

/// Each case has printed its line, and the last line counts them. Returns how many there were.
fn passed(output: &[u8]) -> usize {
    let output = String::from_utf8_lossy(output);
    println!("{output}");
    let passed = output.lines().filter(|line| line.starts_with("PASS ")).count();
    assert_eq!(output.lines().next_back(), Some(format!("{passed} passed, 0 failed").as_str()));
    passed
}

#[test]
fn every_case_passes() {
    let output = run(Command::new(program()).arg(HEADER));
    let passed = passed(&output.stdout);
    assert!(passed > 200, "only {passed} cases were run");
}

#[test]
fn valgrind_finds_no_error_and_no_leak() {
    let available = Command::new("valgrind").arg("--version").output();
    if available.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        panic!("valgrind is not on PATH; this test needs it (Debian: apt-get install valgrind)");
    }
    let passed: usize = std::thread::scope(|scope| {
        let shares: Vec<_> =
            (0..SHARES).map(|share| scope.spawn(move || passed_under_valgrind(share))).collect();
        shares.into_iter().map(|share| share.join().expect("its cases pass")).sum()
    });
    assert!(passed > 200, "only {passed} cases were run");
}

fn passed_under_valgrind(share: usize) -> usize {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
    valgrind.arg("--errors-for-leak-kinds=definite,indirect,possible");
    valgrind.arg("--show-leak-kinds=definite,indirect,possible");
    let shares = [share, SHARES].map(|number| number.to_string());
    passed(&run(valgrind.arg(program()).arg(HEADER).args(shares)).stdout)
}

/// The native libraries that users have to link, in addition to OpenSSL only what every Rust program needs.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn the_native_libraries_are_openssl_and_the_systems() {
    let (_, mut native) = library::build_static_library();
    native.sort();
    let expected = ["-lc", "-lcrypto", "-ldl", "-lgcc_s", "-lm", "-lpthread", "-lrt", "-lssl", "-lutil"];
    assert_eq!(native, expected);
}

/// What POSIX has and Windows does not: `cargo xtask windows` takes too long to find it with each change.
const POSIX_HEADERS: [&str; 9] =
    ["arpa/", "dirent.h", "dlfcn.h", "fcntl.h", "netdb.h", "netinet/", "poll.h", "sys/", "unistd.h"];

/// The includes of such headers that stand behind no question for the system.
fn unconditional_posix_headers(source: &str) -> Vec<&str> {
    let mut asks = Vec::new();
    let mut found = Vec::new();
    for line in source.lines() {
        if line.starts_with("#if") {
            asks.push(line.contains("_WIN32") || line.contains("__linux__"));
        } else if line.starts_with("#endif") {
            asks.pop();
        }
        let header = line.strip_prefix("#include <");
        if header.is_some_and(|header| POSIX_HEADERS.iter().any(|posix| header.starts_with(posix)))
            && !asks.contains(&true)
        {
            found.push(line);
        }
    }
    found
}

#[test]
fn the_cases_include_nothing_that_windows_does_not_have() {
    for (source, expected) in [
        ("#include <poll.h>", 1),
        ("#ifndef GUARD_H\n#include <sys/socket.h>\n#endif", 1),
        ("#ifdef _WIN32\n#else\n#include <unistd.h>\n#endif\n#include <unistd.h>", 1),
        ("#ifndef _WIN32\n#include <sys/wait.h>\n#endif\n#include <string>", 0),
    ] {
        assert_eq!(unconditional_posix_headers(source).len(), expected, "{source}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c-abi");
    for file in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()) {
        let source = std::fs::read_to_string(&file).expect("text");
        assert_eq!(unconditional_posix_headers(&source), Vec::<&str>::new(), "{}", file.display());
    }
}
