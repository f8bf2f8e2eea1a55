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

use compiler::compiler;
use process::run;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::thread;

const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/qdtls_rs.h");
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c-abi");
const OBJECTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/c-abi");

/// The program, built once, with the library in the form in which it is installed.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        fs::create_dir_all(OBJECTS).expect("a folder for the objects");
        let objects = compile(sources());
        let (plain, native) = library::build_static_library();
        let library = Path::new(OBJECTS).join("libqdtls_rs.a");
        isolated::isolate(&plain, Path::new(HEADER), &library);
        let program = Path::new(OBJECTS).join("harness");
        run(compiler("c++17").args(objects).arg(library).args(native).arg("-o").arg(&program));
        program
    })
}

fn sources() -> Vec<PathBuf> {
    let entries = fs::read_dir(SOURCES).expect("the sources of the harness");
    let mut sources: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "cpp"));
    sources.sort();
    sources
}

/// Compiles all sources, as many at a time as there are processors, and returns the objects.
fn compile(sources: Vec<PathBuf>) -> Vec<PathBuf> {
    let queue = Mutex::new(sources.into_iter());
    let objects = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(source) = queue.lock().expect("no thread panicked").next() else { break };
            let object = Path::new(OBJECTS).join(source.file_name().expect("a file")).with_extension("o");
            run(compiler("c++17").arg("-c").arg(&source).arg("-o").arg(&object));
            objects.lock().expect("no thread panicked").push(object);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut objects = objects.into_inner().expect("no thread panicked");
    objects.sort();
    objects
}

/// Each case has printed its line, and the last line counts them.
fn assert_all_passed(output: &str) {
    println!("{output}");
    let passed = output.lines().filter(|line| line.starts_with("PASS ")).count();
    assert!(passed > 200, "only {passed} cases were run");
    assert_eq!(output.lines().next_back(), Some(format!("{passed} passed, 0 failed").as_str()));
}

#[test]
fn every_case_passes() {
    let output = run(Command::new(program()).arg(HEADER));
    assert_all_passed(&String::from_utf8_lossy(&output.stdout));
}

#[test]
fn valgrind_finds_no_error_and_no_leak() {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
    valgrind.arg("--errors-for-leak-kinds=definite,indirect,possible");
    valgrind.arg("--show-leak-kinds=definite,indirect,possible");
    let available = Command::new("valgrind").arg("--version").output();
    if available.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        panic!("valgrind is not on PATH; this test needs it (Debian: apt-get install valgrind)");
    }
    let output = run(valgrind.arg(program()).arg(HEADER));
    assert_all_passed(&String::from_utf8_lossy(&output.stdout));
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
