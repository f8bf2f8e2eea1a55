// SPDX-License-Identifier: MIT OR Apache-2.0
//! Qt's qtlsbackend_openssl.cpp makes the DTLS objects, of classes whose layout it has from a header. If that were Qt's
//! header and the rest of the plugin were ours, the heap would be corrupted. So a build in which our header does not
//! come first must fail where that file is compiled: a static plugin is not linked before an application is.

use crate::build::plugin::{self, Flavour};
use crate::system::process::{capture, command};
use anyhow::{Context, Result, ensure};

/// The file, and the two things that belong together.
const BACKEND: &str = "qtlsbackend_openssl.cpp";
const INCLUDE: &str = " -include ";
const GUARD: &str = " -DQDTLS_OPENSSL_P_H";

/// Compiles the file as the build does, and without the one and the other.
pub fn check() -> Result<()> {
    let build_dir = plugin::build_dir(Flavour::Rust);
    let commands = capture(command("ninja").arg("-C").arg(&build_dir).args(["-t", "commands"]))?;
    let compile = commands.lines().find(|line| line.contains(BACKEND) && line.contains(INCLUDE));
    let compile = compile.context("our header is not forced on Qt's file")?;
    let (before, rest) = compile.split_once(INCLUDE).context("no header is forced")?;
    let (_, after) = rest.split_once(' ').context("the forced header is the last word")?;

    let errors_of = |line: &str| -> Result<Option<String>> {
        let line = format!("{line} -fsyntax-only");
        let output = command("sh").current_dir(&build_dir).args(["-c", &line]).output()?;
        Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let as_built = errors_of(compile)?;
    ensure!(as_built.is_none(), "{BACKEND} does not compile: {as_built:?}");
    let without_header =
        errors_of(&format!("{before} {after}"))?.context("it compiles without our header")?;
    ensure!(without_header.contains("QDtlsPrivateOpenSSL"), "another error: {without_header}");
    let without_guard =
        errors_of(&compile.replace(GUARD, ""))?.context("it compiles without Qt's include guard")?;
    ensure!(without_guard.contains("QDTLS_OPENSSL_P_H must be defined"), "another error: {without_guard}");
    Ok(())
}
