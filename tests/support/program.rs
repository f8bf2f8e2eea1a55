// SPDX-License-Identifier: MIT OR Apache-2.0
//! C++ programs that use the library in the form in which it is installed.

use crate::compiler::compiler;
use crate::isolated;
use crate::library;
use crate::process::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

pub const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/qdtls_rs.h");

/// Set where the coverage is measured, which takes what isolation hides.
const PROFILED: &str = "LLVM_PROFILE_FILE";

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Builds a program of the sources in this folder of `tests`, and of those that it shares with the harness.
pub fn build(folder: &str, program: &str, shared: &[&str]) -> PathBuf {
    let objects_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&objects_dir).expect("a folder for the objects");
    let mut sources = sources(&Path::new(TESTS).join(folder));
    sources.extend(shared.iter().map(|name| Path::new(TESTS).join("c-abi").join(name)));
    let objects = compile(sources, &objects_dir);
    let (plain, native) = library::build_static_library();
    let program = objects_dir.join(program);
    let mut linker = compiler("c++17");
    linker.args(objects);
    if std::env::var_os(PROFILED).is_some() {
        linker.arg(plain).arg("-Wl,--undefined=__llvm_profile_runtime");
    } else {
        let library = objects_dir.join("libqdtls_rs.a");
        isolated::isolate(&plain, Path::new(HEADER), &library);
        linker.arg(library);
    }
    run(linker.args(native).arg("-o").arg(&program));
    program
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the sources of the program");
    let mut sources: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "cpp"));
    sources.sort();
    sources
}

/// Compiles all sources, as many at a time as there are processors, and returns the objects.
fn compile(sources: Vec<PathBuf>, objects_dir: &Path) -> Vec<PathBuf> {
    let queue = Mutex::new(sources.into_iter());
    let objects = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(source) = queue.lock().expect("no thread panicked").next() else { break };
            let object = objects_dir.join(source.file_name().expect("a file")).with_extension("o");
            let mut compiler = compiler("c++17");
            compiler.args(["-I", &format!("{TESTS}/c-abi")]);
            run(compiler.arg("-c").arg(&source).arg("-o").arg(&object));
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
