// SPDX-License-Identifier: MIT OR Apache-2.0
//! Qt's qtlsbackend_openssl.cpp makes the DTLS objects, of classes whose layout comes from a header. With Qt's header
//! and the rest of the plugin ours, the heap would be corrupted. So a build in which our header does not come first
//! must fail where that file is compiled: a static plugin is not linked before an application is.

use crate::build::Flavour;
use crate::system::{Run, cmd, shell, shell_in};
use anyhow::{Context, Result, ensure};

/// The file, and the two options that belong together: ours is the last header that is forced.
const BACKEND: &str = "qtlsbackend_openssl.cpp";
const INCLUDE: &str = " -include ";
const GUARD: &str = " -DQDTLS_OPENSSL_P_H";

/// Compiles the file as the build does, and without each of the options.
pub fn check() -> Result<()> {
    let build_dir = Flavour::OURS.build_dir();
    let commands = cmd!(shell(), "ninja -C {build_dir} -t commands").capture()?;
    let compile = commands.lines().find(|line| line.contains(BACKEND) && line.contains(INCLUDE));
    let compile = compile.context("our header is not forced on Qt's file")?;
    let (before, rest) = compile.rsplit_once(INCLUDE).context("no header is forced")?;
    let (_, after) = rest.split_once(' ').context("the forced header is the last word")?;

    let here = shell_in(&build_dir);
    let errors_of = |line: &str| -> Result<Option<String>> {
        let line = format!("{line} -fsyntax-only");
        let outcome = cmd!(here, "sh -c {line}").outcome()?;
        Ok((!outcome.status.success()).then_some(outcome.stderr))
    };
    let as_built = errors_of(compile)?;
    ensure!(as_built.is_none(), "{BACKEND} does not compile: {as_built:?}");
    for (line, error) in [
        (format!("{before} {after}"), "QDtlsPrivateOpenSSL"),
        (compile.replace(GUARD, ""), "QDTLS_OPENSSL_P_H must be defined"),
    ] {
        let errors = errors_of(&line)?.with_context(|| format!("no error '{error}' from {line}"))?;
        ensure!(errors.contains(error), "another error than '{error}': {errors}");
    }
    Ok(())
}
