// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building for Windows by mingw-w64, and running what was built in Wine.

use crate::build::cmake::define;
use crate::system::{Cmd, Run, Shell, cmd, shell, workspace};
use anyhow::{Context, Result};
use itertools::Itertools;
use std::path::{Path, PathBuf};

/// rustc's name of the system, and that of the compiler's programs.
pub const RUST_TARGET: &str = "x86_64-pc-windows-gnu";
pub const PREFIX: &str = "x86_64-w64-mingw32-";

/// C and C++, with the threads of the C++ library.
pub const CC: &str = "x86_64-w64-mingw32-gcc-posix";
pub const CXX: &str = "x86_64-w64-mingw32-g++-posix";

/// Everything of this verb.
pub fn folder(name: &str) -> PathBuf {
    workspace::target("windows").join(name)
}

/// Where OpenSSL and Qt are installed.
pub fn root() -> PathBuf {
    folder("root")
}

/// For the configuration of each CMake project.
pub fn definitions() -> [String; 2] {
    [
        define("CMAKE_TOOLCHAIN_FILE", workspace::root().join("cmake/mingw.cmake").display()),
        define("CMAKE_FIND_ROOT_PATH", root().display()),
    ]
}

/// A command that runs a program in Wine, which finds the libraries that were built and the compiler's. One that hangs
/// is ended after ten minutes.
pub fn wine<'a>(here: &'a Shell, program: &Path) -> Result<Cmd<'a>> {
    Ok(in_wine(here.cmd("timeout"))?.args(["--kill-after=10", "600", "wine"]).arg(program))
}

/// Sets Wine's environment.
pub fn in_wine(command: Cmd) -> Result<Cmd> {
    let runtime = ["libstdc++-6.dll", "libwinpthread-1.dll"].map(folder_of).into_iter();
    let libraries = runtime.chain([Ok(root().join("bin"))]).collect::<Result<Vec<_>>>()?;
    let path = libraries.iter().map(|folder| windows(folder)).join(";");
    Ok(command
        .env("WINEPATH", path)
        .env("WINEPREFIX", folder("wine"))
        .env("WINEDEBUG", "-all")
        .env("WINEDLLOVERRIDES", "mscoree,mshtml="))
}

/// Where the compiler has one of its libraries.
fn folder_of(library: &str) -> Result<PathBuf> {
    let file = PathBuf::from(cmd!(shell(), "{CXX} -print-file-name={library}").capture()?);
    let folder = file.parent().filter(|_| file.is_absolute());
    Ok(folder.with_context(|| format!("{CXX} has no {library}"))?.to_owned())
}

/// A path as Wine shows it to programs.
pub fn windows(path: &Path) -> String {
    format!("Z:{}", path.display())
}

/// Makes Wine's folder, and registers what OpenSSL's generator of random numbers asks for; waits until it is written.
pub fn prepare_wine() -> Result<()> {
    in_wine(cmd!(shell(), "wineboot --init"))?.quietly()?;
    in_wine(cmd!(shell(), "wine regsvr32 /s rsaenh.dll"))?.quietly()?;
    in_wine(cmd!(shell(), "wineserver --wait"))?.quietly()
}
